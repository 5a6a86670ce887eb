"""How the columns of a file are written is proven by their values, declared, or refused with the readings."""

import datetime as dt
import functools
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, fingerprint, staging
from abaco.ingest.coverage import tape_dates
from abaco.ingest.masking import Masking
from tests.support.exports import DATE, rows_of, write
from tests.support.figures import figures_of

HEADINGS = (
    "loan_id", "customer_id", "disburse_date", "interest_rate", "disburse_principal", "outstanding_balance", "dpd",
)  # fmt: skip
PLAIN = {"disburse_date": "2025-01-15", "interest_rate": "0.2", "disburse_principal": "100", "dpd": "0"}
ENDS = (*HEADINGS, "maturity_date")


def loans(folder, headings=HEADINGS, **columns):
    """Write a row per loan, with the cells of the caller's columns."""
    count = len(next(iter(columns.values())))
    base = {"loan_id": [f"L{i}" for i in range(count)], "customer_id": ["C"] * count}
    cells = base | {name: [PLAIN.get(name, "100.00")] * count for name in headings[2:]} | columns
    rows = zip(*(cells[name] for name in headings), strict=True)
    return write(folder / "loans.csv", ",".join(headings), *(",".join(f'"{cell}"' for cell in row) for row in rows))


@functools.cache
def engine():
    """One engine for all files."""
    return DuckDB()


def read(path, name="disburse_date", is_tape=False, **rules):
    """Return the values of a column as text, and what a reader is told of the file."""
    [source], _ = discovery.discover(path)
    rules = staging.Rules(**rules)
    staged = staging.stage_one(source, 0, is_tape, DATE, engine(), path.parent, Masking.of_pass(None), rules)
    values = [row[name] for row in rows_of(engine().scan(staged.path))]
    return [value if value is None else str(value) for value in values], [str(note) for note in staged.told]


def refused(path, **rules):
    with pytest.raises(InputError) as error:
        read(path, **rules)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(params=[1 << 18, 300], ids=["sampled whole", "sampled in part"])
def sampled(request, monkeypatch):
    """Prove what files hold by all of their values, or by the first rows and then by all."""
    monkeypatch.setattr(fingerprint, "SAMPLE", request.param)


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["01/02/2025", "31/12/2024"], ["2025-02-01", "2024-12-31"]),
        (["01/02/2025", "12/31/2024"], ["2025-01-02", "2024-12-31"]),
        (["01.02.2025", "13.12.2024", "2024-05-06"], ["2025-02-01", "2024-12-13", "2024-05-06"]),
        (["01-02-99", "31-12-24"], ["1999-02-01", "2024-12-31"]),
        (["25-02-01", "32-12-24"], ["2025-02-01", "2032-12-24"]),
        (["31.12.25", "01.02.25"], ["2025-12-31", "2025-02-01"]),
        (["05/05/2025", "06/06/2025"], ["2025-05-05", "2025-06-06"]),
        (["20250201", "20241231"], ["2025-02-01", "2024-12-31"]),
        (["15-Feb-2025", "1 ene 2025", "2025-01-02", ""], ["2025-02-15", "2025-01-01", "2025-01-02", None]),
        (["31/12/2024", "1-Feb-2025", "99/99/2025"], ["2024-12-31", "2025-02-01", None]),
        (["2025-01-02"] * 9 + ["01/02/2025"], ["2025-01-02"] * 9 + [None]),
        (["2025-01-02"] * 9 + ["31/12/2024"], ["2025-01-02"] * 9 + ["2024-12-31"]),
        (["2025-01-02"] * 9 + ["Dec-2024"], ["2025-01-02"] * 9 + [None]),
        (["N/A", "2025-01-02"], [None, "2025-01-02"]),
    ],
)
def test_order_of_dates_is_what_all_values_of_a_column_prove(tmp_path, sampled, cells, dates):
    assert read(loans(tmp_path, disburse_date=cells)) == (dates, [])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["01/02/2025", "03/04/2025"],
            'loans.csv: dates such as "01/02/2025" under disburse_date are 1 February or 2 January, and nothing in the '
            "column tells which: set ingestion.dates to dmy for 1 February, or to mdy for 2 January",
        ),
        (
            ["15-12-20", "01-02-20"],
            'loans.csv: dates such as "01-02-03" under disburse_date are 1 February or 3 February 2001, and nothing in '
            "the column tells which: set ingestion.dates to dmy for 1 February, or to ymd for 3 February 2001",
        ),
        (
            ["31/12/2024", "12/31/2024"],
            "loans.csv: dates under disburse_date are written in several orders, such as 31/12/2025 and 12/31/2025: "
            "correct the export, or set ingestion.dates to dmy or mdy, so that the others are rejected",
        ),
        (
            ["Dec-2024", "202411"],
            'loans.csv: months such as "Dec-2025" under disburse_date are dates, and nothing tells of which day: set '
            "ingestion.months to last for 31 December, or to first for 1 December",
        ),
    ],
)
def test_dates_that_may_be_read_in_several_ways_are_refused(tmp_path, sampled, cells, message):
    assert refused(loans(tmp_path, disburse_date=cells)) == message


@pytest.mark.parametrize("cells", [["31/12/2568", "05/11/2568"], ["2568-12-31", "2568-11-05"], ["1447-06-30"] * 2])
def test_years_of_another_calendar_are_refused(tmp_path, sampled, cells):
    assert refused(loans(tmp_path, ENDS, maturity_date=cells)).startswith(
        "loans.csv: dates under maturity_date have years before 1900 or after 2200, as other calendars count (2568 is "
    )
    ends = ["9999-12-31", "2999-12-31"]
    assert read(loans(tmp_path, ENDS, maturity_date=ends), "maturity_date")[0] == ends


def test_order_of_dates_can_be_declared(tmp_path, sampled):
    path = loans(tmp_path, disburse_date=["01/02/2025", "31/12/2024", "12/31/2024", "2025-01-02"])
    assert read(path, dates="dmy")[0] == ["2025-02-01", "2024-12-31", None, "2025-01-02"]
    assert read(path, dates="mdy")[0] == ["2025-01-02", None, "2024-12-31", "2025-01-02"]
    path = loans(tmp_path, disburse_date=["Dec-2024", "202411", "2025-02"])
    assert read(path, months="last")[0] == ["2024-12-31", "2024-11-30", "2025-02-28"]
    assert read(path, months="first")[0] == ["2024-12-01", "2024-11-01", "2025-02-01"]


def test_order_is_that_of_the_other_dates_of_the_file_and_told(tmp_path, sampled):
    path = loans(tmp_path, ENDS, disburse_date=["01/02/2025"] * 2, maturity_date=["31/12/2025", "01/01/2026"])
    told = (
        "Nothing under disburse_date in loans.csv tells the order of its dates: it is taken from the other dates of "
        "the file, dmy."
    )
    assert read(path) == (["2025-02-01"] * 2, [told])


def test_days_of_a_spreadsheet_are_dates_where_all_values_are_some(tmp_path, sampled):
    found, [told] = read(loans(tmp_path, disburse_date=["45000", "45000.0", ""]))
    assert found == ["2023-03-15", "2023-03-15", None]
    assert told.startswith("The dates of loans.csv under disburse_date are numbers of days, as spreadsheets count them")
    assert read(loans(tmp_path, disburse_date=["45000", "123"])) == ([None, None], [])


def test_time_in_utc_is_told(tmp_path):
    found, [told] = read(loans(tmp_path, disburse_date=["2025-01-02T23:30:00Z", "2025-01-02T00:00:00Z"]))
    assert found == ["2025-01-02"] * 2
    assert told.startswith("Times of loans.csv under disburse_date are in UTC") and told.endswith("such a time: 1.")
    assert read(loans(tmp_path, disburse_date=["2025-01-02T23:30:00-06:00"]))[1] == []


@pytest.mark.parametrize(
    ("cells", "amounts"),
    [
        (["$1,500.50", "$2.00"], ["1500.50", "2.00"]),
        (["€ 1.500,50", "€ 3.000"], ["1500.50", "3000.00"]),
        (["500.00-", "(1,500.00)"], ["-500.00", "-1500.00"]),
        (["1'500.50", "1'500"], ["1500.50", "1500.00"]),
        (["1\u00a0500,50", "2\u00a0000"], ["1500.50", "2000.00"]),
        (["1,23,456.00", "1,500"], ["123456.00", "1500.00"]),
        (["1,23,456", "1,500"], ["123456.00", "1500.00"]),
        (["100.00"] * 9 + ["USD 1,500.00"], ["100.00"] * 9 + ["1500.00"]),
        (["100.00", "1 23"], ["100.00", None]),
        (["KSh 1,000/=", "Ksh. 2,000/="], ["1000.00", "2000.00"]),
        (["Rs. 1000/-", "500"], ["1000.00", "500.00"]),
        (["Rp 1.000.000,-", "Rp. 500,-"], ["1000000.00", "500.00"]),
        (["1.000,-", "1.500,00-"], ["1000.00", "-1500.00"]),
    ],
)
def test_numbers_are_read_as_other_lenders_write_them(tmp_path, sampled, cells, amounts):
    path = loans(tmp_path, disburse_principal=["1.5"] * len(cells), outstanding_balance=cells)
    assert read(path, "outstanding_balance")[0] == amounts


@pytest.mark.parametrize("cells", [["$1,500"], ["1.500 €"], ["(1,500)"], ["1,500-"]])
def test_three_digits_behind_the_only_mark_prove_nothing_in_any_dress(tmp_path, cells):
    message = refused(loans(tmp_path, outstanding_balance=cells, interest_rate=["0"]))
    assert " are 1500 or 1.5, and nothing in the file tells which" in message


@pytest.mark.parametrize(
    ("cells", "currency"),
    [
        (["INR 1,500.50", "₹2.50"], "INR"),
        (["1.500,50 EUR", "2,50 €"], "EUR"),
        (["$1,500.50", "2.50"], "USD"),
        (["$5.50", "MX$2.50"], "MXN"),
        (["KSh 1,000/=", "Ksh. 2.50"], "KES"),
        (["S/ 1,000/-", "S/-2.50"], "PEN"),
        (["$5.50", "2.50 €"], "Amounts in several currencies ($ in loans.csv; EUR in loans.csv): add a table of"),
        (["£5.50", "€2.50"], "Amounts in several currencies (EUR in loans.csv; GBP in loans.csv): add a table of"),
        (
            ["¥5.50", "¥2.50"],
            "The amounts of loans.csv have the sign or word ¥, which is one of CNY, JPY: name the currency in",
        ),
    ],
)
def test_signs_of_currencies_agree_or_are_refused(tmp_path, sampled, cells, currency):
    path = loans(tmp_path, outstanding_balance=cells)
    if len(currency) == 3:
        assert figures_of(path).currency == currency
    else:
        with pytest.raises(InputError) as error:
            figures_of(path)
        assert str(error.value).startswith(currency)


def test_text_of_a_parquet_file_is_proven_by_all_of_it(tmp_path):
    columns = {name: [PLAIN.get(name, "x")] * 2 for name in HEADINGS} | {"loan_id": ["A", "B"]}
    columns |= {"disburse_date": ["01/02/2025", "31/12/2024"], "outstanding_balance": ["$1,500.50", "5"]}
    pq.write_table(pa.table(columns), tmp_path / "loans.parquet")
    assert read(tmp_path / "loans.parquet")[0] == ["2025-02-01", "2024-12-31"]
    assert read(tmp_path / "loans.parquet", "outstanding_balance")[0] == ["1500.50", "5.00"]


def test_report_of_a_file_in_a_strangers_writing_is_that_of_a_plain_one(tmp_path):
    plain = loans(
        tmp_path, outstanding_balance=["1500.50", "-20.00"], disburse_date=["2025-02-01", "2024-12-31"], dpd=["35", "0"]
    )
    expected = figures_of(plain)
    cells = {"outstanding_balance": ["$1,500.50", "20.00-"], "disburse_date": ["01/02/2025", "31/12/2024"]}
    found = figures_of(loans(tmp_path, **cells, dpd=["35 days", "0.0"]))
    assert (found.values, found.currency, found.notes) == (expected.values, expected.currency, expected.notes)
    assert found.values["Outstanding"] == float(Decimal("1500.50"))


def test_dates_of_a_tape_are_found_in_any_order(tmp_path):
    headings = "loan_id,reporting_date,outstanding_balance,dpd"
    path = write(tmp_path / "tape.csv", headings, "A,30/11/2025,100.00,0", "A,31/12/2025,90.00,35")
    assert tape_dates(discovery.discover(path)[0]) == [dt.date(2025, 11, 30), dt.date(2025, 12, 31)]
    assert figures_of(path).values["PAR30"] == 100.0


def test_days_until_the_next_due_date_are_no_days_late_and_told(tmp_path):
    found = figures_of(loans(tmp_path, dpd=["35", "-12", "0", "-1"]))
    assert found.values["PAR30"] == 25.0
    told = "Negative days of loans.csv under dpd are those until the next due date, and count as 0 days late. "
    assert f"{told}Such rows: 2." in found.notes


def test_sign_of_days_that_nothing_shows_is_refused_or_declared(tmp_path):
    path = loans(tmp_path, dpd=["-35", "-12", "0"])
    assert refused(path) == (
        "loans.csv: days under dpd are 0 or negative: days until the next due date, or days late with a turned sign; "
        "set ingestion.not_late to negative if nobody is late, or correct the export"
    )
    assert read(path, "dpd_90_plus_usd", is_tape=True, not_late="negative")[0] == ["0.00"] * 3


def test_blank_days_are_0_only_where_that_is_declared(tmp_path):
    path = loans(tmp_path, dpd=["35", "", ""])
    assert figures_of(path, not_late="blank").values["PAR30"] == pytest.approx(33.3333, abs=1e-4)
    with pytest.raises(InputError, match=r"where a blank means not late, set ingestion.not_late to blank"):
        figures_of(path)
