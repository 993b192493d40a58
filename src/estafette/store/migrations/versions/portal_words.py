"""Up to which version of the directory the words of names were gathered."""

import sqlalchemy as sa
from alembic import op

revision = "portal_words"
down_revision = "portal_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "directory_cursor",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("instance", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("directory_cursor")
