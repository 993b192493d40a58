"""Accounts that companies open at the portal by themselves."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_openings"
down_revision = "portal_extracts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "direct_opening",
        sa.Column("siren", sa.String(9), primary_key=True),
        sa.Column("sealed_code", sa.String(400), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("opened_at", Instant()),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("direct_opening")
