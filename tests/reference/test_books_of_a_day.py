"""Books of one date in the other formats and kinds of files; every KPI that they give is worked out by hand."""

import json
from datetime import date

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.computation import computed
from tests.support.exports import BY_DATE, PAYMENTS, write

from .arithmetic import D, half_up, pct

DECEMBER = date(2025, 12, 31)


def known(found):
    return {name: value for name, value in found.kpis.items() if value is not None}


SNAPSHOT = [
    # loan, borrower, segment, owed, eligible, cash, then what is owed by lateness: 0, 7, 30, 60, 90 and 120 days
    ("S-1", "B1", "Retail", "700.10", "600.00", "9.50", "700.10", 0, 0, 0, 0, 0, 0, 6),
    ("S-2", "B2", "Trade", "200.20", "200.20", "1.25", 0, "200.20", 0, 0, 0, 0, 0, 7),
    ("S-3", "B1", "Trade", "50.05", "50.05", 0, 0, 0, "50.05", 0, 0, 0, 0, 59),
    ("S-4", "B3", "Retail", "40.00", "40.00", 0, 0, 0, 0, "40.00", 0, 0, 0, 60),
    ("S-5", "B4", "Retail", "30.03", "0.00", 0, 0, 0, 0, 0, "30.03", 0, "5.00", 90),
    ("S-6", "B5", "Trade", "20.01", "0.00", 0, 0, 0, 0, 0, 0, "20.01", "2.50", 121),
    ("S-7", "B6", "Trade", "0.00", "0.00", 0, 0, 0, 0, 0, 0, 0, "12.34", 200),
]


def test_snapshot_in_json_with_a_wide_statement_in_a_workbook(tmp_path):
    headings = [
        "loan_id", "customer_id", "segmento", "total_receivable_usd", "total_eligible_usd", "cash_available_usd",
        "dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd", "dpd_120_plus_usd",
        "written_off_usd", "dpd",
    ]  # fmt: skip
    rows = [
        {**dict(zip(headings, map(str, row), strict=True)), "discounted_balance_usd": str(row[3]),
         "measurement_date": "2025-12-31"}
        for row in SNAPSHOT
    ]  # fmt: skip
    write(tmp_path / "snapshot.json", json.dumps(rows))
    book = openpyxl.Workbook()
    for row in (("Fecha corte", "Caja", "Activos", "Pasivos", "Gastos operativos"),
                ("2025-12-31", 99.99, 3000, 2400.5, 33.33)):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "statement.xlsx")

    owed = D("700.10") + D("200.20") + D("50.05") + 40 + D("30.03") + D("20.01")
    late_90 = D("30.03") + D("20.01")
    late_30 = D("50.05") + 40 + late_90
    off = D("5.00") + D("2.50") + D("12.34")
    eligible, cash = D("600.00") + D("200.20") + D("50.05") + 40, D("9.50") + D("1.25")
    borrowers = [D("700.10") + D("50.05"), D("200.20"), D(40), D("30.03"), D("20.01")]
    equity = D(3000) - D("2400.50")
    par30, coverage = pct(late_30, owed, 4), pct(cash, eligible, 2)
    assert known(computed(tmp_path, DECEMBER)) == {
        "PAR1": D("100.0000"),  # S-1 is 6 days late
        "PAR7": pct(D("200.20") + late_30, owed, 4),
        "PAR30": par30,
        "PAR60": pct(40 + late_90, owed, 4),
        "PAR90": pct(late_90, owed, 4),
        "PAR90Gross": pct(late_90 + D("5.00") + D("2.50") + D("12.34"), owed + off, 4),
        "NPL": pct(D("20.01"), owed, 4),  # day 90 itself is not past it
        "CollectionRate": coverage,
        "PortfolioHealth": half_up((10 - par30 / 10) * (coverage / 10), 4),
        "WrittenOff": off,
        "Outstanding": owed,
        "ActiveLoans": D(6),
        "ActiveBorrowers": D(5),
        "TopBorrower": pct(borrowers[0], owed, 2),
        "Top10Borrowers": D(100),
        "HHI": half_up(sum((100 * one / owed) ** 2 for one in borrowers), 0),
        "LargestSegment": pct(D("700.10") + 40 + D("30.03"), owed, 2),
        "Cash": D("99.99"),
        "DebtToEquity": half_up(D("2400.50") / equity, 2),
        "Runway": half_up(D("99.99") / D("33.33"), 1),
    }


def test_snapshot_of_totals_in_tabs_with_a_byte_order_mark(tmp_path):
    rows = (
        "2025-11-30,1000,900,1000,50,700,100,100,50,50",
        "2025-12-31,1200.50,1000,1200.50,18.25,800.50,150,125,75,50",
    )
    tabs = [line.replace(",", "\t") for line in (BY_DATE, *rows)]
    path = write(tmp_path / "totals.tsv", *tabs, end="\r\n", encoding="utf-8-sig")
    owed, par30 = D("1200.50"), pct(125 + 75 + 50, D("1200.50"), 4)
    coverage = pct(D("18.25"), 1000, 2)
    assert known(computed(path, DECEMBER)) == {
        "PAR30": par30,
        "PAR90": pct(50, owed, 4),
        "PAR7": pct(150 + 125 + 75 + 50, owed, 4),
        "PAR60": pct(75 + 50, owed, 4),
        "CollectionRate": coverage,
        "PortfolioHealth": half_up((10 - par30 / 10) * (coverage / 10), 4),
        "Outstanding": owed,
    }


def test_loans_in_parquet_with_real_payments_in_windows_1252(tmp_path):
    loans = {
        "loan_id": ["ABF - 1", "ABF - 2", "ABT - 1"], "customer_id": ["C1", "C2", "C3"],
        "company": ["ABF", "ABF", "ABT"],
        "disburse_date": [date(2025, 1, 10), date(2025, 10, 1), date(2025, 12, 5)],
        "interest_rate": [D("0.12"), D("0.24"), D("0.36")], "disburse_principal": [D(1000), D(500), D(250)],
        "outstanding_balance": [D("400.00"), D("500.00"), D("100.00")], "dpd": [0, 90, 7],
    }  # fmt: skip
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table(loans), tmp_path / "in" / "loans.parquet")
    cells = "{};C{};Peña;Peña;{};{};Paid;USD;null;{};{};{};{};null;{};null;{};null"
    payments = [
        cells.format("ABF", 1, 1, "2025-01-20", "102,50", "100,00", "2,50", "0,00", "0", "0"),
        cells.format("ABF", 1, 1, "2025-06-10", "310,00", "300,00", "8,00", "2,00", "1,50", "0,50"),
        cells.format("ABF", 1, 1, "2025-12-10", "312,00", "300,00", "10,00", "2,00", "1,50", "0"),
        cells.format("ABT", 3, 1, "2025-12-20", "153,00", "150,00", "3,00", "0,00", "0,10", "0"),
    ]
    write(tmp_path / "in" / "payments.csv", PAYMENTS.replace(",", ";"), *payments, end="\r\n", encoding="cp1252")
    found = computed(tmp_path / "in", DECEMBER)
    rated = D(400) * D("0.12") + D(500) * D("0.24") + D(100) * D("0.36")
    principal = D(100) + 300 + 300 + 150
    held = 100 * 10 + 300 * 151 + 300 * 334 + 150 * 15  # days since 10 January, and since 5 December
    lent = 1000 * D("0.12") + 500 * D("0.24") + 250 * D("0.36")
    assert known(found) == {
        "PAR1": pct(600, 1000, 4),
        "PAR7": pct(600, 1000, 4),
        "PAR30": pct(500, 1000, 4),
        "PAR60": pct(500, 1000, 4),
        "PAR90": pct(500, 1000, 4),
        "NPL": D(0),
        "APR": pct(rated, 1000, 2),
        "APRDisbursed": D(36),
        "APRThisYear": pct(lent, 1750, 2),
        "APR12": pct(lent, 1750, 2),
        "Outstanding": D(1000),
        "ActiveLoans": D(3),
        "ActiveBorrowers": D(3),
        "Disbursed": D(250),
        "AverageTicket": D(250),
        "TopBorrower": D(50),
        "Top10Borrowers": D(100),
        "TopPayer": D(100),  # that of the two loans that have payments
        "Top10Payers": D(100),
        "HHI": D(2500 + 1600 + 100),
        "LargestCompany": D(90),
        "DaysToPayment": half_up(D(held) / principal, 1),
        "Throughput": principal,
    }


@pytest.mark.parametrize("name", ["PAR30", "CDR12", "Runway"])
def test_what_a_book_does_not_tell_has_a_reason(tmp_path, name):
    path = write(tmp_path / "totals.csv", BY_DATE, "2025-12-31,0,0,0,0,0,0,0,0,0")
    found = computed(path, DECEMBER)
    assert found.kpis[name] is None
    assert found.reasons[name]
