"""An invoice goes where the directory says on the day of its deposit, in Paris: every grain, every date."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, create_engine
from tests.platform.world import BUYER, SELLER, World, opened, party, service

from estafette.directory import DirectoryLine, LegalUnit, Outcome, ReceivingPlatform
from estafette.directory.resolution import current
from estafette.formats import directory
from estafette.invoice.model import Identifier
from estafette.platform.mirror import Mirror
from estafette.platform.mirror_tables import metadata
from estafette.store.tables import sequence

DAY = date(2026, 9, 15)
SIRET = f"{BUYER}00017"
BASE = DirectoryLine(siren=BUYER, matricule="0005", start=date(2026, 1, 1), instance=1)
GRAINS = {
    BUYER: BASE,
    f"{BUYER}_{SIRET}": replace(BASE, siret=SIRET, matricule="0003", instance=2),
    f"{BUYER}_{SIRET}_ACHATS": replace(BASE, siret=SIRET, routing_code="ACHATS", matricule="0000", instance=3),
    f"{BUYER}_COMPTA": replace(BASE, suffix="COMPTA", matricule="9998", instance=4),
}
"""One address of each grain, each on another platform."""


@pytest.fixture
def copy() -> Iterator[Connection]:
    """Give an empty copy of the directory."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    sequence.create(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def load(copy: Connection, *lines: DirectoryLine, platform: ReceivingPlatform | None = None) -> None:
    """The copy holds the customer, its platform and those of these lines that count, as an export brings them."""
    own = platform or ReceivingPlatform(matricule="0005", name="B", registered_from=date(2025, 1, 1))
    entries = [LegalUnit(siren=BUYER, name="Client", entity_type="A"), own, *current(lines)]
    Mirror().load(copy, directory.write(entries, produced_at=datetime(2026, 9, 1, tzinfo=UTC)))


def went(copy: Connection, address: str, *, on: date = DAY, scheme: str = "0225") -> tuple[Outcome, str | None]:
    """Return where an invoice to an address goes."""
    found = Mirror().resolve(copy, Identifier(address, scheme), on=on)
    return found.outcome, found.matricule


@pytest.mark.parametrize("address", GRAINS)
def test_each_grain_alone(copy: Connection, address: str) -> None:
    """An address matches exactly: no grain falls back on another, coarser or finer."""
    load(copy, GRAINS[address])
    for other in GRAINS:
        expected = GRAINS[address].matricule if other == address else None
        assert went(copy, other)[1] == expected
    assert went(copy, address, scheme="0009") == (Outcome.UNKNOWN_ADDRESS, None)


def test_all_grains_together(copy: Connection) -> None:
    """With an address of each grain, each goes to its own platform, that without one nowhere."""
    load(copy, *GRAINS.values())
    assert [went(copy, address)[1] for address in GRAINS] == ["0005", "0003", "0000", "9998"]
    assert went(copy, f"{BUYER}_COMPTA")[0] is Outcome.NOT_TRANSMITTED
    assert went(copy, "800000002") == (Outcome.NOT_IN_DIRECTORY, None)


@pytest.mark.parametrize(
    ("on", "outcome"),
    [
        (date(2026, 9, 9), Outcome.UNKNOWN_ADDRESS),
        (date(2026, 9, 10), Outcome.PLATFORM),
        (date(2026, 9, 19), Outcome.PLATFORM),
        (date(2026, 9, 20), Outcome.GRACE),
        (date(2026, 9, 24), Outcome.GRACE),
        (date(2026, 9, 25), Outcome.UNKNOWN_ADDRESS),
    ],
)
def test_dates_of_a_line(copy: Connection, on: date, outcome: Outcome) -> None:
    """A line holds from its start, closes at its effective end, and is over at its end, the day not included."""
    line = replace(BASE, start=date(2026, 9, 10), end=date(2026, 9, 25), effective_end=date(2026, 9, 20))
    load(copy, line)
    assert went(copy, BUYER, on=on)[0] is outcome


def test_masked_line(copy: Connection) -> None:
    """A line masked before it starts never was; that of another start is not touched."""
    later = replace(BASE, start=date(2026, 9, 10), matricule="0003", instance=5)
    load(copy, replace(BASE, end=date(2026, 9, 10)), later)
    assert went(copy, BUYER) == (Outcome.PLATFORM, "0003")
    load(copy, replace(BASE, end=date(2026, 9, 10)), later, replace(later, nature="M", instance=6))
    assert went(copy, BUYER, on=date(2026, 9, 9)) == (Outcome.PLATFORM, "0005")
    assert went(copy, BUYER) == (Outcome.UNKNOWN_ADDRESS, None)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.PLATFORM),
        ({"registered_until": date(2026, 9, 16)}, Outcome.PLATFORM),
        ({"registered_until": date(2026, 9, 15)}, Outcome.GRACE),
        ({"registered_from": date(2026, 9, 16)}, Outcome.GRACE),
    ],
)
def test_registration_of_the_platform(copy: Connection, changes: dict[str, date], outcome: Outcome) -> None:
    """A platform whose registration is not in force may still be sent to, and is expected to fail."""
    own = ReceivingPlatform(matricule="0005", name="B", registered_from=date(2025, 1, 1))
    load(copy, BASE, platform=replace(own, **changes))  # type: ignore[arg-type]
    assert went(copy, BUYER)[0] is outcome


MOVED = "0003"


@pytest.mark.parametrize(
    ("moment", "matricule"),
    [
        (datetime(2026, 9, 19, 21, 59, tzinfo=UTC), "0005"),
        (datetime(2026, 9, 19, 22, 0, tzinfo=UTC), MOVED),
        (datetime(2026, 9, 20, 10, 0, tzinfo=UTC), MOVED),
    ],
    ids=["a minute before midnight in Paris", "midnight", "the day after"],
)
def test_a_customer_that_moves(moment: datetime, matricule: str) -> None:
    """A customer changes platform at a midnight of Paris: the day of the deposit decides, not that of the invoice."""
    with opened() as world:
        _move(world)
        world.clock.now = moment
        world.leave(service("M1"))
        world.work_with_troubles()
        assert world.row(SELLER, "M1")["peer"] == matricule


def _move(world: World) -> None:
    """The platform's copy says that the customer leaves B for A on 20 September."""
    day = date(2026, 9, 20)
    with world.platform("platform-a").home.actor.database.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE mirror_line SET \"end\" = '{day}' WHERE address = '{BUYER}'"  # noqa: S608 — our own values
        )
        connection.exec_driver_sql(
            "INSERT INTO mirror_line (generation, instance, address, siren, nature, start, matricule) "  # noqa: S608
            f"SELECT generation, 9000, '{BUYER}', '{BUYER}', 'D', '{day}', '{MOVED}' FROM mirror_current"
        )


def test_self_billed_goes_to_the_seller(world: World) -> None:
    """A self-billed invoice goes by the seller's address; the buyer's, which need not exist, is not looked at."""
    number = world.number()
    world.deposit(service(number, type_code="389", buyer=party(BUYER, address=f"{BUYER}_RETOUR")), by=BUYER)
    assert world.row(BUYER, number)["peer"] == "0003"
    assert world.row(SELLER, number)["side"] == "received"
