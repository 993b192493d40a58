"""What the portal rejected is declared again once the cause is mended: by the operator, written anew, and accepted."""

from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.test_watch import call, raised
from tests.platform.world import SELLER, World, collected, service

from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar, flow_archive, flux1
from estafette.formats.envelope import FlowName
from estafette.lifecycle import Refusal
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.statuses import ObjectKind
from estafette.platform.tables import flow

DATA, STATUSES = "FFE0111A", "FFE0614A"


def again(world: World, interface: str) -> int:
    """The operator declares again what was rejected of an interface; returns of how many objects."""
    status, told = call(world, f"/operator/v1/declarations/{interface}/again", method="POST")
    assert status == 200
    return int(told["again"])


def mirrors(world: World, number: str, flow_type: str) -> list[str]:
    """Return what became of what the State was told of an invoice, as its company sees it, the first first."""
    query = select(flow.c.acknowledgement).where(
        flow.c.flow_type == flow_type, flow.c.invoice_id == world.row(SELLER, number)["id"]
    )
    return [row["acknowledgement"] for row in world.rows("platform-a", query.order_by(flow.c.submitted_at))]


def test_data_are_written_anew_under_their_number(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that we wrote wrongly are rejected (251), and accepted under the same number once our writing is mended."""
    world = own_world
    number = world.number()
    right = flux1.build

    def wrong(*arguments: Any, **named: Any) -> tuple[str, bytes]:
        name, data = right(*arguments, **named)
        return name, data.replace(b">380<", b">999<")

    with monkeypatch.context() as faulty:
        faulty.setattr(flux1, "build", wrong)
        world.deposit(service(number))
    assert world.owed(SELLER, number) == "200:receivable F1:rejected"
    assert raised(world) == [("rejected", DATA)]
    assert (again(world, DATA), again(world, STATUSES)) == (1, 0)
    world.work()
    assert world.owed(SELLER, number) == "200:receivable F1:accepted"
    assert raised(world) == []
    assert (world.told(number), mirrors(world, number, "StateCustomerInvoice")) == ("F1 200", ["Error", "Ok"])
    assert again(world, DATA) == 0


def test_a_status_is_told_under_another_number(own_world: World) -> None:
    """A collection that the portal rejects (601) is told again in a message of its own, and taken by silence."""
    world = own_world
    number = world.number()
    world.deposit(service(number))
    world.answer(SELLER, number, "212", amounts=collected(("20", "2400.00")))
    former = world.declaration(SELLER, number, "212")
    reject(world, former["object_id"])
    assert world.declaration(SELLER, number, "212")["state"] == "rejected"
    assert again(world, STATUSES) == 1
    world.work()
    told = world.declaration(SELLER, number, "212")
    assert (told["state"], told["object_id"] != former["object_id"]) == ("receivable", True)
    said = [cdar.read(world.home(SELLER).document(row["sha256"])) for row in (former, told)]
    assert [one.identifier for one in said] == [former["object_id"], told["object_id"]]
    assert len({(one.status, one.set_at, one.details) for one in said}) == 1
    assert mirrors(world, number, "StateCustomerInvoiceLC") == ["Ok", "Error", "Ok"]


def reject(world: World, identifier: str) -> None:
    """The portal rejects a status."""
    now = world.clock().replace(microsecond=0)
    name = FlowName.numbered(
        "FFE0654A", application_code=FlowName.parse(sent(world)).application_code, number=10**9, emitter="PPF001"
    )
    refusal = Refusal("REJ_HAB", "G7.01", "Pas encore habilité.", "Not entitled yet.")
    message = about_object(
        ObjectKind.STATUS, identifier="R1", object_identifier=identifier, recipient="0003", received_at=now, at=now,
        refusals=[refusal],
    )  # fmt: skip
    data = flow_archive.pack({"R1.xml": cdar.write(message)})
    letter = Message(str(name), Kind.FLOW, "PPF", "0003", name.archive, sha256(data).hexdigest())
    world.wire.hand(letter, data, key=world.running["portal"])
    world.wire.mute.add("PPF")  # which knows of no such letter of its own
    world.work()
    world.wire.mute.clear()


def sent(world: World) -> str:
    """Name an envelope that the platform sent."""
    return next(one.name for one in world.crossed(Kind.FLOW, "PPF") if one.name.startswith("FFE")).removesuffix(
        ".tar.gz"
    )


def test_an_interface_that_is_none(world: World) -> None:
    """What may be declared again is told; e-reporting reopens by itself."""
    status, told = call(world, "/operator/v1/declarations/FFE1025A/again", method="POST")
    assert (status, DATA in told["errorMessage"]) == (404, True)
