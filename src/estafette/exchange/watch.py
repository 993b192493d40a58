"""What is wrong with an actor's exchanges, seen in its jobs: who cannot be reached, what waits for a human.

`waiting` tells what waits for whom, since when, and the last error; `conditions` makes alarms of what has lasted. The
verbs `retry`, `retry_all` and `park` are the operator's: a job, or all of a queue that were set aside, tried again now;
a job set aside.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select, update

from estafette.exchange.post import QUEUE
from estafette.exchange.rounds import Visit
from estafette.store.alarms import Condition, Watch, reconcile
from estafette.store.database import Database
from estafette.store.jobs import PARKED, PENDING
from estafette.store.tables import job

UNREACHABLE_AFTER = timedelta(minutes=15)
"""How long a peer may not answer before someone is told (ours): a restart passes unseen, a night does not."""

READ_MAX, ERROR_MAX = 20_000, 300
"""Waiting jobs looked at, and characters of an error shown (our bounds)."""

OVERDUE_AFTER = timedelta(minutes=15)
"""How long our own work may fail before someone is told."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of one queue for one recipient: how many, since when, how often the first was tried, its last error."""

    queue: str
    recipient: str
    count: int
    since: datetime
    tries: int
    error: str

    def row(self) -> dict[str, Any]:
        """Return it as the operator's service tells it."""
        return {
            "queue": self.queue,
            "recipient": self.recipient,
            "count": self.count,
            "since": self.since.isoformat(),
            "tries": self.tries,
            "error": self.error,
        }


def waiting(connection: Connection, now: datetime) -> list[Waiting]:
    """Return what is not done yet, by queue and recipient, what has waited longest first.

    The oldest jobs are read, READ_MAX at most: past it a count is at least what it says. What is scheduled for later
    and was never tried waits for nobody.
    """
    begun = or_(job.c.due <= now, job.c.tries > 0)
    columns = (job.c.queue, job.c.key, job.c.created_at, job.c.tries, job.c.error)
    oldest = select(*columns).where(job.c.state == PENDING, begun).order_by(job.c.id).limit(READ_MAX)
    groups: dict[tuple[str, str], Waiting] = {}
    for queue, key, since, tries, error in connection.execute(oldest):
        kind, recipient = queue.partition(":")[0], key.split(":")[1] if queue.startswith(QUEUE) else ""
        first = groups.get((kind, recipient)) or Waiting(kind, recipient, 0, since, tries, (error or "")[:ERROR_MAX])
        groups[kind, recipient] = replace(first, count=first.count + 1)
    return sorted(groups.values(), key=lambda one: one.since)


def jobs_of(connection: Connection, state: str, *, after: int = 0, limit: int = 100) -> list[RowMapping]:
    """Return jobs in a state (`pending`, `parked`), by their number, from the one after `after`."""
    mine = job.c.state == {"pending": PENDING, "parked": PARKED}[state]
    query = select(job).where(mine, job.c.id > after).order_by(job.c.id).limit(limit)
    return list(connection.execute(query).mappings())


def retry(connection: Connection, number: int, *, now: datetime) -> bool:
    """A job that waits or was parked is due now, its tries forgotten; False when there is none such."""
    mine = (job.c.id == number, job.c.state.in_(("pending", "parked")))
    return bool(connection.execute(update(job).where(*mine).values(_again(now))).rowcount)


def retry_all(connection: Connection, queue: str, *, now: datetime) -> int:
    """Every job of a queue that was parked is due now, its tries forgotten; returns how many there were."""
    mine = (job.c.queue == queue, job.c.state == PARKED)
    return connection.execute(update(job).where(*mine).values(_again(now))).rowcount


def _again(now: datetime) -> dict[str, Any]:
    return {"state": "pending", "due": now, "tries": 0, "leased_until": None, "ended_at": None}


def park(connection: Connection, number: int, *, now: datetime, error: str) -> bool:
    """A job that waits is set aside, out of the way of its lane; False when none such waits."""
    mine = (job.c.id == number, job.c.state == "pending")
    aside = {"state": "parked", "ended_at": now, "leased_until": None, "error": error[:2000]}
    return bool(connection.execute(update(job).where(*mine).values(aside)).rowcount)


def parked(connection: Connection) -> list[tuple[str, int, datetime]]:
    """Return how many jobs of each queue were set aside, and since when."""
    columns = (job.c.queue, func.count(), func.min(job.c.ended_at))
    query = select(*columns).where(job.c.state == PARKED).group_by(job.c.queue).order_by(job.c.queue)
    return [(queue, count, since) for queue, count, since in connection.execute(query)]


def conditions(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Give what has lasted: a peer that does not take what is sent, work that fails again and again, parked jobs."""
    for one in waiting(connection, now):
        since, said = one.since, one.error or "…"
        if one.tries and one.recipient and now - since > UNREACHABLE_AFTER:
            yield Condition(
                "peer", one.recipient, since,
                f"{one.recipient} ne prend plus ce qu'on lui envoie : {one.count} message(s) en attente. {said}",
                f"{one.recipient} does not take what it is sent: {one.count} message(s) waiting. {said}",
            )  # fmt: skip
        elif one.tries and not one.recipient and now - since > OVERDUE_AFTER:
            yield Condition(
                "work", one.queue, since,
                f"Le travail « {one.queue} » échoue : {one.count} en attente. {said}",
                f"The work '{one.queue}' fails: {one.count} waiting. {said}",
            )  # fmt: skip
    for queue, count, since in parked(connection):
        yield Condition(
            "parked", queue, since,
            f"{count} travail(aux) « {queue} » mis de côté : corrigez la cause, puis relancez-les.",
            f"{count} job(s) '{queue}' set aside: mend the cause, then run them again.",
        )  # fmt: skip


def round_of(database: Database, watches: Iterable[Watch], clock: Callable[[], datetime]) -> Visit:
    """Return the visit that keeps the alarms of an actor true to what is wrong with it now."""
    looking = tuple(watches)

    def seen(now: datetime) -> list[Condition]:
        with database.read() as connection:
            return [condition for watch in looking for condition in watch(connection, now)]

    async def look() -> None:
        now = clock()
        found = await database.away(lambda: seen(now))
        await database.write(lambda connection: reconcile(connection, found, now=now))

    return look
