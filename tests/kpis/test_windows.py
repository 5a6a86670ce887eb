"""KPIs over several months, worked out by hand: the mean and the sum of 3, 6 and 12 months, and months that lack."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.dates import months_before
from abaco.core.errors import InputError
from abaco.kpis import catalog, publish
from abaco.kpis.bounds import bounds
from abaco.kpis.history import history
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate, inconsistent, is_of_month

DECEMBER = dt.date(2025, 12, 31)
LATE = """
Late:
  title: Late
  group: risk
  numerator: [dpd_90_plus_usd]
  denominator: [total_receivable_usd]
  unit: "%"
  direction: lower
  precision: 4
  owner: Credit risk
"""
WINDOW = """
Late{months}:
  title: Late, over {months} months
  group: risk
  window: {{kpi: Late, take: {take}, months: {months}}}
  unit: "%"
  direction: lower
  warning: 2
  precision: 4
  owner: Credit risk
"""
SUMS = ("dpd_90_plus_usd", "total_receivable_usd")


@pytest.fixture
def load(tmp_path):
    """Load definitions that are written out."""

    def loaded(*entries):
        path = tmp_path / "kpis.yml"
        path.write_text("".join(entries), encoding="utf-8")
        return catalog.load(path)

    return loaded


def book(*months, sums=SUMS, until=DECEMBER):
    """Return totals by month-end from pairs of sums, the latest month first; None leaves a month out."""
    found = {}
    for back, month in enumerate(months):
        if month is not None:
            known = {name: usd and Decimal(usd) for name, usd in zip(sums, month, strict=True)}
            found[months_before(until, back)] = Totals(
                1, known, {name: int(v is not None) for name, v in known.items()}
            )
    return found


def window(load, totals, take, months, *more, date=DECEMBER):
    definitions = load(LATE, *more, WINDOW.format(take=take, months=months))
    return evaluate(definitions, totals[date], date, totals)[f"Late{months}"]


def test_mean_is_of_the_months_own_exact_values(load):
    """1/3 %, 2/3 % and 6 % are 7 % together; the month's published 0.3333 and 0.6667 would give another mean."""
    found = window(load, book(("1", "300"), ("2", "300"), ("6", "100")), "mean", 3)
    assert (str(found["value"]), found["status"], found["reason"]) == ("2.3333", "warning", None)
    assert (found["numerator"], found["denominator"], found["rows"]) == (None, None, 1)


def test_sum_reaches_back_exactly_as_many_months_as_it_names(load):
    months = [("1", "100")] * 6 + [("50", "100")] + [("2", "100")] * 5 + [("90", "100")]
    totals = book(*months)
    assert str(window(load, totals, "sum", 3)["value"]) == "3.0000"
    assert str(window(load, totals, "sum", 6)["value"]) == "6.0000"
    assert str(window(load, totals, "sum", 12)["value"]) == "66.0000"
    assert str(window(load, totals, "mean", 12)["value"]) == "5.5000"


def test_value_exactly_on_the_limit_is_not_past_it(load):
    assert window(load, book(("1", "100"), ("2", "100"), ("3", "100")), "mean", 3)["status"] == "ok"
    assert window(load, book(("1", "100"), ("2", "100"), ("3.01", "100")), "mean", 3)["status"] == "warning"


def test_month_without_a_date_is_not_computable(load):
    found = window(load, book(("1", "100"), None, ("1", "100")), "mean", 3)
    assert (found["value"], found["status"]) == (None, "not_computable")
    assert (
        str(found["reason"])
        == "Late is needed for each of 3 months, and the input has no date in 2025-11 on 2025-12-31"
    )
    alone = window(load, book(("1", "100")), "sum", 12)
    assert "no date in 2025-11" in str(alone["reason"])


def test_month_without_a_value_is_named_with_its_reason(load):
    found = window(load, book(("1", "100"), ("0", "0"), ("1", "100")), "mean", 3)
    assert str(found["reason"]) == (
        "Late is needed for each of 3 months, but there is nothing to divide by: the outstanding balance is 0 on "
        "2025-11-30 on 2025-12-31"
    )


def test_last_date_of_each_month_counts_and_later_dates_do_not(load):
    totals = book(("1", "100"), ("2", "100"), ("3", "100"))
    totals[dt.date(2025, 11, 10)] = book(("99", "100"))[DECEMBER]
    totals[dt.date(2026, 1, 31)] = book(("99", "100"))[DECEMBER]
    assert str(window(load, totals, "mean", 3)["value"]) == "2.0000"


def test_date_within_a_month_ends_the_window(load):
    day, totals = dt.date(2025, 12, 10), book(("9", "100"), ("2", "100"), ("3", "100"))
    totals[day] = book(("1", "100"))[DECEMBER]
    assert str(window(load, totals, "mean", 3, date=day)["value"]) == "2.0000"


def test_windows_nest_and_give_a_composite_its_input(load):
    definitions = load(
        LATE,
        WINDOW.format(take="mean", months=3),
        WINDOW.format(take="sum", months=6).replace("kpi: Late", "kpi: Late3"),
        "Days: {title: D, group: book, function: days_to_collect, inputs: [Late3], unit: days, precision: 0, owner: F}",
    )
    totals = book(*[("1", "100")] * 8)
    found = evaluate(definitions, totals[DECEMBER], DECEMBER, totals)
    assert (str(found["Late6"]["value"]), str(found["Days"]["value"])) == ("6.0000", "365")
    short = book(*[("1", "100")] * 7)
    assert evaluate(definitions, short[DECEMBER], DECEMBER, short)["Late6"]["value"] is None


def test_history_bounds_and_published_entries_have_windows(load):
    definitions = load(LATE, WINDOW.format(take="mean", months=3))
    totals = book(("6", "100"), ("0", "100"), ("0", "100"), ("0", "100"))
    rows = [row for row in history(definitions, totals).to_pylist() if row["kpi"] == "Late3"]
    assert [row["value"] for row in rows] == [None, None, 0, 2]
    now = evaluate(definitions, totals[DECEMBER], DECEMBER, totals)
    assert inconsistent(definitions, now) == []
    before = publish.previous(definitions, totals, DECEMBER)
    entries = publish.kpi_entries(definitions, now, before)
    assert entries["Late3"]["change"] == 2
    assert entries["Late3"]["formula"] == "mean of Late over 3 months"
    assert entries["Late3"]["window"] == {"kpi": "Late", "take": "mean", "months": 3}
    assert "window" not in entries["Late"]
    rejected = bounds(definitions, totals, DECEMBER, {"rejected_usd": "100", "rejected_unknown": 0})
    assert rejected["Late3"] == {"low": Decimal("1.0000"), "high": Decimal("17.6667")}


def test_window_over_the_sum_of_a_month_is_partial_with_it(load):
    written = LATE.replace("dpd_90_plus_usd", "new_written_off_usd").replace("total_receivable", "opening_balance")
    definitions = load(written, WINDOW.format(take="sum", months=12))
    assert is_of_month(definitions, "Late12")
    assert set(catalog.measures(definitions)) >= {"new_written_off_usd", "opening_balance_usd"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kpi: Late", "kpi: Later", ".window: Later is not a KPI defined above Late3"),
        ("kpi: Late", "kpi: Late3", ".window: Late3 is not a KPI defined above Late3"),
        ("kpi: Late", "kpi: dpd_90_plus_usd", ".window: dpd_90_plus_usd is not a KPI defined above Late3"),
        ("months: 3}", "months: 4}", ".window.months: write 3, 6 or 12"),
        ("take: mean", "take: median", ".window.take: write 'mean' or 'sum'"),
        ("take: mean", "of: mean", ".window.take: it is missing: write it"),
        ("  window", "  inputs: [Late]\n  window", ": has a window, so inputs would not be read: leave it out"),
        (
            "  window",
            "  numerator: [npl_usd]\n  window",
            ": has a window, so numerator would not be read: leave it out",
        ),
    ],
)
def test_fault_in_a_window_is_one_line_with_its_key(load, old, new, expected):
    text = WINDOW.format(take="mean", months=3)
    assert old in text
    with pytest.raises(InputError) as caught:
        load(LATE, text.replace(old, new))
    assert str(caught.value).split("kpis.yml", 1)[1] == f": Late3{expected}"
