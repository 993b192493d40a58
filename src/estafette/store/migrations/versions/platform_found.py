"""When the copy of the directory was seen to show what was asked of it."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "platform_found"
down_revision = "platform_kept"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was accepted before anybody looked is taken as found."""
    op.add_column("address_request", sa.Column("found_at", Instant()))
    op.execute("UPDATE address_request SET found_at = answered_at WHERE state = 'accepted'")
    op.create_index("address_request_state", "address_request", ["state", "found_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("address_request_state", "address_request")
    op.drop_column("address_request", "found_at")
