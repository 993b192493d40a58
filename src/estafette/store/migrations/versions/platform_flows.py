"""The Flow Service of 1.3: how each client sees flows, webhooks, mirrors of what the State is told."""

import sqlalchemy as sa
from alembic import op

from estafette.store import columns

revision = "platform_flows"
down_revision = "platform_number"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. The direction of a flow follows from its origin."""
    op.drop_column("flow", "direction")
    op.add_column("declaration", sa.Column("flow_id", sa.String(36)))
    op.create_table(
        "flow_view",
        sa.Column("client_id", sa.String(100), primary_key=True),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("state_flows", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("client_id", sa.String(100), nullable=False),
        sa.Column("callback_url", sa.String(2048), nullable=False),
        sa.Column("flow_types", sa.JSON(), nullable=False),
        sa.Column("flow_direction", sa.String(3)),
        sa.Column("ack_status", sa.String(10)),
        sa.Column("processing_rule", sa.String(20)),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("disabled_at", columns.Instant()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_sent_at", columns.Instant()),
    )
    op.create_index("webhook_owner", "webhook", ["siren", "client_id"])


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index("webhook_owner", "webhook")
    op.drop_table("webhook")
    op.drop_table("flow_view")
    op.drop_column("declaration", "flow_id")
    op.add_column("flow", sa.Column("direction", sa.String(3), nullable=False, server_default="In"))
    op.execute("UPDATE flow SET direction = 'Out' WHERE origin = 'client'")
