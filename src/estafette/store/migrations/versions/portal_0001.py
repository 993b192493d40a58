"""The public portal: directory, platforms, flows, accepted facts."""

import sqlalchemy as sa
from alembic import op

from estafette.store import columns

revision = "portal0001"
down_revision = None
branch_labels = ("portal",)
depends_on = "shared0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "directory_line",
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("nature", sa.String(length=1), nullable=False),
        sa.Column("address", sa.String(length=125), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("siret", sa.String(length=14), nullable=True),
        sa.Column("routing", sa.String(length=100), nullable=True),
        sa.Column("suffix", sa.String(length=100), nullable=True),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("effective_end", sa.Date(), nullable=True),
        sa.Column("matricule", sa.String(length=4), nullable=False),
        sa.Column("defined_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("instance"),
    )
    op.create_index("directory_line_address", "directory_line", ["address", "start"], unique=False)
    op.create_index("directory_line_siren", "directory_line", ["siren"], unique=False)
    op.create_table(
        "invoice_data",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("seller_siren", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=35), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("buyer_siren", sa.String(length=9), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("partner", sa.String(length=10), nullable=False),
        sa.Column("flow_name", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seller_siren", "number", "year", name="invoice_data_once"),
    )
    op.create_table(
        "legal_unit",
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("entity_type", sa.String(length=1), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("siren"),
    )
    op.create_table(
        "obligatory_status",
        sa.Column("partner", sa.String(length=10), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("seller_siren", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=35), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=3), nullable=False),
        sa.Column("emitter_role", sa.String(length=3), nullable=False),
        sa.Column("set_at", columns.Instant(), nullable=False),
        sa.Column("flow_name", sa.String(length=60), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "message_id"),
    )
    op.create_index(
        "obligatory_status_key", "obligatory_status", ["seller_siren", "number", "year", "set_at"], unique=False
    )
    op.create_table(
        "outgoing_object",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("interface", sa.String(length=8), nullable=False),
        sa.Column("partner", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("flow_name", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outgoing_object_waiting", "outgoing_object", ["partner", "interface", "flow_name"], unique=False)
    op.create_table(
        "partner_flow",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("interface", sa.String(length=8), nullable=False),
        sa.Column("application_code", sa.String(length=6), nullable=False),
        sa.Column("identifier", sa.String(length=25), nullable=False),
        sa.Column("partner", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", columns.Instant(), nullable=False),
        sa.Column("answered_at", columns.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("partner_flow_identifier", "partner_flow", ["direction", "identifier"], unique=False)
    op.create_index("partner_flow_partner", "partner_flow", ["partner", "created_at"], unique=False)
    op.create_table(
        "receiving_platform",
        sa.Column("matricule", sa.String(length=4), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("platform_type", sa.String(length=3), nullable=False),
        sa.Column("name", sa.String(length=99), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=True),
        sa.Column("contact", sa.String(length=100), nullable=True),
        sa.Column("application_code", sa.String(length=6), nullable=True),
        sa.Column("registered_from", sa.Date(), nullable=False),
        sa.Column("registered_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("matricule"),
        sa.UniqueConstraint("application_code"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("receiving_platform")
    op.drop_index("partner_flow_partner", table_name="partner_flow")
    op.drop_index("partner_flow_identifier", table_name="partner_flow")
    op.drop_table("partner_flow")
    op.drop_index("outgoing_object_waiting", table_name="outgoing_object")
    op.drop_table("outgoing_object")
    op.drop_index("obligatory_status_key", table_name="obligatory_status")
    op.drop_table("obligatory_status")
    op.drop_table("legal_unit")
    op.drop_table("invoice_data")
    op.drop_index("directory_line_siren", table_name="directory_line")
    op.drop_index("directory_line_address", table_name="directory_line")
    op.drop_table("directory_line")
