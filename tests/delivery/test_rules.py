"""Rules of alerts on small literal reports: what is told, how grave it is, and exactly where a limit begins."""

import datetime as dt

import pytest

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.delivery import rules
from abaco.ingest.formats import FORMATS
from abaco.ingest.rejections import check_reject_limit

TODAY = dt.date(2026, 1, 10)


def kpi(value, status, **changes):
    found = {
        "title": "Portfolio at risk, 30 days", "value": value, "unit": "%", "direction": "lower", "status": status,
        "precision": 4, "thresholds": {"warning": 5, "critical": 8}, "decides": True, "previous": None, "reason": None,
        "group": "risk",
    }  # fmt: skip
    return {**found, **changes}


def metrics(*, quarantined=0, rejects=None, anomalies=(), as_of="2025-12-31", verdict=None, **kpis):
    more = {"verdict": verdict} if verdict else {}
    return {
        "date": "2025-12-31", "as_of": as_of, "run_id": "20251231-3fa9c1d2e4b0", "kpis": kpis,
        "anomalies": list(anomalies),
        "reconciliation": {"rows_in": 1744, "quarantined": quarantined, "amount_quarantined": "1800.00"},
        "quality": {"reject_pct": 0.23, "max_reject_pct": 5.0, "rejects": rejects or {}}, **more,
    }  # fmt: skip


def found(report, history=(), moved=lambda _: "", max_age_days=45):
    return list(rules.of_report(report, history, moved, today=TODAY, max_age_days=max_age_days))


def row(date, status, name="PAR30"):
    return {"date": dt.date.fromisoformat(date), "kpi": name, "status": status}


def test_good_report_alarms_nobody():
    fine = {"PAR30": kpi(3.5, "ok"), "PAR60": kpi(9.0, "none"), "PAR90": kpi(None, "not_computable")}
    assert found(metrics(**fine)) == []


def test_kpi_past_its_critical_limit_says_what_how_much_since_when_and_why():
    history = [row("2025-09-30", "critical"), row("2025-10-31", "warning"), row("2025-11-30", "critical"),
               row("2025-12-31", "critical"), row("2025-12-31", "ok", "PAR90")]  # fmt: skip
    bad = kpi(8.42, "critical", previous={"date": "2025-11-30", "value": 8.1})
    (alert,) = found(metrics(PAR30=bad), history, lambda name: f"{name} moved by +0.32 points.")
    assert (alert.cause, alert.severity) == ("kpi:PAR30", "P2")
    assert alert.title == "PAR30 is 8.42 %, above its critical limit of 8"
    assert alert.text.splitlines() == [
        "Portfolio at risk, 30 days (PAR30) is 8.42 %, above its critical limit of 8, at 2025-12-31.",
        "It has been past that limit since 2025-11-30.",
        "It was 8.10 % at 2025-11-30.",
        "PAR30 moved by +0.32 points.",
    ]


def test_kpi_past_its_warning_limit_counts_worse_dates_too():
    history = [row("2025-10-31", "ok"), row("2025-11-30", "critical"), row("2025-12-31", "warning")]
    (alert,) = found(metrics(PAR30=kpi(5.1, "warning")), history)
    assert (alert.severity, alert.title) == ("P3", "PAR30 is 5.10 %, above its warning limit of 5")
    assert "It has been past that limit since 2025-11-30." in alert.text


def test_kpi_whose_higher_values_are_better_is_below():
    low = kpi(0.9, "critical", direction="higher", thresholds={"warning": 1.5, "critical": 1}, precision=2)
    (alert,) = found(metrics(CollectionRate=low))
    assert alert.title == "CollectionRate is 0.90 %, below its critical limit of 1"


def test_cash_coverage_is_introduced_as_what_it_is():
    title = "Cash coverage (CollectionRate)"
    low = kpi(0.9, "critical", title=title, direction="higher", thresholds={"warning": 1.5, "critical": 1}, precision=2)
    jump = {"kpi": "CollectionRate", "previous": 2.0, "value": 0.9, "change_pct": -55.0, "limit_pct": 25.0}
    report = metrics(CollectionRate=low, anomalies=[jump])
    past, jumped = found(report)
    assert past.title == f"{title} is 0.90 %, below its critical limit of 1"
    assert past.text.startswith(f"{title} is 0.90 %, below its critical limit of 1, at 2025-12-31.")
    assert f"- {title}: 2.00 % → 0.90 % (-1.1 points)" in jumped.text
    assert rules.cleared("kpi:CollectionRate", report | {"kpis": {"CollectionRate": low | {"status": "ok"}}}) == (
        f"{title} is 0.90 %, within its limits"
    )


def test_all_jumps_are_one_alert():
    jumps = [
        {"kpi": "PAR60", "previous": 1.0, "value": 2.0, "change_pct": 100.0, "limit_pct": 25.0},
        {"kpi": "PAR1", "previous": 0.0, "value": 2.5, "change_pct": None, "limit_pct": 25.0},
    ]
    (alert,) = found(metrics(PAR60=kpi(2.0, "none"), PAR1=kpi(2.5, "none"), anomalies=jumps))
    assert (alert.cause, alert.severity) == ("anomalies", "P4")
    assert alert.title == "2 figures moved by more than 25 % at 2025-12-31"
    moves = ["- PAR60: 1.00 % → 2.00 % (+1 points)", "- PAR1: 0.00 % → 2.50 % (+2.5 points)"]
    assert alert.text.splitlines()[1:] == moves


def test_rejected_rows_are_told_by_reason():
    (alert,) = found(metrics(quarantined=1, rejects={"measurement_date: not a date": 1}))
    assert (alert.cause, alert.severity, alert.title) == ("rejects", "P4", "1 row of 1,744 rejected")
    assert (
        "(0.23 %; more than 5 % would stop the run), 1,800.00 USD:\n- measurement_date: not a date: 1\n" in alert.text
    )


@pytest.mark.parametrize(("days", "told"), [(45, 0), (46, 1)])
def test_input_exactly_as_old_as_it_may_be_is_not_stale(days, told):
    as_of = str(TODAY - dt.timedelta(days=days))
    alerts = found(metrics(as_of=as_of))
    assert [(one.cause, one.severity) for one in alerts] == [("input:stale", "P3")] * told
    assert found(metrics(as_of=as_of), max_age_days=0) == []


def test_age_counts_from_the_report_where_no_day_is_known():
    (alert,) = found(metrics(as_of=None), max_age_days=9)
    assert alert.title == "The figures are 10 days old"


def failed(error, date="2025-12-31"):
    return rules.failure({"date": date, "started_at": "2026-01-10T02:00:00Z", "error": error})


def test_failed_run():
    alert = failed("02_transformation: no column of dates: add one")
    assert (alert.cause, alert.severity, alert.title) == ("run:failed", "P1", "The run of 2025-12-31 failed")
    assert "failed: 02_transformation: no column of dates: add one\nThe former report stays." in alert.text
    assert "the latest date" in failed("x", date=None).title


def test_what_a_library_says_of_the_data_is_not_told():
    said = "ValueError: could not convert 'Ana Pérez'\nto float; see the notebook"
    alert = failed(f"03_calculation: Phase 03_calculation failed in cell 4: {said}")
    assert "Phase 03_calculation failed in cell 4: ValueError; abaco status shows the rest\n" in alert.text
    assert "Pérez" not in alert.text


def test_too_many_rejected_rows_are_a_matter_of_the_data():
    batch = type("Batch", (), {"format": next(iter(FORMATS))})
    with pytest.raises(InputError) as caught:
        check_reject_limit(
            batch, {"quarantined": 2, "rows_in": 10, "later": 0}, {Reason("missing", column="loan_id"): 2}, 5.0
        )
    alert = failed(f"01_ingestion: {caught.value}")
    assert (alert.cause, alert.severity) == ("rejects", "P2")
    assert alert.title == "Too many rejected rows: the run of 2025-12-31 failed"


def test_cleared_says_what_is_well_again_and_nothing_where_nobody_knows():
    report = metrics(PAR30=kpi(4.0, "ok"), PAR90=kpi(None, "not_computable"))
    assert rules.cleared("kpi:PAR30", report) == "PAR30 is 4.00 %, within its limits"
    assert rules.cleared("kpi:PAR90", report) is None
    assert rules.cleared("kpi:PAR7", report) == "PAR7 is not computed any more"
    assert rules.cleared("run:failed", report) == "The run of 2025-12-31 succeeded"
    assert all(rules.cleared(cause, report) for cause in ("anomalies", "rejects", "input:stale"))


def test_every_severity_is_known_and_every_cause_has_a_section():
    assert set(rules.SEVERITIES) == {"P1", "P2", "P3", "P4"} >= set(rules.SEVERITY.values())
    causes = (
        "kpi:PAR30", "uncomputed:PAR30", "run:failed", "anomalies", "rejects", "input:stale", "incomplete",
        "facility:senior", "facility_unknown:senior", "database", "deliveries:dead", "backup", "command",
    )  # fmt: skip
    assert {cause.partition(":")[0] for cause in causes} == set(rules.SECTIONS)
