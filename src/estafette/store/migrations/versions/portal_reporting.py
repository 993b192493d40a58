"""E-reporting at the portal: the transmissions accepted, and the invoices they report."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_reporting"
down_revision = "portal_directory"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accepted_report",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("declarant", sa.String(9), nullable=False),
        sa.Column("role", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("identifier", sa.String(50), nullable=False),
        sa.Column("type_code", sa.String(2), nullable=False),
        sa.Column("partner", sa.String(10), nullable=False),
        sa.Column("flow_name", sa.String(60), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.UniqueConstraint("declarant", "start", "end", "identifier", name="accepted_report_once"),
    )
    op.create_index("accepted_report_period", "accepted_report", ["declarant", "role", "kind", "start", "end"])
    op.create_table(
        "reported_invoice",
        sa.Column("report_id", sa.Integer(), sa.ForeignKey("accepted_report.id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("seller", sa.String(18), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(35), nullable=False),
    )
    op.create_index("reported_invoice_key", "reported_invoice", ["seller", "year", "number"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("reported_invoice")
    op.drop_table("accepted_report")
