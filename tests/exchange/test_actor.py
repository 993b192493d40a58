"""An actor is its folder: opened again it is the same, stopped it leaves nothing undone for ever."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from tests import postgresql as cluster

from estafette.exchange.actor import Actor, open_actor
from estafette.store import jobs
from estafette.store.database import NewerData
from estafette.store.jobs import Job
from estafette.store.sequences import draw

Run = Callable[[Coroutine[Any, Any, None]], None]


DATABASES: dict[Path, str] = {}
"""The database of each folder, where this run is on PostgreSQL."""


def opened(folder: Path) -> Actor:
    """Open an actor in this folder."""
    if (cluster.ENGINE == "postgresql") and folder not in DATABASES:
        DATABASES[folder] = cluster.empty_database()
    records = cluster.shared().url(DATABASES[folder]) if (cluster.ENGINE == "postgresql") else None
    time = datetime(2026, 9, 1, tzinfo=UTC)
    return open_actor("platform-x", "0042", folder, branches=("shared",), clock=lambda: time, records=records)


def asked(actor: Actor, key: str) -> None:
    """A job is written."""
    with actor.database.begin() as connection:
        jobs.add(connection, queue="q", key=key, payload={}, now=actor.clock())


def waiting(actor: Actor) -> int:
    """Count the jobs not done."""
    with actor.database.read() as connection:
        return jobs.waiting(connection)


def test_opened_again_it_is_the_same(tmp_path: Path) -> None:
    """Its key, its documents and its records are those of its folder, made the first time."""
    first = opened(tmp_path / "not" / "yet")
    name = first.documents.put(b"<Invoice/>")
    asked(first, "a")
    first.database.close()
    again = opened(tmp_path / "not" / "yet")
    assert (again.public_key, again.documents.get(name), waiting(again)) == (first.public_key, b"<Invoice/>", 1)
    again.database.close()
    other = opened(tmp_path / "other")
    assert other.public_key != first.public_key
    other.database.close()


def test_started_it_works_and_stopped_it_rests(tmp_path: Path, run: Run) -> None:
    """Started, it does what is written; stopped in the middle, the rest waits for the next start, and is done then."""
    done: list[str] = []

    async def once(*, hangs: bool) -> None:
        actor, reached = opened(tmp_path), asyncio.Event()

        async def handle(job: Job) -> Callable[[Connection], None]:
            if hangs and job.key == "b":
                reached.set()
                await asyncio.sleep(3600)

            def apply(connection: Connection) -> None:
                draw(connection, job.key)
                done.append(job.key)
                if job.key == "b":
                    reached.set()

            return apply

        actor.worker.handles("q", handle)
        for key in "ab":
            asked(actor, key)
        actor.start()
        await reached.wait()
        await actor.stop()

    run(once(hangs=True))
    assert done == ["a"]
    run(once(hangs=False))
    assert done == ["a", "b"]


def test_data_of_a_newer_version_are_not_opened(tmp_path: Path) -> None:
    """An actor whose records a newer version wrote is not opened, and its records are left as they are."""
    actor = opened(tmp_path)
    with actor.database.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('shared0099')")
    actor.database.close()
    before = {file.name: file.read_bytes() for file in tmp_path.glob("records.sqlite")}
    with pytest.raises(NewerData, match="shared0099"):
        opened(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.glob("records.sqlite")} == before
