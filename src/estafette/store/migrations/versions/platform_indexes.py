"""An invoice is written in fewer indexes: what another one serves as well is gone, others hold what is sought."""

import sqlalchemy as sa
from alembic import op

revision = "platform_indexes"
down_revision = "platform_found"
branch_labels = None
depends_on = None

_DEPOSITED = sa.text("origin = 'client'")
_OWED = sa.text("state IN ('waiting', 'packed', 'irreceivable')")
_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Drop, and make partial."""
    op.drop_index("event_time", table_name="event")
    op.drop_index("invoice_key", table_name="invoice")
    op.drop_index("flow_document", table_name="flow")
    op.drop_index("declaration_due", table_name="declaration")
    op.drop_index("declaration_waiting", table_name="declaration")
    op.create_index("flow_document", "flow", ["siren", "sha256"], sqlite_where=_DEPOSITED, postgresql_where=_DEPOSITED)
    op.create_index("declaration_due", "declaration", ["due_at"], sqlite_where=_OWED, postgresql_where=_OWED)
    op.create_index(
        "declaration_waiting", "declaration", ["interface", "id"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )


def downgrade() -> None:
    """Make them as they were."""
    op.drop_index("declaration_waiting", table_name="declaration")
    op.drop_index("declaration_due", table_name="declaration")
    op.drop_index("flow_document", table_name="flow")
    op.create_index("declaration_waiting", "declaration", ["interface", "state"])
    op.create_index("declaration_due", "declaration", ["state", "due_at"])
    op.create_index("flow_document", "flow", ["siren", "sha256"])
    op.create_index("invoice_key", "invoice", ["siren", "side", "seller_siren", "number", "year"])
    op.create_index("event_time", "event", ["invoice_id", "set_at"])
