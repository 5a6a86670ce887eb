"""report.pdf: title, date and number on every page, no half-empty ones, the same bytes; and front.pdf, of one page."""

import email
import json
import re
import shutil
import subprocess
from email import policy

import pytest
from bs4 import BeautifulSoup

from abaco.core import printing
from abaco.core.errors import InputError, RunError
from tests.support.programs import missing
from tests.support.projects import PII_KEY, Project

from . import example
from .example import executed, render, tables

TITLES = {"sample": "Loan book at 31 December 2025", "es": "Cartera al 10 de diciembre de 2025"}


@pytest.fixture(scope="module", autouse=True)
def programs():
    """Skip if there is no browser to print, or no program to read the PDF."""
    if shutil.which("pdftotext") is None or not any(map(shutil.which, printing.BROWSERS)):
        missing("Chromium or pdftotext is not installed")


@pytest.fixture(scope="module")
def printed(tmp_path_factory, finished):
    """Paths of two printed pages: the sample's report, and every section in Spanish."""
    folder = tmp_path_factory.mktemp("printed")
    render(folder, executed(example.metrics(), tables(example.history()), "es"), name="es", language="es")
    shutil.copy(finished.output / "2025-12-31/report.html", folder / "sample.html")
    shutil.copy(finished.output / "2025-12-31/front.html", folder)
    pages = {"sample": folder / "sample.html", "es": folder / "out/es.html"}
    return {name: printing.print_page(page, "2025-12-31") for name, page in pages.items()}


def pages_of(path):
    """Return the pages of a PDF: each its height, and the words with their lower edge."""
    said = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True, check=True).stdout
    return [
        (float(page["height"]), [(word.text, float(word["ymax"])) for word in page.find_all("word")])
        for page in BeautifulSoup(said, "html.parser").find_all("page")
    ]


@pytest.mark.parametrize("name", TITLES)
def test_every_page_has_title_date_and_number(printed, name):
    pages = pages_of(printed[name])
    for number, (_, words) in enumerate(pages, 1):
        text = " ".join(word for word, _ in words)
        assert TITLES[name] in text
        assert f"{number} / {len(pages)}" in text


@pytest.mark.parametrize("name", TITLES)
def test_no_page_but_the_last_is_half_empty(printed, name):
    for height, words in pages_of(printed[name])[:-1]:
        lowest = max(bottom for _, bottom in words if bottom < height * 0.93)  # below stands the number
        assert lowest > height / 2


def test_front_alone_is_the_first_page_of_the_report(printed):
    whole, front = printed["sample"], printed["sample"].with_name("front.html")
    ((_, words),) = pages_of(printing.print_page(front, "2025-12-31"))
    (_, first), *_ = pages_of(whole)
    assert [word for word, _ in words][:-1] == [word for word, _ in first][:-1]  # the last is the number of pages
    assert {"Conclusion", "CollectionRate", "✓"} <= {word for word, _ in words}


def test_same_page_prints_the_same_bytes_at_any_time(printed):
    before = printed["sample"].read_bytes()
    assert printing.print_page(printed["sample"].with_suffix(".html"), "2025-12-31").read_bytes() == before
    assert set(re.findall(rb"/(?:Creation|Mod)Date \(D:(\d+)", before)) == {b"20251231000000"}


def test_run_lists_the_pdf_and_attaches_it_to_the_email(finished, tmp_path):
    shutil.copytree(finished.output, tmp_path / "reports", symlinks=True)
    project = Project(finished.root, tmp_path / "reports")
    made = project.report("--params", "output.pdf=email", ABACO_PII_KEY=PII_KEY)
    assert made.returncode == 0, made.stderr
    report = project.output / "2025-12-31"
    listed = {entry["path"] for entry in json.loads((report / "manifest.json").read_text())["outputs"]}
    assert {"report.pdf", "front.html", "front.pdf"} <= listed
    beside = "Beside it: front.html, front.pdf, report.pdf, report.xlsx; the front is the first page alone, to forward"
    assert beside in made.stdout.splitlines()
    message = email.message_from_bytes((report / "email.eml").read_bytes(), policy=policy.default)
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert list(attached) == ["abaco-2025-12-31.html", "abaco-2025-12-31.pdf"]
    assert attached["abaco-2025-12-31.pdf"] == (report / "report.pdf").read_bytes()


def test_machine_without_a_browser_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"output\.pdf needs Chromium, and none was found: install it"):
        printing.browser()


def test_browser_that_fails_is_quoted(monkeypatch, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no display' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "report.html").write_text("<p>")
    with pytest.raises(RunError, match=r"could not print report\.html: no display"):
        printing.print_page(tmp_path / "report.html", "2025-12-31")
