"""What platforms answer to the portal's flows is noted, and no longer among what waits to be controlled."""

from alembic import op

revision = "portal_noted"
down_revision = "portal_openings"
branch_labels = None
depends_on = None

OF_ANSWERS = "direction = 'In' AND interface LIKE 'C%'"


def upgrade() -> None:
    """Say so of those that are there."""
    op.execute(f"UPDATE partner_flow SET state = 'noted' WHERE state = 'received' AND {OF_ANSWERS}")  # noqa: S608


def downgrade() -> None:
    """Say no longer so."""
    op.execute(f"UPDATE partner_flow SET state = 'received' WHERE state = 'noted' AND {OF_ANSWERS}")  # noqa: S608
