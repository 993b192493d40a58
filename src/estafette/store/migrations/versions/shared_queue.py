"""The queue is found by what is not done: what is done stays as a trace, in no index but that of its key."""

import sqlalchemy as sa
from alembic import op

revision = "shared_queue"
down_revision = "shared_journal"
branch_labels = None
depends_on = None

_PENDING, _PARKED = sa.text("state = 'pending'"), sa.text("state = 'parked'")


def upgrade() -> None:
    """Make the indexes anew."""
    op.drop_index("job_ready", table_name="job")
    op.drop_index("job_lane", table_name="job")
    op.create_index("job_ready", "job", ["due", "id"], sqlite_where=_PENDING, postgresql_where=_PENDING)
    op.create_index("job_lane", "job", ["lane", "id"], sqlite_where=_PENDING, postgresql_where=_PENDING)
    op.create_index("job_parked", "job", ["id"], sqlite_where=_PARKED, postgresql_where=_PARKED)


def downgrade() -> None:
    """Make them as they were."""
    op.drop_index("job_parked", table_name="job")
    op.drop_index("job_ready", table_name="job")
    op.drop_index("job_lane", table_name="job")
    op.create_index("job_lane", "job", ["lane", "state", "id"])
    op.create_index("job_ready", "job", ["state", "due"])
