"""A platform of its own for each test of the desk, and two documents to deposit there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from tests.web.world import World, an_invoice, open_world

from estafette.simulation.ubl import ubl
from estafette.store import identity
from estafette.web.settings import Settings


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost nothing to check: what they cost is tested in the store."""
    monkeypatch.setattr(identity, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A platform in a folder of its own, its desk in an application."""
    opened = open_world(tmp_path / "platform")
    yield opened
    opened.close()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[[Settings], World]]:
    """Give what opens a platform whose desk has these settings."""
    opened: list[World] = []

    def make(settings: Settings) -> World:
        opened.append(open_world(tmp_path / f"platform-{len(opened)}", settings))
        return opened[-1]

    yield make
    for world in opened:
        world.close()


@pytest.fixture
def document() -> bytes:
    """An invoice that the rules accept."""
    return ubl(an_invoice())


@pytest.fixture
def wrong_document() -> bytes:
    """The same, whose total with VAT does not add up."""
    return ubl(an_invoice()).replace(
        b'<cbc:TaxInclusiveAmount currencyID="EUR">1', b'<cbc:TaxInclusiveAmount currencyID="EUR">9'
    )
