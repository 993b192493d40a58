"""The portal's intake: connections of partners, flows turned away, gaps in sequences, flows to fetch by SFTP."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "portal_intake"
down_revision = "portal_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "partner_connection",
        sa.Column("application_code", sa.String(6), primary_key=True),
        sa.Column("protocol", sa.String(5), nullable=False),
        sa.Column("interfaces", sa.JSON()),
        sa.Column("until", sa.Date()),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_table(
        "refused_flow",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("partner", sa.String(10), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("answer_sha256", sa.String(64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("refused_flow_partner", "refused_flow", ["partner", "recorded_at"])
    op.create_table(
        "sequence_gap",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("partner", sa.String(10), nullable=False),
        sa.Column("flow_name", sa.String(60), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("sequence_gap_partner", "sequence_gap", ["partner", "recorded_at"])
    op.create_table(
        "retrieval",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("application_code", sa.String(6), nullable=False),
        sa.Column("file_name", sa.String(80), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("ready_at", Instant(), nullable=False),
        sa.Column("laid_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("fate", sa.String(8)),
    )
    op.create_index("retrieval_open", "retrieval", ["ended_at", "id"])


def downgrade() -> None:
    """Drop them."""
    for name in ("retrieval", "sequence_gap", "refused_flow", "partner_connection"):
        op.drop_table(name)
