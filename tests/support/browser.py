"""Headless Chromium, the one of the system: what the page is looked at with."""

import shutil
from contextlib import contextmanager
from pathlib import Path

PATIENCE_MS = 180_000  # for a browser on a busy machine
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """Return where Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched():
    """Start Chromium, and end it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, path: Path, *, width: int = 1280, height: int = 900, **context):
    """Open a file of this machine with the network off; `heard` and `asked` of the page list what it says and asks.

    Parameters
    ----------
    context
        What Playwright takes for a new context, such as ``color_scheme``.
    """
    inside = browser.new_context(viewport={"width": width, "height": height}, offline=True, **context)
    inside.set_default_timeout(PATIENCE_MS)
    page = inside.new_page()
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    try:
        page.goto(path.resolve().as_uri())
        yield page
    finally:
        inside.close()
