"""What the portal did not accept is looked for every minute, by its term."""

import sqlalchemy as sa
from alembic import op

revision = "platform_refused"
down_revision = "platform_indexes"
branch_labels = None
depends_on = None

_REFUSED = sa.text("state IN ('rejected', 'irreceivable')")


def upgrade() -> None:
    """Make its index."""
    op.create_index("declaration_refused", "declaration", ["due_at"], sqlite_where=_REFUSED, postgresql_where=_REFUSED)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("declaration_refused", table_name="declaration")
