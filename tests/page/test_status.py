"""The state of the book in words."""

import pytest

from abaco.page.status import overall_status, status_line, verdict


def test_worst_status_decides(metrics):
    assert overall_status(metrics) == "warning"
    metrics["kpis"]["PAR60"]["status"] = "critical"
    assert overall_status(metrics) == "critical"


def test_what_could_not_be_computed_does_not_hide_what_is_fine(metrics):
    metrics["kpis"]["PAR90"]["status"] = "ok"
    assert overall_status(metrics) == "ok"
    assert verdict(metrics) == "2 of 5 figures are within the limits, 2 could not be computed."


def test_everything_within_limits(metrics):
    for kpi in metrics["kpis"].values():
        kpi["status"] = "ok"
    assert verdict(metrics) == "all 5 figures with limits are within them."


def test_line_names_what_is_past_a_limit_and_what_is_missing(metrics):
    html = status_line(metrics)
    assert "<strong>Warning:</strong> 1 of 5 figures is past the warning limit." in html
    assert (
        "<li>Portfolio at risk, 90 days (PAR90) is at 3.25\u00a0%, above its warning limit of 3.</li>" in html
    )
    assert "<li>CollectionRate could not be computed: no cash figures.</li>" in html
    assert "<li>No figure moved unusually far against the date before.</li>" in html
    assert "<li>6\u00a0rows of 1,010 could not be used and stand aside in quarantine.</li>" in html


def test_a_figure_that_should_be_high_is_below_its_limit(metrics):
    metrics["kpis"]["CollectionRate"].update(value=0.91, status="critical", reason=None)
    assert "(CollectionRate) is at 0.91\u00a0%, below its critical limit of 1." in status_line(metrics)


def test_nothing_computable(empty):
    html = status_line(empty)
    assert "<strong>Not computable:</strong> none of the 5 figures could be computed." in html
    names = "PAR30, PAR90, CollectionRate, PortfolioHealth and PAR60"
    assert f"{names} could not be computed: no balance is outstanding." in html
    assert "unusually" not in html


@pytest.mark.parametrize(
    ("previous", "value", "change_pct", "verb", "values"),
    [
        (3.4629, 4.9, 41.5, "rose by 41.5\u00a0%", "3.46\u00a0% to 4.90\u00a0%"),
        (4.9, 2.45, -50, "fell by 50\u00a0%", "4.90\u00a0% to 2.45\u00a0%"),
        (0, 1.5, None, "rose", "0.00\u00a0% to 1.50\u00a0%"),
    ],
)
def test_unusual_move(metrics, previous, value, change_pct, verb, values):
    move = {"kpi": "PAR30", "previous": previous, "value": value, "change_pct": change_pct, "limit_pct": 25}
    metrics["anomalies"] = [move]
    said = f"PAR30 {verb} against the date before, from {values}: more than the 25\u00a0% that is usual."
    assert said in status_line(metrics)


def test_rows_that_do_not_add_up_are_said_at_the_top(metrics):
    metrics["reconciliation"]["accepted"] = 999
    assert "The rows of the input do not add up" in status_line(metrics)
