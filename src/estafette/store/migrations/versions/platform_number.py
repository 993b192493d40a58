"""Invoices are found by their seller, number and year, whatever the customer and side."""

from alembic import op

revision = "platform_number"
down_revision = "platform_deadlines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("invoice_number", "invoice", ["seller_siren", "number", "year"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("invoice_number", table_name="invoice")
