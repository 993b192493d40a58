"""What the tests of the store stand on: a store, a clock that is given, a loop in which waiting takes no time."""

import asyncio
import selectors
import shutil
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.postgresql import Server, empty_database

from estafette.store.database import Database, open_database

on_sqlite = pytest.mark.parametrize("new_store", ["sqlite"], indirect=True)
"""For what only a file can show."""

EPOCH = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)


class Jump(selectors.SelectSelector):
    """Where a loop would sleep, its time jumps; where it would wait for ever, the test fails."""

    time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now, the wait being over at once."""
        if timeout is None:
            raise AssertionError("nothing is due any more: this would wait for ever")
        self.time += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is only what was waited for."""

    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        """Return the seconds waited since the loop was made."""
        return self.jump.time


class World:
    """A virtual loop and the clock that goes with it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def clock(self) -> datetime:
        """Return the moment it is in this world."""
        return EPOCH + timedelta(seconds=self.loop.time())

    def run(self, story: Coroutine[Any, Any, None]) -> None:
        """The story was lived to its end."""
        self.loop.run_until_complete(story)


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world where hours pass in no time."""
    loop = VirtualLoop()
    yield World(loop)
    loop.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store with the tables every actor has, to be copied."""
    file = tmp_path_factory.mktemp("store") / "records.sqlite"
    open_database(file, ("shared",)).close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest) -> Callable[[], Database]:
    """Give what makes an empty store, on each engine in turn."""
    make: Callable[[], Database] = request.getfixturevalue(f"new_{request.param}_store")
    return make


@pytest.fixture
def new_sqlite_store(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Database]:
    """Give what makes an empty store in a file."""

    def make() -> Database:
        file = tmp_path_factory.mktemp("store") / "records.sqlite"
        shutil.copy(empty_store, file)
        return open_database(file, ("shared",), threaded=False)

    return make


@pytest.fixture
def new_postgresql_store(postgresql: Server) -> Iterator[Callable[[], Database]]:
    """Give what makes an empty store on a server; the one before the last is gone."""
    names: list[str] = []

    def make() -> Database:
        if len(names) > 1:
            postgresql.drop(names.pop(0))
        names.append(empty_database())
        return open_database(postgresql.url(names[-1]), ("shared",), threaded=False)

    yield make
    for name in names:
        postgresql.drop(name)


@pytest.fixture
def database(new_store: Callable[[], Database]) -> Iterator[Database]:
    """Give an empty store."""
    made = new_store()
    yield made
    made.close()


@pytest.fixture
def now() -> datetime:
    """Give the moment at which the tests begin."""
    return EPOCH
