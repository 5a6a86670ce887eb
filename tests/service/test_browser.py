"""The service in a real browser: a report made from there end to end, tables and charts; and without a script."""

import json
import re
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support import browser as chromium
from tests.support.projects import NEVER
from tests.support.service import Service

DATES = ("2025-11-30", "2025-12-31")
UNITS = {"B": 1, "kB": 1e3, "MB": 1e6}
expect.set_options(timeout=chromium.TIMEOUT_MS)
HEAD = (
    "loan_id,measurement_date,customer_id,company,product,region,total_receivable_usd,total_eligible_usd,"
    "discounted_balance_usd,cash_available_usd,dpd_0_7_usd,dpd_7_30_usd,dpd_30_60_usd,dpd_60_90_usd,dpd_90_plus_usd,"
    "written_off_usd"
)
BOOK = "\n".join([
    HEAD,
    *(f"L{n},{date},C{n},A,loan,North,1000.00,1000.00,980.00,{30 + n}.00,{900 - n}.00,0.00,{100 + n}.00,0.00,0.00,0.00"
      for date in DATES for n in range(1, 9)),
])  # fmt: skip


@pytest.fixture(scope="module")
def desk(finished, tmp_path_factory):
    """A service that makes reports, on a copy of the finished project."""
    project = finished.pristine.copy(tmp_path_factory.mktemp("desk") / "project")
    params = f"service.cron={NEVER},service.make_reports=true,service.upload_mb=1"
    with Service(project, params) as found:
        found.project = project
        yield found


@pytest.fixture
def opened(browser, desk):
    """Open a page of the service; what the browser says of errors fails the test."""
    contexts, heard = [], []

    def opened(path, of=desk, **options):
        context = browser.new_context(**options)
        context.set_default_timeout(chromium.TIMEOUT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.goto(urljoin(of.address, path))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in heard if "status of 4" not in text] == []


def choose(page, name, content):
    """Choose a file in the form of uploads, and send it."""
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
    page.click("form[data-upload] button:not(.quiet)")


def is_accessible(page):
    """Whether axe finds nothing, and nothing is wider than the window."""
    found = [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]]
    assert found == []
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "none"])
def test_report_is_made_from_the_browser(opened, desk, has_script):
    page = opened("/", java_script_enabled=has_script)
    page.click("text=Make a report")
    choose(page, "tiny.csv", BOOK.encode())
    page.wait_for_url("**/make?chosen=*")
    page.click("form[action='/make/check'] button")
    page.click("text=Make this report")
    if has_script:  # the second time the phases are those of the first
        assert re.match("▸ [0-4]", page.inner_text(".phases .now"))
    page.wait_for_selector("text=Open the report")
    if has_script:
        assert is_accessible(page)
    page.click("text=Open the report")
    page.wait_for_url("**/reports/2025-12-31/report.html")
    expect(page.locator(".card").first).to_be_visible()
    page.goto(urljoin(desk.address, "/make"))
    page.click(".uploads button")
    page.wait_for_selector(".uploads", state="detached")


def test_failure_shows_its_error_and_its_notebook(opened, desk):
    source = desk.project.root / "notebooks/02_transformation.ipynb"
    sound = source.read_text()
    notebook = json.loads(sound)
    notebook["cells"][-1]["source"] = ["raise RuntimeError('out of order')"]
    source.write_text(json.dumps(notebook))
    page = opened("/make")
    choose(page, "tiny.csv", BOOK.encode())
    page.wait_for_url("**/make?chosen=*")
    page.click("form[action='/make/check'] button")
    page.click("text=Make this report")
    page.click("text=Open the notebook that failed")
    source.write_text(sound)
    assert "out of order" in page.inner_text(".alarm") and "out of order" in page.inner_text("#failed pre.failed")
    assert is_accessible(page)
    with page.expect_download() as found:
        page.click("text=Download it for Jupyter")
    assert found.value.suggested_filename == "02_transformation.ipynb"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("large.csv", b"x" * 1_200_000, "These files have 2 MB, more than the 1 MB that are taken."),
        ("empty.csv", b"", "empty.csv is empty: export it again"),
    ],
)
def test_refused_upload_is_said_beside_the_form(opened, name, content, told):
    page = opened("/make")
    choose(page, name, content)
    expect(page.locator(".progress output")).to_have_text(told)
    assert page.url.endswith("/make")


def test_refused_upload_takes_the_place_of_what_failed_before(opened):
    page = opened("/make")
    choose(page, "wrong.csv", b"a,b\n1,2\n")
    page.wait_for_url("**/make?chosen=*")
    page.click("form[action='/make/check'] button")
    expect(page.locator("#live .alarm")).to_be_visible()
    choose(page, "empty.csv", b"")
    expect(page.locator(".progress output")).to_have_text("empty.csv is empty: export it again")
    expect(page.locator("#live .job")).to_have_count(0)


def test_tables_are_sorted_and_filtered(opened, service):
    page = opened("/reports/2025-12-31/", service)
    names = page.locator("table.files tbody tr:not([hidden]) th")
    page.click("table.files thead button >> text=Size")
    told = [text.split() for text in page.locator("table.files tbody td:last-child").all_inner_texts()]
    sizes = [float(number) * UNITS[unit] for number, unit in told]
    assert sizes == sorted(sizes) and len(sizes) > 8
    assert page.get_attribute("table.files th:nth-child(4)", "aria-sort") == "ascending"
    page.fill("input[type=search]", "Workbook")
    expect(names).to_have_text(["report.xlsx"])
    assert is_accessible(page)


def test_chart_tells_the_value_under_the_pointer_and_has_a_range(opened, service):
    page = opened("/history?kpi=PAR30", service)
    box = page.locator(".chart.wide").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    told = page.wait_for_selector(".tip:not([hidden])").inner_text()
    assert re.fullmatch(r"PAR30, \d+ \w+ 2025: \d+\.\d\d %", told.replace("\xa0", " "))
    page.select_option("select[name=first]", "2025-09-30")
    page.click("text=Show")
    page.wait_for_url("**first=2025-09-30**")
    expect(page.locator("table.figures tbody tr")).to_have_count(4)
    page.mouse.move(1, 1)


@pytest.mark.parametrize("path", ["/make", "/history", "/compare?one=2025-12-31&other=2025-12-31"])
@pytest.mark.parametrize("how", [{"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}], ids=str)
def test_pages_are_accessible_and_fit(opened, path, how):
    assert is_accessible(opened(path, **how))
