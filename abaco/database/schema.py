"""The tables of the database, each with its grain; the migrations create the same tables (tests compare them)."""

import datetime as dt

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

# a schema of their own in PostgreSQL; SQLite has no schemas, so its engine translates the name away
SCHEMA = "abaco"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)


class UTCDateTime(TypeDecorator):
    """A point in time, in UTC on the way in and out; SQLite stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect) -> dt.datetime | None:
        """Return the value in UTC."""
        return value and value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect) -> dt.datetime | None:
        """Return the value in UTC."""
        return value and (value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC))


def _of_run() -> Column:
    return Column("run_id", Text, ForeignKey(f"{SCHEMA}.runs.run_id"), primary_key=True)


# One row per successful run. The same date, inputs, parameters and code give the same run, however often it is made.
runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("date", Date, nullable=False, index=True),
    Column("as_of", Date),
    Column("started_at", UTCDateTime, nullable=False),
    Column("finished_at", UTCDateTime, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("input", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("code_commit", Text),
    Column("code_sha256", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("folder", Text, nullable=False),  # relative to the folder of the reports
)

# One row per change of the report that a date shows; the newest row of a date is the visible run.
visible = Table(
    "visible",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("date", Date, nullable=False, index=True),
    Column("run_id", Text, ForeignKey(f"{SCHEMA}.runs.run_id"), nullable=False),
    Column("since", UTCDateTime, nullable=False),
    Column("why", Text, nullable=False),  # published, found, rolled back, restored
)

# One row per run that failed, was killed or was stopped.
failures = Table(
    "failures",
    metadata,
    Column("folder", Text, primary_key=True),  # relative to the folder of the reports
    Column("run_id", Text, nullable=False),
    Column("date", Date, nullable=False, index=True),
    Column("started_at", UTCDateTime, nullable=False),
    Column("finished_at", UTCDateTime),
    Column("phase", Text),
    Column("error", Text, nullable=False),
)

# One row per start that failed before its run had a folder, such as one without input.
failed_starts = Table(
    "failed_starts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("started_at", UTCDateTime, nullable=False),
    Column("date", Date),  # that was asked for
    Column("input", Text),
    Column("error", Text, nullable=False),
)

# One row per run, phase and metric; true and false are 1 and 0.
phase_metrics = Table(
    "phase_metrics",
    metadata,
    _of_run(),
    Column("phase", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("value", Float),
)

# One row per run, date and KPI: the report's date and the earlier dates of its input. Amounts are exact text.
kpi_values = Table(
    "kpi_values",
    metadata,
    _of_run(),
    Column("date", Date, primary_key=True),
    Column("kpi", Text, primary_key=True),
    Column("value", Float),  # as published, rounded to the KPI's precision
    Column("unit", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("numerator", Text),
    Column("denominator", Text),
    Column("rows", BigInteger),
    Column("partial_through", Date),  # the last day counted of a month that is not over
)

# One row per run and KPI of its report: the definition of the figure at the time of the run.
kpis = Table(
    "kpis",
    metadata,
    _of_run(),
    Column("kpi", Text, primary_key=True),
    Column("position", Integer, nullable=False),  # in the catalogue
    Column("title", Text, nullable=False),
    Column("kpi_group", Text, nullable=False),
    Column("precision", Integer, nullable=False),
    Column("direction", Text),
    Column("warning", Float),
    Column("critical", Float),
    Column("formula", Text, nullable=False),
)

# One row per run and input file.
inputs = Table(
    "inputs",
    metadata,
    _of_run(),
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger),
    Column("rows", BigInteger),
)

# One row per run and data-quality result: the reconciliation in rows and USD, rejects by reason, nulls, outliers, dust;
# and one per facility, what metrics.json has of it.
FACILITY = "facility: "
quality = Table(
    "quality", metadata, _of_run(), Column("measure", Text, primary_key=True), Column("value", Text, nullable=False)
)

# One row per delivery; the same content for the same recipient has the same key.
deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("channel", Text, nullable=False),  # azure, email, slack, pagerduty
    Column("run_id", Text),
    Column("date", Date),
    Column("folder", Text),  # of the run, relative to the folder of the reports
    Column("payload", JSON, nullable=False),
    Column("status", Text, nullable=False),  # pending, done, dead, withdrawn, superseded, dropped
    Column("attempts", Integer, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("next_attempt_at", UTCDateTime, nullable=False),
    Column("done_at", UTCDateTime),
    Column("error", Text),
    Column("receipt", JSON),
    Index("ix_deliveries_status", "status", "next_attempt_at"),
)

# One row per run and place (azure, email, alerts) whose deliveries are enqueued, or will not be.
delivery_plans = Table(
    "settlements",
    metadata,
    Column("run", Text, primary_key=True),  # its id, or the folder of a run that failed
    Column("place", Text, primary_key=True),
    Column("folder", Text, nullable=False),  # the latest one, where a run was made several times
    Column("at", UTCDateTime, nullable=False),
    Column("missing", Text),  # the variable that is not set, so that nothing is delivered there
)

# One row per alert, from when its cause arose until it cleared.
alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cause", Text, nullable=False, index=True),  # such as kpi:PAR30, run:failed, input:stale
    Column("severity", Text, nullable=False),  # P1 to P4
    Column("date", Date),
    Column("run_id", Text),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("opened_at", UTCDateTime, nullable=False),
    Column("told_at", UTCDateTime),
    Column("cleared_at", UTCDateTime),
    Column("is_open", Boolean, nullable=False),
    Column("input", Text),  # of the run; empty where no run began, and in rows of earlier versions
    Column("severity_since", UTCDateTime),  # where it was milder at first
)
