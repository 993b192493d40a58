"""Which flows came in one archive."""

import sqlalchemy as sa
from alembic import op

revision = "platform_archives"
down_revision = "platform_directory"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "archive_member",
        sa.Column("flow_id", sa.String(36), sa.ForeignKey("flow.id"), primary_key=True),
        sa.Column("archive_id", sa.String(36), sa.ForeignKey("flow.id"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_index("archive_member_archive", "archive_member", ["archive_id", "position"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("archive_member")
