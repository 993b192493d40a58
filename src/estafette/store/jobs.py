"""What must still happen, written in the transaction of what has happened.

One table is outbox, retries and schedule. A job is named by its key: asking twice for the same thing is asking once.
Jobs that share a lane run one after the other in the order they were written, so that what concerns one invoice arrives
in order while other invoices go on. A job runs at least once; its effect is idempotent by key, hence exactly once.

Cost: one indexed row in, one indexed row out; claiming reads the index of what is due, not the history.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, or_, select, update

from estafette.store.tables import job as table

TRIES_MAX = 60
"""Attempts before a job is parked for a human: with the back-off below two days, twice the legal 24 h."""

LEASE = timedelta(minutes=10)
"""How long a claimed job is left alone; longer than any job takes, it only matters when its process died."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work as claimed: `tries` counts the attempts before this one."""

    id: int
    queue: str
    key: str
    payload: dict[str, Any]
    tries: int


def add(
    connection: Connection, *, queue: str, key: str, payload: dict[str, Any], now: datetime, lane: str | None = None
) -> bool:
    """The work is recorded, once per key; True when it was not there yet."""
    row = {
        "queue": queue, "key": key, "lane": lane, "payload": payload, "state": "pending",
        "due": now, "tries": 0, "created_at": now,
    }  # fmt: skip
    if connection.execute(select(literal(1)).where(table.c.key == key)).first():
        return False
    connection.execute(insert(table).values(row))
    return True


def claim(connection: Connection, *, queues: tuple[str, ...], now: datetime, limit: int) -> list[Job]:
    """Up to `limit` jobs of these queues that may run now are leased to the caller, longest due first."""
    ready = (
        select(table.c.id, table.c.queue, table.c.key, table.c.payload, table.c.tries)
        .where(table.c.state == "pending", table.c.due <= now, table.c.queue.in_(queues))
        .where(or_(table.c.leased_until.is_(None), table.c.leased_until < now))
        .where(_first_of_its_lane())
        .order_by(table.c.due, table.c.id)
        .limit(limit)
    )
    jobs = [Job(*row) for row in connection.execute(ready)]
    if jobs:
        leased = table.c.id.in_([job.id for job in jobs])
        connection.execute(update(table).where(leased).values(leased_until=now + LEASE))
    return jobs


def end(connection: Connection, job: Job, *, now: datetime) -> None:
    """The job is done and stays as a trace."""
    _settle(connection, job, state="done", ended_at=now)


def retry(connection: Connection, job: Job, *, now: datetime, error: str) -> None:
    """The job will run again later, or waits for a human once it has failed `TRIES_MAX` times."""
    if job.tries + 1 >= TRIES_MAX:
        park(connection, job, now=now, error=error)
        return
    _settle(connection, job, tries=job.tries + 1, due=now + back_off(job.tries), error=error[:2000])


def park(connection: Connection, job: Job, *, now: datetime, error: str) -> None:
    """The job cannot succeed as it is: it stays visible, out of the way of its lane."""
    _settle(connection, job, state="parked", tries=job.tries + 1, ended_at=now, error=error[:2000])


def _settle(connection: Connection, job: Job, **values: Any) -> None:
    """Write what became of a job; one that ended meanwhile, its lease being over, is left as it ended."""
    mine = and_(table.c.id == job.id, table.c.state == "pending")
    connection.execute(update(table).where(mine).values(leased_until=None, **values))


def _first_of_its_lane() -> ColumnElement[bool]:
    """Hold for a job that no earlier one of its lane keeps waiting."""
    earlier = table.alias("earlier")
    blocked = exists().where(earlier.c.lane == table.c.lane, earlier.c.state == "pending", earlier.c.id < table.c.id)
    return or_(table.c.lane.is_(None), ~blocked)


def back_off(tries: int) -> timedelta:
    """Wait twice as long after each failure, from half a second to an hour."""
    return timedelta(seconds=min(0.5 * 2 ** min(tries, 20), 3600))


def release(connection: Connection) -> None:
    """Forget the leases of a process that is gone: called when the only process of this store starts."""
    connection.execute(update(table).where(table.c.leased_until.is_not(None)).values(leased_until=None))


def waiting(connection: Connection) -> int:
    """Count the jobs not yet done."""
    return connection.execute(select(func.count()).where(table.c.state == "pending")).scalar_one()


def parked(connection: Connection) -> int:
    """Count the jobs that wait for a human."""
    return connection.execute(select(func.count()).where(table.c.state == "parked")).scalar_one()


def next_due(connection: Connection, queues: tuple[str, ...]) -> datetime | None:
    """Tell when the next waiting job may run: when it is due, or when its lease is over, and its lane is free."""
    mine = and_(table.c.state == "pending", table.c.queue.in_(queues), _first_of_its_lane())
    free = func.coalesce(table.c.leased_until, table.c.due)
    due: datetime | None = connection.execute(select(func.min(free)).where(mine)).scalar_one()
    return due
