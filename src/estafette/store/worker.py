"""The worker of one actor: takes jobs, prepares their effect outside any transaction, applies it inside one.

A handler is given the job and returns what to write; the write and the end of the job are one transaction. Whatever
dies in between is done again from the start, and every write is idempotent by key.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from estafette.store import jobs
from estafette.store.database import Database
from estafette.store.jobs import Job

Apply = Callable[[Connection], None]
Handler = Callable[[Job], Awaitable[Apply]]

PAUSE = 1.0
"""Seconds before looking again when the store itself fails."""

log = structlog.get_logger()

CONCURRENCY = 32
"""Jobs under way at once in one store: as many share a commit."""


class Later(Exception):
    """The job cannot succeed now; it is tried again after a while."""


class Never(Exception):
    """The job cannot succeed as it is; it is parked and shown."""


class Worker:
    """Runs the jobs of one store, several at once, until stopped."""

    def __init__(self, database: Database, clock: Callable[[], datetime], *, concurrency: int = CONCURRENCY) -> None:
        self._database = database
        self._clock = clock
        self._handlers: dict[str, Handler] = {}
        self._concurrency = concurrency
        self._running: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()

    def handles(self, queue: str, handler: Handler) -> None:
        """Jobs of `queue` go to `handler`."""
        self._handlers[queue] = handler

    def wake(self) -> None:
        """Something was written: look again now."""
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; what is running then is awaited or left to its lease."""
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
        room = self._concurrency - len(self._running)
        if room <= 0:
            return
        claimed = await self._database.write(
            lambda connection: jobs.claim(connection, queues=tuple(self._handlers), now=self._clock(), limit=room),
            durable=False,  # a lease that a power cut undoes was of no use
        )
        for job in claimed:
            task = asyncio.create_task(self._work(job))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._bell.set()
        if not task.cancelled() and (fault := task.exception()):
            log.error("job.unsettled", exc_info=fault)  # its lease will free it

    async def _rest(self) -> None:
        """Sleep until the bell rings or the next job is due."""
        due = None
        if len(self._running) < self._concurrency:
            with self._database.read() as connection:
                due = jobs.next_due(connection, tuple(self._handlers))
        if due is None:
            await self._bell.wait()
            return
        wait = max((due - self._clock()).total_seconds(), 0.02)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):  # not wait_for: before Python 3.12 it may swallow a cancellation
                await self._bell.wait()

    async def _work(self, job: Job) -> None:
        try:
            apply = await self._handlers[job.queue](job)
            await self._database.write(lambda connection: self._finish(connection, job, apply))
        except Never as impossible:
            log.warning("job.parked", queue=job.queue, key=job.key, error=str(impossible))
            await self._settle(job, str(impossible), park=True)
        except Later as reason:
            log.info("job.later", queue=job.queue, key=job.key, tries=job.tries, error=str(reason))
            await self._settle(job, str(reason))
        except Exception as fault:
            log.exception("job.failed", queue=job.queue, key=job.key, tries=job.tries)
            await self._settle(job, f"{type(fault).__name__}: {fault}")

    def _finish(self, connection: Connection, job: Job, apply: Apply) -> None:
        apply(connection)
        jobs.end(connection, job, now=self._clock())

    async def _settle(self, job: Job, error: str, *, park: bool = False) -> None:
        settle = jobs.park if park else jobs.retry
        await self._database.write(lambda connection: settle(connection, job, now=self._clock(), error=error))
