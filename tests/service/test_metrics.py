"""Metrics: what a scrape says of literal rows, and of a real report."""

import datetime as dt
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from abaco.service import metrics
from abaco.service.reports import health
from tests.support import deploy_files
from tests.support.facilities import facilities

from .conftest import at

DASHBOARD = json.loads((deploy_files.DEPLOY / "grafana/dashboards/abaco.json").read_text())
DESIGN = {
    "ingestion": ("rows_loaded", "validation_errors", "processing_seconds", "file_bytes"),
    "transformation": ("rows_processed", "null_count", "pii_columns_masked", "processing_seconds"),
    "calculation": ("kpis_computed", "calculation_seconds", "audit_entries", "errors"),
    "output": ("files_persisted", "azure_upload_success", "database_writes", "manifest_seconds"),
}


def scraped(text):
    """Return the value of each sample by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def scrape(book):
    """Scrape the literal rows."""
    return lambda: scraped(metrics.exposition(book).decode())


def test_kpis_of_the_latest_date_and_not_of_the_last_run(write, scrape):
    write.run("20251231-a", dt.date(2025, 12, 31), at(2), PAR30=3.5, CollectionRate=2.95)
    write.run("20251130-b", dt.date(2025, 11, 30), at(3), PAR30=9.0)
    found = scrape()
    assert (found["kpi_par30",], found["kpi_collection_rate",]) == (3.5, 2.95)
    assert found["kpi_report_date_seconds",] == dt.datetime(2025, 12, 31, tzinfo=dt.UTC).timestamp()
    assert found["pipeline_last_run",] == found["pipeline_last_success",] == at(3).timestamp()


def test_kpi_that_is_not_computable_has_no_value(write, scrape):
    write.run(PAR30=None, PAR90=0.0)
    found = scrape()
    assert ("kpi_par30",) not in found and found["kpi_par90",] == 0
    assert found["kpi_status", ("kpi", "PAR30"), ("status", "not_computable")] == 1
    assert found["kpi_status", ("kpi", "PAR30"), ("status", "ok")] == 0
    assert found["kpi_threshold", ("kpi", "PAR30"), ("level", "warning")] == 5
    assert ("kpi_threshold", ("kpi", "PAR30"), ("level", "critical")) not in found


def test_after_a_rollback_all_is_of_the_run_that_is_shown(write, scrape, book):
    for run_id, hour, kpis in (("20251231-a", 2, {"PAR30": 3.5}), ("20251231-b", 3, {"PAR30": 9.0, "PAR90": 1.0})):
        write.run(run_id, ended=at(hour), **kpis)
        write("quality", {"run_id": run_id, "measure": "accepted", "value": str(hour)})
        write("phase_metrics", {"run_id": run_id, "phase": "output", "metric": "seconds", "value": hour})
    write("visible", {
        "date": dt.date(2025, 12, 31), "run_id": "20251231-a", "since": at(4), "why": "rolled back",
    })  # fmt: skip
    found = scrape()
    assert found["kpi_par30",] == 3.5
    assert found["pipeline_rows", ("part", "accepted")] == 2
    assert found["pipeline_execution_time_seconds", ("phase", "output")] == 2
    assert found["pipeline_last_run",] == at(3).timestamp()
    assert health(book)["metrics_computed"] == 1


def status(found):
    """Return which states hold."""
    states = ("running", "success", "failed")
    return [state for state in states if found["pipeline_status", ("pipeline_status", state)]]


def test_status_is_that_of_the_run_that_ended_last(write, scrape):
    assert status(scrape()) == []
    write.run(ended=at(2), PAR30=1.0)
    assert status(scrape()) == ["success"]
    write("failures", {
        "folder": ".runs/2025-12-31/x", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(4),
        "finished_at": at(4, 5), "error": "no",
    })  # fmt: skip
    found = scrape()
    assert status(found) == ["failed"]
    assert found["pipeline_last_run",] == at(4, 5).timestamp()
    assert found["pipeline_last_success",] == at(2).timestamp()
    write.run("20251231-b", ended=at(5), PAR30=1.0)
    assert status(scrape()) == ["success"]


def test_run_that_somebody_stopped_did_not_fail(write, scrape):
    write.run(ended=at(2), PAR30=1.0)
    write("failures", {
        "folder": ".runs/2025-12-31/x", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(4),
        "finished_at": at(4, 5), "error": "03_calculation: stopped by a signal",
    })  # fmt: skip
    found = scrape()
    assert status(found) == ["success"]
    assert found["pipeline_last_run",] == found["pipeline_last_success",] == at(2).timestamp()


def test_verdict_and_the_limits_that_were_checked(write, scrape):
    write.run(PAR30=3.5)
    assert ("kpi_limits",) not in scrape()  # a report of an earlier version
    measures = {"state": "incomplete", "limits": 8, "checked": 5, "lost": False, "shrunk": True}
    rows = [{"run_id": "20251231-a", "measure": f"verdict: {name}", "value": str(v)} for name, v in measures.items()]
    write("quality", *rows)
    found = scrape()
    assert (found["kpi_limits",], found["kpi_limits_checked",], found["kpi_input_lost",]) == (8, 5, 1)
    assert found["kpi_verdict", ("state", "incomplete")] == 1
    assert found["kpi_verdict", ("state", "ok")] == 0


def test_facilities_have_their_availability_and_the_headroom_of_their_covenants(write, scrape):
    write.run(PAR30=3.5)
    assert ("facility_availability", ("facility", "SENIOR")) not in scrape()
    rows = [{"run_id": "20251231-a", "measure": f"facility: {key}", "value": json.dumps(one)}
            for key, one in facilities().items()]  # fmt: skip
    write("quality", *rows)
    found = scrape()
    assert found["facility_availability", ("facility", "SENIOR")] == -1200.5
    assert found["covenant_headroom", ("covenant", "late"), ("facility", "TAIL")] == 0.5
    assert ("covenant_headroom", ("covenant", "write_offs"), ("facility", "TAIL")) not in found
    level = ("covenant", "arrears"), ("facility", "SENIOR")
    assert found["covenant_level", *level, ("level", "default")] == 1
    assert found["covenant_level", *level, ("level", "ok")] == 0
    drawn = (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    asked = {expression for expression in drawn if expression.startswith(("facility_", "covenant_"))}
    assert asked == {"facility_availability", "covenant_headroom"} <= {name for name, *_ in found}


def test_run_that_too_many_rejected_rows_stopped_is_told_from_others(write, scrape):
    write.run(ended=at(2), PAR30=1.0)
    found = [scrape()["pipeline_stopped_by_rejects",]]
    error = "01_ingestion: 6 % of the rows are rejected, more than max_reject_pct"
    for hour, why in ((3, error), (4, "04_report: it broke")):
        write("failures", {
            "folder": f".runs/2025-12-31/{hour}", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(hour),
            "finished_at": at(hour, 5), "error": why,
        })  # fmt: skip
        found.append(scrape()["pipeline_stopped_by_rejects",])
    assert found == [0, 1, 0]


def test_rejects_are_of_the_rows_up_to_the_date(write, scrape):
    write.run(PAR30=1.0)
    rows = {"rows_in": 300, "accepted": 190, "quarantined": 8, "duplicates": 2, "later": 100}
    write("quality", *({"run_id": "20251231-a", "measure": k, "value": str(v)} for k, v in rows.items()))
    found = scrape()
    assert {part: found["pipeline_rows", ("part", part)] for part in rows} == rows
    assert found["pipeline_reject_pct",] == 4


def test_phase_metric_that_nobody_knows_is_not_a_number(write, scrape):
    write.run(PAR30=1.0)
    known = {"run_id": "20251231-a", "phase": "output"}
    write(
        "phase_metrics",
        {**known, "metric": "azure_upload_success", "value": None},
        {**known, "metric": "seconds", "value": 0.5},
    )
    found = scrape()
    assert found["pipeline_output_azure_upload_success",] != found["pipeline_output_azure_upload_success",]
    assert found["pipeline_execution_time_seconds", ("phase", "output")] == 0.5


def test_deliveries_and_alerts_are_counted_also_where_there_are_none(write, scrape):
    usual = {"payload": {}, "attempts": 1, "created_at": at(2), "next_attempt_at": at(2)}
    write(
        "deliveries",
        *(
            {**usual, "key": k, "channel": c, "status": s}
            for k, c, s in [
                ("a", "azure", "pending"), ("b", "azure", "pending"), ("c", "email", "dead"), ("d", "email", "held"),
            ]
        ),
    )  # fmt: skip
    told = {"severity": "P2", "title": "t", "text": "x", "opened_at": at(2)}
    write("alerts", {**told, "cause": "kpi:PAR30", "is_open": True}, {**told, "cause": "run:failed", "is_open": False})
    found = scrape()
    assert found["pipeline_deliveries", ("channel", "azure"), ("status", "pending")] == 2
    assert found["pipeline_deliveries", ("channel", "email"), ("status", "dead")] == 1
    assert found["pipeline_deliveries", ("channel", "email"), ("status", "held")] == 1
    assert found["pipeline_deliveries", ("channel", "slack"), ("status", "done")] == 0
    assert found["pipeline_deliveries_pending",] == 2
    assert [found["pipeline_alerts_open", ("severity", s)] for s in ("P1", "P2", "P3", "P4")] == [0, 1, 0, 0]


def test_real_report_has_every_metric_of_design_md(service):
    answer = service.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = scraped(answer.text)
    assert found["kpi_par30",] == 3.7471 and found["kpi_portfolio_health",] == 2.8395
    for phase, names in DESIGN.items():
        assert {f"pipeline_{phase}_{name}" for name in names} <= {name for name, *_ in found}
        assert found["pipeline_execution_time_seconds", ("phase", phase)] > 0
    assert found["pipeline_rows", ("part", "rows_in")] == 1752
    assert found["pipeline_next_run",] > found["pipeline_last_run",]


def test_labels_are_bounded(service):
    labels = {key for _, *pairs in scraped(service.get("/metrics").text) for key, _ in pairs}
    assert labels == {"kpi", "status", "level", "pipeline_status", "phase", "part", "channel", "severity", "state"}
