"""What an actor does every so often, whatever comes: look at a folder, look at what is late.

Each visit has a loop of its own, so that one that hangs (a network share that is gone) holds back no other; a visit is
never begun before the one before it has ended. What a visit must do on time is not here but in the jobs of the store.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

Visit = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Rounds:
    """The visits of an actor, begun with it and stopped with it."""

    _visits: list[tuple[Visit, float]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _endings: list[Visit] = field(default_factory=list)
    _is_mine: Callable[[], bool] = lambda: True

    def every(self, seconds: float, visit: Visit) -> None:
        """The visit will be made that often."""
        self._visits.append((visit, seconds))

    def ending(self, visit: Visit) -> None:
        """The visit will be made last, once no other is made any more."""
        self._endings.append(visit)

    def start(self, is_mine: Callable[[], bool] = lambda: True) -> None:
        """The visits are made, in the running event loop, while they are this process's to make."""
        self._is_mine = is_mine
        self._tasks = [asyncio.create_task(self._repeat(visit, seconds)) for visit, seconds in self._visits]

    async def stop(self) -> None:
        """No visit is made any more."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        for visit in self._endings:
            await visit()

    async def once(self) -> None:
        """Every visit has been made once; what one raises is raised."""
        for visit, _seconds in self._visits:
            await visit()

    async def _repeat(self, visit: Visit, seconds: float) -> None:
        was_mine = False
        while True:
            is_mine = self._is_mine()
            try:
                if is_mine:
                    await visit()
                elif was_mine:  # another process makes them now
                    for ending in self._endings:
                        await ending()
            except Exception:  # a full disk, a share that is gone: the next visit may succeed
                log.exception("round.failed", visit=getattr(visit, "__qualname__", str(visit)))
            was_mine = is_mine
            await asyncio.sleep(seconds)
