"""Tables of runs, figures, deliveries and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        schema="abaco",
    )
    op.create_index(op.f("ix_alerts_cause"), "alerts", ["cause"], unique=False, schema="abaco")
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("receipt", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_deliveries")),
        schema="abaco",
    )
    op.create_index("ix_deliveries_status", "deliveries", ["status", "next_attempt_at"], unique=False, schema="abaco")
    op.create_table(
        "failures",
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_failures")),
        schema="abaco",
    )
    op.create_index(op.f("ix_failures_date"), "failures", ["date"], unique=False, schema="abaco")
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("code_commit", sa.Text(), nullable=True),
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
        schema="abaco",
    )
    op.create_index(op.f("ix_runs_date"), "runs", ["date"], unique=False, schema="abaco")
    op.create_table(
        "settlements",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missing", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run", "place", name=op.f("pk_settlements")),
        schema="abaco",
    )
    op.create_table(
        "inputs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_inputs_run_id")),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_inputs")),
        schema="abaco",
    )
    op.create_table(
        "kpi_values",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("numerator", sa.Text(), nullable=True),
        sa.Column("denominator", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_kpi_values_run_id")),
        sa.PrimaryKeyConstraint("run_id", "date", "kpi", name=op.f("pk_kpi_values")),
        schema="abaco",
    )
    op.create_table(
        "kpis",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kpi_group", sa.Text(), nullable=False),
        sa.Column("precision", sa.Integer(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("warning", sa.Float(), nullable=True),
        sa.Column("critical", sa.Float(), nullable=True),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_kpis_run_id")),
        sa.PrimaryKeyConstraint("run_id", "kpi", name=op.f("pk_kpis")),
        schema="abaco",
    )
    op.create_table(
        "phase_metrics",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_phase_metrics_run_id")),
        sa.PrimaryKeyConstraint("run_id", "phase", "metric", name=op.f("pk_phase_metrics")),
        schema="abaco",
    )
    op.create_table(
        "quality",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_quality_run_id")),
        sa.PrimaryKeyConstraint("run_id", "measure", name=op.f("pk_quality")),
        schema="abaco",
    )
    op.create_table(
        "visible",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["abaco.runs.run_id"], name=op.f("fk_visible_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visible")),
        schema="abaco",
    )
    op.create_index(op.f("ix_visible_date"), "visible", ["date"], unique=False, schema="abaco")


def downgrade() -> None:
    """Bring the tables back to the version before."""
    op.drop_index(op.f("ix_visible_date"), table_name="visible", schema="abaco")
    op.drop_table("visible", schema="abaco")
    op.drop_table("quality", schema="abaco")
    op.drop_table("phase_metrics", schema="abaco")
    op.drop_table("kpis", schema="abaco")
    op.drop_table("kpi_values", schema="abaco")
    op.drop_table("inputs", schema="abaco")
    op.drop_table("settlements", schema="abaco")
    op.drop_index(op.f("ix_runs_date"), table_name="runs", schema="abaco")
    op.drop_table("runs", schema="abaco")
    op.drop_index(op.f("ix_failures_date"), table_name="failures", schema="abaco")
    op.drop_table("failures", schema="abaco")
    op.drop_index("ix_deliveries_status", table_name="deliveries", schema="abaco")
    op.drop_table("deliveries", schema="abaco")
    op.drop_index(op.f("ix_alerts_cause"), table_name="alerts", schema="abaco")
    op.drop_table("alerts", schema="abaco")
