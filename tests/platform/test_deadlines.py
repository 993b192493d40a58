"""What the State should have and has not is known on the minute, and no longer said once it has it."""

from datetime import timedelta

from tests.platform.world import BUYER, SELLER, World, collected, service

from estafette.formats import cdar
from estafette.formats.status_message import Role
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party
from estafette.platform.answers import Answer, details_of
from estafette.platform.deadlines import next_due
from estafette.platform.flows import Deposit

FULL = collected(("20", "2400"))


def said(world: World, actor: str) -> list[tuple[str, str]]:
    """Say what is late at a platform: number, and F1 or the status."""
    return [(row["number"], row["status"] or "F1") for row in world.platform(actor).late()]


def test_a_portal_that_does_not_answer(own_world: World) -> None:
    """What waits for a silent portal is late after a day, not before; once it has all, nothing is."""
    world, number = own_world, own_world.number()
    world.wire.down.add("PPF")
    world.leave(service(number))
    world.work_with_troubles()
    limit = min(row["due_at"] for row in world.view(SELLER, number).declarations)
    with world.running["platform-a"].actor.database.read() as connection:
        assert next_due(connection) == limit
    world.clock.now = limit - timedelta(seconds=2)
    assert said(world, "platform-a") == []
    world.clock.now = limit + timedelta(minutes=1)
    assert said(world, "platform-a") == [(number, "200"), (number, "F1")]
    assert world.platform("platform-a").state()["late"] == 2
    assert said(world, "platform-b") == []
    world.wire.reset()
    world.pass_by(days=2)
    world.work_with_troubles()
    assert world.told(number) == "F1 200"
    assert said(world, "platform-a") == []
    with world.running["platform-a"].actor.database.read() as connection:
        assert next_due(connection) is None


def test_a_status_told_late_by_its_author(own_world: World) -> None:
    """The time of a status runs from the moment its author says, not from the deposit: it may be late at once."""
    world, number = own_world, own_world.number()
    world.deposit(service(number))
    set_at = world.clock().replace(microsecond=0)
    world.pass_by(days=3)
    world.wire.down.add("PPF")
    message = between_platforms(
        "212",
        identifier=f"{number}-212",
        invoice=InvoiceReference(
            number=number,
            type_code="380",
            issue_date=world.row(SELLER, number)["issue_date"],
            seller_siren=SELLER,
        ),
        issuer=company_party(Role.SELLER, SELLER),
        recipients=[company_party(Role.BUYER, BUYER, address=BUYER)],
        set_at=set_at,
        issued_at=set_at,
        details=details_of(Answer("212", amounts=FULL), "EUR", on=set_at),
    )
    world.put(SELLER, Deposit("CDAR", "statut.xml"), cdar.write(message))
    world.work_with_troubles()
    assert said(world, "platform-a") == [(number, "212")]
    (row,) = world.platform("platform-a").late()
    assert row["due_at"] == set_at + timedelta(days=1)
