"""An envelope that the portal cannot use: what spoils it is found and set aside, the rest is had at once."""

from hashlib import sha256

import pytest
from sqlalchemy import select
from tests.platform.world import SELLER, World, service

from estafette.exchange import watch
from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar, flow_archive
from estafette.formats.envelope import FlowName
from estafette.lifecycle import Refusal
from estafette.lifecycle.messages import about_flow, portal_party
from estafette.platform import deadlines
from estafette.platform.tables import portal_flow
from estafette.store.tables import job

DATA = "FFE0111A"


def spoiling(world: World, interface: str, mark: bytes) -> None:
    """On its way the file that says this becomes one that nobody can use."""

    def change(message: Message, body: bytes) -> bytes:
        if message.kind is not Kind.FLOW or message.recipient != "PPF" or not message.name.startswith(interface):
            return body
        files = dict(flow_archive.unpack(message.name, body))
        return flow_archive.pack({name: b"<Invoice/>" if mark in data else data for name, data in files.items()})

    world.wire.change = change


def aside(world: World) -> list[str]:
    """Return the errors of what was set aside at the seller's platform."""
    return [row["error"] for row in world.rows("platform-a", select(job).where(job.c.state == "parked"))]


def mend(world: World) -> None:
    """The cause is mended and the operator runs again what was set aside."""
    world.wire.change = lambda _message, body: body
    rows = world.rows("platform-a", select(job).where(job.c.state == "parked"))
    with world.running["platform-a"].actor.database.begin() as connection:
        for row in rows:
            assert watch.retry(connection, row["id"], now=world.clock())
    world.work()


def test_one_bad_file_does_not_hold_back_the_others(own_world: World) -> None:
    """Of seven invoices packed together one is bad: six are had, one is set aside with the reason, late, then sent."""
    world = own_world
    numbers = [world.number() for _ in range(7)]
    spoiling(world, DATA, f">{numbers[4]}<".encode())
    for number in numbers:
        world.leave(service(number))
    world.work()
    owed = {number: world.owed(SELLER, number) for number in numbers}
    assert {number for number, state in owed.items() if state == "200:receivable F1:accepted"} == {
        *numbers[:4], *numbers[5:],
    }  # fmt: skip
    assert owed[numbers[4]] == "200:receivable F1:irreceivable"
    (error,) = aside(world)
    assert "IRR_TYPE_F Le fichier n'est ni UBL ni CII" in error
    envelopes = [one for one in world.crossed(Kind.FLOW, "PPF") if one.name.startswith(DATA)]
    assert 1 < len(envelopes) <= 7
    with world.running["platform-a"].actor.database.read() as connection:
        world.pass_by(days=2)
        assert deadlines.count_late(connection, now=world.clock.now) == 1
    mend(world)
    assert world.owed(SELLER, numbers[4]) == "200:receivable F1:accepted"
    assert aside(world) == []


def refuse(world: World, name: str, reason: str) -> None:
    """The portal, which a test plays, answers that it cannot use an envelope."""
    flow = FlowName.parse(name)
    now = world.clock().replace(microsecond=0)
    message = about_flow(
        identifier=f"CDV_{flow.flow_identifier}", flow_identifier=flow.flow_identifier, flow_name=name,
        sender=portal_party(), received_at=now, at=now, refusals=[Refusal(reason, "G7.18", "Refusé.", "Refused.")],
    )  # fmt: skip
    data = flow_archive.pack({f"{flow.acknowledgement}.xml": cdar.write(message)})
    sent = Message(
        world.number("ack-"), Kind.FLOW, "PPF", "0003", flow.acknowledgement.archive, sha256(data).hexdigest()
    )
    world.wire.hand(sent, data, key=world.running["portal"])
    world.work()


@pytest.mark.parametrize(("reason", "aside_at_once"), [("IRR_CODE_APP", 3), ("IRR_ANTIVIRUS", 0)])
def test_what_is_wrong_with_the_connection_is_not_tried_file_by_file(
    own_world: World, reason: str, aside_at_once: int
) -> None:
    """Refused for itself, an envelope is set aside whole until it is mended; refused for a file, it leaves in two."""
    world = own_world
    world.wire.mute.add("PPF")
    for _ in range(3):
        world.leave(service(world.number()))
    world.work()
    (name,) = [row["name"] for row in world.rows("platform-a", select(portal_flow)) if row["name"].startswith(DATA)]
    refuse(world, name, reason)
    refuse(world, name, reason)
    assert len(aside(world)) == aside_at_once
    left = [row["name"] for row in world.rows("platform-a", select(portal_flow)) if row["name"].startswith(DATA)]
    assert len(left) == (1 if aside_at_once else 3)
