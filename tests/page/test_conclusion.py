"""The conclusion: the state of the book in words, written from the figures."""

import re

import pytest

from abaco.page import in_words
from abaco.page.conclusion import concluded
from abaco.page.kpi_text import verdict

from .example import bridges, concentration, front, judged


def said(metrics, history=(), bridges=(), segments=(), concentration=()):
    """Return the three sentences and the points as text."""
    found = concluded(in_words(metrics), history, bridges, segments, concentration)
    return " ".join(found["sentences"] + found["points"]).replace("\u00a0", " ")


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
    return re.findall(r'<p class="alarm">(.*?)</p>', front(metrics).replace("\u00a0", " "))


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
        "Los archivos del informe anterior del 30 de noviembre de 2025 traían además cash.csv (estados financieros, en "
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
        "below 3). The state of the report does not depend on PortfolioHealth."
    )
    metrics["kpis"]["PAR90"]["status"] = "warning"
    metrics = judged(metrics)
    assert metrics["verdict"]["state"] == "warning"
    told = "PAR90 at 3.25\u00a0% (warning above 3). The state of the report does not depend on PortfolioHealth."
    assert told in verdict(metrics)


def test_conclusion_has_three_sentences_at_most(metrics):
    metrics["aging"][3]["share"] = 2.0
    company = {"date": "2025-12-31", "dimension": "company", "value": "ABF", "share": 2.0, "par30": 50.0, "par90": 40.0}
    sentences = concluded(in_words(metrics), (), bridges(), [company], concentration())["sentences"]
    assert [sentence.split()[0] for sentence in sentences] == ["Loans", "Since", "Another"]


def test_what_if_the_largest_borrower_stopped_paying(metrics):
    """PAR30 counts 367.73 of 10,000.00; of the 2,000.00 of the largest, 17.73 is late already."""
    assert "If the largest borrower stopped paying, PAR30 would be 23.50 %." in said(
        metrics, concentration=concentration()
    )
    unknown = concentration().assign(late_usd=None)
    assert "stopped paying" not in said(metrics, concentration=unknown)


def test_size_of_the_book_is_told_where_no_part_stands_out(metrics):
    assert "Of the 10,000 USD outstanding, 3.68 % is 30 days late or more and 3.25 % is 90 days late or more." in said(
        metrics
    )


def test_where_the_book_is_late_follows_and_what_soon_will_be_needs_attention(metrics):
    company = {"date": "2025-12-31", "dimension": "company", "value": "ABF", "share": 2.0, "par30": 50.0, "par90": 40.0}
    metrics["aging"][3]["share"] = 2.0
    text = said(metrics, segments=[company])
    assert "Loans lent by company ABF make up 2.0 % of the book, but 27.2 % of what is 30 days late " in text
    assert (
        "Another 2.00 % of the book is 60 to 89 days late. If none of it is paid "
        "for 30 days, and the book stays as large as it is, PAR90 comes to 5.25 % (critical above 5)."
    ) in text


def test_move_of_par30_is_told_and_of_par90_where_par30_stayed(metrics):
    assert "Since 30 November 2025, PAR30 rose from 3.46 % to 3.68 %." in said(metrics)
    assert "PAR90 fell" not in said(metrics)
    metrics["kpis"]["PAR30"]["change"] = 0
    assert "Since 30 November 2025, PAR90 fell from 3.50 % to 3.25 %." in said(metrics)


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
    assert "Cash on hand rose by 60.0\u00a0% and the eligible receivables fell by 20.0\u00a0%" in front(
        metrics, history=[before]
    )


def test_nothing_moved(metrics):
    for kpi in metrics["kpis"].values():
        kpi["change"] = None if kpi["change"] is None else 0
    assert "None of the key figures moved against the date before." in said(metrics)


def test_what_needs_attention(metrics):
    text = said(metrics)
    told = "6 of 1,010 rows of the balances were rejected (listed in tables/quarantine.csv of the report's folder); "
    assert f"{told}those of this date, or of none that can be read, hold 160.00 USD, 1.57 % of its balances." in text


def test_rejected_balances_say_between_which_values_a_figure_lies(metrics):
    metrics["kpis"]["PAR30"]["bounds"] = {"low": 3.6, "high": 12.7}
    assert "With them, PAR30 would lie between 3.60 % and 12.70 %." in said(metrics)
    metrics["kpis"]["PAR90"]["bounds"] = {"low": 1.2, "high": 9.0}
    told = "With them, PAR30 would lie between 3.60 % and 12.70 %, and PAR90 between 1.20 % and 9.00 %."
    assert told.replace(", and", " and") in said(metrics).replace(", and", " and")


def test_how_many_figures_are_computed_stands_below(metrics):
    told = "3 of 5 figures computed; the report says under “What to add to see more” what the rest need"
    assert told in front(metrics)
    for name in ("CollectionRate", "PortfolioHealth"):
        del metrics["kpis"][name]
    assert "✓ Every figure computed" in front(judged(metrics))


def test_nothing_computable(empty):
    text = front(empty)
    assert text.count('<p class="reason">No balance is outstanding</p>') == 4
    assert "0 of 5 figures computed" in text
    assert "Since" not in said(empty)


@pytest.mark.parametrize(
    ("previous", "value", "told"),
    [(3.4629, 4.9, "from 3.46 % to 4.90 %"), (4.9, 2.45, "from 4.90 % to 2.45 %"), (0, 1.5, "from 0.00 % to 1.50 %")],
)
def test_unusual_move_is_told_by_both_values(metrics, previous, value, told):
    metrics["anomalies"] = [{"kpi": "PAR30", "previous": previous, "value": value, "limit_pct": 25}]
    assert f"Unusually large moves, of more than 25 % of the former value: PAR30 {told}." in said(metrics)


def test_fall_of_par30_does_not_stand_alone_where_earlier_arrears_rose(metrics):
    early = {"kpi": "PAR1", "previous": 6.0, "value": 10.08, "limit_pct": 25}
    metrics["kpis"]["PAR1"] = metrics["kpis"]["PAR30"] | {"thresholds": None}
    metrics["anomalies"] = [early]
    clause = "; but balances 1 or more days late rose from 6.00 % to 10.08 %."
    assert clause not in said(metrics)  # PAR30 rose itself
    metrics["kpis"]["PAR30"]["change"] *= -1
    assert clause in said(metrics)
    metrics["anomalies"] = [early | {"previous": 10.08, "value": 6.0}]
    assert "but balances" not in said(metrics)
    metrics["anomalies"] = [early | {"kpi": "PAR90"}]
    assert "but balances" not in said(metrics)


def test_rows_that_do_not_add_up_are_said_at_the_top(metrics):
    metrics["reconciliation"]["accepted"] = 999
    assert alarms(metrics)[-1].startswith("The rows of the input do not add up: see “Where every row went”")
    assert "accounted for" not in front(metrics)
