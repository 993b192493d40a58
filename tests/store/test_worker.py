"""The worker: an effect and the end of its job are one, whatever fails in between, and no time is spent waiting."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, event, select
from sqlalchemy.exc import OperationalError
from tests.store.conftest import on_sqlite

from estafette.store import jobs, worker
from estafette.store.database import Database
from estafette.store.jobs import LEASE, TRIES_MAX, Job
from estafette.store.sequences import draw
from estafette.store.tables import job as table
from estafette.store.tables import sequence
from estafette.store.worker import CONCURRENCY, Apply, Later, Never, Outcome, Worker

# `World` is what the fixture `world` gives: a loop whose time jumps, and the clock that goes with it.
World = Any
Logs = list[MutableMapping[str, Any]]
Act = Callable[[Job], Awaitable[None]]


class Desk:
    """A worker on a store, whose handler does `act`, then counts its effect under the key of the job."""

    def __init__(self, database: Database, world: World) -> None:
        self.database, self.world = database, world
        self.worker = Worker(database, world.clock)
        self.worker.handles("q", self.handle)
        self.act: Act = nothing
        self.attempts: list[tuple[str, datetime]] = []
        self.effects: list[str] = []

    async def handle(self, job: Job) -> Apply:
        """Do the act, then give the effect."""
        self.attempts.append((job.key, self.world.clock()))
        await self.act(job)
        return lambda connection: self.apply(connection, job)

    def apply(self, connection: Connection, job: Job) -> None:
        """The effect is counted."""
        draw(connection, job.key)
        self.effects.append(job.key)

    def ask(self, *keys: str, lane: str | None = None) -> None:
        """The jobs are written and the worker knows it."""
        with self.database.begin() as connection:
            for key in keys:
                jobs.add(connection, queue="q", key=key, payload={}, now=self.world.clock(), lane=lane)
        self.worker.wake()

    def states(self) -> dict[str, str]:
        """Give the state of each job."""
        with self.database.read() as connection:
            return dict(connection.execute(select(table.c.key, table.c.state)).all())

    def effects_kept(self) -> dict[str, int]:
        """Give how many times each effect is in the store."""
        with self.database.read() as connection:
            return dict(connection.execute(select(sequence.c.name, sequence.c.value)).all())

    async def work(self, hours: float) -> None:
        """The worker has run for so long, then was stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.worker.run(), hours * 3600)


async def nothing(_job: Job) -> None:
    """Do nothing, in no time."""


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    """Give what is logged, which goes nowhere else."""
    with structlog.testing.capture_logs() as logs:
        yield logs


@pytest.fixture(params=[True, False], ids=["alone", "leasing"])
def desk(request: pytest.FixtureRequest, database: Database, world: World) -> Desk:
    """Give a worker that has nothing to do yet, alone on its store or leasing what it does."""
    made = Desk(database, world)
    made.worker.is_alone = request.param
    return made


def failing(times: int, fault: Exception) -> Act:
    """Make an act that fails so many times for each job, then works."""
    tried: Counter[str] = Counter()

    async def act(job: Job) -> None:
        tried[job.key] += 1
        if tried[job.key] <= times:
            raise fault

    return act


def test_what_was_asked_is_done_once(desk: Desk, world: World) -> None:
    """Every job has its effect, once, and stays as a trace."""
    desk.ask(*"abcdefghijklmnopqrst")
    world.run(desk.work(hours=1))
    assert desk.states() == dict.fromkeys("abcdefghijklmnopqrst", "done")
    assert desk.effects_kept() == dict.fromkeys("abcdefghijklmnopqrst", 1)


def test_what_comes_while_it_sleeps_is_done_at_once(desk: Desk, world: World) -> None:
    """Woken, the worker does what was written since, without waiting for anything."""

    async def story() -> None:
        running = asyncio.create_task(desk.worker.run())
        for key, pause in (("a", 60), ("b", 7200)):
            await asyncio.sleep(pause)
            desk.ask(key)
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait([running])

    begun = world.clock()
    world.run(story())
    assert [(key, at - begun) for key, at in desk.attempts] == [
        ("a", timedelta(seconds=60)),
        ("b", timedelta(seconds=7260)),
    ]


def test_the_effect_and_the_end_of_the_job_are_one(desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the end of the job, or the effect, cannot be written, neither is; both come with the next attempt."""
    ends, effects = (iter([RuntimeError("killed between two writes")]) for _ in range(2))
    real_end, real_apply = jobs.end, desk.apply

    def end(connection: Connection, done: list[Job], *, now: datetime) -> bool:
        for fault in ends:
            raise fault
        return real_end(connection, done, now=now)

    def apply(connection: Connection, job: Job) -> None:
        real_apply(connection, job)
        for fault in effects:
            raise fault

    monkeypatch.setattr(jobs, "end", end)
    monkeypatch.setattr(desk, "apply", apply)
    desk.ask("a")
    world.run(desk.work(hours=1))
    assert desk.effects == ["a", "a"]
    assert desk.effects_kept() == {"a": 1}
    assert desk.states() == {"a": "done"}


@pytest.mark.parametrize("fault", [Later("peer is down"), ValueError("a bug"), TimeoutError()])
def test_what_fails_is_tried_again(desk: Desk, world: World, fault: Exception) -> None:
    """A job that fails, expectedly or not, is tried again after its back-off until it works."""
    desk.act = failing(3, fault)
    desk.ask("a")
    world.run(desk.work(hours=1))
    waits = [after[1] - before[1] for before, after in zip(desk.attempts, desk.attempts[1:], strict=False)]
    assert waits == pytest.approx([jobs.back_off(tries) for tries in range(3)], abs=timedelta(seconds=0.05))
    assert (desk.states(), desk.effects_kept()) == ({"a": "done"}, {"a": 1})


def test_never_parks_at_the_first_attempt(desk: Desk, world: World) -> None:
    """A job that cannot succeed is not tried again, keeps its reason, and lets its lane go on."""
    desk.act = failing(99, Never("422 unknown address"))
    desk.ask("a", lane="x")
    world.run(desk.work(hours=5))
    desk.act = nothing
    desk.ask("b", lane="x")
    world.run(desk.work(hours=1))
    assert desk.states() == {"a": "parked", "b": "done"}
    assert [key for key, _ in desk.attempts] == ["a", "b"]
    with desk.database.read() as connection:
        assert connection.execute(select(table.c.error).where(table.c.key == "a")).scalar() == "422 unknown address"


def test_what_never_works_is_parked_within_two_days(desk: Desk, world: World) -> None:
    """A job that always fails is tried `TRIES_MAX` times over more than a day and less than two, then parked."""
    desk.act = failing(10**6, Later("peer is gone"))
    desk.ask("a")
    world.run(desk.work(hours=100))
    assert len(desk.attempts) == TRIES_MAX
    assert timedelta(hours=24) < desk.attempts[-1][1] - desk.attempts[0][1] < timedelta(hours=48)
    assert (desk.states(), desk.effects_kept()) == ({"a": "parked"}, {})


def test_a_lane_keeps_its_order_under_failures(desk: Desk, world: World) -> None:
    """Whatever fails and however often, the effects of each lane come in the order the jobs were written."""
    pattern = {"x1": 3, "x2": 0, "x3": 1, "y1": 0, "y2": 2, "y3": 0}

    async def act(job: Job) -> None:
        await asyncio.sleep(0.3 if job.key.startswith("x") else 0.2)
        if pattern[job.key] > job.tries:
            raise Later("not yet")

    desk.act = act
    for lane in "xy":
        desk.ask(*(key for key in pattern if key.startswith(lane)), lane=lane)
    world.run(desk.work(hours=1))
    assert [key for key in desk.effects if key.startswith("x")] == ["x1", "x2", "x3"]
    assert [key for key in desk.effects if key.startswith("y")] == ["y1", "y2", "y3"]
    assert desk.effects.index("y3") < desk.effects.index("x1"), "a failing lane does not hold another"


def test_so_many_at_once_and_no_more(desk: Desk, world: World) -> None:
    """The worker runs several jobs at once, up to its concurrency."""
    running: set[str] = set()
    most = 0

    async def act(job: Job) -> None:
        nonlocal most
        running.add(job.key)
        most = max(most, len(running))
        await asyncio.sleep(1)
        running.discard(job.key)

    desk.act = act
    begun = world.clock()
    desk.ask(*(str(number) for number in range(3 * CONCURRENCY)))
    world.run(desk.work(hours=1))
    assert most == CONCURRENCY
    assert {at - begun for _, at in desk.attempts} == {timedelta(seconds=second) for second in range(3)}


def test_stopped_half_way_then_started_is_one_effect(desk: Desk, world: World) -> None:
    """A job under way when the worker is stopped is done by the next one, from its start, with one effect."""

    async def slowly(_job: Job) -> None:
        await asyncio.sleep(100)

    desk.act = slowly
    desk.ask("a")
    world.run(desk.work(hours=50 / 3600))
    assert (desk.states(), desk.effects_kept()) == ({"a": "pending"}, {})
    desk.act = nothing
    again = world.clock()
    world.run(desk.work(hours=1))
    assert [key for key, _ in desk.attempts] == ["a", "a"]
    assert desk.attempts[-1][1] == again, "the lease of the dead is not waited for"
    assert (desk.states(), desk.effects_kept()) == ({"a": "done"}, {"a": 1})


def test_stopped_as_the_bell_rings_it_stops(desk: Desk, world: World) -> None:
    """Woken and stopped in the same instant, a worker that was waiting for a later job does stop."""
    desk.act = failing(1, Later("not yet"))

    async def story() -> None:
        running = asyncio.create_task(desk.worker.run())
        desk.ask("a")
        await asyncio.sleep(0.2)
        desk.worker.wake()
        running.cancel()
        _, still = await asyncio.wait([running], timeout=10)
        assert not still

    world.run(story())


def test_stopped_anywhere_is_one_effect(new_store: Callable[[], Database], world: World) -> None:
    """At whatever moment the worker is stopped, starting it again until all is done leaves one effect of each job."""
    desk = Desk(new_store(), world)

    async def act(job: Job) -> None:
        for _ in range(int(job.key)):
            await asyncio.sleep(0.1)
        if job.tries < 2:
            raise Later("not yet")

    desk.act = act
    desk.ask(*"12345", lane="x")
    desk.ask(*"6789")
    for step in range(400):
        world.run(desk.work(hours=0.05 * (1 + step % 37) / 3600))
        if set(desk.states().values()) == {"done"}:
            break
    assert desk.states() == dict.fromkeys("123456789", "done")
    assert desk.effects_kept() == dict.fromkeys("123456789", 1)
    assert len(desk.attempts) > 27, "some attempt was cut short"
    desk.database.close()


def test_only_its_own_queues(desk: Desk, world: World) -> None:
    """Jobs of a queue that nobody handles stay for whoever will."""
    with desk.database.begin() as connection:
        jobs.add(connection, queue="foreign", key="f", payload={}, now=world.clock())
    desk.ask("a")
    world.run(desk.work(hours=1))
    assert desk.states() == {"a": "done", "f": "pending"}


def test_a_waiting_lane_does_not_keep_the_worker_busy(desk: Desk, world: World) -> None:
    """While a lane waits for its first job to be due again, the store is not asked again and again."""
    claims = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda _c, _cu, statement, *_: claims.append(statement))
    desk.act = failing(10**6, Later("peer is down"))
    desk.ask("a", "b", "c", lane="x")
    world.run(desk.work(hours=24))
    assert 20 < len(desk.attempts) < 40
    assert len(claims) < 20 * len(desk.attempts)


def test_a_store_that_fails_for_a_while_is_tried_again(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a file that another program holds, stops the work for the time it lasts and no longer."""
    asked = "ready" if desk.worker.is_alone else "claim"
    real, until = getattr(jobs, asked), world.clock() + timedelta(minutes=5)

    def failing(*arguments: Any, now: datetime, **others: Any) -> list[Job]:
        if now < until:
            raise OperationalError("UPDATE job", {}, Exception("database or disk is full"))
        found: list[Job] = real(*arguments, now=now, **others)
        return found

    monkeypatch.setattr(jobs, asked, failing)
    desk.ask("a")
    world.run(desk.work(hours=1))
    assert desk.states() == {"a": "done"}
    assert until <= desk.attempts[0][1] < until + timedelta(seconds=2 * worker.PAUSE)


def test_an_outcome_that_cannot_be_written_is_not_the_end(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch, logs: Logs
) -> None:
    """When even the failure of a job cannot be written, the job runs again once its lease is over, and it is said."""
    faults = iter([OperationalError("UPDATE job", {}, Exception("disk is full"))])
    real = jobs.retry

    def retry(*arguments: Any, **others: Any) -> None:
        for fault in faults:
            raise fault
        real(*arguments, **others)

    monkeypatch.setattr(jobs, "retry", retry)
    desk.act = failing(1, Later("not yet"))
    desk.ask("a")
    world.run(desk.work(hours=1))
    assert desk.states() == {"a": "done"}
    assert desk.attempts[1][1] - desk.attempts[0][1] == pytest.approx(LEASE, abs=timedelta(seconds=0.1))
    assert "job.unsettled" in {entry["event"] for entry in logs}


@pytest.mark.parametrize(
    ("fault", "said"), [(Never("x"), "job.parked"), (Later("x"), "job.later"), (KeyError("x"), "job.failed")]
)
def test_what_fails_is_said(desk: Desk, world: World, logs: Logs, fault: Exception, said: str) -> None:
    """Each kind of failure is logged under its own name, with the key of the job."""
    desk.act = failing(1, fault)
    desk.ask("a")
    world.run(desk.work(hours=1))
    assert [(entry["event"], entry["key"]) for entry in logs if entry["event"] != "job.done"] == [(said, "a")]


def test_what_waits_is_worked_together(desk: Desk, world: World) -> None:
    """Jobs of a queue worked together come as one batch; what comes meanwhile makes the next one."""
    batches: list[list[str]] = []

    async def together(batch: list[Job]) -> Outcome:
        batches.append([job.key for job in batch])
        if len(batches) == 1:
            desk.ask("d", "e")
            await asyncio.sleep(1)
        return Outcome(lambda connection: [desk.apply(connection, job) for job in batch] and None)

    desk.worker.handles_together("q", together)
    desk.ask(*"abc")
    world.run(desk.work(hours=1))
    assert batches == [["a", "b", "c"], ["d", "e"]]
    assert desk.states() == dict.fromkeys("abcde", "done")


def test_a_queue_that_rests_takes_together_what_comes_meanwhile(desk: Desk, world: World) -> None:
    """The first job waits for nobody; those after it go together once the rest is over."""
    batches: list[tuple[float, list[str]]] = []
    began = world.clock()

    async def together(batch: list[Job]) -> Outcome:
        batches.append(((world.clock() - began).total_seconds(), [job.key for job in batch]))
        return Outcome(lambda connection: [desk.apply(connection, job) for job in batch] and None)

    async def ask() -> None:
        for key in "abc":
            desk.ask(key)
            await asyncio.sleep(10)

    async def both() -> None:
        await asyncio.gather(desk.work(hours=1), ask())

    desk.worker.handles_together("q", together, rest_s=25)
    world.run(both())
    assert [keys for _, keys in batches] == [["a"], ["b", "c"]]
    first, second = (at for at, _ in batches)
    assert first < 10
    assert 25 <= second < 26
    assert desk.states() == dict.fromkeys("abc", "done")


def test_trouble_stays_with_the_job_that_has_it(desk: Desk, world: World) -> None:
    """A batch that fails is done again one by one: only the guilty job is put off, and each effect is kept once."""

    async def together(batch: list[Job]) -> Outcome:
        if len(batch) == 1 and batch[0].key == "b":
            raise Never("b cannot be")
        return Outcome(lambda connection: apply(connection, batch))

    def apply(connection: Connection, batch: list[Job]) -> None:
        for job in batch:
            desk.apply(connection, job)
            if job.key == "b":
                raise ValueError("a bug")

    desk.worker.handles_together("q", together)
    desk.ask(*"abc")
    world.run(desk.work(hours=1))
    assert desk.states() == {"a": "done", "b": "parked", "c": "done"}
    assert desk.effects_kept() == {"a": 1, "c": 1}


def test_a_batch_may_be_done_in_part(desk: Desk, world: World) -> None:
    """The handler says which jobs are put off, and why; the others are done."""

    async def together(batch: list[Job]) -> Outcome:
        late = {job.id: Later("peer is down") for job in batch if job.key == "b" and job.tries < 2}
        return Outcome(lambda c: [desk.apply(c, job) for job in batch if job.id not in late] and None, late)

    desk.worker.handles_together("q", together)
    desk.ask(*"abc")
    world.run(desk.work(hours=1))
    assert desk.states() == dict.fromkeys("abc", "done")
    assert desk.effects_kept() == {"a": 1, "b": 1, "c": 1}


def test_what_is_done_stays_done_when_the_rest_cannot_be_put_off(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails just as a part of a batch is put off: what was written before is not written again."""
    real, left = jobs.retry, iter(range(1))

    def retry(*arguments: Any, **named: Any) -> None:
        if next(left, None) is not None:
            raise OperationalError("UPDATE job", None, Exception("disk I/O error"))
        real(*arguments, **named)

    async def one(job: Job) -> Apply:
        if job.key == "b" and job.tries < 1:
            raise Later("peer is down")
        return lambda connection: desk.apply(connection, job)

    monkeypatch.setattr(jobs, "retry", retry)
    desk.worker.handles_together("q", worker.together(one))
    desk.ask(*"abc")
    world.run(desk.work(hours=1))
    assert desk.states() == dict.fromkeys("abc", "done")
    assert desk.effects_kept() == dict.fromkeys("abc", 1)


@on_sqlite
def test_work_that_lasts_is_not_work_that_is_forgotten(desk: Desk, world: World) -> None:
    """A job under way for long, alone, is not one that nobody looks for: in a file it has no lease to say so."""

    async def last(_job: Job) -> None:
        await asyncio.sleep(300)

    desk.act = last
    desk.ask("a")

    async def story() -> None:
        working = asyncio.create_task(desk.worker.run())
        await asyncio.sleep(200)
        assert not desk.worker.is_stuck(timedelta(minutes=1))
        working.cancel()
        await asyncio.wait([working])

    world.run(story())


def test_a_rest_that_cannot_be_told_is_short(desk: Desk, world: World, logs: Logs) -> None:
    """The store fails when it is asked how long to rest: what was done is done, what follows is done after a moment."""

    def rest() -> float:
        raise OperationalError("SELECT", {}, Exception("the server is gone"))

    done: list[str] = []

    async def act(batch: list[Job]) -> worker.Outcome:
        done.extend(job.key for job in batch)
        return worker.Outcome(lambda _connection: None)

    desk.worker.handles_together("q", act, rest_s=rest)
    desk.ask("a")

    async def story() -> None:
        working = asyncio.create_task(desk.worker.run())
        await asyncio.sleep(1)
        desk.ask("b")
        desk.worker.wake()
        await asyncio.sleep(2 * worker.PAUSE)
        working.cancel()
        await asyncio.wait([working])

    world.run(story())
    assert done == ["a", "b"]
    assert "worker.paused" in {entry["event"] for entry in logs}
