"""How a facility stands: its status, and the one text that says so."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.kpis.facilities.borrowing_base import Base
from abaco.kpis.facilities.standing import standings
from abaco.kpis.verdict import verdict
from tests.support.tapes import DECEMBER

from .pledged import terms
from .test_covenants import LEVELS, arrears, rows

WINDOW = {"take": "mean", "months": 3}


def standing(available="290.00", *percents, covenants=None, drawn="500.00", **more):
    """Return how a facility stands with so much to be drawn, and a covenant whose PAR90 was so many per cent."""
    amounts = {"pool": "1200.00", "net_eligible": "929.50", "borrowing_base": "790.00", "drawn": drawn}
    kinds = amounts | {"availability": available}
    lines = [{"kind": kind, "amount_usd": usd and Decimal(usd)} for kind, usd in kinds.items()]
    base = Base("LINE", terms(), None, {}, {DECEMBER: lines})
    named = {"facility": "LINE", "covenant": "arrears"}
    found = [{**named, **row} for row in rows(arrears(*percents), **(more or LEVELS))] if percents else []
    return standings([base], [*found, *(covenants or ())], DECEMBER)["LINE"]


def told(*arguments, **more):
    found = standing(*arguments, **more)
    return found["status"], " ".join(map(str, found["verdict"]))


def test_facility_that_may_be_drawn_with_the_covenant_that_is_closest():
    hold = "All covenants hold; the closest is “arrears”, at 2.00 % against a trigger of 5 %."
    assert told("290.00", "2") == ("ok", f"Line: 290.00 USD may be drawn. {hold}")
    nearer = {**rows(arrears("4.9"), trigger=5)[-1], "facility": "LINE", "covenant": "nearer"}
    assert "closest is “nearer”, at 4.90 % against a trigger of 5 %" in told("290.00", "2", covenants=[nearer])[1]


@pytest.mark.parametrize(
    ("percents", "more", "status", "text"),
    [
        (("4",), {}, "warning",
         "Covenant “arrears” at 4.00 % is past its warning level of 3 %. Its trigger is at 5 %."),
        (("6",), {}, "warning",
         "Covenant “arrears” at 6.00 % is past its trigger of 5 %. Its default level is at 8 %."),
        (("6",), {"trigger": 5}, "warning", "Covenant “arrears” at 6.00 % is past its trigger of 5 %."),
        (("9",), {}, "critical", "Covenant “arrears” at 9.00 % is past its default level of 8 %."),
        (("9",), {**LEVELS, "cure_days": 30}, "warning",
         "Covenant “arrears” at 9.00 % is past its default level of 8 %; it can be cured until 2026-01-30."),
        (("9", "9"), {**LEVELS, "window": WINDOW}, "incomplete",
         "Covenant “arrears” cannot be computed: PAR90 is needed for each of 3 months, and the input has no date in "
         "2025-10 on 2025-12-31."),
    ],
)  # fmt: skip
def test_covenant_past_a_level_or_unknown_is_named_with_its_limit(percents, more, status, text):
    assert told("290.00", *percents, **more) == (status, f"Line: 290.00 USD may be drawn. {text}")


def test_deficiency_is_critical_and_an_unknown_availability_incomplete():
    assert told("-0.01") == ("critical", "Line: 0.01 USD more is drawn than may be.")
    assert told("0.00")[0] == "ok"
    # no more can be paid back than is drawn, and nothing where nothing is: the reserves are more than the advances
    assert told("-600.00") == ("critical", "Line: 500.00 USD more is drawn than may be.")
    assert told("-600.00", drawn="0.00") == ("ok", "Line: 0.00 USD may be drawn.")
    unknown = "Line: what may be drawn is not known, as the drawn amount or the cash is not."
    assert told(None) == ("incomplete", unknown)


def test_facility_that_is_not_open_on_the_date_is_left_out():
    base = Base("LINE", terms(), None, {}, {dt.date(2025, 11, 30): []})
    assert standings([base], [], DECEMBER) == {}


def test_figures_are_numbers_and_amounts_exact_text():
    found = standing("290.00", "4", "3.7", "3.3", "3")
    assert (found["availability"], found["commitment"]) == ("290.00", "790")
    assert found["covenants"]["arrears"] == {
        "kpi": "PAR90", "cohorts": None, "line": None, "share_of": None, "cohort": None, "of": "pool", "window": None,
        "unit": "%", "better": "lower", "level": "warning",
        "headroom_to": "trigger", "value": 4.0, "warning_at": 3.0, "trigger_at": 5.0, "default_at": 8.0,
        "headroom_points": 1.0, "headroom_usd": "2000.00", "headroom_months": 3.0, "past_since": None,
        "cure_until": None, "reason": None, "precision": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "state"),
    [((), "ok"), (("ok",), "ok"), (("ok", "warning"), "warning"), (("incomplete", "warning"), "incomplete"),
     (("ok", "critical"), "critical")],
)  # fmt: skip
def test_facility_counts_in_the_state_of_the_report(statuses, state):
    par = {"title": "PAR 30", "thresholds": {"warning": 5, "critical": 8}, "decides": True, "status": "ok"}
    assert verdict({"PAR30": par}, facilities=dict(enumerate(statuses)))["state"] == state


@pytest.mark.parametrize(
    ("before", "now", "state", "told"),
    [
        ({"A": "ok"}, {"A": "ok"}, "ok", []),
        ({"A": "ok"}, {}, "incomplete", ["facilities_lost"]),
        ({"A": "critical", "B": "ok"}, {}, "critical", ["facilities_critical_before", "facilities_lost"]),
        ({"A": "critical"}, {"A": "incomplete"}, "critical", ["facilities_critical_before"]),
        ({"A": "critical"}, {"A": "warning"}, "warning", []),
        (None, {"A": "warning"}, "warning", []),
    ],
)
def test_facility_that_is_gone_or_not_known_makes_no_verdict_better(before, now, state, told):
    par = {"title": "PAR 30", "thresholds": {"warning": 5, "critical": 8}, "decides": True, "status": "ok"}
    had = before and {"date": "2025-11-30", "run_id": "r1", "facilities": before}
    found = verdict({"PAR30": par}, facilities=now, had=had)
    assert (found["state"], [one.code for one in found["findings"]]) == (state, told)
    gone = [key for key in before or () if key not in now]
    items = [{"kind": "facility", "names": gone}]
    assert found["lost"] == ({"date": "2025-11-30", "run_id": "r1", "items": items, "critical": []} if gone else None)
