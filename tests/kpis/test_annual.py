"""Rates of one, three and twelve months from the months before a date, worked out by hand."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.dates import months_before
from abaco.kpis import annual, catalog
from abaco.kpis.book import Book
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate

DECEMBER = dt.date(2025, 12, 31)
ENDS = [months_before(DECEMBER, back) for back in range(12)]
DEFINITIONS = {
    name: kpi
    for name, kpi in catalog.load().items()
    if name in ("MonthlyDefaultRate", "SMM", "WriteOffRate12", "NetWriteOffRate12") or name.startswith(("CDR", "CPR"))
}
DEFAULTS = ("defaulted_usd", "opening_performing_usd")
PREPAID = ("month_prepaid_usd", "month_not_due_usd")
MOVED = ("new_written_off_usd", "recovered_usd")


def kpis(months, as_of=DECEMBER):
    """Return the KPIs of the latest date from sums by date, as text; None where there is none."""
    before = {
        day: Totals(3, {name: Decimal(usd) for name, usd in sums.items()}, dict.fromkeys(sums, 3))
        for day, sums in months.items()
    }
    book = Book(None, sorted(before), as_of)
    found = annual.measure(book, annual.MEASURES, before)[book.date]
    now = before[book.date]
    total = Totals(3, now.sums | found.sums, now.counts | found.counts, found.reasons)
    total.sums["year_mean_balance_usd"] = Decimal("1000.00")
    return evaluate(DEFINITIONS, total, book.date)


def shown(months, *names, **more):
    found = kpis(months, **more)
    return [None if found[name]["value"] is None else str(found[name]["value"]) for name in names]


def monthly(names, *rows, ends=ENDS):
    """Return sums by month-end, the latest first."""
    return {end: dict(zip(names, row, strict=True)) for end, row in zip(ends, rows, strict=False)}


def test_rates_of_three_months_are_compounded():
    """0.99 · 0.98 · 0.97 = 0.941094 is left in three months, and its fourth power 0.784390 in a year."""
    months = monthly(DEFAULTS, ("3.00", "100.00"), ("2.00", "100.00"), ("1.00", "100.00"))
    # the month alone: 1 − 0.97¹² = 1 − 0.693842
    assert shown(months, "CDR", "CDR3", "CDR12") == ["30.62", "21.56", None]
    assert str(kpis(months)["CDR12"]["reason"]) == (
        "a rate over 12 months needs the rate of each, and that of 2025-09 is not known on 2025-12-31"
    )


def test_rates_of_twelve_months_are_a_year():
    """Half is prepaid in one month, a fifth in another, nothing in the rest: 0.5 · 0.8 = 0.4 is left."""
    rows = [("0.00", "70.00")] * 10 + [("35.00", "70.00"), ("20.00", "100.00")]
    assert shown(monthly(PREPAID, *rows), "SMM", "CPR", "CPR3", "CPR12") == ["0.0000"] * 3 + ["60.0000"]


def test_year_of_a_rate_is_computed_from_the_exact_rate():
    """1 − (1 − 1/300)¹² is 3.92748 %; of the published 0.3333 % it would be 3.92710 %."""
    assert shown(monthly(PREPAID, ("1.00", "300.00")), "SMM", "CPR") == ["0.3333", "3.9275"]


def test_part_of_a_month_is_annualised_by_its_days():
    """10 of 31 days are 0.3226 months: 0.97 to the power of 12 · 3.1 = 37.2 is 0.322049."""
    months = monthly(DEFAULTS, ("3.00", "100.00"), ("2.00", "100.00"), ("1.00", "100.00"))
    by_days = (1 - (Decimal("0.941094") ** (12 / (2 + Decimal(10) / 31)))) * 100
    assert shown(months, "CDR", "CDR3", as_of=dt.date(2025, 12, 10)) == ["67.80", str(round(by_days, 2))]


def test_figures_from_before_the_month_have_no_rate():
    found = kpis(monthly(DEFAULTS, ("3.00", "100.00")), as_of=dt.date(2025, 11, 20))["CDR"]
    assert (found["value"], str(found["reason"])) == (
        None,
        "the figures are from 2025-11-20, before the month began, on 2025-12-31",
    )


def test_missing_month_is_named():
    """Quarter-ends have no monthly rate, and none of three months."""
    months = monthly(DEFAULTS, ("3.00", "100.00"), ("2.00", "100.00"), ends=(ENDS[0], ENDS[3]))
    assert shown(months, "CDR", "CDR3") == ["30.62", None]
    assert "that of 2025-11 is not known" in str(kpis(months)["CDR3"]["reason"])


@pytest.mark.parametrize(
    ("gone", "whole", "cause"),
    [
        ("0.00", "0.00", "there is nothing to divide by"),
        ("0.00", "-1.00", "there is nothing to divide by"),
        ("101.00", "100.00", "more than all that was there"),
    ],
)
def test_rate_of_nothing_and_of_more_than_all_is_not_computable(gone, whole, cause):
    found = kpis(monthly(PREPAID, (gone, whole)))["CPR"]
    assert found["value"] is None
    assert cause in str(found["reason"])


def test_all_gone_in_a_month_is_all_of_a_year():
    assert shown(monthly(DEFAULTS, ("100.00", "100.00")), "CDR") == ["100.00"]


def test_several_dates_of_a_month_count_as_the_last():
    months = monthly(DEFAULTS, ("3.00", "100.00"), ("2.00", "100.00"), ("1.00", "100.00"))
    months[dt.date(2025, 11, 15)] = {"defaulted_usd": "90.00", "opening_performing_usd": "100.00"}
    assert shown(months, "CDR3") == ["21.56"]


def test_write_offs_of_twelve_months_on_the_mean_balance_and_net_of_recoveries():
    """12 · 5 = 60 of a mean of 1,000; recovered 12 · 1.50 = 18."""
    months = monthly(MOVED, *[("5.00", "1.50")] * 12)
    assert shown(months, "WriteOffRate12", "NetWriteOffRate12") == ["6.0000", "4.2000"]
    assert kpis(months)["WriteOffRate12"]["status"] == "warning"
    eleven = monthly(MOVED, *[("5.00", "1.50")] * 11)
    assert shown(eleven, "WriteOffRate12", "NetWriteOffRate12") == [None, None]


@pytest.mark.parametrize(("written", "status"), [("50.00", "ok"), ("50.01", "warning"), ("100.01", "critical")])
def test_limits_of_twelve_months_are_their_own(written, status):
    rows = [(written, "0.00")] + [("0.00", "0.00")] * 11
    assert kpis(monthly(MOVED, *rows))["WriteOffRate12"]["status"] == status


def test_more_recovered_than_written_off_is_below_zero():
    assert shown(monthly(MOVED, *[("0.00", "1.00")] * 12), "NetWriteOffRate12") == ["-1.2000"]
