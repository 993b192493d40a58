"""What a platform asks of the directory for its customers."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "platform_addresses"
down_revision = "platform_keeping"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "address_request",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("siren", sa.String(9), nullable=False),
        sa.Column("address", sa.String(125), nullable=False),
        sa.Column("nature", sa.String(1), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date()),
        sa.Column("matricule", sa.String(4), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("flow_name", sa.String(60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant()),
    )
    op.create_index("address_request_siren", "address_request", ["siren"])
    op.create_index("address_request_flow", "address_request", ["flow_name"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("address_request")
