"""What comes with an invoice taken over from another platform."""

import sqlalchemy as sa
from alembic import op

revision = "platform_imports"
down_revision = "platform_mirror"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "imported",
        sa.Column("invoice_id", sa.String(36), sa.ForeignKey("invoice.id"), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("imported")
