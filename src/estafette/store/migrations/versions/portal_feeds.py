"""The feeds of the directory: loads, daily treatments, the tax register, words of names, software of platforms."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant, bytewise

revision = "portal_feeds"
down_revision = "portal_intake"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feed_load",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("feed", sa.String(12), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("written", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("units_until", Instant()),
        sa.Column("establishments_until", Instant()),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.UniqueConstraint("feed", "fingerprint", name="feed_load_once"),
    )
    op.create_table(
        "feed_treatment",
        sa.Column("number", bytewise(14), primary_key=True),
        sa.Column("treated_at", Instant(), nullable=False),
    )
    op.create_table(
        "tax_status",
        sa.Column("siren", bytewise(9), primary_key=True),
        sa.Column("effective_on", sa.Date(), primary_key=True),
        sa.Column("is_taxable", sa.Boolean(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("tax_status_due", "tax_status", ["applied", "effective_on"])
    op.create_table(
        "directory_word",
        sa.Column("word", bytewise(40), primary_key=True),
        sa.Column("siren", bytewise(9), primary_key=True),
    )
    op.create_table(
        "platform_client",
        sa.Column("client_id", sa.String(100), primary_key=True),
        sa.Column("matricule", sa.String(4), nullable=False),
    )
    op.create_index("platform_client_matricule", "platform_client", ["matricule"])


def downgrade() -> None:
    """Drop them."""
    for name in ("platform_client", "directory_word", "tax_status", "feed_treatment", "feed_load"):
        op.drop_table(name)
