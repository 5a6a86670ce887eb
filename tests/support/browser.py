"""Headless Chromium, the one of the system, with fonts of the project: what the page is looked at with."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import matplotlib
from playwright.sync_api import sync_playwright

TIMEOUT_MS = 180_000  # for a browser on a busy machine
NAMES = ("chromium", "chromium-browser", "google-chrome")
# DejaVu comes with Matplotlib, in the same version everywhere; no font of the machine is seen.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <selectfont>
    <rejectfont><glob>*</glob></rejectfont>
    <acceptfont><glob>{fonts}/DejaVu*</glob></acceptfont>
  </selectfont>
  <alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias binding="same"><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias binding="same"><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
"""


def chromium() -> str | None:
    """Return where Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched():
    """Start Chromium, and end it."""
    with tempfile.TemporaryDirectory(prefix="abaco-fonts-") as folder, sync_playwright() as playwright:
        path = Path(folder, "fonts.conf")
        path.write_text(FONTS.format(fonts=Path(matplotlib.get_data_path(), "fonts/ttf"), cache=folder))
        browser = playwright.chromium.launch(
            executable_path=chromium(), timeout=TIMEOUT_MS, env={**os.environ, "FONTCONFIG_FILE": str(path)}
        )
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
    inside.set_default_timeout(TIMEOUT_MS)
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
