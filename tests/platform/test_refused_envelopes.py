"""An envelope that the portal cannot use: what spoils it is found and set aside, the rest is had at once."""

import asyncio
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.test_watch import call
from tests.platform.world import SELLER, World, service

from estafette.exchange import watch
from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar, flow_archive, flux10
from estafette.formats.envelope import FlowName
from estafette.lifecycle import Refusal
from estafette.lifecycle.messages import about_flow, portal_party
from estafette.platform import deadlines, refused_envelopes
from estafette.platform.reporting_ledger import PeriodKey
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


def envelopes(world: World) -> list[str]:
    """Name the envelopes of data that left, the first first."""
    query = select(portal_flow.c.name).where(portal_flow.c.name.startswith(DATA)).order_by(portal_flow.c.created_at)
    return [row["name"] for row in world.rows("platform-a", query)]


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


@pytest.mark.parametrize(("reason", "aside_at_once"), [("IRR_CODE_APP", 3), ("IRR_TYPE", 3), ("IRR_ANTIVIRUS", 0)])
def test_what_is_wrong_with_the_connection_is_not_tried_file_by_file(
    own_world: World, reason: str, aside_at_once: int
) -> None:
    """Refused for itself, an envelope is set aside whole until it is mended; refused for a file, it leaves in two."""
    world = own_world
    world.wire.mute.add("PPF")
    for _ in range(3):
        world.leave(service(world.number()))
    world.work()
    (name,) = envelopes(world)
    refuse(world, name, reason)
    refuse(world, name, reason)
    assert len(aside(world)) == aside_at_once
    assert len(envelopes(world)) == (1 if aside_at_once else 3)


def test_an_envelope_that_is_there_already(own_world: World) -> None:
    """Taken twice by the portal it is not sent again, however the reason is spelled (general file, table 3)."""
    world = own_world
    world.wire.mute.add("PPF")
    world.leave(service(world.number()))
    world.leave(service(world.number()))
    world.work()
    (name,) = envelopes(world)
    refuse(world, name, "IRR_UNCITE")
    assert (envelopes(world), aside(world)) == ([name], [])


def test_when_all_comes_back_nothing_more_is_tried(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When very much comes back, what is wrong is no file: the rest waits for the operator, who runs it all again."""
    world = own_world
    monkeypatch.setattr(refused_envelopes, "REFUSED_MAX", 3)
    spoiling(world, DATA, b"<")
    numbers = [world.number() for _ in range(9)]
    for number in numbers:
        world.leave(service(number))
    world.at_once = 64
    world.work()
    assert len(envelopes(world)) == 7, "one, then its halves, then theirs"
    assert len(aside(world)) == 9
    world.wire.change = lambda _message, body: body
    status, told = call(world, "/operator/v1/jobs/retry?queue=send-again", method="POST")
    assert (status, told["retried"]) == (200, 9)
    world.work()
    assert {world.owed(SELLER, number) for number in numbers} == {"200:receivable F1:accepted"}
    assert len(envelopes(world)) == 8, "together"
    assert call(world, "/operator/v1/jobs/retry?queue=send-again", method="POST")[0] == 404


def test_a_period_leaves_as_it_stands_by_now(own_world: World) -> None:
    """A transmission set aside is not sent over the one that replaced it since: what is run again is the period."""
    world = own_world
    rooms = world.home(SELLER).reporting
    head = b"id;date;categorie;taux;base;tva\n"

    def hand_in(row: bytes) -> None:
        asyncio.run(rooms.hand_in(SELLER, head + row, name="z.csv", source="api"))

    def held() -> Any:
        key = PeriodKey(SELLER, flux10.Role.SELLER, flux10.Kind.TRANSACTIONS, date(2026, 9, 14))
        return asyncio.run(rooms.draft(key)).draft

    hand_in(b"Z1;14/09/2026;TLB1;20;100;20\n")
    world.clock.now = datetime(2026, 10, 1, 5, tzinfo=UTC)
    world.work()
    hand_in(b"Z2;14/09/2026;TLB1;20;10;2\n")
    world.wire.change = lambda message, body: b"" if message.name.startswith("FFE1025A") else body
    world.clock.now = datetime(2026, 10, 11, 5, tzinfo=UTC)
    world.work()
    assert held().last["state"] == "irreceivable"
    world.wire.change = lambda _message, body: body
    hand_in(b"Z3;14/09/2026;TLB1;20;1;0.2\n")
    world.clock.now = datetime(2026, 10, 21, 5, tzinfo=UTC)
    world.work()
    assert held().state == "accepted"
    mend(world)
    assert [row["state"] for row in held().previous] == ["accepted", "irreceivable", "accepted"]
    assert held().state == "accepted"
    accepted = world.sql("portal", "SELECT count(*) AS n FROM accepted_report")[0]["n"]
    assert accepted == 2, "nothing new is to be said"
