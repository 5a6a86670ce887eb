"""The verdict: fewer inputs never make a better one."""

import itertools

import pytest

from abaco.kpis.verdict import STATES, shrunk, verdict

LIMITS = {"warning": 5, "critical": 8}
ITEM = {"kind": "file", "format": "loans", "names": ["loans.csv"]}
LOST = {"date": "2025-11-30", "run_id": "r", "items": [ITEM], "critical": ["B"]}


def kpis(*statuses):
    """Return KPIs A, B, … with limits, or without for the status none."""
    limits = (None if status == "none" else LIMITS for status in statuses)
    entries = (
        {"title": "", "status": s, "thresholds": at, "decides": True} for s, at in zip(statuses, limits, strict=True)
    )
    return dict(zip("ABCDE", entries, strict=False))


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (("ok", "ok"), "ok"),
        (("ok", "warning"), "warning"),
        (("critical", "warning"), "critical"),
        (("ok", "not_computable"), "incomplete"),
        (("warning", "not_computable"), "incomplete"),
        (("critical", "not_computable"), "critical"),
        (("not_computable", "not_computable"), "incomplete"),
        (("none", "none"), "none"),
        (("none", "ok"), "ok"),
        ((), "not_computable"),
    ],
)
def test_state(statuses, state):
    assert verdict(kpis(*statuses))["state"] == state


def test_verdict_counts_the_limits_that_were_checked():
    found = verdict(kpis("ok", "not_computable", "warning", "none", "critical"))
    assert (found["limits"], found["checked"], found["unchecked"]) == (4, 3, ["B"])
    assert (found["critical"], found["warning"]) == (["E"], ["C"])


def test_input_that_lost_something_is_incomplete_even_where_every_limit_was_checked():
    assert verdict(kpis("ok", "ok"), LOST)["state"] == "incomplete"
    assert verdict(kpis("ok", "ok"), None, {"before": 100, "now": 60})["state"] == "incomplete"


def test_figure_that_was_critical_stays_critical_when_it_cannot_be_checked_any_more():
    assert verdict(kpis("ok", "not_computable"), LOST)["state"] == "critical"
    assert verdict(kpis("ok", "not_computable"), LOST)["was_critical"] == ["B"]
    assert verdict(kpis("not_computable", "ok"), LOST)["was_critical"] == []  # it is within its limits now
    assert verdict(kpis("not_computable", "ok"), LOST)["state"] == "incomplete"


@pytest.mark.parametrize("statuses", [*itertools.product(("ok", "warning", "critical"), repeat=3)])
def test_removing_the_input_of_a_figure_never_makes_the_verdict_better(statuses):
    full = verdict(kpis(*statuses))
    for index in range(3):
        fewer = [*statuses]
        fewer[index] = "not_computable"
        found = verdict(kpis(*fewer), {**LOST, "critical": full["critical"]})
        assert STATES.index(found["state"]) <= STATES.index(full["state"])
        assert found["state"] != "ok"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(69, {"before": 100, "now": 69}), (70, None), (100, None), (200, None), (0, {"before": 100, "now": 0})],
)
def test_book_shrinks_beyond_the_limit_only(rows, expected):
    assert shrunk(rows, 100, max_rows_change_pct=30.0) == expected
    assert shrunk(rows, 100, max_rows_change_pct=0) is None


def test_first_date_has_not_shrunk():
    assert shrunk(0, 0, max_rows_change_pct=30.0) is None
