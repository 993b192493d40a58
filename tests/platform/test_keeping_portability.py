"""Changing platform: who leaves is served for a year and has its package; who comes brings its archives, once."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, insert, select
from tests.platform.world import BUYER, SELLER, TODAY, World, collected, opened, service

from estafette.exchange.keys import public_text
from estafette.platform import keeping_portability, tables
from estafette.platform.answers import Answer, NotAllowed
from estafette.platform.keeping_portability import Departures, NotTaken, Taken, read_package, signer
from estafette.platform.keeping_purge import Purge
from estafette.platform.keeping_tables import departure, imported
from estafette.platform.mirror_tables import mirror_line
from estafette.store import inventory
from estafette.store.sealed_files import Broken
from estafette.store.tables import job
from estafette.values.retention import Retention

DAY = TODAY + timedelta(days=10)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a system where a company has exchanged invoices and then goes from platform A to platform B."""
    with opened() as made:
        for number in ("MOVE1", "MOVE2"):
            made.deposit(service(number))
        made.answer(BUYER, "MOVE1", "205")
        look(made)
        assert departures(made) == [], "nobody leaves yet"
        made.platform("platform-a").move_addresses(SELLER, DAY, arrives=False)
        made.work()
        made.platform("platform-b").open_company(siren=SELLER, name="Vendeur", status_address=SELLER)
        made.platform("platform-b").move_addresses(SELLER, DAY, arrives=True)
        made.work()
        look(made)
        made.work()
        yield made


def look(world: World) -> None:
    """Platform A looks who leaves."""
    platform = world.platform("platform-a")
    with platform.home.actor.database.begin() as connection:
        Departures(platform.home, platform.packages).look(connection)


def departures(world: World) -> list[tuple[str, str, date, bool]]:
    """Return who leaves, for which platform, until when it is served, whether that was withdrawn."""
    rows = world.rows("platform-a", select(departure).order_by(departure.c.agreed_on))
    return [(row["siren"], row["matricule"], row["serves_until"], row["withdrawn_at"] is not None) for row in rows]


def package_of(world: World) -> Path:
    """Return the portability package that was made by itself."""
    (row,) = [one for one in world.platform("platform-a").packages.every(SELLER) if one["purpose"] == "portability"]
    file = world.platform("platform-a").packages.fetch(SELLER, row["id"])
    assert file is not None
    return file


def take(world: World, file: Path, siren: str = SELLER, key: str | None = None) -> Taken:
    """Platform B reads a package."""
    actor = world.running["platform-b"].actor
    with actor.database.read() as connection:
        known = key or signer(connection, file)
    return read_package(file, siren, key=known, database=actor.database, documents=actor.documents, now=actor.clock)


def test_who_leaves_is_recorded_once(world: World) -> None:
    """When all its lines here end: for which platform, served a year more; its package is made; seen twice, once."""
    year_later = DAY.replace(year=DAY.year + 1)
    assert departures(world) == [(SELLER, "0005", year_later, False)]
    look(world)
    assert len(departures(world)) == 1
    row = world.rows("platform-a", select(departure))[0]
    assert (row["agreed_on"], row["objection_until"], row["line_until"]) == (
        TODAY,
        date(2026, 9, 22),
        date(2026, 10, 6),
    )
    assert package_of(world).exists()


def test_a_former_copy_of_the_directory_says_nothing(world: World) -> None:
    """Lines of a copy that was replaced, not taken away yet, bring nobody back and take nobody along."""
    database = world.running["platform-a"].actor.database
    stale = {"generation": 999, "siren": SELLER, "matricule": "0003", "nature": "D", "start": TODAY}
    with database.begin() as connection:
        connection.execute(insert(mirror_line).values(**stale, instance=1, address=SELLER))
    look(world)
    assert [withdrawn for *_who, withdrawn in departures(world)] == [False]
    with database.begin() as connection:
        connection.execute(delete(mirror_line).where(mirror_line.c.generation == 999))


def test_what_was_exchanged_goes_on(world: World) -> None:
    """Gone, the company still reports its payments here, the customer hears of it; nothing of it is purged."""
    world.answer(SELLER, "MOVE1", "212", amounts=collected(("20", "1200.00")))
    assert world.statuses(BUYER, "MOVE1").endswith("212")
    actor = world.running["platform-a"].actor
    far = actor.clock().replace(year=2027, month=8)
    counts = Purge(actor.database, actor.documents, Retention(), lambda: far).run()
    assert counts.going["flow"] == 0
    with actor.database.read() as connection:
        assert keeping_portability.leaving(connection, SELLER) is not None
        assert keeping_portability.leaving(connection, BUYER) is None


def test_who_comes_brings_its_archives(world: World, tmp_path: Path) -> None:
    """Its invoices are archived as they were, with their life cycle; nothing is sent, nothing declared; once only."""
    file = tmp_path / "package.zip"
    file.write_bytes(package_of(world).read_bytes())
    before = {name: world.count("platform-b", table) for name, table in (("owed", tables.declaration), ("job", job))}
    assert take(world, file) == Taken(taken=2)
    assert take(world, file) == Taken(had=2)
    after = {name: world.count("platform-b", table) for name, table in (("owed", tables.declaration), ("job", job))}
    assert after == before
    room = world.platform("platform-b")
    rows = {row["number"]: row for row in room.invoices(SELLER, "issued")}
    assert {row["standing"] for row in rows.values()} == {"archived"}
    here, there = room.invoice(SELLER, rows["MOVE1"]["id"]), world.view(SELLER, "MOVE1")
    assert here is not None
    assert here.row["sha256"] == there.row["sha256"]
    had = [(each["message_id"], each["status"], each["set_at"]) for each in there.events if each["status"] != "212"]
    assert [(each["message_id"], each["status"], each["set_at"]) for each in here.events] == had
    assert (here.possible, here.declarations) == ((), [])
    assert "0003" in here.row["explanation"]["fr"]
    with pytest.raises(NotAllowed, match="archived only"):
        room.answer(SELLER, here.row["id"], Answer("212", amounts=collected(("20", "1200.00"))))
    actor = world.running["platform-b"].actor
    kept = world.rows("platform-b", select(imported.c.name).where(imported.c.invoice_id == here.row["id"]))
    assert "proof.json" in {row["name"] for row in kept}
    with actor.database.read() as connection:
        assert inventory.verify(connection, actor.documents).findings == []
    far = actor.clock().replace(year=2040)
    Purge(actor.database, actor.documents, Retention(), lambda: far).run()
    assert world.rows("platform-b", select(func.count().label("n")).select_from(imported))[0]["n"] == 0
    with actor.database.read() as connection:
        assert inventory.verify(connection, actor.documents).findings == []


def test_what_is_not_taken(world: World, tmp_path: Path) -> None:
    """A package with a byte changed, of another company, of an unknown signer, or for no customer: nothing is read."""
    file = tmp_path / "package.zip"
    data = package_of(world).read_bytes()
    file.write_bytes(data)
    before = world.count("platform-b", tables.invoice)
    with pytest.raises(NotTaken, match="is that of"):
        take(world, file, BUYER)
    with pytest.raises(Broken, match="another key"):
        take(world, file, key=public_text(Ed25519PrivateKey.generate()))
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    file.write_bytes(changed)
    with pytest.raises(Broken):
        take(world, file)
    file.write_bytes(b"noise")
    with pytest.raises(NotTaken, match="no sealed package"):
        take(world, file)
    assert world.count("platform-b", tables.invoice) == before


def test_who_comes_back_leaves_no_more(world: World) -> None:
    """A line here that goes on again ends the departure."""
    world.pass_by(days=12)
    world.platform("platform-a").move_addresses(SELLER, DAY + timedelta(days=10), arrives=True)
    world.work()
    look(world)
    assert [withdrawn for *_said, withdrawn in departures(world)] == [True]
