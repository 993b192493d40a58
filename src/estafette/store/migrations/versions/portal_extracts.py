"""The portal keeps which extracts of the directory it produced, in which files, for whom."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_extracts"
down_revision = "portal_watch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; every platform is owed a full extract."""
    op.create_table(
        "directory_extract",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("produced_at", Instant(), nullable=False),
        sa.Column("previous_at", Instant()),
        sa.Column("after_change", sa.Integer(), nullable=False),
        sa.Column("to_change", sa.Integer(), nullable=False),
        sa.Column("after_instance", sa.Integer(), nullable=False),
        sa.Column("to_instance", sa.Integer(), nullable=False),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("job", sa.String(80), nullable=False),
        sa.Column("portions", sa.Integer()),
        sa.Column("ready_at", Instant()),
        sa.UniqueConstraint("is_full", "produced_at"),
    )
    op.create_index("directory_extract_job", "directory_extract", ["job"])
    op.create_table(
        "directory_portion",
        sa.Column("extract", sa.Integer(), sa.ForeignKey("directory_extract.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
    )
    op.create_table(
        "directory_delivery",
        sa.Column("partner", sa.String(10), primary_key=True),
        sa.Column("extract", sa.Integer(), sa.ForeignKey("directory_extract.id"), primary_key=True),
        sa.Column("sent_at", Instant(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("directory_delivery", "directory_portion", "directory_extract"):
        op.drop_table(table)
