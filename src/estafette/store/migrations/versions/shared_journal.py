"""What an event of the audit log said may be replaced by its digest, and by nothing else; how far that went."""

import sqlalchemy as sa
from alembic import op

revision = "shared_journal"
down_revision = "shared_orphans"
branch_labels = None
depends_on = None

SAME = "NEW.chain = OLD.chain AND NEW.seq = OLD.seq AND NEW.hash = OLD.hash AND NEW.about = ''"
DIGESTED = "NEW.body LIKE 'sha256:%' AND length(NEW.body) = 71"


def upgrade() -> None:
    """Make the table, and let a text become its digest."""
    op.create_table(
        "audit_blank",
        sa.Column("chain", sa.String(20), primary_key=True),
        sa.Column("seq", sa.Integer(), nullable=False),
    )
    for statement in _guards(op.get_bind().dialect.name):
        op.execute(statement)


def _guards(dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            "DROP TRIGGER audit_event_no_UPDATE",
            f"CREATE TRIGGER audit_event_no_UPDATE BEFORE UPDATE ON audit_event WHEN NOT ({SAME} AND {DIGESTED}) "
            "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END",
        ]
    return [
        "DROP TRIGGER audit_event_append_only ON audit_event",
        "CREATE TRIGGER audit_event_append_only BEFORE DELETE OR TRUNCATE ON audit_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
        f"CREATE TRIGGER audit_event_only_digested BEFORE UPDATE ON audit_event FOR EACH ROW "
        f"WHEN (NOT ({SAME} AND {DIGESTED})) EXECUTE FUNCTION audit_refuse()",
    ]


def downgrade() -> None:
    """Let no text be changed."""
    op.drop_table("audit_blank")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_event_no_UPDATE")
        op.execute(
            "CREATE TRIGGER audit_event_no_UPDATE BEFORE UPDATE ON audit_event "
            "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
        )
        return
    op.execute("DROP TRIGGER audit_event_only_digested ON audit_event")
    op.execute("DROP TRIGGER audit_event_append_only ON audit_event")
    op.execute(
        "CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
