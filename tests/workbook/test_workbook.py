"""report.xlsx: real numbers and dates, formulas that give the published figures, and nothing that runs."""

import datetime as dt
import json
import re
import zipfile
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco import workbook
from abaco.core import currencies
from abaco.core.parquet import arrow_schema
from abaco.kpis.dictionary import TABLES
from abaco.workbook import tables
from abaco.workbook.book import Book, number_format, put
from tests.page import example
from tests.support.spreadsheets import computed, differences, formulas

DAY = dt.date(2025, 12, 31)
USD = '#,##0.00 "USD"'


@pytest.fixture(scope="module")
def report(finished):
    """The finished report of the sample: its folder, its figures, and its workbook with formulas and with values."""
    folder = finished.pristine.output / "2025-12-31"
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return folder, metrics, *opened(folder / "report.xlsx")


def opened(path):
    """Return a workbook twice: with its formulas, and with the values that are stored beside them."""
    return openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)


def row_of(sheet, name):
    """Return the values of the row that a name heads."""
    return next([cell.value for cell in row] for row in sheet.iter_rows() if row[0].value == name)


@pytest.fixture
def write(tmp_path):
    """Write a workbook of the page's example and of literal tables, and return its path."""

    def written(language="en", metrics=None, **rows):
        (tmp_path / "tables").mkdir(exist_ok=True)
        for name, found in rows.items():
            table = pa.Table.from_pylist(found, schema=arrow_schema(TABLES[name]))
            pq.write_table(table, tmp_path / "tables" / f"{name}.parquet")
        return workbook.write(metrics or example.metrics(), tmp_path, language=language)

    return written


# The report of the sample


def test_sheets_are_those_that_the_report_has_figures_for(report):
    _, _, book, _ = report
    assert book.sheetnames[:7] == [
        "Front page",
        "Figures",
        "Sums",
        "History",
        "Aging",
        "Roll rates",
        "Parts of the book",
    ]
    assert book.sheetnames[-2:] == ["Rejected rows", "Dictionary"]


def test_front_page_shows_day_verdict_and_key_figures(report):
    _, metrics, book, values = report
    front = values["Front page"]
    assert front["A1"].value == "Loan book at 31 December 2025"
    assert front["A2"].value == "Synthetic sample: invented loans, no real book."
    assert row_of(front, "Portfolio at risk, 30 days (PAR30)")[1] == metrics["kpis"]["PAR30"]["value"]
    assert row_of(book["Front page"], "Portfolio at risk, 30 days (PAR30)")[1] == "='Figures'!C2"
    rows = metrics["reconciliation"]
    assert row_of(front, "Came in")[1:3] == [float(rows["amount_in"]), rows["rows_in"]]


def test_every_figure_stands_there_as_it_is_published(report):
    _, metrics, _, values = report
    found = {row[0]: row[2] for row in values["Figures"].iter_rows(min_row=2, values_only=True)}
    assert found == {name: kpi["value"] for name, kpi in metrics["kpis"].items()}


def test_figures_lead_to_their_sums(report):
    _, _, book, _ = report
    row = dict(zip([cell.value for cell in book["Figures"][1]], row_of(book["Figures"], "PAR30"), strict=True))
    assert row["Value"] == "=ROUND(100*J2/K2,4)"
    named = [
        book["Sums"][cell].value for cell in re.findall(r"'Sums'!C(\d+)", row["Numerator"]) for cell in [f"A{cell}"]
    ]
    assert sorted(named) == ["dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd"]


def test_history_has_a_row_a_date_and_real_dates_and_numbers(report):
    folder, _, _, values = report
    sheet, table = values["History"], pq.read_table(folder / "tables/history.parquet").to_pylist()
    heads = [cell.value for cell in sheet[1]]
    par90 = {row[0].date(): row[heads.index("PAR90, %")] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert par90 == {row["date"]: float(row["value"]) for row in table if row["kpi"] == "PAR90"}
    assert sheet["A2"].number_format == "yyyy-mm-dd"


def test_headings_stay_and_columns_are_wide_enough(report):
    _, _, book, _ = report
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes in ("B2", "C2"), sheet.title
        assert sheet.print_title_rows == "$1:$1"
    assert book["Aging"]["C2"].number_format == USD
    assert tables.widths(["Date", "Balance"], [[DAY, Decimal("404803.12")]]) == [12, len("404,803.12 USD") + 1]


def test_nothing_runs_and_nothing_leads_outside(report):
    folder, *_ = report
    with zipfile.ZipFile(folder / "report.xlsx") as file:
        names = file.namelist()
        content = b"".join(file.read(name) for name in names if name.startswith("xl/worksheets/"))
    assert not [name for name in names if re.search("vba|external|connection|query|drawing|embed", name, re.I)]
    assert not re.findall(rb"hyperlink|dataValidation|oleObject|<f>[^<]*(?:\[|HYPERLINK|WEBSERVICE|DDE)", content)


def test_dictionary_explains_every_column_of_the_tables(report):
    _, _, book, _ = report
    rows = list(book["Dictionary"].iter_rows(min_row=2, values_only=True))
    assert ("Aging", "Balance", "USD", "The balance in the bucket", "amount") in rows
    shown = {sheet.title: {cell.value for cell in sheet[1]} for sheet in book.worksheets[4:-1]}
    for title, headings in shown.items():
        assert {row[1] for row in rows if row[0] == title and row[1]} == headings


def test_manifest_lists_the_workbook(report):
    folder, *_ = report
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    assert "report.xlsx" in {entry["path"] for entry in listed}


def test_same_report_gives_the_same_bytes(report, tmp_path):
    folder, metrics, *_ = report
    (tmp_path / "tables").symlink_to(folder / "tables")
    written = workbook.write(metrics, tmp_path, language="en")
    assert written.read_bytes() == (folder / "report.xlsx").read_bytes()


def test_libreoffice_computes_the_published_figures(report, tmp_path):
    folder, _, book, _ = report
    path = folder / "report.xlsx"
    (found,) = computed([path], tmp_path)
    assert len(formulas(book)) > 200
    assert differences(path, found) == {}


# Small workbooks


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "＝1"])
def test_no_text_of_the_data_is_a_formula(write, text):
    row = {"file": text, "line": 2, "reasons": text, "amount_usd": Decimal("9.00"), "original": text}
    part = {"date": DAY, "dimension": "company", "value": text, "loans": 1, "outstanding_usd": Decimal("9.00")}
    metrics = example.metrics()
    metrics["kpis"]["PAR60"]["title"] = text
    book, _ = opened(write(metrics=metrics, quarantine=[row], segments=[part]))
    cells = [cell for sheet in book for line in sheet for cell in line if isinstance(cell.value, str)]
    begun = [cell.value for cell in cells if cell.data_type != "f" and re.match(r"\s*[=+\-@＝]", cell.value)]
    assert begun == []
    assert {"Rejected rows", "Parts of the book"} <= {cell.parent.title for cell in cells if cell.value.startswith("'")}


def test_rows_of_a_date_share_their_sum_and_nothing_is_made_up(write):
    amounts = ("75.00", "25.00", None)
    shares = ("75.0000", "25.0000", None)
    rows = [
        {"date": DAY, "bucket": f"{at}", "amount": amount and Decimal(amount), "share": share and Decimal(share)}
        for at, (amount, share) in enumerate(zip(amounts, shares, strict=True))
    ]
    wrong = {"date": dt.date(2025, 11, 30), "bucket": "0–7", "amount": Decimal("5.00"), "share": Decimal("99.0000")}
    sheet = opened(write(aging=[wrong, *rows]))[0]["Aging"]
    assert [sheet[f"D{row}"].value for row in (2, 3, 4, 5)] == [
        99, "=ROUND(100*C3/SUM(C3:C5),4)", "=ROUND(100*C4/SUM(C3:C5),4)", None,
    ]  # fmt: skip


def test_closing_sums_the_movements_and_changes_are_differences(write):
    points = (("opening", "4.000000"), ("new arrears", "0.500000"), ("paid", "-1.000000"), ("closing", "3.500000"))
    same = {"date": DAY, "against": dt.date(2025, 11, 30), "kpi": "PAR30"}
    moves = [same | {"term": term, "points": Decimal(value)} for term, value in points]
    loan = same | {"rank": 1, "loan": "Loan 1", "term": "paid", "before_usd": Decimal("9.00")}
    loan |= {"after_usd": Decimal("2.00"), "change_usd": Decimal("-7.00")}
    book, _ = opened(write(bridges=moves, bridge_loans=[loan]))
    assert book["Movements"]["F5"].value == "=ROUND(SUM(F2:F4),6)"
    assert book["Loans that moved"]["K2"].value == "=ROUND(J2-I2,2)"


def test_table_longer_than_a_sheet_says_where_the_rest_is(write, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 2)
    rows = [{"file": "a.csv", "line": line, "reasons": "no", "original": ""} for line in (1, 2, 3)]
    sheet = opened(write(quarantine=rows))[0]["Rejected rows"]
    assert [sheet[f"B{row}"].value for row in (2, 3)] == [2, 3]
    assert sheet["A4"].value == "The last 2 of 3 rows; all are in tables/quarantine.parquet."


def test_workbook_in_spanish(write):
    row = {"date": DAY, "against": dt.date(2025, 11, 30), "opening": "new", "closing": "written off", "loans": 1}
    bad = {"file": "loans.csv", "line": 7, "reasons": "Saldo: not a number; dpd: negative", "original": "{}"}
    codes = [{"code": "not_a_number", "column": "Saldo"}, {"code": "negative", "column": "dpd"}]
    metrics = example.metrics()
    metrics["reason_codes"] |= {"rejects": [{"reason": code, "rows": 1} for code in codes]}
    largest = [{"date": DAY, "rank": 1, "borrower": "Borrower 7"}]
    book, _ = opened(write("es", metrics, roll_rates=[row], concentration=largest, quarantine=[bad]))
    assert book.sheetnames == [
        "Portada", "Indicadores", "Sumas", "Historia", "Migración", "Mayores deudores", "Registros rechazados",
        "Diccionario",
    ]  # fmt: skip
    assert [cell.value for cell in book["Migración"][2]][2:4] == ["Préstamos nuevos", "Castigado"]
    assert book["Mayores deudores"]["C2"].value == "Deudor 7"
    assert book["Registros rechazados"]["C2"].value == "Saldo: no es un número; dpd: negativo"
    assert book["Portada"]["A1"].value == "Cartera al 10 de diciembre de 2025 (diciembre hasta ese día)"


def test_words_are_those_of_the_page(write):
    dates = {"date": DAY, "against": dt.date(2025, 11, 30)}
    rolled = [{**dates, "opening": one, "closing": "30–60", "loans": 1} for one in ("0–7", "7–30")]
    moved = [{**dates, "kpi": "PAR30", "term": "book growth", "points": Decimal(points)} for points in ("-1", "1")]
    parts = [("product", "business_loan"), ("region", "Not Provided"), ("ticket", "below 1,000")]
    parts = [{"date": DAY, "dimension": one, "value": name, "loans": 1} for one, name in parts]
    book, _ = opened(write(roll_rates=rolled, bridges=moved, segments=parts))
    shown = {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] for sheet in book}
    assert [row[2:4] for row in shown["Roll rates"]] == [["0–6 days", "30–60 days"], ["7–29 days", "30–60 days"]]
    assert [row[3] for row in shown["Movements"]] == ["Larger book", "Smaller book"]
    assert [row[2] for row in shown["Parts of the book"]] == [
        "business loan", "not given (missing data)", "below 1,000",
    ]  # fmt: skip


def test_report_without_tables_has_figures_alone(write):
    assert opened(write())[0].sheetnames == ["Front page", "Figures", "Sums", "History", "Dictionary"]


@pytest.mark.parametrize(("currency", "expected"), [("USD", USD), ("JPY", '#,##0 "JPY"'), ("EUR", '"€ "#,##0.00')])
def test_amounts_have_the_format_of_their_currency(write, currency, expected):
    metrics = example.metrics() | {"currency": currency}
    row = {"date": DAY, "bucket": "0–7", "amount": Decimal("75.00"), "share": Decimal(100)}
    with currencies.using(currency):
        sheet = opened(write(metrics=metrics, aging=[row]))[0]["Aging"]
    assert sheet["C2"].number_format == expected


def test_rupees_are_grouped_by_two_digits():
    small, large = '"₹ "#,##0.00', '"₹ "##\\,##\\,##0.00'
    assert number_format("INR", 2).split(";")[1:] == [f"[>=100000]{large}", small]


def test_text_that_is_too_long_for_a_cell_is_cut(tmp_path):
    with Book(tmp_path / "long.xlsx", DAY, "Long") as book:
        put(book.sheet("Aging", ("Amount",), (10,)), 1, 0, "x" * 40_000)
    assert len(opened(tmp_path / "long.xlsx")[0]["Aging"]["A2"].value) == 32_000
