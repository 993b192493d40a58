"""What the real clients stand on: the whole system as a stranger starts it, and the companies of its first team.

The clients are installed from their registry and run as they are: nothing of them is changed or replaced.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from tests.running import Circuit

from estafette.circuit.seed import Entry
from estafette.simulation import samples

Seen = TypeVar("Seen")

PATIENCE_S = 60.0
FOREIGN = (
    "ignore::DeprecationWarning:requests_oauthlib",
    "ignore::DeprecationWarning:oauthlib",
    "ignore::DeprecationWarning:mcp",
)
"""What the clients, not we, are warned of."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the warnings of the clients pass, in this folder only."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for line in FOREIGN:
                item.add_marker(pytest.mark.filterwarnings(line))


@dataclass(frozen=True)
class Seat:
    """A company's software: where its platform is, and its credentials."""

    url: str
    entry: Entry

    @property
    def client_id(self) -> str:
        """The identifier of the software."""
        assert self.entry.client_id
        return self.entry.client_id

    @property
    def secret(self) -> str:
        """Its secret."""
        assert self.entry.client_secret
        return self.entry.client_secret


@pytest.fixture(scope="session")
def insecure() -> Iterator[None]:
    """OAuth over plain HTTP is allowed to the clients of this process, since they speak to this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
        yield


def seat(circuit: Circuit, login: str) -> Seat:
    """Return the software of a company of the team."""
    entries = circuit.entries
    entry = entries.by_login[login]
    return Seat(entries.urls[entry.actor], entry)


@pytest.fixture(scope="session")
def supplier(circuit: Circuit) -> Seat:
    """The seller of the samples, on platform A."""
    return seat(circuit, "fournisseur")


@pytest.fixture(scope="session")
def customer(circuit: Circuit) -> Seat:
    """The buyer of the samples, on platform B."""
    return seat(circuit, "client")


def until(look: Callable[[], Seen], enough: Callable[[Seen], bool]) -> Seen:
    """Look until it is enough; return what was then seen."""
    deadline = time.monotonic() + PATIENCE_S
    while not enough(seen := look()):
        assert time.monotonic() < deadline, repr(seen)[:2000]
    return seen


def invoice(number: str, name: str = "service", **terms: object) -> bytes:
    """Return an invoice of the supplier to the customer, of today."""
    return samples.load(name, number=number, issue_date=datetime.now(UTC).date(), **terms)  # type: ignore[arg-type]
