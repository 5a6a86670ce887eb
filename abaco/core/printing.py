"""The page printed as a PDF, by a browser of the machine without a window."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from abaco.core.errors import InputError, RunError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
TIMEOUT_SECONDS = 180
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--no-pdf-header-footer",
)  # fmt: skip
MADE = re.compile(rb"(/(?:Creation|Mod)Date \(D:)\d{14}")


def browser() -> str:
    """Return the path of the browser that prints.

    Raises
    ------
    InputError
        When there is none.
    """
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return found
    raise InputError(
        "output.pdf needs Chromium, and none was found: install it (on Debian: chromium), or set output.pdf=none"
    )


def print_page(page: Path, date: str) -> Path:
    """Print a page as a PDF beside it, with tags for screen readers; return its path.

    The same page, browser and fonts give the same bytes: the document's times are those of the report.

    Parameters
    ----------
    page
        The page; it is opened without network.
    date
        The report's date, which the document's properties name as the day it was made.

    Raises
    ------
    RunError
        When the browser prints nothing.
    """
    out_path = page.with_suffix(".pdf")
    # The sandbox, which root cannot have, protects from scripts; the page has none.
    flags = [*FLAGS, "--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else FLAGS
    with tempfile.TemporaryDirectory(prefix="abaco-print-", ignore_cleanup_errors=True) as profile:
        printed = Path(profile, "printed.pdf")
        command = [browser(), *flags, f"--user-data-dir={profile}", f"--print-to-pdf={printed}"]
        try:
            ended = subprocess.run([*command, page.resolve().as_uri()], capture_output=True, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise RunError(f"{command[0]} has not printed {page.name} within {TIMEOUT_SECONDS} s") from error
        if ended.returncode or not printed.is_file():
            said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise RunError(f"{command[0]} could not print {page.name}: {said or f'it ended with {ended.returncode}'}")
        day = date.replace("-", "").encode()
        out_path.write_bytes(MADE.sub(rb"\g<1>" + day + b"000000", printed.read_bytes()))
    return out_path
