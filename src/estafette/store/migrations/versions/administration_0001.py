"""The administration: facts, registration, pilot, alerts."""

import sqlalchemy as sa
from alembic import op

from estafette.store import columns

revision = "administration0001"
down_revision = None
branch_labels = ("administration",)
depends_on = "shared0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("detector", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("raised_at", columns.Instant(), nullable=False),
        sa.Column("vat_at_risk", columns.Amount(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "fact",
        sa.Column("seller", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=35), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("flow", sa.String(length=320), nullable=False),
        sa.Column("taxpayer", sa.String(length=9), nullable=False),
        sa.Column("buyer", sa.String(length=9), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("platform", sa.String(length=10), nullable=False),
        sa.Column("accepted_at", columns.Instant(), nullable=False),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seller", "number", "year", "flow"),
    )
    op.create_index("fact_buyer", "fact", ["buyer"], unique=False)
    op.create_index("fact_pair", "fact", ["seller", "buyer", "total_cents"], unique=False)
    op.create_index("fact_taxpayer", "fact", ["taxpayer"], unique=False)
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=60), nullable=False),
        sa.Column("at", columns.Instant(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("from_state", sa.String(length=40), nullable=True),
        sa.Column("to_state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_subject", "journal", ["subject", "subject_id", "id"], unique=False)
    op.create_table(
        "registration_file",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("trade_name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("submitted_at", columns.Instant(), nullable=False),
        sa.Column("completed_at", columns.Instant(), nullable=True),
        sa.Column("receipt", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("registration_file_siren", "registration_file", ["siren"], unique=False)
    op.create_table(
        "status_event",
        sa.Column("seller", sa.String(length=9), nullable=False),
        sa.Column("number", sa.String(length=35), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("set_at", columns.Instant(), nullable=False),
        sa.Column("received_at", columns.Instant(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seller", "number", "year", "message_id"),
    )
    op.create_table(
        "timer",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject", "subject_id", "kind", name="timer_once"),
    )
    op.create_table(
        "alert_decision",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("decided_at", columns.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alert.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_decision_alert", "alert_decision", ["alert_id", "id"], unique=False)
    op.create_table(
        "registration",
        sa.Column("matricule", sa.String(length=4), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["registration_file.id"],
        ),
        sa.PrimaryKeyConstraint("matricule"),
        sa.UniqueConstraint("file_id"),
    )
    op.create_table(
        "team",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "name", name="team_once"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "application",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("submitted_at", columns.Instant(), nullable=False),
        sa.Column("recorded_at", columns.Instant(), nullable=False),
        sa.Column("receipt", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("team_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("siren", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("naf", sa.String(length=6), nullable=True),
        sa.Column("lead", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["team.id"],
        ),
        sa.PrimaryKeyConstraint("team_id", "siren"),
    )
    op.create_index("team_member_siren", "team_member", ["siren"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("team_member_siren", table_name="team_member")
    op.drop_table("team_member")
    op.drop_table("application")
    op.drop_table("team")
    op.drop_table("registration")
    op.drop_index("alert_decision_alert", table_name="alert_decision")
    op.drop_table("alert_decision")
    op.drop_table("timer")
    op.drop_table("status_event")
    op.drop_index("registration_file_siren", table_name="registration_file")
    op.drop_table("registration_file")
    op.drop_index("journal_subject", table_name="journal")
    op.drop_table("journal")
    op.drop_index("fact_taxpayer", table_name="fact")
    op.drop_index("fact_pair", table_name="fact")
    op.drop_index("fact_buyer", table_name="fact")
    op.drop_table("fact")
    op.drop_table("campaign")
    op.drop_table("alert")
