"""What is kept no more is found by its day; documents of which a record went wait until another is looked for."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "shared_orphans"
down_revision = "shared_keeping"
branch_labels = None
depends_on = None

_NAMED = sa.text("sha256 != ''")


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "unlinked",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("since", Instant(), nullable=False),
    )
    op.create_index("unlinked_since", "unlinked", ["since"])
    op.create_index("inbox_kept", "inbox", ["received_at"], sqlite_where=_NAMED, postgresql_where=_NAMED)
    op.create_index("account_closed", "account", ["closed_at"])
    op.create_index("identity_event_at", "identity_event", ["at", "id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("identity_event_at", table_name="identity_event")
    op.drop_index("account_closed", table_name="account")
    op.drop_index("inbox_kept", table_name="inbox")
    op.drop_table("unlinked")
