"""Accounts of the statements on the dates of the tape, and no other dates."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.kpis import catalog, statements
from abaco.kpis.book import Book
from abaco.kpis.values import evaluate
from tests.support.tapes import DECEMBER, NOVEMBER, shown

MEASURES = tuple(statements.MEASURES)


def measured(accounts, dates=(DECEMBER,)):
    """Return sums and counts by date; statements need no tape."""
    given = {day: {name: Decimal(usd) for name, usd in one.items()} for day, one in accounts.items()}
    return statements.measure(Book(None, list(dates), dates[-1], accounts=given), MEASURES, {})


def december(**usd):
    return shown(measured({DECEMBER: usd})[DECEMBER].sums)


def test_accounts_are_taken_as_they_are():
    given = dict(zip(MEASURES, ("1.00", "2.00", "3.00", "4.00", "5.00"), strict=True))
    assert december(**given) == given


def test_reserve_that_is_taken_off_the_assets_counts_with_its_amount():
    assert december(loan_loss_reserve_usd="-12.00")["loan_loss_reserve_usd"] == "12.00"


@pytest.mark.parametrize(
    ("assets", "liabilities", "equity"),
    [("100.00", "60.00", "40.00"), ("100.00", "100.00", "0.00"), ("60.00", "100.00", "-40.00")],
)
def test_equity_that_is_not_given_is_assets_less_liabilities(assets, liabilities, equity):
    assert december(assets_usd=assets, liabilities_usd=liabilities)["equity_usd"] == equity


def test_equity_that_is_given_wins():
    found = december(assets_usd="100.00", liabilities_usd="60.00", equity_usd="39.00")
    assert found["equity_usd"] == "39.00"


@pytest.mark.parametrize("only", ["assets_usd", "liabilities_usd"])
def test_equity_needs_both_assets_and_liabilities(only):
    assert december(**{only: "100.00"})["equity_usd"] is None


def test_statement_of_another_date_does_not_count():
    for other in (NOVEMBER, dt.date(2025, 12, 30), dt.date(2026, 1, 1)):
        found = measured({other: {"cash_usd": "1.00"}})
        assert list(found) == [DECEMBER]
        assert found[DECEMBER].sums == dict.fromkeys(MEASURES)


def test_each_date_has_its_own_statement():
    found = measured({NOVEMBER: {"cash_usd": "1.00"}, DECEMBER: {"liabilities_usd": "2.00"}}, (NOVEMBER, DECEMBER))
    assert found[NOVEMBER].sums["cash_usd"] == Decimal("1.00")
    assert found[NOVEMBER].counts == {name: int(name == "cash_usd") for name in MEASURES}
    assert found[DECEMBER].sums["cash_usd"] is None


def test_deriving_equity_leaves_the_accounts_as_they_were():
    given = {DECEMBER: {"assets_usd": Decimal(5), "liabilities_usd": Decimal(2)}}
    statements.measure(Book(None, [DECEMBER], DECEMBER, accounts=given), MEASURES, {})
    assert list(given[DECEMBER]) == ["assets_usd", "liabilities_usd"]


@pytest.mark.parametrize(
    ("liabilities", "equity", "expected"),
    [
        ("600.00", "100.00", ("6.00", "ok")),
        ("601.00", "100.00", ("6.01", "critical")),
        ("0.00", "100.00", ("0.00", "ok")),
        ("600.00", "0.00", (None, "not_computable")),
        ("600.00", "-1.00", (None, "not_computable")),
    ],
)
def test_debt_to_equity_exactly_on_its_limit_is_not_past_it(liabilities, equity, expected):
    total = measured({DECEMBER: {"liabilities_usd": liabilities, "equity_usd": equity}})[DECEMBER]
    found = evaluate({"DebtToEquity": catalog.load()["DebtToEquity"]}, total, DECEMBER)["DebtToEquity"]
    assert (shown(found)["value"], found["status"]) == expected


@pytest.mark.parametrize(("expense", "months"), [("4.00", "2.5"), ("0.00", None), (None, None)])
def test_runway_is_cash_by_the_expenses_of_a_month(expense, months):
    given = {"cash_usd": "10.00"} | ({"operating_expense_usd": expense} if expense else {})
    total = measured({DECEMBER: given})[DECEMBER]
    found = evaluate({"Runway": catalog.load()["Runway"]}, total, DECEMBER)["Runway"]
    assert shown(found)["value"] == months
