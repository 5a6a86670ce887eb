"""The conclusion: the state of the book in words, written from the figures."""

import re

import pytest

from abaco.page import conclusion, in_words
from abaco.page.kpi_text import verdict

from .example import bridges, judged


def said(metrics, history=(), bridges=(), segments=()):
    """Return the paragraph and its points as text."""
    html = conclusion(in_words(metrics), history, bridges, segments)
    paragraph = re.findall(r'<p class="summary">(.*?)</p>|<li>(.*?)</li>', html, re.DOTALL)
    return re.sub(r"<[^>]+>", "", " ".join(map("".join, paragraph))).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("ok",) * 5, "all 5 figures with limits are within them."),
        (("ok", "none", "none", "none", "none"), "the one figure with limits is within them."),
        (
            ("warning", "ok", "ok", "none", "none"),
            "1 of 3 figures with limits is past a limit: PAR60 at 4.00 % (warning above 3).",
        ),
        (
            ("critical", "ok", "critical", "ok", "ok"),
            "2 of 5 figures with limits are past a limit: cash coverage (CollectionRate) at 4.00 % (critical below 5) "
            "and PAR60 at 4.00 % (critical above 5).",
        ),
        (("none",) * 5, "no figure has limits to judge it by."),
        (("not_computable",) * 5, "0 of 5 limits checked; none of these is passed."),
        (("ok",) * 3 + ("not_computable",) * 2, "3 of 5 limits checked; none of these is passed."),
        (
            ("warning", "not_computable", "ok", "none", "none"),
            "2 of 3 limits checked; 1 of these is past a limit: PAR60 at 4.00 % (warning above 3).",
        ),
    ],
)
def test_verdict(metrics, states, expected):
    for kpi, state in zip(metrics["kpis"].values(), states, strict=True):
        kpi |= {
            "status": state,
            "value": 4.0,
            "partial_through": None,
            "thresholds": None if state == "none" else {"warning": 3, "critical": 5},
        }
    assert verdict(judged(metrics)).replace("\u00a0", " ") == expected


LOST = {
    "date": "2025-11-30", "run_id": "20251130-aaaaaaaaaaaa", "critical": ["CollectionRate", "PAR90"],
    "items": [
        {"kind": "file", "format": "financial statements, long", "names": ["cash.csv"]},
        {"kind": "column", "format": "loans", "names": ["Interest", "TPV"]},
        {"kind": "rows", "format": "schedules", "before": 2000, "now": 1200},
    ],
}  # fmt: skip


def alarms(metrics):
    """Return the alarms of the conclusion as text."""
    return re.findall(r'<p class="alarm">(.*?)</p>', conclusion(in_words(metrics)).replace("\u00a0", " "))


def test_what_the_input_lost_stands_above_the_paragraph(metrics):
    metrics = judged(metrics, LOST, {"before": 100, "now": 60})
    assert alarms(metrics) == [
        "Past the critical limit in the former report of 30 November 2025, and not checked now: "
        "Cash coverage (CollectionRate).",
        "The input of the former report of 30 November 2025 also had cash.csv (financial statements, long).",
        "The loans of the former report of 30 November 2025 also had: Interest, TPV.",
        "The schedules have 1,200 rows, and had 2,000 in the former report of 30 November 2025.",
        "The book has 60 rows, and had 100 at the date before.",
        "Limits not checked: Arrears-and-cash index (PortfolioHealth), Cash coverage (CollectionRate).",
        "If all of this is right, make the report with PARAMS=calculation.max_rows_change_pct=0.",
    ]


def test_what_the_input_lost_is_told_in_spanish(metrics, spanish):
    assert alarms(judged(metrics, LOST))[1:3] == [
        "La entrada del informe anterior del 30 de noviembre de 2025 tenía además cash.csv (estados financieros, en "
        "filas).",
        "En el informe anterior del 30 de noviembre de 2025, préstamos traía además: Interest, TPV.",
    ]


def test_all_limits_may_be_checked_of_an_input_that_lost_something(metrics):
    for name in ("PortfolioHealth", "CollectionRate"):
        metrics["kpis"][name]["status"] = "ok"
    lost = {**LOST, "critical": []}
    assert verdict(judged(metrics, lost)).replace("\u00a0", " ") == (
        "4 of 4 limits checked, but the input lacks what the former one had; 1 of these is past a limit: PAR90 at "
        "3.25 % (warning above 3)."
    )


def test_portfolio_health_is_named_and_does_not_decide_the_state(metrics):
    for kpi in metrics["kpis"].values():
        kpi["status"] = "ok"
    metrics["kpis"]["PortfolioHealth"] |= {"status": "critical", "decides": False, "value": 2.0}
    metrics = judged(metrics)
    assert metrics["verdict"]["state"] == "ok"
    assert verdict(metrics).replace("\u00a0", " ") == (
        "1 of 4 figures with limits is past a limit: arrears-and-cash index (PortfolioHealth) at 2.00 of 10 (critical "
        "below 3). PortfolioHealth alone makes no report worse."
    )
    metrics["kpis"]["PAR90"]["status"] = "warning"
    metrics = judged(metrics)
    assert metrics["verdict"]["state"] == "warning"
    assert "PAR90 at 3.25\u00a0% (warning above 3). PortfolioHealth alone makes no report worse." in verdict(metrics)


def test_state_comes_first(metrics):
    assert said(metrics).startswith(
        "Of the 10,000 USD outstanding, 3.68 % is 30 days late or more and 3.25 % is 90 days late or more. "
    )


def test_where_the_book_is_late_follows_and_what_soon_will_be_needs_attention(metrics):
    company = {"date": "2025-12-31", "dimension": "company", "value": "ABF", "share": 2.0, "par30": 50.0, "par90": 40.0}
    metrics["aging"][3]["share"] = 2.0
    text = said(metrics, segments=[company])
    assert (
        "90 days late or more. Loans lent by company ABF make up 2.0 % of the book, but 27.2 % of what is 30 days late "
        in text
    )
    assert (
        "Another 2.00 % of the book is 60 to 89 days late. If none of it is paid "
        "for 30 days, and the book stays as large as it is, PAR90 comes to 5.25 % (critical above 5)."
    ) in text


def test_moves_of_the_pars_are_told_by_their_size_in_points(metrics):
    """PAR90 fell by 0.25 points, PAR30 rose by 0.21."""
    text = said(metrics)
    assert "Since 30 November 2025, PAR90 fell from 3.50 % to 3.25 %. PAR30 rose from 3.46 % to 3.68 %." in text
    metrics["kpis"]["PAR30"]["change"] = 0.3
    assert "Since 30 November 2025, PAR30 rose from 3.38 % to 3.68 %. PAR90 fell from" in said(metrics)
    assert "most" not in text


def test_why_arrears_moved_comes_from_the_bridge(metrics):
    assert (
        "PAR30 rose from 3.46 % to 3.68 %, mainly new arrears (+0.36 points) and loans that rolled on "
        "(+0.10 points), against cures (−0.15 points) and payments (−0.10 points)."
    ) in said(metrics, bridges=bridges())


def test_why_the_collection_rate_moved_comes_from_its_two_sums(metrics):
    metrics["kpis"]["CollectionRate"].update(
        value=2.0, change=1.0, status="ok", reason=None, numerator="200.00", denominator="10000.00",
        previous={"date": "2025-11-30", "value": 1.0},
    )  # fmt: skip
    before = {
        "date": "2025-11-30", "kpi": "CollectionRate", "value": 1.0, "status": "warning",
        "numerator": 125.0, "denominator": 12500.0,
    }  # fmt: skip
    assert (
        "PAR30 rose from 3.46 % to 3.68 %. Cash coverage (CollectionRate) rose from 1.00 % to 2.00 %; "
        "cash on hand rose by 60.0 % and the eligible receivables fell by 20.0 %."
    ) in said(metrics, history=[before])


def test_nothing_moved(metrics):
    for kpi in metrics["kpis"].values():
        kpi["change"] = None if kpi["change"] is None else 0
    assert "None of the key figures moved against the date before." in said(metrics)


def test_what_needs_attention(metrics):
    text = said(metrics)
    told = "6 of 1,010 rows of the balances were rejected (tables/quarantine.csv has them); those of this date hold "
    assert f"{told}160.00 USD, 1.57 % of its balances." in text
    assert "Cash coverage (CollectionRate) could not be computed: no cash figures." in text


def test_figures_that_are_not_among_the_first_are_counted_when_lost(metrics):
    metrics["kpis"]["PAR60"].update(value=None, status="not_computable", reason="no dates")
    assert (
        "1 further figure could not be computed: the reasons stand beside their formulas in “How to read these"
        in said(metrics)
    )
    metrics["missing"].append({"kpi": "PAR60", "add": "balances"})
    assert "1 further figure could not be computed from this input; “What to add to see more” says" in said(metrics)


def test_nothing_computable(empty):
    text = said(empty)
    titles = (
        "Portfolio at risk, 30 days, Portfolio at risk, 90 days, Cash coverage (CollectionRate) and Arrears-and-cash "
        "index (PortfolioHealth)"
    )
    assert f"{titles} could not be computed: no balance is outstanding." in text
    assert "moved" not in text


@pytest.mark.parametrize(
    ("previous", "value", "change_pct", "told"),
    [(3.4629, 4.9, 41.5, "PAR30 (+41.5 %)"), (4.9, 2.45, -50, "PAR30 (−50.0 %)"), (0, 1.5, None, "PAR30 (from 0)")],
)
def test_unusual_move(metrics, previous, value, change_pct, told):
    move = {"kpi": "PAR30", "previous": previous, "value": value, "change_pct": change_pct, "limit_pct": 25}
    metrics["anomalies"] = [move]
    assert f"Unusually large moves, of more than 25 %: {told}." in said(metrics)


def test_rows_that_do_not_add_up_are_said_at_the_top(metrics):
    metrics["reconciliation"]["accepted"] = 999
    assert 'class="alarm">The rows of the input do not add up' in conclusion(metrics)
