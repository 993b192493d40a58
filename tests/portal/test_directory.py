"""The directory as the platforms have it: told by the portal alone, whole, in the State's format, and up to date."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from sqlalchemy import ColumnElement, and_, select
from tests.platform.world import BUYER, SELLER, TODAY, UNREACHABLE, World, party, service

from estafette.directory import Establishment, RoutingCode
from estafette.directory.resolution import Outcome
from estafette.exchange.messages import Kind, Message
from estafette.formats import flow_archive
from estafette.formats.envelope import FlowName
from estafette.invoice.model import Identifier
from estafette.portal import authority, register
from estafette.portal.authority import Registered
from estafette.portal.holdings import counts, lines, lines_of_unit
from estafette.portal.tables import directory_line, partner_flow, receiving_platform
from estafette.store.worker import Never
from estafette.values.moments import PARIS

SCHEMA = (
    Path(__file__).parents[2] / "../shared/schemas/dgfip-v3.2/0-Annuaire/consultation/Annuaire_Consultation_F14.xsd"
)


FLAGS = dict.fromkeys(
    (
        "commitment_required",
        "service_required",
        "commitment_or_service_required",
        "is_contracting_authority",
        "is_contracting_authority_only",
        "manages_payment_status",
    ),
    False,
)


def exports(world: World, partner: str) -> list[tuple[str, bytes]]:
    """Return the directories sent to a partner, the first first: their names and bytes."""
    columns = partner_flow.c
    query = select(columns.name, columns.sha256).where(columns.interface == "FFE1435A", columns.partner == partner)
    rows = world.rows("portal", query.order_by(columns.name))
    documents = world.running["portal"].actor.documents
    return [
        (row["name"], content)
        for row in rows
        for _file, content in flow_archive.unpack(FlowName.parse(row["name"]).archive, documents.get(row["sha256"]))
    ]


def of(matricule: str) -> ColumnElement[bool]:
    """The lines of a platform that count."""
    column = directory_line.c
    return and_(column.matricule == matricule, column.nature == "D", counts(directory_line))


def tell(world: World, told: Registered, *, by: str = "administration", sender: str = "DGFIP") -> None:
    """An actor has told the portal of a platform, as the registration service does."""
    message = Message(f"told-{by}-{told.registered_until}", Kind.PLATFORM, sender, "PPF", "platform.json", "0" * 64)
    world.wire.hand(message, msgspec.json.encode(told), key=world.running[by])
    world.work()


def registered(world: World, matricule: str, **changes: object) -> Registered:
    """Return what the portal holds of a platform, changed."""
    mine = (receiving_platform.c.matricule == matricule, counts(receiving_platform))
    (row,) = world.rows("portal", select(receiving_platform).where(*mine))
    url, _, key = row["contact"].partition(" ed25519:")
    names = ("matricule", "name", "siren", "platform_type", "application_code", "registered_from", "registered_until")
    return Registered(**{name: row[name] for name in names} | {"url": url, "public_key": key} | changes)  # type: ignore[arg-type]


def resolved(world: World, address: str, on: date = TODAY) -> Outcome:
    """Tell what platform A makes of an address."""
    platform = world.platform("platform-a")
    with platform.home.actor.database.read() as connection:
        return platform.home.mirror.resolve(connection, Identifier(address, "0225"), on=on).outcome


def test_valid_against_the_schema(world: World) -> None:
    """What every platform is sent follows the State's schema."""
    if not SCHEMA.exists():
        pytest.skip("the schemas of the State are not beside the project")
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    sent = [content for partner in ("0003", "0005", "0000") for _name, content in exports(world, partner)]
    assert len(sent) >= 3
    for content in sent:
        schema.assertValid(etree.fromstring(content))


def test_every_copy_says_the_same(world: World) -> None:
    """Each platform has every line of the portal that counts, under its address; one that was masked is not there."""
    rows = world.rows("portal", select(directory_line))
    masked = {row["address"] for row in rows if row["nature"] == "M"}
    assert masked == {"300000007_BOUTIQUE"}
    held = {(row["address"], row["matricule"]) for row in rows if row["address"] not in masked}
    assert (UNREACHABLE, "9998") in held, "a unit without any line has its default one"
    for name in ("platform-a", "platform-b", "portal"):
        copy = world.sql(name, "SELECT address, matricule FROM mirror_line")
        assert {(row["address"], row["matricule"]) for row in copy} == held


def test_every_copy_has_what_the_portal_knows(world: World) -> None:
    """Establishments with their flags, routing codes and diffusion statuses reach each platform as they were told."""
    for name in ("platform-a", "platform-b", "portal"):
        hall = "SELECT commitment_or_service_required FROM mirror_establishment WHERE siret = '40000000600009'"
        assert [bool(row["commitment_or_service_required"]) for row in world.sql(name, hall)] == [True]
        codes = world.sql(name, "SELECT code, name, commitment_required FROM mirror_routing_code")
        assert [(row["code"], bool(row["commitment_required"])) for row in codes] == [("VOIRIE", True)]
        units = world.sql(name, "SELECT siren FROM mirror_unit WHERE diffusion = 'P'")
        assert [row["siren"] for row in units] == ["300000007"]


def test_every_export_is_acknowledged(world: World) -> None:
    """A platform answers each directory that it was sent (500)."""
    sent = {FlowName.parse(name).acknowledgement for partner in ("0003", "0005") for name, _ in exports(world, partner)}
    names = {row["name"] for row in world.sql("portal", "SELECT name FROM partner_flow WHERE direction = 'In'")}
    assert {str(name) for name in sent} <= names


def test_loading_again_changes_nothing(own_world: World) -> None:
    """What is loaded twice is there once, and nobody is sent anything."""
    world = own_world
    before = len(exports(world, "0003"))
    line = {"siren": BUYER, "matricule": "0005", "start": date(2024, 1, 1)}
    unit = {"siren": BUYER, "name": "Maison Tilleul", "entity_type": "A"}
    assert authority.load(world.hall, units=[unit], lines=[line]) == {
        "units": 0, "establishments": 0, "routing_codes": 0, "lines": 0,
    }  # fmt: skip
    world.work()
    assert len(exports(world, "0003")) == before


def test_public_places_have_chorus_pro(own_world: World) -> None:
    """A public establishment and its services, loaded without lines, are received by Chorus Pro."""
    world, public = own_world, "800000002"
    hall, shop = f"{public}00017", f"{BUYER}00033"
    unit = {"siren": public, "name": "Commune", "entity_type": "P", "is_taxable": False}
    codes = [RoutingCode(siret=siret, code="S1", name="Service") for siret in (hall, shop)]
    loaded = {
        "units": [unit],
        "establishments": [
            Establishment(siret=hall, name="Mairie", **FLAGS),
            Establishment(siret=shop, name="Boutique"),
        ],
        "routing_codes": codes,
    }
    assert authority.load(world.hall, **loaded)["lines"] == 2
    with world.hall.actor.database.read() as connection:
        held = {line.address: line.matricule for line in lines_of_unit(connection, public)}
    assert held == {f"{public}_{hall}": "9999", f"{public}_{hall}_S1": "9999"}
    assert authority.load(world.hall, **loaded)["lines"] == 0


def test_a_new_address_is_known_everywhere(own_world: World) -> None:
    """An address that did not exist does, for the very next invoice."""
    world, address = own_world, f"{BUYER}_ACHATS"
    world.deposit(service("F1", buyer=party(BUYER, address=address)))
    line = {"siren": BUYER, "suffix": "ACHATS", "matricule": "0005", "start": date(2024, 1, 1)}
    authority.load(world.hall, units=[], lines=[line])
    world.work()
    world.deposit(service("F2", buyer=party(BUYER, address=address)))
    assert world.statuses(SELLER, "F1") == "213:REJ_ADR"
    assert world.statuses(SELLER, "F2") == "200 201 202 203"


def test_an_older_export_that_comes_late(own_world: World) -> None:
    """The copy is that of the last export, whatever the order they come in."""
    world = own_world
    world.wire.held = []
    for suffix in ("UN", "DEUX"):
        line = {"siren": BUYER, "suffix": suffix, "matricule": "0005", "start": date(2024, 1, 1)}
        authority.load(world.hall, units=[], lines=[line])
        world.work()
    held, world.wire.held = world.wire.held, None
    for message, body in reversed(held):
        world.wire.hand(message, body, key=world.running["portal"])
        world.work()
    assert {resolved(world, f"{BUYER}_{suffix}") for suffix in ("UN", "DEUX")} == {Outcome.PLATFORM}


def test_a_damaged_export(own_world: World) -> None:
    """A directory that cannot be read is refused as irreceivable; the copy stays, and the next one is taken."""
    world = own_world
    lines = world.platform("platform-a").state()["directory_lines"]
    damaged = flow_archive.pack({"F14.xml": exports(world, "0003")[-1][1][:-200]})
    name = FlowName.numbered("FFE1435A", application_code="PA0003", emitter="PPF001", number=10**6)
    message = Message(str(name), Kind.FLOW, "PPF", "0003", name.archive, "0" * 64)
    world.wire.hand(message, damaged, key=world.running["portal"])
    (trouble,) = world.work_with_troubles()
    assert "answers no flow of the portal" in trouble  # which never sent this one
    (flow,) = world.sql("platform-a", "SELECT state, details FROM portal_flow WHERE name = :flow", flow=str(name))
    assert flow["state"] == "irreceivable"
    assert "IRR_SYNTAX" in str(flow["details"])
    assert world.platform("platform-a").state()["directory_lines"] == lines
    line = {"siren": BUYER, "suffix": "ACHATS", "matricule": "0005", "start": date(2024, 1, 1)}
    authority.load(world.hall, units=[], lines=[line])
    world.work()
    assert resolved(world, f"{BUYER}_ACHATS") is Outcome.PLATFORM


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of a platform are settled one a transaction (LINES_AT_ONCE)."""
    monkeypatch.setattr(register, "LINES_AT_ONCE", 1)


@pytest.mark.usefixtures("one_at_once")
def test_a_registration_ends(own_world: World) -> None:
    """The lines of a platform that ends are closed that day, in every copy; until their end they may still be used."""
    world = own_world
    tell(world, registered(world, "0005", registered_until=TODAY + timedelta(days=1)))
    rows = world.rows("portal", select(directory_line).where(of("0005")))
    assert {row["effective_end"] for row in rows if row["start"] <= TODAY} == {TODAY + timedelta(days=1)}
    assert resolved(world, BUYER) is Outcome.PLATFORM
    assert resolved(world, BUYER, TODAY + timedelta(days=1)) is Outcome.GRACE
    others = world.rows("portal", select(directory_line).where(of("0003")))
    assert {row["effective_end"] for row in others} == {None}


def test_midnight_of_the_end_of_a_registration(own_world: World) -> None:
    """In Paris, before midnight the lines to come still are; at midnight they are masked, by themselves."""
    world, address = own_world, f"{BUYER}_LATE"
    late = {"siren": BUYER, "suffix": "LATE", "matricule": "0005", "start": TODAY + timedelta(days=30)}
    authority.load(world.hall, lines=[late])
    until = TODAY + timedelta(days=3)
    tell(world, registered(world, "0005", registered_until=until))
    natures = []
    for minutes in (-15, 0):  # this clock goes on a second each time it is asked
        world.clock.now = datetime.combine(until, time(), PARIS) + timedelta(minutes=minutes)
        world.work()
        with world.hall.actor.database.read() as connection:
            natures += [line.nature for line in lines(connection, address)]
    assert natures == ["D", "M"]
    mine = "SELECT instance FROM mirror_line WHERE nature = 'D' AND address = :one"
    assert world.sql("platform-a", mine, one=address) == []


@pytest.mark.usefixtures("one_at_once")
def test_a_registration_renewed_before_its_end(own_world: World) -> None:
    """What was to be masked at its end is not."""
    world, address = own_world, f"{BUYER}_LATE"
    late = {"siren": BUYER, "suffix": "LATE", "matricule": "0005", "start": TODAY + timedelta(days=30)}
    authority.load(world.hall, lines=[late])
    until = TODAY + timedelta(days=3)
    tell(world, registered(world, "0005", registered_until=until))
    tell(world, registered(world, "0005", registered_until=None))
    world.clock.now = datetime.combine(until, time(1), PARIS)
    world.work()
    with world.hall.actor.database.read() as connection:
        assert [line.nature for line in lines(connection, address)] == ["D"]
    rows = world.rows("portal", select(directory_line).where(of("0005")))
    assert {row["effective_end"] for row in rows} == {None}


@pytest.mark.parametrize(("by", "sender"), [("platform-a", "0003"), ("portal", "0000")])
def test_only_the_registration_service_tells_of_platforms(world: World, by: str, sender: str) -> None:
    """Nobody else ends a platform, or moves it."""
    told = registered(world, "0005", registered_until=TODAY)
    with pytest.raises(Never, match="not taken here"):
        tell(world, told, by=by, sender=sender)
    assert registered(world, "0005").registered_until is None


def test_a_platform_moves(own_world: World) -> None:
    """A platform that is reached elsewhere, under another key, is so for everyone at once."""
    world = own_world
    world.wire.actors["https://b.example"] = world.running["platform-b"]
    tell(world, registered(world, "0005", url="https://b.example"))
    (row,) = world.sql("platform-a", "SELECT contact FROM mirror_platform WHERE matricule = '0005'")
    assert row["contact"].startswith("https://b.example ed25519:")
    world.deposit(service("F1"))
    assert world.statuses(SELLER, "F1") == "200 201 202 203"
