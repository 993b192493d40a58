"""Restitution packages, and companies that leave."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "platform_keeping"
down_revision = "platform_reporting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "package",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("counterpart", sa.String(20)),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("ready_at", Instant()),
        sa.Column("expires_at", Instant()),
        sa.Column("error", sa.String(500)),
    )
    op.create_index("package_siren", "package", ["siren", "asked_at"])
    op.create_index("package_state", "package", ["state"])
    op.create_table(
        "departure",
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), primary_key=True),
        sa.Column("agreed_on", sa.Date(), primary_key=True),
        sa.Column("matricule", sa.String(10), nullable=False),
        sa.Column("objection_until", sa.Date(), nullable=False),
        sa.Column("line_until", sa.Date(), nullable=False),
        sa.Column("serves_until", sa.Date(), nullable=False),
        sa.Column("package_id", sa.String(36)),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant()),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("departure")
    op.drop_table("package")
