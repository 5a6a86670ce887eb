"""Starts that failed are recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.create_table(
        "failed_starts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failed_starts")),
        schema="abaco",
    )


def downgrade() -> None:
    """Bring the tables back to the version before."""
    op.drop_table("failed_starts", schema="abaco")
