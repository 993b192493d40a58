"""Each declaration to the portal has its time limit."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from estafette.store.columns import Instant

revision = "platform_deadlines"
down_revision = "platform_archives"
branch_labels = None
depends_on = None

WITHIN = timedelta(hours=24)
"""The limit of every declaration made until then."""


def upgrade() -> None:
    """Add the limit, and give theirs to the declarations that the portal has not taken."""
    with op.batch_alter_table("declaration") as table:
        table.add_column(sa.Column("due_at", Instant()))
        table.create_index("declaration_due", ["state", "due_at"])
    declaration = sa.table(
        "declaration",
        *(sa.column("id", sa.Integer), sa.column("state", sa.String)),
        *(sa.column("created_at", Instant()), sa.column("due_at", Instant())),
    )
    owed = sa.select(declaration.c.id, declaration.c.created_at).where(declaration.c.state.in_(("waiting", "packed")))
    connection = op.get_bind()
    for row in connection.execute(owed).all():
        change = sa.update(declaration).where(declaration.c.id == row.id)
        connection.execute(change.values(due_at=row.created_at + WITHIN))


def downgrade() -> None:
    """Take the limit away."""
    with op.batch_alter_table("declaration") as table:
        table.drop_index("declaration_due")
        table.drop_column("due_at")
