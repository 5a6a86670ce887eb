"""Figures of months that are not over are marked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.add_column("kpi_values", sa.Column("partial_through", sa.Date(), nullable=True), schema=_schema())


def downgrade() -> None:
    """Bring the tables back to the version before."""
    op.drop_column("kpi_values", "partial_through", schema=_schema())


def _schema() -> str | None:
    """Return where the tables lie: changes of a table, unlike new tables, are not translated for SQLite."""
    return None if op.get_bind().dialect.name == "sqlite" else "abaco"
