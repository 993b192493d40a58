"""Documents rest in packs: where each lies is a record."""

import sqlalchemy as sa
from alembic import op

revision = "shared_packs"
down_revision = "shared0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "document",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def downgrade() -> None:
    """Drop it; what rests in packs is then found by no one."""
    op.drop_table("document")
