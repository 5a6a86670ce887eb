"""Accounts of financial statements, wide or long, English or Spanish, and the cash that they give a date."""

import datetime as dt
from decimal import Decimal

import openpyxl
import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, headings, roles, statements
from abaco.ingest.columns import ACCOUNTS
from abaco.kpis import totals as kpis_totals
from tests.support.exports import DATE, SNAPSHOT, ingest, rows_of, snapshot, write

EARLIER = dt.date(2025, 11, 30)


def accounts(tmp_path, *lines, **more):
    write(tmp_path / "in" / "book.csv", SNAPSHOT, snapshot())
    if lines:
        write(tmp_path / "in" / "statements.csv", *lines, **more)
    return ingest(tmp_path / "in")


def test_input_without_statements_has_no_accounts(tmp_path):
    result = accounts(tmp_path)
    assert (result.accounts, result.unknown_accounts) == ({}, [])


LONG = {
    "english": ["date,metric,value", "2025-12-31,Cash,10.50", "2025-12-31,Total Assets,90",
                "2025-12-31,Equity,-3.25"],
    "spanish": ["Fecha Corte,Cuenta,Monto", "2025-12-31,Efectivo,10.50", "2025-12-31,ACTIVOS TOTALES,90",
                "2025-12-31, patrimonio ,-3.25"],
    "semicolons": ["fecha_corte;concepto;saldo", "2025-12-31;Caja y Bancos;10,50", "2025-12-31;Activo;90",
                   "2025-12-31;Capital Contable;-3,25"],
}  # fmt: skip
WIDE = {
    "english": ["date,cash_and_cash_equivalents,assets,total equity", "2025-12-31,10.50,90,-3.25"],
    "spanish": ["Fecha de Corte,Caja,Activos,Patrimonio", "2025-12-31,10.50,90,-3.25"],
}
EXPECTED = {DATE: {"cash_usd": Decimal("10.50"), "assets_usd": Decimal("90.00"), "equity_usd": Decimal("-3.25")}}


@pytest.mark.parametrize("language", LONG)
def test_long_statements_give_accounts_by_date(tmp_path, language):
    assert accounts(tmp_path, *LONG[language]).accounts == EXPECTED


@pytest.mark.parametrize("language", WIDE)
def test_wide_statements_give_accounts_by_date(tmp_path, language):
    assert accounts(tmp_path, *WIDE[language]).accounts == EXPECTED


@pytest.mark.parametrize("form", [LONG["spanish"], WIDE["spanish"]], ids=["long", "wide"])
def test_statements_may_be_a_workbook_or_windows_text(tmp_path, form):
    book = openpyxl.Workbook()
    for line in form:
        book.active.append([float(c) if c.replace(".", "").lstrip("-").isdigit() else c for c in line.split(",")])
    (tmp_path / "in").mkdir()
    book.save(tmp_path / "in" / "statements.xlsx")
    assert accounts(tmp_path).accounts == EXPECTED
    (tmp_path / "in" / "statements.xlsx").unlink()
    assert accounts(tmp_path, *form, encoding="cp1252").accounts == EXPECTED


def test_each_account_heading_means_one_account():
    known = headings.load()
    listed = [heading for account in ACCOUNTS for heading in (account, *known[account].headings)]
    assert len(listed) > 30
    assert list(statements.account_of()) == listed


@pytest.mark.parametrize("metric", ["Total", "total general", "cash flow", "Activos fijos", "Utilidad bruta", "net"])
def test_account_is_matched_whole_and_an_unknown_one_is_told(tmp_path, metric):
    result = accounts(tmp_path, "fecha,cuenta,monto", f"2025-12-31,{metric},5", "2025-12-31,Utilidad,7")
    assert result.accounts == {DATE: {"net_income_usd": Decimal("7.00")}}
    assert result.unknown_accounts == [metric]


def test_dates_are_kept_apart_and_in_order(tmp_path):
    lines = ["fecha,cuenta,monto", "2025-12-31,Caja,2", "2025-11-30,Caja,1", "2026-01-31,Caja,9"]
    assert list(accounts(tmp_path, *lines).accounts.items()) == [
        (EARLIER, {"cash_usd": Decimal("1.00")}),
        (DATE, {"cash_usd": Decimal("2.00")}),
    ]


def test_zero_is_an_amount_and_an_empty_cell_is_none(tmp_path):
    assert accounts(tmp_path, "fecha,caja,activos", "2025-12-31,0,").accounts == {DATE: {"cash_usd": Decimal("0.00")}}


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_headings_for_one_account_the_one_listed_first_counts_in_any_order(tmp_path, order):
    lines = ["2025-12-31,Caja,1.00", "2025-12-31,Efectivo,2.00", "2025-12-31,Cash balance,3.00"][::order]
    assert accounts(tmp_path, "fecha,cuenta,monto", *lines).accounts == {DATE: {"cash_usd": Decimal("3.00")}}


def test_values_of_two_headings_or_two_forms_that_disagree_are_told(tmp_path):
    write(tmp_path / "long.csv", "fecha,cuenta,monto", f"{DATE},Caja,1", f"{DATE},Cash balance,3", f"{DATE},Activos,9")
    write(tmp_path / "wide.csv", "date,cash,assets", f"{DATE},4,9")
    write(tmp_path / "book.csv", SNAPSHOT, snapshot())
    found, _ = discovery.discover(tmp_path)
    with DuckDB() as engine:
        batches = roles.stage(found, DATE, engine, tmp_path)
        assert statements.accounts(batches, engine)[DATE]["cash_usd"] == 4
        assert list(map(str, statements.disagreements(batches, engine, DATE))) == [
            f"cash_usd: 4.00 USD in the financial statements, wide, which count, and {usd} USD in the {heading}."
            for usd, heading in (("3.00", "Cash balance"), ("1.00", "Caja"))
        ]


def test_account_given_twice_with_other_values_is_quarantined(tmp_path):
    lines = ["2025-12-31,Caja,1", "2025-12-31,Caja,2", "2025-12-31,Activos,3", "2025-12-31,Activos,3.00"]
    result = accounts(tmp_path, "fecha,cuenta,monto", *lines)
    assert result.accounts == {DATE: {"assets_usd": Decimal("3.00")}}
    assert result.reasons["statements"] == {"fecha and cuenta: another row has the same, with other values": 2}


@pytest.mark.parametrize(
    ("line", "rejected"),
    [("2025-12-31,Caja,x", 0), ("2025-12-31,Caja,", 0), ("31/31/2025,Caja,1", 1), ("2025-12-31,,1", 1)],
)
def test_bad_line_of_a_statement_gives_no_account(tmp_path, line, rejected):
    result = accounts(tmp_path, "fecha,cuenta,monto", line)
    assert (result.accounts, len(result.rejects)) == ({}, rejected)


@pytest.mark.parametrize(
    ("cash", "statement", "expected"),
    [
        ("", "2025-12-31,Caja,4.00", Decimal("4.00")),
        ("7.00", "2025-12-31,Caja,4.00", Decimal("7.00")),
        ("0.00", "2025-12-31,Caja,4.00", Decimal("0.00")),
        ("", "2025-12-30,Caja,4.00", None),
        ("", "2025-12-31,Activos,4.00", None),
    ],
)
def test_cash_of_a_statement_fills_the_date_that_has_none(tmp_path, cash, statement, expected):
    write(tmp_path / "in" / "book.csv", SNAPSHOT, snapshot("A-1", cash=cash), snapshot("A-2"))
    write(tmp_path / "in" / "statements.csv", "fecha,cuenta,monto", statement)
    found, _ = discovery.discover(tmp_path / "in")
    with DuckDB() as engine:
        batches = roles.stage(found, DATE, engine, tmp_path)
        tape = next(b for b in batches if b.is_tape).accepted(engine)
        assert len(rows_of(tape)) == 2
        totals = kpis_totals.totals(tape, ["cash_available_usd"])
        filled = kpis_totals.with_cash(totals, statements.accounts(batches, engine))
    assert filled[DATE].sums["cash_available_usd"] == expected
