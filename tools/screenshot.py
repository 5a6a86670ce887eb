"""Make docs/report.png, a picture of the upper part of the sample's report."""

import sys
import tempfile
from pathlib import Path

from abaco import Pipeline
from abaco.core import project
from tests.support.browser import chromium, launched, opened

DATE = "2025-12-31"
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    """Write the picture and print its path."""
    if chromium() is None:
        sys.exit("Error: Chromium was not found: install it (on Debian: chromium)")
    picture = project.root() / "docs" / "report.png"
    with tempfile.TemporaryDirectory(prefix="abaco-") as folder:
        Pipeline(output=folder).execute("data/sample", date=DATE)
        with launched() as browser, opened(browser, Path(folder) / DATE / "report.html", **SIZE) as page:
            page.screenshot(path=picture)
    print(picture.relative_to(project.root()))


if __name__ == "__main__":
    main()
