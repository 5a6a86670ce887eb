"""history: every date of the input, or weeks and months, each with its last value and a bar."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.errors import InputError
from abaco.review import history
from tests.support import left


def row(day, value, status="ok"):
    return {"date": dt.date.fromisoformat(day), "value": value and Decimal(value), "status": status}


DAILY = [row("2025-12-31", "2", "warning"), row("2025-12-29", "4"), row("2025-12-28", None), row("2026-01-02", "1")]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("day", [("2025-12-28", None), ("2025-12-29", "4"), ("2025-12-31", "2"), ("2026-01-02", "1")]),
        ("week", [("2025-W52", None), ("2026-W01", "1")]),
        ("month", [("2025-12", "2"), ("2026-01", "1")]),
    ],
)
def test_period_has_the_value_of_its_last_date(by, expected):
    found = history.rolled_up(DAILY, by)
    assert [(p["name"], p["value"] and str(p["value"])) for p in found] == expected


def test_period_has_its_lowest_and_highest_value_and_the_last_status():
    december = history.rolled_up(DAILY, "month")[0]
    assert (december["lowest"], december["highest"], december["status"]) == (2, 4, "warning")
    assert history.rolled_up([row("2025-12-28", None)], "month")[0]["lowest"] is None
    assert history.rolled_up([], "day") == []


@pytest.mark.parametrize(("value", "shown"), [("4", "█" * 32), ("0", ""), ("-2", "█" * 16), ("0.0625", "▌")])
def test_bar_is_as_long_as_the_value(value, shown):
    assert history.bar(Decimal(value), Decimal(4)) == shown


def test_bar_of_nothing_is_empty():
    assert history.bar(Decimal(0), Decimal(0)) == ""


def test_history_of_a_finished_report(finished):
    first, heading, *lines = history.history("PAR30", finished.output)
    assert first.startswith("Portfolio at risk, 30 days (PAR30), in %: Σ(dpd_30_60 + ")
    assert heading.split() == ["day", "PAR30", "status"]
    assert len(lines) == 13
    assert lines[-1].startswith("2025-12-31  3.75   ok")
    assert max(lines, key=lambda line: float(line.split()[1])).count("█") == history.BAR


@pytest.mark.parametrize(("by", "name"), [("day", "2025-12-31"), ("month", "2025-12")])
def test_month_that_is_not_over_is_told_below_its_value(tmp_path, by, name):
    folder = left.run(tmp_path, "2025-12-31", "a", "2026-01-01T02:00:00Z")
    kpis = {"Disbursed": left.kpi(1.0, "none", partial_through="2025-12-10")}
    left.finish(folder, kpis, [("2025-11-30", "Disbursed", "4")])
    *_, last, told = history.history("Disbursed", tmp_path, by=by)
    assert last.startswith(f"{name}  ")
    assert told == "  Disbursed, month to date, until 2025-12-10"


def test_months_of_a_monthly_input_are_its_dates(finished):
    _, heading, *lines = history.history("PAR90", finished.output, by="month")
    assert heading.split() == ["month", "PAR90", "lowest", "highest", "status"]
    assert lines[-1].split()[:4] == ["2025-12", "1.30", "1.30", "1.30"]


@pytest.mark.parametrize(
    ("kpi", "options", "expected"),
    [
        ("xyz", {}, "xyz is not a KPI of the report of 2025-12-31: choose one of PAR30, PAR90,"),
        ("par90gros", {}, "par90gros is not a KPI of the report of 2025-12-31: did you mean PAR90"),
        ("PAR31", {}, "PAR31 is not a KPI of the report of 2025-12-31: did you mean PAR30"),
        ("PAR30", {"date": "2025-12-30"}, "No report of 2025-12-30 in "),
        ("PAR30", {"by": "year"}, "--by year is not one of day, week, month"),
    ],
)
def test_what_is_not_there_is_named(finished, kpi, options, expected):
    with pytest.raises(InputError) as caught:
        list(history.history(kpi, finished.output, **options))
    assert str(caught.value).startswith(expected)


def test_no_report_at_all_is_named(tmp_path):
    with pytest.raises(InputError, match="yet: run make report"):
        list(history.history("PAR30", tmp_path))
