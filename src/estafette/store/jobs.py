"""What must still happen, written in the transaction of what has happened.

One table is outbox, retries and schedule. A job is named by its key: asking twice for the same thing is asking once.
Jobs that share a lane run one after the other in the order they were written, so that what concerns one invoice arrives
in order while other invoices go on. A job runs at least once; its effect is idempotent by key, hence exactly once.

Cost: one indexed row in, one indexed row out; claiming reads the index of what is due, not the history.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from estafette.store import correlation, gathered
from estafette.store.columns import Instant, constant
from estafette.store.queries import Query, Row
from estafette.store.statements import Command
from estafette.store.tables import job as table

PENDING, PARKED = constant("pending"), constant("parked")
"""States as the indexes of the queue know them."""

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
    correlation: str | None = None
    worker: str | None = None
    """The process that has it, where several share the store."""


def add(
    connection: Connection,
    *,
    queue: str,
    key: str,
    payload: dict[str, Any],
    now: datetime,
    lane: str | None = None,
    due: datetime | None = None,
) -> None:
    """The work is recorded, once per key; it may run from `due`, now unless given."""
    row = {
        "queue": queue, "key": key, "lane": lane, "payload": payload, "state": "pending",
        "due": due or now, "tries": 0, "created_at": now, "correlation": correlation.current(),
    }  # fmt: skip
    gathered.add(connection, table, row, once=True)


def set_aside(
    connection: Connection, *, queue: str, key: str, payload: dict[str, Any], now: datetime, error: str
) -> None:
    """The work is recorded, once per key, and waits for a human from the beginning."""
    row = {
        "queue": queue, "key": key, "lane": None, "payload": payload, "state": "parked", "due": now, "tries": 0,
        "created_at": now, "ended_at": now, "error": error[:2000], "correlation": correlation.current(),
    }  # fmt: skip
    gathered.add(connection, table, row, once=True)


def claim(
    connection: Connection,
    *,
    queues: tuple[str, ...],
    now: datetime,
    limit: int,
    busy: Collection[str] = (),
    taken: Collection[int] = (),
    worker: str | None = None,
) -> list[Job]:
    """Up to `limit` jobs of these queues, and not of the busy ones, are leased to the caller, longest due first.

    A queue may be several: `deliver` is also `deliver:0003` and `deliver:0005`. Those `taken` are not leased again.
    """
    rows = _unlocked(queues).rows(connection, now=now, busy=list(busy), most=limit + len(taken)) if queues else []
    jobs = _of_rows(rows, limit, taken, worker)
    if jobs:
        _LEASE.run(connection, [{"ids": [job.id for job in jobs], "until": now + LEASE, "who": worker}])
    return jobs


def ready(
    connection: Connection,
    *,
    queues: tuple[str, ...],
    now: datetime,
    limit: int,
    busy: Collection[str] = (),
    taken: Collection[int] = (),
) -> list[Job]:
    """Return up to `limit` jobs that `claim` would lease, for the only process at work."""
    rows = _ready(queues).rows(connection, now=now, busy=list(busy), most=limit + len(taken)) if queues else []
    return _of_rows(rows, limit, taken)


def _of_rows(rows: Sequence[Row], limit: int, taken: Collection[int], worker: str | None = None) -> list[Job]:
    return [Job(**row, worker=worker) for row in rows if row["id"] not in taken][:limit]


def left_before(connection: Connection, batch: Sequence[Job]) -> tuple[int, datetime] | None:
    """Return the first job of the queue of a batch that waits and is not in it, and when it is due; None when all after
    the batch do, or none.
    """
    mine = (table.c.queue == batch[0].queue, table.c.state == PENDING, table.c.id < max(job.id for job in batch))
    others = table.c.id.not_in([job.id for job in batch])
    query = select(table.c.id, table.c.due).where(*mine, others).order_by(table.c.id).limit(1)
    found = connection.execute(query).first()
    return (found.id, found.due) if found else None


def prolong(connection: Connection, job: Job, *, now: datetime) -> None:
    """The job, where it is leased, is left alone for as long again: it takes its time and says so."""
    leased = and_(table.c.id == job.id, table.c.leased_until.is_not(None))
    connection.execute(update(table).where(leased).values(leased_until=now + LEASE))


def note(connection: Connection, job: Job, **known: Any) -> None:
    """The job, should it begin anew, knows this of what it did."""
    payload = {**job.payload, **known}
    connection.execute(update(table).where(table.c.id == job.id).values(payload=payload))


def end(connection: Connection, done: Sequence[Job], *, now: datetime) -> Callable[[], bool]:
    """The jobs are done and stay as a trace; one that ended meanwhile, its lease being over, is left as it ended.

    What is returned tells whether all were still those of the process that claimed them, and none done by another.
    """
    values = {"ids": [job.id for job in done], "now": now, "who": done[0].worker}
    count = (_END if done[0].worker is None else _END_OURS).counting(connection, values)
    return lambda: count() == len(done)


def end_unclaimed(connection: Connection, *, queue: str, keys: str, now: datetime) -> None:
    """The jobs of a queue whose keys begin so, that are due and that nobody is at, are done: another did what they ask.

    Those put off until later stay, and will find nothing to do.
    """
    free = or_(table.c.leased_until.is_(None), table.c.leased_until < now)
    due = (table.c.state == PENDING, table.c.due <= now)
    mine = (table.c.queue == queue, table.c.key.startswith(keys, autoescape=True), free)
    connection.execute(update(table).where(*due, *mine).values(state="done", leased_until=None, ended_at=now))


def retry(connection: Connection, job: Job, *, now: datetime, error: str, after: timedelta = timedelta()) -> None:
    """The job will run again later, not before `after`, or waits for a human once it has failed `TRIES_MAX` times."""
    if job.tries + 1 >= TRIES_MAX:
        park(connection, job, now=now, error=error)
        return
    _settle(connection, job, tries=job.tries + 1, due=now + max(back_off(job.tries), after), error=error[:2000])


def park(connection: Connection, job: Job, *, now: datetime, error: str) -> None:
    """The job cannot succeed as it is: it stays visible, out of the way of its lane."""
    _settle(connection, job, state="parked", tries=job.tries + 1, ended_at=now, error=error[:2000])


def _settle(connection: Connection, job: Job, **values: Any) -> None:
    """Write what became of a job; one that ended meanwhile, its lease being over, is left as it ended."""
    mine = and_(table.c.id == job.id, table.c.state == PENDING)
    if job.worker is not None:
        mine = and_(mine, table.c.worker == job.worker)
    connection.execute(update(table).where(mine).values(leased_until=None, **values))


def _first_of_its_lane() -> ColumnElement[bool]:
    """Hold for a job that no earlier one of its lane keeps waiting."""
    earlier = table.alias("earlier")
    blocked = exists().where(earlier.c.lane == table.c.lane, earlier.c.state == PENDING, earlier.c.id < table.c.id)
    return or_(table.c.lane.is_(None), ~blocked)


@cache
def _ready(queues: tuple[str, ...]) -> Query:
    """Select the jobs that may run now."""
    return Query(_waiting(queues))


@cache
def _unlocked(queues: tuple[str, ...]) -> Query:
    """Select the jobs that may run now and that no other process is claiming."""
    return Query(_waiting(queues).with_for_update(skip_locked=True, of=table))


def _waiting(queues: tuple[str, ...]) -> Select[Any]:
    now = bindparam("now", type_=Instant)
    return (
        select(table.c.id, table.c.queue, table.c.key, table.c.payload, table.c.tries, table.c.correlation)
        .where(table.c.state == PENDING, table.c.due <= now, _of(queues))
        .where(table.c.queue.not_in(bindparam("busy", expanding=True)))
        .where(or_(table.c.leased_until.is_(None), table.c.leased_until < now))
        .where(_first_of_its_lane())
        .order_by(table.c.due, table.c.id)
        .limit(bindparam("most", type_=Integer))
    )


def _of(queues: tuple[str, ...]) -> ColumnElement[bool]:
    """Hold for a job of these queues or of one of their parts."""
    return or_(table.c.queue.in_(queues), *(table.c.queue.startswith(f"{queue}:", autoescape=True) for queue in queues))


_THESE = table.c.id.in_(bindparam("ids", expanding=True))
_LEASE = Command(
    update(table).where(_THESE).values(leased_until=bindparam("until", type_=Instant), worker=bindparam("who"))
)
_ENDED = (
    update(table)
    .where(_THESE, table.c.state == PENDING)
    .values(state="done", leased_until=None, ended_at=bindparam("now", type_=Instant))
)
_END, _END_OURS = Command(_ENDED), Command(_ENDED.where(table.c.worker == bindparam("who")))


def back_off(tries: int) -> timedelta:
    """Wait twice as long after each failure, from half a second to an hour."""
    return timedelta(seconds=min(0.5 * 2 ** min(tries, 20), 3600))


def release(connection: Connection, *, worker: str | None = None) -> None:
    """Forget the leases of a process that is gone; of all, when the only process of this store starts."""
    leased: ColumnElement[bool] = table.c.leased_until.is_not(None)
    if worker is not None:
        leased = and_(leased, table.c.worker == worker)
    connection.execute(update(table).where(leased).values(leased_until=None, worker=None))


def waiting(connection: Connection) -> int:
    """Count the jobs not yet done, those planned for later and never tried apart."""
    planned = and_(table.c.tries == 0, table.c.due > table.c.created_at)
    return connection.execute(select(func.count()).where(table.c.state == PENDING, ~planned)).scalar_one()


def parked(connection: Connection) -> int:
    """Count the jobs that wait for a human."""
    return connection.execute(select(func.count()).where(table.c.state == PARKED)).scalar_one()


def next_due(
    connection: Connection, queues: tuple[str, ...], busy: Collection[str] = (), taken: Collection[int] = ()
) -> datetime | None:
    """Tell when the next waiting job may run: when it is due, or when its lease is over, and its lane is free.

    Those `taken` are left out.
    """
    if not queues:
        return None
    rows = _next_due(queues).tuples(connection, busy=list(busy), most=len(taken) + 1)
    return next((due for due, identifier in rows if identifier not in taken), None)


@cache
def _next_due(queues: tuple[str, ...]) -> Query:
    free = func.coalesce(table.c.leased_until, table.c.due, type_=Instant)
    mine = and_(table.c.state == PENDING, _of(queues), table.c.queue.not_in(bindparam("busy", expanding=True)))
    waiting = select(free.label("free"), table.c.id).where(mine, _first_of_its_lane())
    return Query(waiting.order_by(free).limit(bindparam("most", type_=Integer)))
