"""Alarms."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "shared_alarms"
down_revision = "shared_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("fr", sa.String(500), nullable=False),
        sa.Column("en", sa.String(500), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("cleared_at", Instant()),
    )
    op.create_index("alarm_cleared", "alarm", ["cleared_at", "raised_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("alarm")
