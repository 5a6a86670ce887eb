"""Remake docs/report.png from the sample's report: the upper part of the page, as a reader first sees it."""

import sys
import tempfile
from pathlib import Path

from abaco import Pipeline
from abaco.core import project
from tests.support.browser import chromium, launched, opened

DATE = "2025-12-31"
SIZE = {"width": 1240, "height": 1420}


def main() -> None:
    """Write the picture, and say where it is."""
    if chromium() is None:
        sys.exit("Error: Chromium is not there: install it (on Debian: chromium)")
    picture = project.root() / "docs" / "report.png"
    with tempfile.TemporaryDirectory(prefix="abaco-") as folder:
        Pipeline(output=folder).execute("data/sample", date=DATE)
        with launched() as browser, opened(browser, Path(folder) / DATE / "report.html", **SIZE) as page:
            page.screenshot(path=picture)
    print(picture.relative_to(project.root()))


if __name__ == "__main__":
    main()
