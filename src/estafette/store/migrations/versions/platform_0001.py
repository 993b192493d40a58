"""A platform: customers, flows, invoices, statuses, declarations, mirror of the directory."""

import sqlalchemy as sa
from alembic import op

from estafette.store import columns

revision = "platform0001"
down_revision = None
branch_labels = ("platform",)
depends_on = "shared0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "company",
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("status_address", sa.String(length=125), nullable=False),
        sa.Column("opened_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("siren"),
    )
    op.create_table(
        "early_status",
        sa.Column("sender", sa.String(length=10), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("seller_siren", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "message_id"),
    )
    op.create_index("early_status_key", "early_status", ["seller_siren", "number", "year"], unique=False)
    op.create_table(
        "mirror_line",
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=125), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("siret", sa.String(length=14), nullable=True),
        sa.Column("routing", sa.String(length=100), nullable=True),
        sa.Column("suffix", sa.String(length=100), nullable=True),
        sa.Column("nature", sa.String(length=1), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("effective_end", sa.Date(), nullable=True),
        sa.Column("matricule", sa.String(length=4), nullable=False),
        sa.PrimaryKeyConstraint("instance"),
    )
    op.create_index("mirror_line_address", "mirror_line", ["address"], unique=False)
    op.create_index("mirror_line_siren", "mirror_line", ["siren"], unique=False)
    op.create_table(
        "mirror_platform",
        sa.Column("matricule", sa.String(length=4), nullable=False),
        sa.Column("platform_type", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=99), nullable=False),
        sa.Column("contact", sa.String(length=100), nullable=True),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.PrimaryKeyConstraint("matricule"),
    )
    op.create_table(
        "mirror_unit",
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("entity_type", sa.String(length=1), nullable=False),
        sa.PrimaryKeyConstraint("siren"),
    )
    op.create_table(
        "portal_flow",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("answered_at", columns.Instant(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("seller_siren", sa.String(length=20), nullable=False),
        sa.Column("seller_name", sa.String(length=255), nullable=False),
        sa.Column("buyer_siren", sa.String(length=20), nullable=False),
        sa.Column("buyer_name", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("type_code", sa.String(length=3), nullable=False),
        sa.Column("total_with_vat", columns.Amount(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("syntax", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("peer", sa.String(length=10), nullable=True),
        sa.Column("matricule", sa.String(length=10), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.Column("explanation", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["siren"],
            ["company.siren"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("invoice_key", "invoice", ["siren", "side", "seller_siren", "number", "year"], unique=False)
    op.create_index("invoice_list", "invoice", ["siren", "side", "received_at"], unique=False)
    op.create_index(
        "invoice_once",
        "invoice",
        ["siren", "side", "seller_siren", "number", "year"],
        unique=True,
        sqlite_where=sa.text("standing != 'rejected'"),
        postgresql_where=sa.text("standing != 'rejected'"),
    )
    op.create_table(
        "declaration",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("interface", sa.String(length=8), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("seller_siren", sa.String(length=20), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("invoice_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=3), nullable=True),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("flow_name", sa.String(length=60), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("answered_at", columns.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("declaration_flow", "declaration", ["flow_name"], unique=False)
    op.create_index("declaration_invoice", "declaration", ["invoice_id"], unique=False)
    op.create_index("declaration_object", "declaration", ["interface", "object_id"], unique=False)
    op.create_index("declaration_waiting", "declaration", ["interface", "state"], unique=False)
    op.create_table(
        "event",
        sa.Column("invoice_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=3), nullable=False),
        sa.Column("emitter_role", sa.String(length=3), nullable=False),
        sa.Column("set_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("received", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("characteristics", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
        ),
        sa.PrimaryKeyConstraint("invoice_id", "message_id"),
    )
    op.create_index("event_time", "event", ["invoice_id", "set_at"], unique=False)
    op.create_table(
        "flow",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("flow_type", sa.String(length=40), nullable=False),
        sa.Column("syntax", sa.String(length=10), nullable=False),
        sa.Column("profile", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tracking_id", sa.String(length=64), nullable=True),
        sa.Column("processing_rule", sa.String(length=20), nullable=False),
        sa.Column("processing_rule_source", sa.String(length=10), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("submitted_at", columns.Instant(), nullable=False),
        sa.Column("updated_at", columns.Instant(), nullable=False),
        sa.Column("acknowledgement", sa.String(length=10), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("invoice_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoice.id"],
        ),
        sa.ForeignKeyConstraint(
            ["siren"],
            ["company.siren"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("flow_document", "flow", ["siren", "sha256"], unique=False)
    op.create_index("flow_invoice", "flow", ["invoice_id"], unique=False)
    op.create_index("flow_updated", "flow", ["siren", "updated_at"], unique=True)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("flow_updated", table_name="flow")
    op.drop_index("flow_invoice", table_name="flow")
    op.drop_index("flow_document", table_name="flow")
    op.drop_table("flow")
    op.drop_index("event_time", table_name="event")
    op.drop_table("event")
    op.drop_index("declaration_waiting", table_name="declaration")
    op.drop_index("declaration_object", table_name="declaration")
    op.drop_index("declaration_invoice", table_name="declaration")
    op.drop_index("declaration_flow", table_name="declaration")
    op.drop_table("declaration")
    op.drop_index(
        "invoice_once",
        table_name="invoice",
        sqlite_where=sa.text("standing != 'rejected'"),
        postgresql_where=sa.text("standing != 'rejected'"),
    )
    op.drop_index("invoice_list", table_name="invoice")
    op.drop_index("invoice_key", table_name="invoice")
    op.drop_table("invoice")
    op.drop_table("portal_flow")
    op.drop_table("mirror_unit")
    op.drop_table("mirror_platform")
    op.drop_index("mirror_line_siren", table_name="mirror_line")
    op.drop_index("mirror_line_address", table_name="mirror_line")
    op.drop_table("mirror_line")
    op.drop_index("early_status_key", table_name="early_status")
    op.drop_table("early_status")
    op.drop_table("company")
