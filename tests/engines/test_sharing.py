"""Several processes on one store: who is there, who makes the rounds, what becomes of the work of one that died."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from tests.running import free_ports
from tests.store.conftest import EPOCH, World, new_postgresql_store, world

from estafette.circuit.operators import operator_token
from estafette.exchange.keys import load_key
from estafette.exchange.presence import Presence
from estafette.exchange.rounds import Rounds
from estafette.store import jobs, processes
from estafette.store.database import Database, open_database
from estafette.store.processes import GONE_AFTER, beat
from estafette.store.sequences import draw
from estafette.store.tables import job, sequence
from estafette.store.worker import Apply, Worker

__all__ = ["new_postgresql_store", "world"]

LATE = EPOCH + GONE_AFTER + timedelta(seconds=1)


@pytest.fixture
def database(new_postgresql_store: Callable[[], Database]) -> Iterator[Database]:
    """Give an empty store on a server."""
    made = new_postgresql_store()
    yield made
    made.close()


def add(connection: Connection, *keys: str) -> None:
    """These pieces of work are to be done."""
    for key in keys:
        jobs.add(connection, queue="q", key=key, payload={}, now=EPOCH)


def test_the_work_of_a_silent_process_is_given_back(database: Database) -> None:
    """What one had claimed is nobody's once it has been silent too long, and not before."""
    with database.begin() as connection:
        add(connection, "a", "b")
        beat(connection, "one", "worker", now=EPOCH)
        assert len(jobs.claim(connection, queues=("q",), now=EPOCH, limit=1, worker="one")) == 1
    with database.begin() as connection:
        assert beat(connection, "two", "worker", now=LATE - timedelta(seconds=2)).gone == ()
        assert [one.key for one in jobs.claim(connection, queues=("q",), now=LATE, limit=9, worker="two")] == ["b"]
    with database.begin() as connection:
        assert beat(connection, "two", "worker", now=LATE).gone == ("one",)
        assert [one.key for one in jobs.claim(connection, queues=("q",), now=LATE, limit=9, worker="two")] == ["a"]


def test_one_that_leaves_gives_back_at_once(database: Database) -> None:
    """A process that stops as it should keeps nobody waiting."""
    with database.begin() as connection:
        add(connection, "a")
        beat(connection, "one", "worker", now=EPOCH)
        jobs.claim(connection, queues=("q",), now=EPOCH, limit=1, worker="one")
        processes.leave(connection, "one")
        assert len(jobs.claim(connection, queues=("q",), now=EPOCH, limit=1, worker="two")) == 1
        assert processes.present(connection) == []


def test_the_first_is_the_eldest_that_works(database: Database) -> None:
    """Rounds are for one process: never one that only serves, and the next in age when the first is gone."""
    with database.begin() as connection:
        assert not beat(connection, "api", "api", now=EPOCH).is_first
        assert beat(connection, "elder", "worker", now=EPOCH + timedelta(seconds=1)).is_first
        younger = beat(connection, "younger", "all", now=EPOCH + timedelta(seconds=2))
        assert (younger.is_first, younger.others, younger.rivals) == (False, 2, 1)
        assert beat(connection, "younger", "all", now=LATE + timedelta(seconds=2)).is_first


def test_one_taken_for_dead_writes_nothing(database: Database, world: World) -> None:
    """A process that was only slow finds its work taken over, and what it prepared is not written a second time."""
    slow, quick = asyncio.Event(), asyncio.Event()

    def worker_of(name: str, held: asyncio.Event) -> Worker:
        async def handle(_job: jobs.Job) -> Apply:
            await held.wait()
            return lambda connection: draw(connection, "effect")

        worker = Worker(database, world.clock)
        worker.name = name
        worker.rest_s = 0.1
        worker.handles("q", handle)
        return worker

    async def story() -> None:
        with database.begin() as connection:
            add(connection, "a")
        first = asyncio.create_task(worker_of("one", slow).run())
        await asyncio.sleep(1)
        with database.begin() as connection:
            processes.leave(connection, "one")
        quick.set()
        second = asyncio.create_task(worker_of("two", quick).run())
        await asyncio.sleep(1)
        slow.set()
        await asyncio.sleep(1)
        for task in (first, second):
            task.cancel()
        await asyncio.wait([first, second])

    world.run(story())
    with database.read() as connection:
        assert connection.execute(select(sequence.c.value)).scalar_one() == 1
        assert connection.execute(select(job.c.state, job.c.worker)).one() == ("done", "two")


def test_two_that_both_take_themselves_for_alone_do_each_work_once(database: Database, world: World) -> None:
    """Nothing is leased then: both do the same, and only what the first to end it has written stays."""
    held = asyncio.Event()
    prepared: list[str] = []

    def worker_of(name: str) -> Worker:
        async def handle(one: jobs.Job) -> Apply:
            prepared.append(one.key)
            await held.wait()
            return lambda connection: draw(connection, "effect")

        worker = Worker(database, world.clock)
        worker.name, worker.is_alone, worker.rest_s = name, True, 0.1
        worker.handles("q", handle)
        return worker

    async def story() -> None:
        with database.begin() as connection:
            add(connection, "a", "b")
        tasks = [asyncio.create_task(worker_of(name).run()) for name in ("one", "two")]
        await asyncio.sleep(1)
        assert sorted(prepared) == ["a", "a", "b", "b"]
        held.set()
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    world.run(story())
    with database.read() as connection:
        assert connection.execute(select(sequence.c.value)).scalar_one() == 2


def test_two_workers_share_the_work(database: Database, world: World) -> None:
    """Each piece of work is done once, whoever does it; what a neighbour writes is seen without a bell."""
    done: list[str] = []

    def worker_of(name: str) -> Worker:
        async def handle(one: jobs.Job) -> Apply:
            await asyncio.sleep(0.01)
            return lambda _connection: done.append(one.key)

        worker = Worker(database, world.clock, concurrency=2)
        worker.name, worker.rest_s = name, 0.1
        worker.handles("q", handle)
        return worker

    async def story() -> None:
        tasks = [asyncio.create_task(worker_of(name).run()) for name in ("one", "two")]
        for number in range(20):
            with database.begin() as connection:
                add(connection, f"{number}a", f"{number}b")
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    world.run(story())
    assert sorted(done) == sorted(f"{number}{letter}" for number in range(20) for letter in "ab")


def test_presence_says_who_is_there_and_goes(database: Database, world: World) -> None:
    """A process beats while it lives, knows whether it is alone, and leaves no trace when it stops."""

    async def story() -> None:
        workers = [Worker(database, world.clock) for _ in range(2)]
        one, two = (Presence(database, worker, world.clock, "all") for worker in workers)
        one.start()
        assert one.is_first
        assert (workers[0].rest_s, workers[0].is_alone) == (None, True)
        await asyncio.sleep(1)
        two.start()
        await asyncio.sleep(60)
        assert (one.is_first, two.is_first) == (True, False)
        assert workers[0].rest_s is not None
        assert [worker.is_alone for worker in workers] == [False, False]
        await one.stop()
        await asyncio.sleep(3)
        assert two.is_first
        assert (workers[1].rest_s, workers[1].is_alone) == (None, True)
        await two.stop()

    world.run(story())
    with database.read() as connection:
        assert processes.present(connection) == []


def test_one_that_cannot_say_that_it_lives_is_first_no_more(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its beats are not heard for as long as makes it dead for the others, it makes no rounds."""

    async def story() -> None:
        one = Presence(database, Worker(database, world.clock), world.clock, "all")
        one.start()
        monkeypatch.setattr(processes, "BEAT_S", 3600.0)
        await asyncio.sleep(GONE_AFTER.total_seconds() + 3)
        assert not one.is_first
        await one.stop()

    world.run(story())


def test_a_file_is_one_process_and_says_nothing(tmp_path: Path, world: World) -> None:
    """On a file nobody beats: its process is alone, and the first."""
    database = open_database(tmp_path / "records.sqlite", ("shared",), threaded=False)

    async def story() -> None:
        one = Presence(database, Worker(database, world.clock), world.clock, "all")
        one.start()
        assert one.is_first
        await one.stop()

    world.run(story())
    with database.read() as connection:
        assert processes.present(connection) == []
    database.close()


def test_rounds_are_made_while_they_are_ours(world: World) -> None:
    """Visits are made by the first only, and what a visit opened is closed when another becomes it."""
    seen: list[str] = []
    mine = [False]

    async def visit() -> None:
        seen.append("visit")

    async def close() -> None:
        seen.append("close")

    async def story() -> None:
        rounds = Rounds()
        rounds.every(1, visit)
        rounds.ending(close)
        rounds.start(lambda: mine[0])
        await asyncio.sleep(5)
        mine[0] = True
        await asyncio.sleep(1)
        mine[0] = False
        await asyncio.sleep(5)
        assert seen == ["visit", "close"]
        await rounds.stop()

    world.run(story())


def test_processes_that_start_at_once_have_one_key_and_one_token(tmp_path: Path) -> None:
    """Whoever comes first makes the secret, and the others read that."""
    with ThreadPoolExecutor(8) as several:
        keys = set(several.map(lambda _n: load_key(tmp_path / "key.pem").private_bytes_raw(), range(8)))
        tokens = set(several.map(lambda _n: operator_token(tmp_path), range(8)))
    assert (len(keys), len(tokens)) == (1, 1)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["key.pem", "operator.token"]


@pytest.mark.parametrize("asked", [("--role", "worker"), ("--workers", "2")])
def test_a_file_is_refused_to_several(tmp_path: Path, asked: tuple[str, str]) -> None:
    """Several processes on a SQLite file: one clear line, exit code 2, nothing touched."""
    command = [sys.executable, "-m", "estafette", "up", "--data", str(tmp_path / "data"), "--only", "platform-a"]
    command += ["--port", str(free_ports(30)), *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "PostgreSQL" in line
    assert not (tmp_path / "data").exists()
