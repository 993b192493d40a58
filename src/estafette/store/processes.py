"""The processes that share a store, each seen every few seconds; the work of one that is not seen any more is freed.

A process enters under a name of its own, says that it is there (`beat`), and leaves. Whoever beats takes off those that
have been silent for `GONE_AFTER` and gives back what they had leased: work of a process that was killed waits so long
and no longer. One that was only slow does no harm: what it took is no longer its own, and it finds that out before it
commits (`jobs.end`). The eldest that takes jobs is the first: it makes the rounds, and nobody else.

Moments are given by each process's clock: clocks of several machines agree to a second or two, as NTP keeps them.
"""

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from estafette.store import jobs
from estafette.store.tables import process

BEAT_S = 2.0
"""Seconds between two signs of life."""

GONE_AFTER = timedelta(seconds=10)
"""The silence after which a process is taken for dead: five signs missed (ours)."""

WORKING = ("all", "worker")
"""The roles that take jobs."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a process learns when it says that it is there: among others, how many more take jobs."""

    is_first: bool
    others: int
    gone: tuple[str, ...]
    rivals: int = 0


def new_name() -> str:
    """Return the name of a process that starts."""
    return str(uuid4())


def beat(connection: Connection, name: str, role: str, *, now: datetime) -> Beat:
    """The process is there; those that are not seen any more are not, and what they had leased is free."""
    seen = update(process).where(process.c.id == name).values(seen_at=now)
    if not connection.execute(seen).rowcount:
        row = {"id": name, "role": role, "host": socket.gethostname()[:255], "started_at": now, "seen_at": now}
        connection.execute(insert(process).values(row))
    silent = select(process.c.id).where(process.c.seen_at < now - GONE_AFTER)
    gone = tuple(connection.execute(silent).scalars())
    for one in gone:
        leave(connection, one)
    there = present(connection)
    workers = [one["id"] for one in there if one["role"] in WORKING]
    return Beat(workers[:1] == [name], len(there) - 1, gone, len({*workers} - {name}))


def leave(connection: Connection, name: str) -> None:
    """The process is gone, and what it had leased is free."""
    jobs.release(connection, worker=name)
    connection.execute(delete(process).where(process.c.id == name))


def present(connection: Connection) -> list[RowMapping]:
    """Return the processes that are there, the eldest first."""
    return list(connection.execute(select(process).order_by(process.c.started_at, process.c.id)).mappings())
