"""What the State is told of a company is among its flows, for whom asks; each client reads directions its own way."""

from typing import Any

import pytest
from tests.platform.world import BUYER, SELLER, World, service

from estafette.platform.views import View


def found(world: World, siren: str, view: View | None = None, **where: Any) -> list[tuple[str, str, str]]:
    """Give type, direction and acknowledgement of the flows a client finds."""
    view = view or View()
    rows = world.home(siren).search(siren, where, 1000, view)
    return [(row["flow_type"], view.direction_of(row["origin"]), row["acknowledgement"]) for row in rows]


@pytest.fixture
def since(world: World) -> dict[str, Any]:
    """Give the criterion of what comes from now on."""
    return {"updated_after": world.clock.now}


def test_the_state_is_mirrored_for_whom_asks(world: World, since: dict[str, Any]) -> None:
    """A Flow 1 and a 200 have mirrors, settled by the portal; they are shown by a setting or to whom names them."""
    world.deposit(service(world.number()))
    mirrors = [("StateCustomerInvoice", "In", "Ok"), ("StateCustomerInvoiceLC", "In", "Ok")]
    assert not [one for one in found(world, SELLER, **since) if one[0].startswith("State")]
    shown = found(world, SELLER, View(state_flows=True), **since)
    assert sorted(one for one in shown if one[0].startswith("State")) == mirrors
    assert sorted(found(world, SELLER, flow_type=[one[0] for one in mirrors], **since)) == mirrors
    assert found(world, SELLER, flow_type=["StateInvoice"], **since) == mirrors[:1]
    assert found(world, BUYER, flow_type=["StateSupplierInvoice", "StateCustomerInvoice"], **since) == []


def test_directions_as_each_client_reads_them(world: World, since: dict[str, Any]) -> None:
    """What the company deposited goes out; what its own platform sets comes in, or goes out as annex C reads it."""
    world.deposit(service(world.number()))
    delivery = found(world, SELLER, **since)
    annex = found(world, SELLER, View("annex-c"), **since)
    assert [one for one in delivery if one[1] == "Out"] == [("CustomerInvoice", "Out", "Ok")]
    outward = [name for name, direction, _status in annex if direction == "Out"]
    assert sorted(outward) == ["CustomerInvoice", "CustomerInvoiceLC", "CustomerInvoiceLC"]  # 200 and 201
    assert ("CustomerInvoiceLC", "In", "Ok") in annex  # 202, of the other platform
    assert found(world, SELLER, flow_direction=["In"], **since) == [one for one in delivery if one[1] == "In"]
    for view in (View(), View("annex-c")):
        both = [found(world, SELLER, view, flow_direction=[way], **since) for way in ("In", "Out")]
        assert sorted(both[0] + both[1]) == sorted(found(world, SELLER, view, **since))


def test_who_acts_for_another_sees_what_was_let(world: World, since: dict[str, Any]) -> None:
    """A view of some types finds those and no other."""
    world.deposit(service(world.number()))
    only = View(only=frozenset({"CustomerInvoiceLC"}))
    assert {one[0] for one in found(world, SELLER, only, **since)} == {"CustomerInvoiceLC"}


def test_deposited_again_after_a_rejection(world: World) -> None:
    """The very bytes of a rejected invoice are a new deposit, under the same tracking identifier too; no others are."""
    future = service(world.number()).replace(b"2026-", b"2027-")
    first = world.deposit(future, tracking_id="F-1")
    again = world.deposit(future, tracking_id="F-1")
    assert first != again
    assert [world.flow(SELLER, one)["acknowledgement"] for one in (first, again)] == ["Ok", "Ok"]
    good = service(world.number())
    kept = world.deposit(good, tracking_id="F-2")
    assert world.deposit(good, tracking_id="F-2") == kept
    other = world.flow(SELLER, world.deposit(good, tracking_id="F-3"))
    assert other["details"][0]["reasonCode"] == "AlreadyExistingFlow"
    assert kept in other["details"][0]["reasonMessage"]
