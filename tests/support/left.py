"""Runs as the pipeline leaves them, made without running it."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from abaco.core import files
from abaco.run import folders, manifest

HISTORY = pa.schema(
    [
        ("date", pa.date32()), ("kpi", pa.string()), ("value", pa.decimal128(18, 6)), ("status", pa.string()),
        ("reason", pa.string()), ("numerator", pa.decimal128(38, 2)), ("denominator", pa.decimal128(38, 2)),
        ("rows", pa.int64()),
    ]
)  # fmt: skip
BOOK = {"rows_in": 3, "accepted": 3, "quarantined": 0, "duplicates": 0, "later": 0, "amount_in": "300.00"}


def kpi(value, status, **changes):
    """The entry of a KPI in metrics.json."""
    return {
        "title": "Portfolio at risk", "group": "core", "value": value, "unit": "%", "direction": "lower",
        "status": status, "reason": None, "numerator": "10.00", "denominator": "200.00", "rows": 2,
        "previous": None, "change": None, "thresholds": {"warning": 5, "critical": 8}, "precision": 4,
        "formula": "Σ late / Σ all × 100", **changes,
    }  # fmt: skip


def run(output, date, run_id, started, status="success", error=None, places=()):
    """Leave run.json of a run and return its folder; it took nine seconds, unless it is still at work."""
    stamp = dt.datetime.fromisoformat(started)
    folder = output / ".runs" / date / f"{stamp:%Y%m%dT%H%M%S%fZ}_{run_id}"
    (folder / "tables").mkdir(parents=True)
    ended = None if status == "running" else f"{stamp + dt.timedelta(seconds=9):%Y-%m-%dT%H:%M:%SZ}"
    waits = {"channel": "database", "status": "pending", "error": None, "receipt": None}
    content = {
        "schema_version": 1, "run_id": run_id, "date": date, "input": "/exports/book.csv", "engine": "duckdb",
        "status": status, "started_at": started, "finished_at": ended, "seconds": ended and 9.0, "error": error,
        "phases": {"output": {"files_persisted": 2, "azure_upload_success": None, "database_writes": None}},
        "deliver_to": list(places), "deliveries": [waits] if places else [],
    }  # fmt: skip
    files.write_json(folder / "run.json", content)
    return folder


def finish(folder, kpis, history=(), visible=True, parameters=None, **figures):
    """Leave what a run that succeeded leaves besides, as far as the database and the channels read it."""
    content, date = files.read_json(folder / "run.json"), folder.parent.name
    listed = [{"name": "book.csv", "sha256": "5" * 64, "bytes": 5_000_000_000, "rows": 3}]
    figures = {
        "run_id": content["run_id"], "date": date, "as_of": date, "kpis": kpis, "inputs": listed, "anomalies": [],
        "reconciliation": BOOK,
        "quality": {"reject_pct": 0.0, "max_reject_pct": 5.0, "rejects": {"dpd: negative": 1}, "notes": []}, **figures,
    }  # fmt: skip
    files.write_json(folder / "metrics.json", figures)
    rows = [
        {"date": dt.date.fromisoformat(day), "kpi": name, "value": Decimal(value), "status": "ok", "reason": None,
         "numerator": Decimal("1.00"), "denominator": Decimal("2.00"), "rows": 1}
        for day, name, value in history
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, HISTORY), folder / "tables" / "history.parquet")
    (folder / "report.html").write_text("<!doctype html><title>The page</title>")
    (folder / "email.eml").write_bytes(b"Subject: Loan book\r\nX-Unsent: 1\r\n\r\nThe figures.\r\n")
    facts = {"run_id": content["run_id"], "date": date, "parameters": parameters or {"report": {"language": "en"}}}
    manifest.write(folder, {**facts, "code": {"commit": "abc", "sha256": "c" * 64}, "inputs": listed})
    if visible:
        folders.publish(folder, folder.parents[2])
    return folder
