"""Where documents are examined: in one thread, away from the event loop, those that come together handed over together.

Handing a document to a thread and its answer back costs as much as a tenth of a judgement, and the engine of rules has
one document at a time anyhow.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date
from functools import partial

from estafette.platform.examination import Examined, examine

TOGETHER_MAX = 8
"""Documents handed over at once: whoever comes meanwhile waits for no more than these."""

_Asked = tuple[bytes, asyncio.Future[Examined]]
_Answer = Examined | Exception


class Examiner:
    """Examines documents in a thread, by the rules of `today`."""

    def __init__(self, thread: Executor, today: Callable[[], date]) -> None:
        self._thread = thread
        self._today = today
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[_Asked] = []

    async def __call__(self, data: bytes) -> Examined:
        """Return what the document is and what the rules of the day say of it."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what another loop was asked is answered there
            self._loop, self._waiting = loop, []
        if not self._waiting:
            loop.call_soon(self._hand_over, loop, self._waiting)
        answer: asyncio.Future[Examined] = loop.create_future()
        self._waiting.append((data, answer))
        return await answer

    def _hand_over(self, loop: asyncio.AbstractEventLoop, waiting: list[_Asked]) -> None:
        if waiting is self._waiting:
            self._waiting = []
        for at in range(0, len(waiting), TOGETHER_MAX):
            some = waiting[at : at + TOGETHER_MAX]
            work = partial(_examined, [data for data, _ in some], self._today())
            loop.run_in_executor(self._thread, work).add_done_callback(partial(_answer, some))


def _examined(some: Sequence[bytes], today: date) -> list[_Answer]:
    return [_one(data, today) for data in some]


def _one(data: bytes, today: date) -> _Answer:
    try:
        return examine(data, on=today)
    except Exception as fault:  # a fault of ours with one document is raised to whoever asked for that one
        return fault


def _answer(some: Sequence[_Asked], done: asyncio.Future[list[_Answer]]) -> None:
    if done.cancelled():
        for _data, answer in some:
            answer.cancel()
        return
    for (_data, answer), examined in zip(some, done.result(), strict=True):
        if answer.done():
            continue
        if isinstance(examined, Exception):
            answer.set_exception(examined)
        else:
            answer.set_result(examined)
