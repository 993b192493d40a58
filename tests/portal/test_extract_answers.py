"""A platform that cannot use a part of the directory is sent it again, once; then someone is told."""

import pytest
from sqlalchemy import select
from tests.platform.test_watch import raised
from tests.platform.world import UNREACHABLE, World

from estafette.exchange.messages import Kind, Message
from estafette.formats import flow_archive
from estafette.portal import authority
from estafette.portal.extracts import INTERFACE
from estafette.portal.tables import partner_flow

REFUSED = ("refused", f"0003/{INTERFACE}")


def is_part(message: Message, recipient: str = "0003") -> bool:
    """Tell whether a message carries a part of the directory to a platform."""
    return message.kind is Kind.FLOW and message.name.startswith(INTERFACE) and message.recipient == recipient


def renamed(world: World, name: str) -> str:
    """The directory knows a company by another name; return what platform A knows it by."""
    authority.load(world.hall, units=[{"siren": UNREACHABLE, "name": name, "entity_type": "A"}])
    world.work()
    (row,) = world.sql("platform-a", "SELECT name FROM mirror_unit WHERE siren = :siren", siren=UNREACHABLE)
    return str(row["name"])


def states(world: World) -> list[str]:
    """Return what became of the parts sent to platform A, the last two."""
    mine = (partner_flow.c.interface == INTERFACE, partner_flow.c.partner == "0003")
    rows = world.rows("portal", select(partner_flow.c.state).where(*mine).order_by(partner_flow.c.identifier))
    return [row["state"] for row in rows][-2:]


def test_taken(own_world: World) -> None:
    """What a platform can use is known to be had."""
    assert renamed(own_world, "Autre nom") == "Autre nom"
    assert states(own_world) == ["receivable"] * 2


def test_damaged_on_the_way(own_world: World) -> None:
    """A part that arrives damaged is refused by the platform, sent again, and then had."""
    world, damaged = own_world, list[Message]()

    def damage(message: Message, body: bytes) -> bytes:
        if damaged or not is_part(message):
            return body
        damaged.append(message)
        return body[:-20]

    world.wire.change = damage
    assert renamed(world, "Autre nom") == "Autre nom"
    assert (len(damaged), states(world)) == (1, ["resent", "receivable"])
    assert REFUSED not in raised(world, "portal")


def test_refused_twice(own_world: World) -> None:
    """A part refused again is not sent for ever: the portal's operator is told which platform, and why."""
    world = own_world
    world.wire.change = lambda message, body: flow_archive.pack({"F14.xml": b"<a/>"}) if is_part(message) else body
    assert renamed(world, "Autre nom") != "Autre nom"
    assert states(world) == ["resent", "irreceivable"]
    assert REFUSED in raised(world, "portal")
    (alarm,) = world.sql("portal", "SELECT en FROM alarm WHERE kind = 'refused'")
    assert "0003 refuses 1 flow(s) FFE1435A" in alarm["en"] and "IRR_TYPE_F" in alarm["en"]


@pytest.mark.parametrize("body", [b"", b"no archive", flow_archive.pack({"a.xml": b"<a/>"})])
def test_an_answer_that_says_nothing(own_world: World, body: bytes) -> None:
    """An answer that cannot be read changes nothing and stops nobody."""
    world = own_world
    world.wire.change = lambda message, content: body if message.name.startswith("CFE1435A") else content
    assert renamed(world, "Autre nom") == "Autre nom"
    assert states(world)[-1] == "sent"


def test_the_directory_that_follows(own_world: World) -> None:
    """What was not told of a unit that a platform refused is told by the next full extract."""
    world = own_world
    world.wire.change = lambda message, body: b"broken" if is_part(message) else body
    renamed(world, "Autre nom")
    world.wire.change = lambda _message, body: body
    world.pass_by(days=8)
    world.work()
    (row,) = world.sql("platform-a", "SELECT name FROM mirror_unit WHERE siren = :siren AND generation = "
                       "(SELECT generation FROM mirror_current)", siren=UNREACHABLE)  # fmt: skip
    assert row["name"] == "Autre nom"
