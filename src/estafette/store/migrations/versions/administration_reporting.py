"""E-reporting at the administration: the transmissions that the concentrator accepted, as facts."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "administration_reporting"
down_revision = "administration0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "report_fact",
        sa.Column("declarant", sa.String(9), primary_key=True),
        sa.Column("start", sa.Date(), primary_key=True),
        sa.Column("end", sa.Date(), primary_key=True),
        sa.Column("transmission", sa.String(50), primary_key=True),
        sa.Column("role", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("type_code", sa.String(2), nullable=False),
        sa.Column("platform", sa.String(10), nullable=False),
        sa.Column("flow", sa.String(320), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_index("report_fact_period", "report_fact", ["declarant", "role", "kind", "start"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("report_fact")
