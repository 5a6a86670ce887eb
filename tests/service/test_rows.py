"""The rows of a table in the service: page by page, sorted and filtered by the service, without a script."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup

from abaco.service import rows

RUN = {"date": "2025-12-31", "run_id": "20251231-a"}


@pytest.fixture
def table(tmp_path):
    """A table of 250 loans; every tenth has no region."""
    regions = [None if i % 10 == 0 else "Ahuachapán" if i % 2 else "La Unión" for i in range(250)]
    columns = {
        "loan": [f"Loan {i}" for i in range(250)],
        "owed_usd": [Decimal(i).quantize(Decimal("0.01")) for i in range(250)],
        "region": regions,
        "on": [dt.date(2025, 1, 1 + i % 28) for i in range(250)],
    }
    pq.write_table(pa.table(columns), tmp_path / "tape.parquet")
    return tmp_path / "tape.parquet"


def shown(table, number=1, sort="", down=False, wanted=""):
    """Return the cells of a page, and what it says of their number."""
    text = rows.page(RUN, "/reports/2025-12-31/", table, number, sort, down, wanted)
    page = BeautifulSoup(text, "html.parser")
    found = [[cell.get_text() for cell in row.select("th, td")] for row in page.select("tbody tr")]
    return found, page


def test_rows_come_a_hundred_at_a_time_as_written(table):
    found, page = shown(table)
    assert (len(found), found[0], found[-1][0]) == (100, ["Loan 0", "0.00", "–", "1\u00a0January\u00a02025"], "Loan 99")
    assert "1–100 of 250 rows" in page.text and page.select_one("a[rel=next]")["href"].startswith("?page=2")
    last, page = shown(table, 3)
    assert (len(last), last[-1][0], page.select("a[rel=next]")) == (50, "Loan 249", [])


def test_a_column_sorts_all_rows_and_not_those_of_a_page(table):
    assert [row[0] for row in shown(table, sort="owed_usd", down=True)[0][:2]] == ["Loan 249", "Loan 248"]
    assert shown(table, 3, "owed_usd", True)[0][-1][0] == "Loan 0"


def test_a_text_filters_in_any_case_and_any_column(table):
    found, page = shown(table, wanted="la unión")
    assert {row[2] for row in found} == {"La Unión"}
    assert "1–100 of 100 rows, of 250 in the table" in page.text
    assert [row[0] for row in shown(table, wanted="249.00")[0]] == ["Loan 249"]
    assert shown(table, wanted="nobody")[0] == []


@pytest.mark.parametrize("asked", [{"number": 4}, {"number": 0}, {"sort": "salary"}])
def test_what_is_not_there_has_no_page(table, asked):
    how = {"number": 1, "sort": "", "down": False, "wanted": ""} | asked
    assert rows.page(RUN, "/", table, **how) is None


def test_a_large_table_is_only_paged(table, monkeypatch):
    monkeypatch.setattr(rows, "MOST", 249)
    found, page = shown(table, 3)
    assert (len(found), found[-1][0], page.select("form")) == (50, "Loan 249", [])


def test_service_shows_rows_of_a_report(service):
    page = service.get("/reports/2025-12-31/rows/history?sort=value&down=1&wanted=PAR30")
    assert page.status_code == 200 and "PAR30" in page.text and "rejected" not in page.text
    assert '<a href="/reports/2025-12-31/rows/history"' in service.get("/reports/2025-12-31/").text
    for path in ("rows/nothing", "rows/history?sort=salary", "rows/..%2Fmetrics", "rows/history?page=99999"):
        assert service.get(f"/reports/2025-12-31/{path}").status_code == 404
