"""Documents that come together are examined together, each answered its own."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from tests.platform.world import service

from estafette.formats.xml import Syntax
from estafette.platform import examiner
from estafette.platform.examination import Examined, examine
from estafette.platform.examiner import TOGETHER_MAX, Examiner

TODAY = date(2026, 9, 15)
COUNT = 2 * TOGETHER_MAX + 3


class Counting(ThreadPoolExecutor):
    """A thread that counts what it is handed."""

    handed = 0

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Hand it over."""
        self.handed += 1
        return super().submit(work, *arguments, **named)


@pytest.fixture
def thread() -> Iterator[Counting]:
    """Give a thread."""
    with Counting(max_workers=1) as it:
        yield it


async def _all(examining: Examiner, documents: list[bytes]) -> list[Examined | BaseException]:
    return await asyncio.gather(*map(examining, documents), return_exceptions=True)


def test_each_is_answered_its_own(thread: Counting) -> None:
    """Whatever is beside it; and they were handed over a few times only."""
    documents = [service(f"E{number}") if number % 3 else b"<nothing/>" for number in range(COUNT)]
    found = asyncio.run(_all(Examiner(thread, lambda: TODAY), documents))
    assert found == [examine(data, on=TODAY) for data in documents]
    assert thread.handed == 3


def test_a_fault_is_raised_to_whoever_asked_for_that_document(
    thread: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are answered."""

    def faulty(data: bytes, *, on: date) -> Examined:
        if data == b"faulty":
            raise RuntimeError("a fault of ours")
        return examine(data, on=on)

    monkeypatch.setattr(examiner, "examine", faulty)
    good, bad = asyncio.run(_all(Examiner(thread, lambda: TODAY), [service("E1"), b"faulty"]))
    assert isinstance(good, Examined)
    assert good.syntax is Syntax.UBL
    assert str(bad) == "a fault of ours"


def test_a_loop_that_ended_keeps_nobody_waiting(thread: Counting) -> None:
    """What it asked and did not wait for is forgotten; the next loop is answered."""
    examining = Examiner(thread, lambda: TODAY)

    async def ask_and_leave() -> asyncio.Future[Examined]:
        asking = asyncio.ensure_future(examining(service("E1")))
        await asyncio.sleep(0)
        return asking

    assert asyncio.run(ask_and_leave()).cancelled()
    assert asyncio.run(examining(service("E2"))).syntax is Syntax.UBL
