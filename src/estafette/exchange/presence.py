"""This process among those that share the store of an actor: it says that it is there, and learns who else is.

A store in a file has one process, which is always the first and shares with nobody: then nothing is written. On a
server each process beats; the worker rests less deeply while others may write work that its bell does not ring for.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from estafette.store import processes
from estafette.store.database import Database
from estafette.store.processes import Beat
from estafette.store.worker import Worker

REST_S = 0.1
"""The longest rest of a worker that is not alone: what another process writes waits no longer than that to be seen."""

log = structlog.get_logger()


class Presence:
    """One process of an actor, with the role it has: `all`, `api` or `worker`."""

    def __init__(self, database: Database, worker: Worker, clock: Callable[[], datetime], role: str) -> None:
        self.name = processes.new_name()
        self.role = role
        self._database, self._worker, self._clock = database, worker, clock
        self._beat = Beat(is_first=not database.is_shared, others=0, gone=())
        self._at: datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_first(self) -> bool:
        """Tell whether the rounds are for this process; not, once it could not say for long that it is there."""
        if not self._database.is_shared:
            return True
        is_heard = self._at is not None and self._clock() - self._at < processes.GONE_AFTER
        return self._beat.is_first and is_heard

    def start(self) -> None:
        """The others see this process from now on."""
        if not self._database.is_shared:
            return
        self._worker.name = self.name
        with self._database.begin() as connection:
            beat = self._say(connection)
        self._heard(beat)
        self._tasks = [asyncio.create_task(self._go_on()), asyncio.create_task(self._weigh())]

    async def stop(self) -> None:
        """The others know that it is gone, and its work is free."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._tasks = []
        with suppress(SQLAlchemyError):  # a server that is gone: the others will miss the beat
            await self._database.write(lambda connection: processes.leave(connection, self.name))

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(processes.BEAT_S)
            try:
                self._heard(await self._database.write(self._say, durable=False))
            except SQLAlchemyError:
                log.exception("presence.unheard", seconds=processes.BEAT_S)

    async def _weigh(self) -> None:
        """The first process looks at what the tables hold as they grow: that may wait, and a beat may not."""
        while True:
            await asyncio.sleep(processes.BEAT_S)
            try:
                if self.is_first:
                    await self._database.away(self._database.weigh_grown)
            except SQLAlchemyError:
                log.exception("store.unweighed", seconds=processes.BEAT_S)

    def _say(self, connection: Connection) -> Beat:
        return processes.beat(connection, self.name, self.role, now=self._clock())

    def _heard(self, beat: Beat) -> None:
        """What was learnt holds from now on; work that was given back is taken up at once."""
        if beat.is_first and not self._beat.is_first:
            log.info("presence.first", process=self.name)
        self._beat, self._at = beat, self._clock()
        self._worker.rest_s = REST_S if beat.others else None
        self._worker.is_alone = not beat.rivals
        for name in beat.gone:
            log.warning("presence.gone", process=name)
        if beat.gone or beat.others:  # it may rest, and not know yet that it is not alone
            self._worker.wake()
