"""Alerts are of an input."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.add_column("alerts", sa.Column("input", sa.Text(), nullable=True), schema=_schema())


def downgrade() -> None:
    """Bring the tables back to the version before."""
    op.drop_column("alerts", "input", schema=_schema())


def _schema() -> str | None:
    """Return where the tables lie: changes of a table, unlike new tables, are not translated for SQLite."""
    return None if op.get_bind().dialect.name == "sqlite" else "abaco"
