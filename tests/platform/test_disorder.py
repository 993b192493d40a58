"""Whatever the network does to the order and the number of messages, everyone ends knowing the same."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.platform.world import BUYER, SELLER, World, collected, opened, service

from estafette.exchange.messages import Message

FULL = collected(("20", "2400"))

LIVES = {
    "approved": (
        (BUYER, "204", {}),
        (BUYER, "205", {}),
        (BUYER, "211", {"amounts": ((None, FULL[0][1]),)}),
        (SELLER, "212", {"amounts": FULL}),
    ),
    "refused": ((BUYER, "204", {}), (BUYER, "210", {"reason": "TX_TVA_ERR", "comment": "Taux faux"})),
    "rejected": (),
}
"""What the parties say of an invoice, each as soon as it can be said."""

Choices = list[tuple[int, bool]]
"""For each turn: which of the waiting messages arrives, and whether it stays on the network to arrive again."""


@pytest.fixture(scope="module")
def disordered() -> Iterator[World]:
    """Give a system whose network holds everything."""
    with opened() as world:
        yield world


def play(world: World, life: str, choices: Choices) -> str:
    """Play a life on a network that does as the choices say; return what everyone then knows."""
    number = world.number("D")
    world.wire.reset()
    world.wire.held = waiting = []
    said = list(LIVES[life])
    if life == "rejected":
        world.deposit(service(number), by=BUYER, processing_rule="ArchiveOnly")
    world.deposit(service(number, due_date=None))
    turns = iter([*choices, *[(0, False)] * 500])
    while waiting or said:
        while said and _can(world, *said[0][:2], number):
            who, status, more = said.pop(0)
            world.say(who, number, status, **more)
            world.work()
        _arrive(world, waiting, *next(turns))
    world.wire.held = None
    return _known(world, number)


def _can(world: World, siren: str, status: str, number: str) -> bool:
    live = [row for row in world.invoices(siren, number) if row["standing"] == "live"]
    return bool(live) and status in {one.code for one in world.view(siren, number).possible}


def _arrive(world: World, waiting: list[tuple[Message, bytes]], which: int, stays: bool) -> None:
    """One of the waiting messages arrives, and all that its recipient does follows."""
    at = which % len(waiting)
    message, body = waiting[at] if stays else waiting.pop(at)
    world.wire.hand(message, body, key=world.wire.of(message.sender))
    world.work()


def _known(world: World, number: str) -> str:
    """Say what each actor knows of the invoice, in an order that does not depend on when it came."""
    lines = []
    for siren in (SELLER, BUYER):
        for row in world.invoices(siren, number):
            view = world.home(siren).invoice(siren, row["id"])
            assert view is not None
            events = sorted(event["status"] for event in view.events)
            owed = sorted(f"{one['status'] or 'F1'} {one['state']}" for one in view.declarations)
            lines.append(f"{siren} {row['side']} {row['standing']} {events} {owed}")
    lines += sorted(world.told(number).split())
    assert world.sql("platform-a", "SELECT 1 FROM early_status WHERE number = :number", number=number) == []
    assert world.sql("platform-b", "SELECT 1 FROM early_status WHERE number = :number", number=number) == []
    return "\n".join(lines)


@pytest.mark.parametrize("life", LIVES)
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(choices=st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=40))
def test_any_order_any_number(disordered: World, life: str, choices: Choices) -> None:
    """Messages that overtake each other, or come again, end in what everyone knows when none does."""
    expected = play(disordered, life, [])
    assert play(disordered, life, choices) == expected


@pytest.mark.parametrize("life", LIVES)
def test_last_come_first(disordered: World, life: str) -> None:
    """The network as a stack: the last message sent always arrives first."""
    assert play(disordered, life, [(-1, False)] * 200) == play(disordered, life, [])


def test_in_order(disordered: World) -> None:
    """What everyone knows when nothing goes wrong is what the life cycle says."""
    assert play(disordered, "approved", []).splitlines() == [
        f"{SELLER} issued live ['200', '201', '202', '203', '204', '205', '211', '212'] "
        "['200 receivable', '212 receivable', 'F1 accepted']",
        f"{BUYER} received live ['202', '203', '204', '205', '211', '212'] []",
        "200",
        "212",
        "F1",
    ]
