"""Writes docs/LICENCES.md: the packages that a report is made with, and their licences as they state them."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "LICENCES.md"
PIN = re.compile(r"^([a-z0-9][\w.-]*)==", re.MULTILINE)
HEAD = """# Licences

The packages of `requirements.lock`, written by `make docs`. The project itself is under the MIT licence (`LICENSE`);
`make sbom` lists their versions and hashes.

| package | licence |
|---|---|
"""


def names() -> list[str]:
    """Return the packages of the lock, once each."""
    return sorted(set(PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))))


def licence(name: str) -> str:
    """Return the licence that a package states; of one for another platform that it is not installed here."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return "for another platform"
    classes = [one.rpartition(" :: ")[2] for one in stated.get_all("Classifier", []) if one.startswith("License ::")]
    free = (stated.get("License") or "").strip().partition("\n")[0]
    return (stated.get("License-Expression") or ", ".join(classes) or free or "not stated").replace("|", "/")


def page() -> str:
    """Return the page."""
    return HEAD + "".join(f"| {name} | {licence(name)} |\n" for name in names())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
