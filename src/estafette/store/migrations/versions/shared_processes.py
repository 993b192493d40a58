"""Jobs say what they follow from and who does them; the processes that share a store."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "shared_processes"
down_revision = "shared_alarms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, make the table."""
    op.add_column("job", sa.Column("correlation", sa.String(36)))
    op.add_column("job", sa.Column("worker", sa.String(36)))
    op.create_table(
        "process",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("process")
    op.drop_column("job", "worker")
    op.drop_column("job", "correlation")
