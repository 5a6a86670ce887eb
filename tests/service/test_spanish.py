"""The service in Spanish: what a report's reader sees in the browser, and what sorts by date there."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest

from abaco.page import language
from abaco.page.words import NBSP
from tests.support.projects import NEVER
from tests.support.service import Service

ENGLISH = {text for text, spanish in language.dictionary("es").items() if text != spanish}
COLUMNS = {"date", "rows", "status"}  # of tables, which have the same names in both
COMPARED = "/compare?one=2025-11-30&other=2025-12-31"
REPORT = "/reports/2025-12-31/"
PAGES = ("/", REPORT, f"{REPORT}rows/history", COMPARED, "/history", "/health", "/make", "/nothing")


@pytest.fixture(scope="module")
def spanish(shown):
    """A service in Spanish, in which reports can be made."""
    with Service(shown, f"service.cron={NEVER},report.language=es,service.make_reports=true") as found:
        yield found


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_page_is_left_in_english(spanish, path):
    page = spanish.get(path, headers={"Accept": "text/html"}).text
    assert '<html lang="es">' in page
    shown = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    texts = {" ".join(unescape(text).split()) for text in re.findall(r">([^<>]+)<", shown)}
    assert texts & ENGLISH - COLUMNS == set()


def test_dates_are_sorted_and_rows_filtered_in_spanish(browser, spanish):
    page = browser.new_page()
    page.goto(urljoin(spanish.address, "/history?kpi=PAR30"))
    page.click("table.figures thead button >> text=Fecha")
    days = page.locator("table.figures tbody th").all_inner_texts()
    days = [text.replace(NBSP, " ") for text in days]
    assert days[0].startswith("31 de diciembre de 2024") and days[-1].startswith("31 de diciembre de 2025")
    assert days[1].startswith("31 de enero de 2025")
    assert page.get_attribute("input[type=search]", "placeholder") == "Filtrar los registros"
    page.close()
