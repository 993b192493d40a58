"""Facts at the portal: one row a fact, numbered by message; transmissions stand by their own moment."""

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Amount, Instant

revision = "portal_facts"
down_revision = "portal_feeds"
branch_labels = None
depends_on = None


NUMBERED = """
INSERT INTO sequence (name, value)
SELECT 'fact', max(id)
FROM (SELECT max(id) AS id FROM invoice_data UNION ALL SELECT max(id) AS id FROM accepted_report) AS had
HAVING max(id) IS NOT NULL
"""
REPLACED = """
INSERT INTO replaced_fact (message, "by", known_until)
SELECT earlier.id, later.id, later.recorded_at FROM accepted_report AS earlier JOIN accepted_report AS later
ON later.id = (SELECT min(other.id) FROM accepted_report AS other WHERE other.id > earlier.id
AND other.declarant = earlier.declarant AND other.role = earlier.role AND other.kind = earlier.kind
AND other.start = earlier.start AND other."end" = earlier."end")
"""
"""A transmission stood until the next of its period came."""


def upgrade() -> None:
    """Make the tables; numbers go on after those that the records already have."""
    op.create_table(
        "accepted_fact",
        sa.Column("message", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("platform", sa.String(10), nullable=False),
        sa.Column("siren", sa.String(9), nullable=False),
        sa.Column("role", sa.String(2), nullable=False),
        sa.Column("counterpart", sa.String(18)),
        sa.Column("number", sa.String(35)),
        sa.Column("year", sa.Integer()),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("type_code", sa.String(3)),
        sa.Column("process", sa.String(3)),
        sa.Column("vat_point", sa.String(3)),
        sa.Column("category", sa.String(10)),
        sa.Column("rate", Amount()),
        sa.Column("base", Amount()),
        sa.Column("vat", Amount()),
        sa.Column("amount", Amount()),
        sa.Column("currency", sa.String(3)),
        sa.Column("known_from", Instant(), nullable=False),
    )
    op.create_index("fact_of_company", "accepted_fact", ["siren", "day"])
    op.create_table(
        "replaced_fact",
        sa.Column("message", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("known_until", Instant(), nullable=False),
    )
    op.create_index("replaced_fact_by", "replaced_fact", ["by"])
    with op.batch_alter_table("obligatory_status") as status:
        status.add_column(sa.Column("fact", sa.BigInteger()))
        status.add_column(sa.Column("file_name", sa.String(255)))
    with op.batch_alter_table("accepted_report") as report:
        report.add_column(sa.Column("issued_at", Instant()))
    op.execute("UPDATE accepted_report SET issued_at = recorded_at")
    op.execute(NUMBERED)
    op.execute(REPLACED)


def downgrade() -> None:
    """Drop them."""
    op.execute("DELETE FROM sequence WHERE name = 'fact'")
    with op.batch_alter_table("accepted_report") as report:
        report.drop_column("issued_at")
    with op.batch_alter_table("obligatory_status") as status:
        status.drop_column("file_name")
        status.drop_column("fact")
    op.drop_table("replaced_fact")
    op.drop_table("accepted_fact")
