"""What is kept no more, and what nobody may purge."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "shared_keeping"
down_revision = "shared_processes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "condemned",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("pack", sa.String(100), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("condemned_at", Instant(), nullable=False),
        sa.Column("erased_at", Instant()),
        sqlite_autoincrement=True,
    )
    op.create_index("condemned_waiting", "condemned", ["erased_at", "condemned_at"])
    op.create_index("condemned_pack", "condemned", ["pack"])
    op.create_table(
        "purged",
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("object_id", sa.String(255), primary_key=True),
        sa.Column("organization", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("kept_until", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("run", sa.String(36), nullable=False),
        sa.Column("purged_at", Instant(), nullable=False),
    )
    op.create_index("purged_organization", "purged", ["organization", "dated"])
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("organization", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("counterpart", sa.String(20)),
        sa.Column("reference", sa.String(255)),
        sa.Column("until", sa.Date()),
        sa.Column("set_by", sa.String(100), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("released_by", sa.String(100)),
        sa.Column("released_at", Instant()),
        sqlite_autoincrement=True,
    )
    op.create_index("hold_organization", "hold", ["organization"])


def downgrade() -> None:
    """Drop them."""
    for table in ("hold", "purged", "condemned"):
        op.drop_table(table)
