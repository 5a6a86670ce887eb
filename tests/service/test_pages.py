"""The pages: what they say, that every link leads somewhere, and their look in a browser."""

import asyncio
import datetime as dt
import io
import json
import re
import zipfile
from html import unescape
from urllib.parse import urljoin, urlsplit

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe

from abaco.core import files
from abaco.database import schema
from abaco.database.connection import writing
from abaco.kpis.dictionary import TABLES, sentence
from abaco.review import comparison
from abaco.run import folders
from abaco.service import archive, pages, tables
from abaco.service.app import create_app
from abaco.service.security import Access
from tests.support import browser as chromium
from tests.support.facilities import facilities

from .conftest import at

WIDE, TABLET, PHONE = ({"width": width, "height": 900} for width in (1440, 768, 360))
COMPARED = "/compare?one=2025-11-30&other=2025-12-31"
PAGES = ("/", "/reports/2025-12-31/", COMPARED, "/history", "/health", "/dictionary", "/nothing")


def words(page):
    """Return the text of a page, blanks aside."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def test_reports_are_listed_by_date_with_values_and_states(service):
    text = words(service.get("/").text)
    assert "The service is healthy ." in text and "Latest: Loan book at 31 December 2025" in text
    first = text.index("31 December 2025 3.75 1.30 2.95 ✕ Critical: 2.84")
    assert first < text.index("30 November 2025 4.01 1.69 2.53 ✕ Critical: 2.43")


def test_first_page_says_how_each_facility_stands(write, book):
    told = "Senior line: 1,200.50 USD more is drawn than may be. Covenant “arrears” at 9.00 % is past its default level"
    write.run(PAR30=3.5)
    assert told not in words(pages.reports(book, ""))
    rows = [{"run_id": "20251231-a", "measure": f"facility: {key}", "value": json.dumps(one)}
            for key, one in facilities().items()]  # fmt: skip
    write("quality", *rows)
    text = words(pages.reports(book, ""))
    assert told in text and "Tail line: 3,557.02 USD may be drawn." in text


def test_card_says_that_write_offs_alone_lowered_a_par(write, book):
    write.run("20251130-a", dt.date(2025, 11, 30), PAR90=2.0)
    write.run(PAR90=1.5)
    former = {"run_id": "20251231-a", "kpi": "PAR90", "date": dt.date(2025, 11, 30), "value": 2.0}
    write("kpi_values", former | {"unit": "%", "status": "ok"})
    assert "down 0.50 points, better" in words(pages.reports(book, ""))
    points = {"opening": 2.0, "written off": -0.6, "new arrears": 0.1, "closing": 1.5}
    rows = [{"date": "2025-12-31", "kpi": "PAR90", "term": term, "points": one} for term, one in points.items()]
    path = book.output / ".runs/2025-12-31/20251231-a/tables/bridges.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert "down 0.50 points, by write-offs alone" in words(pages.reports(book, ""))
    path.write_bytes(b"PAR1")
    assert "down 0.50 points, better" in words(pages.reports(book, ""))


def test_every_link_leads_to_a_page(service):
    seen, open_ends = set(), ["/"]
    while open_ends:
        address = open_ends.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = service.get(address)
        assert answer.status_code == 200, address
        is_own = answer.headers["content-type"].startswith("text/html") and 'class="service"' in answer.text
        found = re.findall(r'<a [^>]*href="([^"#]+)"', answer.text) if is_own else []
        open_ends += [urljoin(address, unescape(link)) for link in found]
    assert not any(urlsplit(link).netloc for link in seen)
    assert {
        "/reports/2025-12-31/report.html",
        "/reports/2025-12-31/report.xlsx",
        "/reports/2025-11-30/tables/tape.parquet",
    } <= seen


def test_dictionary_explains_every_table(service):
    text = words(service.get("/dictionary").text)
    assert "Column Type Unit Meaning date date the measurement date" in text
    assert "outstanding_usd decimal(38, 2) report's currency the outstanding balance" in text
    assert all(f"{name} {sentence(table)}" in text for name, table in TABLES.items())


def test_a_run_has_its_figures_files_and_runs(service, shown):
    run_id = files.read_json(shown.output / "2025-12-31/run.json")["run_id"]
    text = words(service.get("/reports/2025-12-31/").text)
    assert "This is the run that 31 December 2025 shows." in text and f"Run {run_id} of" in text
    assert (
        "down 0.27 points" in text and "report.html the report" in text and "report.xlsx the same as a workbook" in text
    )
    assert words(service.get(f"/runs/{run_id}/").text).startswith(f"Run {run_id} · Abaco")


@pytest.mark.parametrize("address", ["/reports/2025-12-31/", "/runs/{run_id}/"])
def test_all_files_of_a_run_are_one_archive(service, shown, address):
    folder = (shown.output / "2025-12-31").resolve()
    run_id = files.read_json(folder / "run.json")["run_id"]
    address = address.format(run_id=run_id) + "all.zip"
    answer = service.get(address)
    assert answer.headers["content-disposition"] == f'attachment; filename="{folder.name}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        packed = {name.removeprefix(f"{folder.name}/"): archive.read(name) for name in archive.namelist()}
    listed = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert packed == listed
    assert service.get(address).content == answer.content
    assert service.client.head(address).headers["content-type"] == "application/zip"


def test_archive_is_never_whole_in_memory(tmp_path):
    (tmp_path / "large.parquet").write_bytes(bytes(5_000_000))
    parts = [len(part) for part in archive.chunks(tmp_path, ["large.parquet"])]
    assert len(parts) > 10 and max(parts) < 300_000


def test_figure_over_time_has_a_chart_and_its_figures_in_a_range(service):
    text = words(service.get("/history?kpi=PAR30&first=2025-09-30&last=2025-11-30").text)
    assert "PAR30 is at 4.01 %; its peak was 4.13 % at 31 Oct 25." in text
    assert "30 November 2025 4.01 % 31 October 2025 4.13 % 30 September 2025 3.70 % ! past" in text
    page = service.get("/history?kpi=PortfolioHealth").text
    assert page.count("<title>PortfolioHealth, ") == 2 * 13 and "critical below 3" in words(page)
    alone = words(service.get("/history?kpi=PAR30&first=2025-12-31").text)
    assert "fewer than two dates in this range have a value" in alone


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_programs_get_health_as_json_and_browsers_a_page(service, accept):
    assert service.get("/health", headers={"accept": accept}).json()["status"] == "healthy"
    page = service.get("/health", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html") and page.headers["vary"] == "Accept"
    assert "The service is healthy . Last run ended" in words(page.text)


def test_two_runs_can_be_compared(service):
    text = words(service.get(COMPARED).text)
    assert "First: report of 30 November 2025 , made of data/sample.csv : sample.csv, run 20251130-" in text
    assert "PAR30 4.01 % 3.75 % ↓ down 0.27 points better" in text and "Inputs The same files." in text
    assert "Every figure is the same." in words(service.get("/compare?one=2025-11-30&other=2025-11-30").text)


def test_comparison_tells_figures_and_terms_of_facilities():
    def run(found, rate):
        kpis = comparison.of_facilities(found, "USD")
        terms = {"facilities": {"TAIL": {"advance_rate": rate}}}
        code = {"code_commit": "c", "code_sha256": "1"}
        return {"kpis": kpis, "inputs": [], "parameters": terms, "date": dt.date(2025, 12, 31), **code}

    after = facilities()
    after["TAIL"]["availability"] = "-2600.48"
    after["TAIL"]["covenants"]["late"]["level"] = "trigger"
    parts = tables.differences(run(facilities(), 80), run(after, 75))
    told = words(parts["Figures"])
    assert "Tail line TAIL: availability 3,557.02 USD −2,600.48 USD ↓ down 6,157.50 USD worse" in told
    assert "Tail line TAIL: late ! Warning: 4.50 %, warning ! Warning: 4.50 %, trigger" in told
    assert "facilities.TAIL.advance_rate 80 75" in words(parts["Parameters"])


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/compare?one=2025-11-30&other=2019-01-01", 404, "There is no report or run 2019-01-01"),
        ("/compare?one=2025-11-30", 422, "Name two runs, or the dates of two reports"),
        ("/compare?one=<b>x&other=y", 404, "There is no report or run <b>x"),
        ("/reports/2019-01-01/", 404, "There is no report or run 2019-01-01"),
        ("/reports/today/", 404, "There is no such page"),
        ("/nothing", 404, "There is no such page"),
        ("/history?kpi=PAR31", 404, "There is no figure PAR31"),
        ("/history?first=today", 422, "A date is written as 2025-12-31"),
        ("/runs/x/notebook/", 404, "There is no failed notebook of x"),
        ("/reports/2019-01-01/all.zip", 404, "There is no report or run 2019-01-01"),
    ],
)
def test_what_is_not_there_is_said(service, path, code, told):
    answer = service.get(path)
    assert (answer.status_code, "<b>" in answer.text) == (code, False)
    assert told in words(answer.text)


def test_no_report_yet(book):
    text = words(pages.reports(book, ""))
    assert "Nothing has run yet; none is planned here." in text and "There is no report yet" in text
    assert f"make report DATE=YYYY-MM-DD OUTPUT={book.output}" in text


def test_latest_report_says_of_what_it_is_and_its_verdict(service):
    text = words(service.get("/").text)
    assert re.search(r"Latest: Loan book at 31 December 2025 Made of \S+/sample\.csv Synthetic sample: invented", text)
    assert "OK: 4 of 4 limits checked; past a limit: PortfolioHealth (critical)." in text
    assert "OK: 4 of 4 limits checked; past a limit: PortfolioHealth (critical)" in words(
        service.get("/health", headers={"accept": "text/html"}).text
    )


def test_what_needs_attention_is_listed(book, write):
    write.run(PAR30=None)
    write("failures", {
        "folder": "x", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(4), "finished_at": at(5),
        "error": "disk <full>",
    })  # fmt: skip
    write(
        "alerts",
        {
            "cause": "kpi:PAR30",
            "input": "exports/may",
            "severity": "P2",
            "title": "PAR30 is late",
            "text": "It was 3 %.",
            "opened_at": at(2),
            "severity_since": at(3),
            "is_open": True,
        },
    )
    usual = {"payload": {"to": ["a@example.org"]}, "attempts": 1, "created_at": at(2), "next_attempt_at": at(2)}
    told = {**usual, "channel": "email", "run_id": "20251231-a", "status": "dead", "error": "refused"}
    held = {**told, "key": "m", "status": "held", "error": "it may have arrived"}
    write("deliveries", {**told, "key": "k"}, {**told, "key": "l"}, held)
    text = words(pages.reports(book, ""))
    assert "A run of 31 December 2025 failed , 1 Jan 2026, 05:00 UTC: disk <full>" in text
    assert (
        "P2 PAR30 is late of exports/may Open since 1 Jan 2026, 02:00 UTC, P2 since 1 Jan 2026, 03:00 UTC: act" in text
    )
    assert "act today. It was 3 %." in text
    assert text.count("Given up : email (2): refused") == text.count("Given up") == 1
    assert "Held since a restore : email: it may have arrived" in text
    assert "example.org" not in text
    assert "31 December 2025 – Not computable –" in text


def test_figures_of_a_month_that_is_not_over_are_marked(book, write):
    write.run(PAR30=1.0, PAR90=None)
    with writing(book.engine) as connection:
        connection.execute(schema.kpi_values.update().values(partial_through=dt.date(2025, 12, 10)))
    write.run("20251130-a", dt.date(2025, 11, 30), at(1), PAR30=2.0)
    text = words(pages.reports(book, ""))
    assert "Title of PAR30 PAR30 partial month, up to 10 Dec 25 1.00 %" in text
    assert "31 December 2025 1.00 partial month, up to 10 Dec 25 – Not computable" in text
    assert "30 November 2025 2.00 –" in text
    told = words(got(book, "/compare?one=2025-11-30&other=2025-12-31").text)
    assert "PAR30 2.00 % 1.00 % partial month, up to 10 Dec 25 ↓ down 1.00 points partial month" in told


def got(book, path):
    """Return what the application answers, without a process of its own."""
    transport = httpx2.ASGITransport(create_app(book, Access()))

    async def ask():
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_report_is_told_to_be_reproduced_until_another_run_takes_its_place(book, write):
    write.run(PAR30=1.0)
    runs, place = book.output / ".runs/2025-12-31", book.output / "2025-12-31"
    for name in ("20251231-a", "20251231-b"):
        (runs / name).mkdir(parents=True)
    place.symlink_to(runs / "20251231-a")
    assert "Reproduced" not in got(book, "/reports/2025-12-31/").text
    folders.note_verified(book.output, "2025-12-31", 30)
    told = words(got(book, "/reports/2025-12-31/").text)
    assert re.search(r"Reproduced byte for byte by make verify on \d+ \w+ 20\d\d, \d\d:\d\d UTC, all 30 files\.", told)
    place.unlink()
    place.symlink_to(runs / "20251231-b")
    assert "Reproduced" not in got(book, "/reports/2025-12-31/").text


def test_failed_run_has_a_page_that_says_why_and_gives_no_file(book, write):
    name = "20260101T040000000000Z_20251231-x"
    folder = f".runs/2025-12-31/{name}"
    write("failures", {
        "folder": folder, "run_id": "20251231-x", "date": dt.date(2025, 12, 31), "started_at": at(4),
        "finished_at": at(5), "phase": "01_ingestion", "error": "disk <full>",
    })  # fmt: skip
    assert f'<a href="/runs/{name}/">' in pages.reports(book, "")
    text = words(got(book, f"/runs/{name}/").text)
    assert "It is of 31 December 2025, began on 1 Jan 2026, 04:00 UTC and failed on 1 Jan 2026, 05:00 UTC." in text
    assert f"Phase 01_ingestion : disk <full> Its folder, in the folder of the reports: {folder}" in text
    notebook = book.output / folder / "notebooks/01_ingestion.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text("{}")
    assert f"{folder}/notebooks/01_ingestion.ipynb" in words(got(book, "/runs/20251231-x/").text)
    assert got(book, "/runs/20251231-x/notebooks/01_ingestion.ipynb").status_code == 404
    cells = [
        {"cell_type": "markdown", "metadata": {"tags": ["papermill-error-cell-tag"]}, "source": ["<span>"]},
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
        {"cell_type": "code", "metadata": {}, "source": ["1 / 0"], "outputs": [
            {"output_type": "error", "ename": "E", "evalue": "x", "traceback": ["\x1b[31mE\x1b[0m", "disk <full>"]}
        ]},
        {"cell_type": "code", "metadata": {}, "source": ["never()"], "outputs": []},
    ]  # fmt: skip
    notebook.write_text(json.dumps({"cells": cells}))
    assert json.loads(got(book, f"/runs/{name}/notebook.ipynb").text) == {"cells": cells}
    told = words(got(book, f"/runs/{name}/notebook/").text)
    assert "# Title Cell 2: it failed 1 / 0 E disk <full>" in told and "span" not in told and "never" not in told
    write.run("20251231-x", ended=at(6), PAR30=1.0)
    assert "This is the run that 31 December 2025 shows." in words(got(book, "/runs/20251231-x/").text)
    assert "disk" in got(book, f"/runs/{name}/").text


def test_older_reports_are_on_further_pages(book, write):
    first = dt.date(2025, 1, 1)
    for day in range(pages.DATES + 2):
        date = first + dt.timedelta(days=day)
        write.run(f"run-{day}", date, at(2, day), PAR30=1.0)
    newest = pages.reports(book, "")
    link = re.search(r'href="/\?before=([^"]+)"', newest)[1]
    rest = pages.reports(book, link)
    assert newest.count("/report.html") == pages.DATES + 1  # the latest has a button, too
    assert rest.count("/report.html") == 2 and "before=" not in rest


# In a browser


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "how", [{"viewport": WIDE}, {"viewport": TABLET, "color_scheme": "dark"}, {"viewport": PHONE}],
    ids=["wide", "dark tablet", "phone"],
)  # fmt: skip
def test_page_is_accessible_silent_and_fits(browser, service, path, how):
    context = browser.new_context(bypass_csp=False, **how)
    context.set_default_timeout(chromium.TIMEOUT_MS)
    page, heard, asked = context.new_page(), [], []
    page.on("console", lambda message: heard.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(urljoin(service.address, path))
    violations = Axe().run(page).response["violations"]
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []
    assert fits and asked == [urljoin(service.address, path), urljoin(service.address, "/service.js")]
    assert [text for text in heard if "status of 404" not in text] == []


def test_comparison_is_asked_for_by_keyboard(browser, service):
    page = browser.new_page()
    page.set_default_timeout(chromium.TIMEOUT_MS)
    page.goto(service.address)
    page.focus("select[name=one]")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?**")
    assert page.url.endswith(COMPARED)
    assert page.locator("h2").all_inner_texts() == ["Figures", "Inputs", "Parameters", "Code"]
    page.close()


def test_report_shows_as_it_does_from_the_disk(browser, service):
    page, heard = browser.new_page(), []
    page.set_default_timeout(chromium.TIMEOUT_MS)
    page.on("console", lambda message: heard.append(message.text))
    page.goto(urljoin(service.address, "/reports/2025-12-31/report.html"))
    assert page.eval_on_selector(".card", "card => getComputedStyle(card).borderTopWidth") == "4px"
    page.goto(urljoin(service.address, "/reports/2025-12-31/email.html"))
    assert page.eval_on_selector_all("img", "all => all.every(one => one.naturalWidth > 0)")
    assert heard == []
    page.close()
