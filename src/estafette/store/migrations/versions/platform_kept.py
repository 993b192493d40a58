"""What a platform keeps no more is found by its day, what a company keeps is listed by it, reading nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "platform_kept"
down_revision = "platform_imports"
branch_labels = None
depends_on = None

INDEXES = (
    ("flow_irreceivable", "flow", ["submitted_at"], "invoice_id IS NULL AND acknowledgement = 'Error'"),
    ("flow_alone", "flow", ["submitted_at"], "invoice_id IS NULL AND acknowledgement = 'Ok'"),
    ("invoice_kept", "invoice", ["issue_date", "id"], "standing != 'rejected'"),
    ("invoice_issued", "invoice", ["siren", "issue_date", "id"], None),
    ("invoice_rejected", "invoice", ["received_at"], "standing = 'rejected'"),
    ("early_status_received", "early_status", ["received_at"], None),
    ("declaration_kept", "declaration", ["created_at"], "sha256 != ''"),
    ("portal_flow_kept", "portal_flow", ["created_at"], "sha256 != ''"),
    ("unit_record_kept", "unit_record", ["day", "id"], None),
    ("reporting_file_kept", "reporting_file", ["recorded_at"], "sha256 != ''"),
    ("transmission_kept", "transmission", ["end", "id"], "sha256 != ''"),
)


def upgrade() -> None:
    """Make the indexes."""
    for name, table, columns, where in INDEXES:
        of = sa.text(where) if where else None
        op.create_index(name, table, columns, sqlite_where=of, postgresql_where=of)


def downgrade() -> None:
    """Drop them."""
    for name, table, _columns, _where in reversed(INDEXES):
        op.drop_index(name, table_name=table)
