"""E-reporting at a platform: regimes, the ledger of unit records, the files that brought them, transmissions."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "platform_reporting"
down_revision = "platform_flows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reporting_regime",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("regime", sa.String(12), nullable=False),
        sa.Column("on_debits", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("reporting_regime_siren", "reporting_regime", ["siren"])
    _ledger()
    _transmissions()


def _ledger() -> None:
    op.create_table(
        "unit_record",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("role", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("block", sa.String(4), nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True)),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("source_id", sa.String(200), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(255)),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("unit_record_key", "unit_record", ["siren", "key", "id"])
    op.create_index("unit_record_day", "unit_record", ["siren", "role", "kind", "day"])
    op.create_index("unit_record_reference", "unit_record", ["siren", "reference"])
    op.create_table(
        "reporting_file",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
    )
    op.create_index("reporting_file_siren", "reporting_file", ["siren", "recorded_at"])


def _transmissions() -> None:
    op.create_table(
        "transmission",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("siren", sa.String(9), sa.ForeignKey("company.siren"), nullable=False),
        sa.Column("role", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("identifier", sa.String(50), nullable=False),
        sa.Column("type_code", sa.String(2), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("flow_name", sa.String(60)),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant()),
    )
    op.create_index("transmission_once", "transmission", ["siren", "identifier"], unique=True)
    op.create_index("transmission_period", "transmission", ["siren", "role", "kind", "start"])
    op.create_index("transmission_state", "transmission", ["state"])
    op.create_index("transmission_flow", "transmission", ["flow_name"])


def downgrade() -> None:
    """Drop them."""
    for table in ("transmission", "reporting_file", "unit_record", "reporting_regime"):
        op.drop_table(table)
