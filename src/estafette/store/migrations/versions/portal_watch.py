"""The watch desk of the portal: counts by hour, and the way to what waits."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_watch"
down_revision = "portal_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the indexes."""
    op.create_table(
        "flow_hour",
        sa.Column("hour", Instant(), primary_key=True),
        sa.Column("partner", sa.String(10), primary_key=True),
        sa.Column("interface", sa.String(8), primary_key=True),
        sa.Column("flows", sa.Integer(), nullable=False),
        sa.Column("irreceivable", sa.Integer(), nullable=False),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("lag_ms", sa.BigInteger(), nullable=False),
        sa.Column("lag_ms_max", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "reject_hour",
        sa.Column("hour", Instant(), primary_key=True),
        sa.Column("partner", sa.String(10), primary_key=True),
        sa.Column("interface", sa.String(8), primary_key=True),
        sa.Column("code", sa.String(50), primary_key=True),
        sa.Column("rule", sa.String(30), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_index("partner_flow_state", "partner_flow", ["state", "created_at"])
    op.create_index("obligatory_status_set", "obligatory_status", ["status", "set_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("obligatory_status_set", "obligatory_status")
    op.drop_index("partner_flow_state", "partner_flow")
    op.drop_table("reject_hour")
    op.drop_table("flow_hour")
