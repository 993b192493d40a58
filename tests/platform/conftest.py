"""The whole system for the tests of the platforms: one for all of them, and a fresh one where a test needs it.

The main modules run twice, on SQLite then on PostgreSQL; the others on the engine of the run, which is PostgreSQL for
all of them with `ESTAFETTE_TEST_DATABASE=postgresql`.
"""

from collections.abc import Iterator

import pytest
from tests.platform.world import World, opened
from tests.postgresql import ENGINE

ENGINES = ("sqlite", "postgresql")
TWICE = frozenset(
    {
        "test_issue", "test_reception", "test_answers", "test_routing", "test_archives", "test_payments",
        "test_reporting", "test_keeping_purge", "test_mirror", "test_objects", "test_reports", "test_directory",
    }
)  # fmt: skip
"""The modules whose tests run on both engines: those that together read and write every table of the rooms."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each test of a system for each engine."""
    module = metafunc.module.__name__.rpartition(".")[2]
    engines = ENGINES if module in TWICE and ENGINE == "sqlite" else (ENGINE,)
    for name in ("shared_world", "own_world"):
        if name in metafunc.fixturenames:
            scope = "session" if name == "shared_world" else "function"
            metafunc.parametrize(name, engines, indirect=True, scope=scope)


def _check(request: pytest.FixtureRequest) -> str:
    """Return the engine that is asked for; where there is no server, what runs on it is left out."""
    if request.param == "postgresql":
        request.getfixturevalue("postgresql")
    return str(request.param)


@pytest.fixture(scope="session")
def shared_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Give the system that most tests share; each works under invoice numbers of its own."""
    with opened(engine=_check(request)) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """Give the shared system with a plain network."""
    shared_world.wire.reset()
    yield shared_world
    shared_world.wire.reset()


@pytest.fixture
def own_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Give a system of its own to a test that leaves it changed."""
    with opened(engine=_check(request)) as world:
        yield world
