"""An invoice comes from another platform: judged again, handed over or rejected, and its sender always knows."""

import dataclasses
from datetime import timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace
from tests.platform.world import BUYER, SELLER, TODAY, UNREACHABLE, World, document, party, service

from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import peer_of
from estafette.formats import cdar
from estafette.platform.retransmission import CannotSend
from estafette.store.worker import Later, Never

A, B = "0003", "0005"


def sent(world: World, number: str, data: bytes) -> tuple[Message, bytes]:
    """Return the message by which platform A sent an invoice."""
    (message,) = [one for one in world.crossed(Kind.INVOICE, B) if one.id == world.row(SELLER, number)["id"]]
    return message, data


def test_copy_already_archived(world: World) -> None:
    """The customer has it from elsewhere: rejected as a duplicate, told to both sides and to the State."""
    number = world.number()
    world.deposit(document("service-cii", number), by=BUYER, processing_rule="ArchiveOnly")
    world.deposit(service(number))
    assert world.statuses(SELLER, number) == "200 201 213:DOUBLON"
    archived, refused = world.invoices(BUYER, number)
    assert (archived["standing"], refused["standing"]) == ("archived", "rejected")
    view = world.home(BUYER).invoice(BUYER, refused["id"])
    assert view is not None
    assert [(event["status"], event["reasons"][0]["reason"]) for event in view.events] == [("213", "DOUBLON")]
    assert [row["status"] for row in view.declarations] == ["213"]
    assert world.told(number) == "F1 200 213"
    given = world.home(BUYER).search(BUYER, {"flow_type": ["SupplierInvoice"]}, 100)
    assert refused["id"] not in {flow["invoice_id"] for flow in given}


def test_the_same_message_again(world: World) -> None:
    """A message that comes again, as it was, is had once."""
    number = world.number()
    world.deposit(service(number))
    message, data = sent(world, number, service(number))
    assert world.wire.hand(message, data, key=world.running["platform-a"]) is False
    world.work()
    assert world.statuses(BUYER, number) == "202 203"


def test_the_same_invoice_in_another_message(world: World) -> None:
    """The invoice sent twice by its platform is handed over once; the one had still counts for the State."""
    number = world.number()
    world.deposit(service(number))
    message, data = sent(world, number, service(number))
    world.wire.hand(replace(message, id="again"), data, key=world.running["platform-a"])
    world.work()
    assert [row["standing"] for row in world.invoices(BUYER, number)] == ["live", "rejected"]
    assert world.told(number) == "F1 200"


def test_broken_on_the_way(world: World) -> None:
    """What comes unreadable is answered by 501, with its code, on the very delivery."""
    number = world.number()
    world.wire.change = lambda message, body: b"<half" if message.kind is Kind.INVOICE else body
    world.deposit(service(number))
    assert world.statuses(SELLER, number) == "200 201 501:IRR_SYNTAX"
    assert world.invoices(BUYER, number) == []


def test_rejected_at_reception(world: World) -> None:
    """An invoice that breaks the rules at reception is rejected there, and nothing is handed over."""
    number = world.number()
    world.wire.change = lambda message, body: (
        body.replace(b">2400.00<", b">2500.00<") if message.kind is Kind.INVOICE else body
    )
    world.deposit(service(number))
    assert world.statuses(SELLER, number).startswith("200 201 213:")
    assert world.row(BUYER, number)["standing"] == "rejected"
    assert world.told(number) == "F1 200 213"


def test_misrouted(world: World) -> None:
    """An address that the platform does not serve is answered by 221; the customer can be sent it later."""
    number = world.number()
    world.deposit(service(number, buyer=party("600000004")))
    assert world.statuses(SELLER, number) == "200 201 221:ROUTAGE_ERR"
    assert world.told(number) == "F1 200"


def test_a_customer_that_left(own_world: World) -> None:
    """What was sent before a change of platform may still come the day it happens; later, it is a routing error."""
    world = own_world
    world.platform("platform-a").move_addresses(BUYER, TODAY + timedelta(days=1), arrives=True)
    world.work()
    numbers = [world.number(), world.number()]
    for number in numbers:
        world.clock.now += timedelta(days=1)
        data = service(number)
        message = Message(number, Kind.INVOICE, A, B, "facture.xml", sha256(data).hexdigest())
        world.wire.hand(message, data, key=world.running["platform-a"])
        world.work()
    assert [[row["standing"] for row in world.invoices(BUYER, number)] for number in numbers] == [["live"], []]
    documents = world.running["platform-b"].actor.documents
    said = cdar.read(documents.get(world.crossed(Kind.STATUS, A)[-1].sha256))
    assert (said.status, said.object_identifier, said.reason_codes) == ("221", numbers[1], ("ROUTAGE_ERR",))


@pytest.mark.parametrize("sender", ["0042", "0000", B])
def test_unknown_or_unsigned_sender(world: World, sender: str) -> None:
    """A message that its sender did not sign, or whose sender nobody knows, changes nothing and is not kept."""
    number = world.number()
    data = service(number)
    message = Message(f"forged-{sender}", Kind.INVOICE, sender, B, "facture.xml", "0" * 64)
    before = world.sql("platform-b", "SELECT count(*) AS n FROM inbox")[0]["n"]
    with pytest.raises(Later, match="unknown sender or wrong signature"):
        world.wire.hand(message, data, key=world.running["platform-a"])
    world.work()
    assert world.sql("platform-b", "SELECT count(*) AS n FROM inbox")[0]["n"] == before
    assert world.invoices(BUYER, number) == []


def test_not_for_here(world: World) -> None:
    """A message for another platform is not taken."""
    message = Message("astray", Kind.INVOICE, A, "0042", "facture.xml", "0" * 64)
    with pytest.raises(Never, match="not served here"):
        world.wire.hand(message, b"", key=world.running["platform-a"], at="platform-b")


def test_only_the_portal_writes_the_directory(world: World) -> None:
    """A directory, or an answer of the portal, that another platform sends is refused and changes nothing."""
    (export,) = world.sql("platform-a", "SELECT sha256, name FROM portal_flow WHERE name LIKE 'FFE1435A%' LIMIT 1")
    body = world.running["platform-a"].actor.documents.get(export["sha256"])
    name = f"{export['name'][:-3]}999.tar.gz"
    lines = world.platform("platform-a").state()["directory_lines"]
    message = Message(name, Kind.FLOW, B, A, name, "0" * 64)
    with pytest.raises(Never, match="not taken here"):
        world.wire.hand(message, body, key=world.running["platform-b"])
    world.work()
    assert world.sql("platform-a", "SELECT 1 FROM portal_flow WHERE name = :flow", flow=name[:-7]) == []
    assert world.platform("platform-a").state()["directory_lines"] == lines


@pytest.mark.parametrize("kind", [Kind.FACT, Kind.PLATFORM])
def test_kind_not_taken(world: World, kind: Kind) -> None:
    """What a platform has no use for is refused: its sender must not think that it was had."""
    with pytest.raises(Never, match="not taken here"):
        world.wire.hand(Message(f"k-{kind}", kind, B, A, "x", "0" * 64), b"{}", key=world.running["platform-b"])


@pytest.mark.parametrize("body", [b"", b"not xml", b"<a/>", service("X1")])
def test_not_a_status(world: World, body: bytes) -> None:
    """What is sent as a status and is none is set aside, with why, and harms nothing else."""
    message = Message(f"bad-{hash(body)}", Kind.STATUS, B, A, "statut.xml", "0" * 64)
    world.wire.hand(message, body, key=world.running["platform-b"])
    (trouble,) = world.work_with_troubles()
    assert "IRR_" in trouble
    parked = world.sql("platform-a", "SELECT state FROM job WHERE key = :key", key=f"status:{B}:{message.id}")
    assert parked[0]["state"] == "parked", "trying again would change nothing"
    number = world.number()
    world.deposit(service(number))
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_a_stranger_does_not_speak_of_an_invoice(world: World) -> None:
    """A status from a platform that did not exchange the invoice is not in its life cycle."""
    number = world.number()
    world.deposit(service(number))
    forged = cdar.write(dataclasses.replace(world.messages(SELLER, number)[2], identifier=f"{number}-x", status="213"))
    message = Message(f"{number}-x", Kind.STATUS, "0000", A, "statut.xml", "0" * 64)
    world.wire.hand(message, forged, key=world.running["portal"])
    world.work()
    assert world.statuses(SELLER, number) == "200 201 202 203"


def test_contacts_are_read_back(world: World) -> None:
    """Each platform knows the other by the directory alone: where it is, and its key."""
    (row,) = world.sql("platform-a", "SELECT contact FROM mirror_platform WHERE matricule = '0005'")
    known = peer_of(B, row["contact"])
    assert known is not None
    assert known.public_key == world.running["platform-b"].actor.public_key


def test_sent_again_once_served(own_world: World) -> None:
    """A misrouted invoice is sent again as it is, once and by a message of its own, and lives as any other."""
    world = own_world
    number = world.number()
    at_b = world.platform("platform-b").home.actor.database
    with at_b.begin() as connection:
        connection.exec_driver_sql("UPDATE mirror_line SET address = 'gone' WHERE address = '200000008'")
    world.deposit(service(number))
    assert world.statuses(SELLER, number) == "200 201 221:ROUTAGE_ERR"
    with at_b.begin() as connection:
        connection.exec_driver_sql("UPDATE mirror_line SET address = '200000008' WHERE address = 'gone'")
    which = world.row(SELLER, number)["id"]
    for _ in range(2):
        assert world.home(SELLER).send_again(SELLER, which) == "0005"
    world.work()
    assert world.statuses(SELLER, number) == "200 201 221:ROUTAGE_ERR 201 202 203"
    assert world.statuses(BUYER, number) == "202 203"
    assert world.told(number) == "F1 200"
    with pytest.raises(CannotSend, match="arrived"):
        world.home(SELLER).send_again(SELLER, which)


def test_sent_once_the_customer_has_a_platform(own_world: World) -> None:
    """An invoice not transmitted stays so while the directory names nobody, and goes once it does."""
    world = own_world
    number = world.number()
    world.deposit(service(number, buyer=party(UNREACHABLE)))
    which = world.row(SELLER, number)["id"]
    assert world.view(SELLER, number).may_be_sent_again
    with pytest.raises(CannotSend, match="still gives no platform"):
        world.home(SELLER).send_again(SELLER, which)
    with world.platform("platform-a").home.actor.database.begin() as connection:
        connection.exec_driver_sql(f"UPDATE mirror_line SET matricule = '0005' WHERE address = '{UNREACHABLE}'")  # noqa: S608
    world.home(SELLER).send_again(SELLER, which)
    world.work()
    row = world.row(SELLER, number)
    assert (row["standing"], row["peer"]) == ("live", "0005")
    assert world.statuses(SELLER, number).startswith("200:NON_TRANSMISE 201 221")
    assert world.view(SELLER, number).may_be_sent_again
