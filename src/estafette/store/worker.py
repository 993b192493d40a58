"""The worker of one actor: takes jobs, prepares their effect outside any transaction, applies it inside one.

A handler is given a job, or a batch of jobs of one queue, and returns what to write; the write and the end of the jobs
are one transaction. Whatever dies in between is done again from the start, and every write is idempotent by key.

A queue worked together has one batch under way: what comes meanwhile makes the next, so batches grow with the load and
a lone job never waits for company. After a batch the queue rests for a moment, where that was asked: what comes then
goes together. A batch that fails is done again job by job: trouble stays with the one that has it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from estafette.store import correlation, gathered, jobs
from estafette.store.database import Database
from estafette.store.jobs import Job

Apply = Callable[[Connection], None]
Ahead = Callable[[Connection, Sequence[Job]], None]
Read = TypeVar("Read")

PAUSE = 1.0
"""Seconds before looking again when the store itself fails."""

log = structlog.get_logger()

LOOK_S = 0.01
"""Seconds between two looks for work while there is some: what comes meanwhile is found at once."""

BUSY_LOOK_S = 0.1
"""Seconds between two looks while some work is under way: what is due meanwhile is not looked up, only looked for."""

PART = 8
"""Jobs of a batch that are written together, where each can be written by itself; more, where each is soon written."""

CONCURRENCY = 32
"""Jobs worked one by one under way at once in one store: as many share a commit."""

TOGETHER_MAX = 64
"""Jobs in a batch: enough that what a batch costs is shared, few enough that nobody waits long for the others."""


class Later(Exception):
    """The job cannot succeed now; it is tried again after a while, `after` at least where it is known."""

    def __init__(self, reason: str = "", *, after: timedelta = timedelta()) -> None:
        super().__init__(reason)
        self.after = after


class Never(Exception):
    """The job cannot succeed as it is; it is parked and shown."""


class Lost(Exception):
    """The jobs were taken over by another process, which took this one for dead: what was prepared is not written."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch comes to: what to write for the jobs that are done, and by its id why each other is not.

    With `parts`, what to write for each job by itself: it is written `part` jobs at a time, so that nobody who asks the
    writer for something waits for the whole batch. `ahead` is called before each few: it asks the store at once
    what their parts will each ask.
    """

    apply: Apply
    put_off: Mapping[int, Later | Never] = field(default_factory=dict)
    parts: Mapping[int, Apply] = field(default_factory=dict)
    ahead: Ahead | None = None
    part: int = PART


Handler = Callable[[Job], Awaitable[Apply]]
Together = Callable[[list[Job]], Awaitable[Outcome]]


def together(handler: Handler, ahead: Ahead | None = None, *, part: int = PART) -> Together:
    """Return what prepares each job of a batch with the handler, all at once, then writes their effects in order.

    A job put off by its preparation is put off alone. `ahead`, `part`: see `Outcome`.
    """

    async def all_of(batch: list[Job]) -> Outcome:
        prepared = await asyncio.gather(*(_prepared(handler, job) for job in batch), return_exceptions=True)
        put_off: dict[int, Later | Never] = {}
        effects: dict[int, Apply] = {}
        for job, effect in zip(batch, prepared, strict=True):
            if isinstance(effect, Later | Never):
                put_off[job.id] = effect
            elif isinstance(effect, BaseException):
                raise effect
            else:
                effects[job.id] = effect
        return Outcome(nothing, put_off, effects, ahead, part)

    return all_of


async def _prepared(handler: Handler, job: Job) -> Apply:
    with correlation.bound(job.correlation):
        return await handler(job)


def nothing(_connection: Connection) -> None:
    """There is nothing to write, or all of it is in the parts."""


def _apply(effects: list[tuple[Job, Apply]], connection: Connection, ahead: Ahead | None) -> None:
    if ahead is not None:
        ahead(connection, [job for job, _ in effects])
    for job, effect in effects:
        with correlation.bound(job.correlation):
            effect(connection)
    gathered.look_no_further(connection)


class Worker:
    """Runs the jobs of one store, several at once, until stopped."""

    def __init__(self, database: Database, clock: Callable[[], datetime], *, concurrency: int = CONCURRENCY) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[str, Together] = {}
        self._alone: set[str] = set()
        self._concurrency = concurrency
        self._room = asyncio.Semaphore(concurrency)
        self._running: dict[asyncio.Task[None], list[Job]] = {}
        self._taken: set[int] = set()
        """What it does: that is all there is to know where no other process may do it."""
        self._rests: dict[str, float | Callable[[], float]] = {}
        self._resting: set[str] = set()
        self._bell = asyncio.Event()
        self._looked: datetime | None = None
        self.name: str | None = None
        """Who it is among the workers of a shared store."""
        self.is_alone = not database.is_shared
        """Whether no other process is known to take jobs: then nothing is leased. One that came meanwhile does no harm:
        of two that do a job, the second to end it finds that out, and nothing of what it wrote stays."""
        self.rest_s: float | None = None
        """Its longest rest, where others write work that its bell does not ring for."""

    def handles(self, queue: str, handler: Handler) -> None:
        """Jobs of `queue` go to `handler`, several at once, each by itself."""

        async def one(batch: list[Job]) -> Outcome:
            return Outcome(await handler(batch[0]))

        self._alone.add(queue)
        self._handlers[queue] = one

    def handles_together(self, queue: str, handler: Together, *, rest_s: float | Callable[[], float] = 0.0) -> None:
        """Jobs of `queue` go to `handler` as many as wait; those of `queue:part` apart, each part by itself.

        `rest_s`: how long the queue, or its part, is left alone after a batch, or what tells it then.
        """
        self._alone.discard(queue)
        self._handlers[queue] = handler
        self._rests[queue] = rest_s

    def wake(self) -> None:
        """Something was written: look again now."""
        self._bell.set()

    def is_stuck(self, after: timedelta) -> bool:
        """Tell whether work that may be done has waited so long while none was looked for."""
        with self._database.read() as connection:
            due = jobs.next_due(connection, tuple(self._handlers), taken=frozenset(self._taken))
        late = self._clock() - after
        return due is not None and due < late and (self._looked is None or self._looked < late)

    async def run(self) -> None:
        """Work until cancelled; what is running then is awaited or left to its lease."""
        if self.name is None:
            with self._database.begin() as connection:
                jobs.release(connection)
        try:
            while True:
                self._bell.clear()
                try:
                    await self._start_some()
                    await self._rest()
                except (SQLAlchemyError, OSError):  # a full disk, a file someone holds: it may pass, the work is kept
                    log.exception("worker.paused", seconds=PAUSE)
                    await asyncio.sleep(PAUSE)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _start_some(self) -> None:
        claimed = await self._claimed()
        self._looked = self._clock()
        in_order = sorted(claimed, key=lambda job: (job.queue, job.id))
        for queue, some in groupby(in_order, key=lambda job: job.queue):
            together = list(some)
            for batch in [[job] for job in together] if queue in self._alone else [together]:
                task = asyncio.create_task(self._work(batch))
                self._running[task] = batch
                self._taken.update(job.id for job in batch)
                task.add_done_callback(self._ended)

    async def _claimed(self) -> list[Job]:
        """Return what may be done now, leased where other processes might do it too."""
        asked: Mapping[str, Any] = {
            "queues": tuple(self._handlers), "busy": self._busy(), "now": self._clock(),
            "limit": TOGETHER_MAX, "taken": frozenset(self._taken),
        }  # fmt: skip
        if self.is_alone:
            return await self._away(lambda: self._ready(asked))
        return await self._database.write(
            lambda connection: jobs.claim(connection, **asked, worker=self.name),
            durable=False,  # a lease that a power cut undoes was of no use
        )

    def _ready(self, asked: Mapping[str, Any]) -> list[Job]:
        with self._database.glance() as connection:
            return jobs.ready(connection, **asked)

    async def _away(self, ask: Callable[[], Read]) -> Read:
        """Ask a server in a thread, since its answer may be long to come; a file where we are."""
        return await self._database.away(ask) if self._database.is_shared else ask()

    def _busy(self) -> list[str]:
        """Name the queues that have all they can be given."""
        running = Counter(batch[0].queue for batch in self._running.values())
        full = [queue for queue, count in running.items() if queue not in self._alone or count >= self._concurrency]
        return [*full, *self._resting]

    def _ended(self, task: asyncio.Task[None]) -> None:
        batch = self._running.pop(task)
        queue = batch[0].queue
        if not task.cancelled() and (fault := task.exception()):
            log.error("job.unsettled", exc_info=fault)
            task.get_loop().call_later(jobs.LEASE.total_seconds(), self._given_back, batch)  # as a lease would
        else:
            self._taken.difference_update(job.id for job in batch)
        if rest_s := self._rest_of(queue):
            self._resting.add(queue)
            task.get_loop().call_later(rest_s, self._rested, queue)
        else:
            self._bell.set()

    def _rest_of(self, queue: str) -> float:
        """Return how long a queue is left alone now; a moment, when what tells it cannot ask the store."""
        rest = self._rests.get(queue.partition(":")[0], 0.0)
        if not callable(rest):
            return rest
        try:
            return rest()
        except (SQLAlchemyError, OSError):
            log.exception("worker.paused", queue=queue, seconds=PAUSE)
            return PAUSE

    def _given_back(self, batch: list[Job]) -> None:
        self._taken.difference_update(job.id for job in batch)
        self._bell.set()

    def _rested(self, queue: str) -> None:
        self._resting.discard(queue)
        self._bell.set()

    async def _rest(self) -> None:
        """Sleep until the bell rings or the next job is due."""
        wait = await self._wait_s()
        if self._bell.is_set():
            await asyncio.sleep(LOOK_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):  # not wait_for: before Python 3.12 it may swallow a cancellation
                await self._bell.wait()

    async def _wait_s(self) -> float | None:
        """Return how long there is nothing to look for; what is under way rings the bell when it ends."""
        if self._bell.is_set() or self._running or self._resting:
            return BUSY_LOOK_S
        due = await self._away(self._next_due)
        if due is None:
            return self.rest_s
        wait = max((due - self._clock()).total_seconds(), 0.02)
        return min(wait, self.rest_s) if self.rest_s else wait

    def _next_due(self) -> datetime | None:
        with self._database.glance() as connection:
            return jobs.next_due(connection, tuple(self._handlers), self._busy(), frozenset(self._taken))

    async def _work(self, batch: list[Job]) -> None:
        """The jobs, all of one queue, are done, or put off each with its reason."""
        try:
            with correlation.bound(batch[0].correlation):
                if batch[0].queue in self._alone:
                    async with self._room:
                        await self._attempt(batch)
                else:
                    await self._attempt(batch)
        except Lost:
            log.warning("job.lost", queue=batch[0].queue, count=len(batch))
            if len(batch) > 1:
                for job in batch:
                    await self._work([job])
        except Exception as fault:
            if len(batch) == 1:
                await self._put_off([(batch[0], fault)])
                return
            for job in batch:
                await self._work([job])

    async def _attempt(self, batch: list[Job]) -> None:
        start = time.perf_counter()
        outcome = await self._handlers[batch[0].queue.partition(":")[0]](batch)
        done = [job for job in batch if job.id not in outcome.put_off]
        written = await self._written(done, outcome) if done else ()
        ended = [job for job, fault in written if fault is None]
        if ended:
            self._measure(ended, time.perf_counter() - start)
        failed = [(job, fault) for job, fault in written if fault is not None]
        if late := [(job, outcome.put_off[job.id]) for job in batch if job.id in outcome.put_off]:
            try:
                await self._put_off(late)
            except Exception as fault:  # what is done is done: these alone are worked again
                failed += [(job, fault) for job, _why in late]
        await self._again(failed, batch)

    async def _written(self, done: list[Job], outcome: Outcome) -> Sequence[tuple[Job, BaseException | None]]:
        """Write what becomes of the jobs, a few at a time where each has its part; return why some of them are not."""
        if not outcome.parts:
            await self._database.write(lambda connection: self._finish(connection, done, outcome.apply))
            return [(job, None) for job in done]
        some = [done[at : at + outcome.part] for at in range(0, len(done), outcome.part)]
        faults = await asyncio.gather(*(self._write_part(part, outcome) for part in some), return_exceptions=True)
        return [(job, fault) for part, fault in zip(some, faults, strict=True) for job in part]

    async def _write_part(self, part: list[Job], outcome: Outcome) -> None:
        mine = [(job, outcome.parts[job.id]) for job in part]
        await self._database.write(
            lambda connection: self._finish(connection, part, lambda writing: _apply(mine, writing, outcome.ahead))
        )

    async def _again(self, faulty: list[tuple[Job, BaseException]], batch: list[Job]) -> None:
        """What was not written is done again, each job by itself. Raises: its fault, for a job that was by itself."""
        if faulty and len(batch) == 1:
            raise faulty[0][1]
        for job, fault in faulty:
            if not isinstance(fault, Exception):
                raise fault
            await self._work([job])

    def _measure(self, done: list[Job], seconds: float) -> None:
        queue, measures = done[0].queue.partition(":")[0], self._database.measures
        measures.jobs.labels(queue, "done").inc(len(done))
        measures.job_seconds.labels(queue).observe(seconds)
        for job in done:
            log.info("job.done", queue=job.queue, key=job.key, **{correlation.NAME: job.correlation})

    def _finish(self, connection: Connection, done: list[Job], apply: Apply) -> None:
        were_ours = jobs.end(connection, done, now=self._clock())
        if self.name is not None:
            gathered.confirm(connection, were_ours, Lost)
        apply(connection)

    async def _put_off(self, jobs_and_faults: Sequence[tuple[Job, Exception]]) -> None:
        """Each job will be tried again, or is parked when it never can succeed."""
        for job, fault in jobs_and_faults:
            self._database.measures.jobs.labels(job.queue.partition(":")[0], _log(job, fault)).inc()
        await self._database.write(lambda connection: self._settle(connection, jobs_and_faults))

    def _settle(self, connection: Connection, jobs_and_faults: Sequence[tuple[Job, Exception]]) -> None:
        for job, fault in jobs_and_faults:
            if isinstance(fault, Never):
                jobs.park(connection, job, now=self._clock(), error=_told(fault))
                continue
            after = fault.after if isinstance(fault, Later) else timedelta()
            jobs.retry(connection, job, now=self._clock(), error=_told(fault), after=after)


def _told(fault: Exception) -> str:
    return str(fault) if isinstance(fault, Later | Never) else f"{type(fault).__name__}: {fault}"


def _log(job: Job, fault: Exception) -> str:
    """Say why a job is put off; returns what its attempt comes to, in a word."""
    about = {"queue": job.queue, "key": job.key, "tries": job.tries, correlation.NAME: job.correlation}
    if isinstance(fault, Never):
        log.warning("job.parked", error=str(fault), **about)
        return "parked"
    if isinstance(fault, Later):
        log.info("job.later", error=str(fault), **about)
        return "later"
    log.error("job.failed", exc_info=fault, **about)
    return "failed"
