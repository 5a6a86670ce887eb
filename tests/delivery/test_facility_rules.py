"""Alerts of facilities: a severity for each level, the verdict's own words, and what clears them."""

import copy
import datetime as dt

import pytest

from abaco.core import settings
from abaco.delivery import messages, rules
from tests.support.facilities import codes, facilities


@pytest.fixture
def metrics():
    """The figures of a report without any other problem."""
    return {
        "date": "2025-12-31", "as_of": "2025-12-10", "kpis": {}, "anomalies": [], "quality": {},
        "reconciliation": {"quarantined": 0}, "facilities": facilities(), "reason_codes": {"facilities": codes()},
    }  # fmt: skip


def alerts(metrics):
    found = rules.of_report(metrics, [], lambda kpi: "", today=dt.date(2025, 12, 31), max_age_days=0)
    return {alert.cause: (alert.severity, alert.title) for alert in found}


def test_each_problem_has_its_severity_and_the_words_of_the_verdict(metrics):
    assert alerts(metrics) == {
        "facility:SENIOR": ("P1", "Senior line: 1,200.50 USD more is drawn than may be"),
        "facility:SENIOR:arrears": (
            "P1", "Senior line: Covenant “arrears” at 9.00 % is past its default level of 8 %"
        ),
        "facility:TAIL:late": (
            "P3", "Tail line: Covenant “late” at 4.50 % is past its warning level of 4 %. Its trigger is at 5 %"
        ),
        "facility_unknown:TAIL:write_offs": (
            "P3", "Tail line: Covenant “write_offs” cannot be computed: no loan of the facility has a balance"
        ),
    }  # fmt: skip


@pytest.mark.parametrize(("level", "severity"), [("trigger", "P2"), ("curing", "P2"), ("ok", None)])
def test_trigger_and_cure_period_are_less_severe_than_a_default(metrics, level, severity):
    metrics["facilities"]["TAIL"]["covenants"]["late"]["level"] = level
    assert alerts(metrics).get("facility:TAIL:late", (None,))[0] == severity


def test_unknown_availability_is_told_and_a_report_without_facilities_has_no_such_alert(metrics):
    metrics["facilities"]["TAIL"]["availability"] = None
    assert alerts(metrics)["facility_unknown:TAIL"][0] == "P3"
    del metrics["facilities"]
    assert alerts(metrics) == {}


def test_problem_that_is_gone_is_cleared_with_what_holds_now(metrics):
    better = copy.deepcopy(metrics)
    better["facilities"]["SENIOR"] |= {"availability": "5.00", "verdict": ["Senior line: 5.00 USD may be drawn."]}
    assert rules.cleared("facility:SENIOR", better) == "Senior line: 5.00 USD may be drawn"
    assert rules.cleared("facility:SENIOR:arrears", better) == "Senior line: covenant “arrears” holds"
    assert rules.cleared("facility:SENIOR:gone", better) == "Senior line has no covenant “gone” any more"
    assert rules.cleared("facility:OLD", better) == "Facility OLD is not in the report any more"
    assert (
        rules.cleared("facility:SENIOR", metrics | {"facilities": {}})
        == "Facility SENIOR is not in the report any more"
    )
    assert rules.eased("facility:SENIOR:arrears", "P1") == "SENIOR: arrears is past a milder level only"


def test_problem_is_not_gone_because_nobody_knows(metrics):
    unknown = copy.deepcopy(metrics)
    senior = unknown["facilities"]["SENIOR"]
    senior["availability"] = None
    senior["covenants"]["arrears"]["level"] = "not_computable"
    assert [rules.cleared(f"facility:SENIOR{rest}", unknown) for rest in ("", ":arrears")] == [None, None]
    lost = metrics | {"facilities": {}, "verdict": {"lost": {"items": [{"kind": "facility", "names": ["SENIOR"]}]}}}
    assert rules.cleared("facility:SENIOR", lost) is None
    assert rules.cleared("facility_unknown:TAIL:late", metrics) == "Tail line: covenant “late” is known again"


def test_alert_links_to_its_section_of_the_runbook(metrics):
    alert = rules.Alert("facility:SENIOR", "P1", "title", "text")
    payload = messages.payload(alert, dt.datetime(2026, 1, 1), False, settings.load(), None)
    assert payload["runbook"] == "docs/OPERATIONS.md#deficiency-or-covenant"
