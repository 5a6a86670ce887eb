"""Alerts know since when they are as severe as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.add_column("alerts", sa.Column("severity_since", sa.DateTime(timezone=True), nullable=True), schema=_schema())


def downgrade() -> None:
    """Bring the tables back to the version before."""
    op.drop_column("alerts", "severity_since", schema=_schema())


def _schema() -> str | None:
    """Return where the tables lie: changes of a table, unlike new tables, are not translated for SQLite."""
    return None if op.get_bind().dialect.name == "sqlite" else "abaco"
