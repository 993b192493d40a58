"""The whole system for the tests of the platforms: one for all of them, and a fresh one where a test needs it."""

from collections.abc import Iterator

import pytest
from tests.platform.world import World, opened


@pytest.fixture(scope="session")
def shared_world() -> Iterator[World]:
    """Give the system that most tests share; each works under invoice numbers of its own."""
    with opened() as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """Give the shared system with a plain network."""
    shared_world.wire.reset()
    yield shared_world
    shared_world.wire.reset()


@pytest.fixture
def own_world() -> Iterator[World]:
    """Give a system of its own to a test that leaves it changed."""
    with opened() as world:
        yield world
