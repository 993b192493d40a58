"""Statuses from another platform end in one life, whatever the order they come in, and however often."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.platform.world import BUYER, SELLER, TODAY, World, opened, service

from estafette.exchange.messages import Kind
from estafette.formats import cdar
from estafette.formats.status_message import Characteristic, Detail, Note, Role
from estafette.lifecycle import STATUSES
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party, platform_party
from estafette.values.moments import PARIS

DAY = datetime(2026, 9, 15, 22, tzinfo=PARIS)
"""After all that our own platform sets: the latest status is then the other's."""


def collected(amount: str) -> tuple[Detail, ...]:
    """What goes with a 212."""
    datum = Characteristic(type_code="MEN", amount=Decimal(amount), currency="EUR", percent=Decimal(20))
    return (Detail(characteristics=(datum,), notes=(Note("Chèque sans provision"),)),)


REASON = (Detail(reason_code="TX_TVA_ERR", requested_action="NIN"),)
JUSTIFICATION = (Detail(reason_code="JUSTIF_ABS", notes=(Note("Bon de livraison ?"),)),)

FROM_RECEPTION = [
    ("202", 0, ()), ("203", 0, ()), ("204", 5, ()), ("208", 9, JUSTIFICATION), ("207", 12, REASON), ("207", 13, REASON),
    ("205", 13, ()), ("211", 20, ()), ("219", 21, ()),
]  # fmt: skip
"""What the buyer's side says, each at a minute: two of the same second, one twice, one that nobody knows."""

FROM_SENDING = [
    ("212", 30, collected("600")), ("212", 31, collected("600")), ("212", 32, collected("-600")), ("209", 10, ()),
    ("225", 11, ()), ("227", 11, ()), ("220", 40, ()), ("226", 12, ()),
]  # fmt: skip
"""What the seller's side says; the last should never have left it."""

Choices = list[tuple[int, int]]
"""For each message: its place among the others, and how many times it comes again."""

LENIENT = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 2)), min_size=20, max_size=20)


@pytest.fixture(scope="module")
def arriving() -> Iterator[World]:
    """Give a system where each platform in turn is another's."""
    with opened() as world:
        yield world


def written(number: str, life: list[tuple[str, int, tuple[Detail, ...]]], role: Role) -> list[bytes]:
    """Write the statuses of a life as another's platform does."""
    about = InvoiceReference(number=number, type_code="380", issue_date=TODAY - timedelta(days=1), seller_siren=SELLER)
    party = company_party(role, SELLER if role is Role.SELLER else BUYER)
    found = []
    for at, (status, minute, details) in enumerate(life):
        message = between_platforms(
            status if status in STATUSES else "204",
            identifier=f"{number}-{status}-{at}",
            invoice=about,
            issuer=platform_party() if status in ("202", "203") else party,
            recipients=[company_party(Role.BUYER, BUYER, address=BUYER)],
            set_at=DAY + timedelta(minutes=minute),
            issued_at=DAY + timedelta(minutes=minute),
            details=details,
        )
        data = cdar.write(message)
        found.append(data if status in STATUSES else data.replace(b">204<", f">{status}<".encode()))
    return found


def shuffled(messages: list[bytes], choices: Choices) -> list[bytes]:
    """Put messages in another order, some of them several times."""
    placed = sorted(zip(choices, messages, strict=False), key=lambda one: one[0][0])
    first = [message for (_place, _again), message in placed]
    return first + [message for (_place, again), message in placed for _ in range(again)]


def known(world: World, siren: str, number: str) -> list[Any]:
    """Say all that the company sees of the life: each status and its moment, the latest, what may be said next."""
    view = world.view(siren, number)
    life = [(event["status"], event["set_at"], event["message_id"].replace(number, "")) for event in view.events]
    own = [one for one in life if not one[2].startswith("-")]
    listed = next(row for row in world.home(siren).invoices(siren, view.row["side"], 1000) if row["number"] == number)
    theirs = [one for one in life if one not in own]
    return [theirs, [status for status, *_rest in own], listed["status"], [status.code for status in view.possible]]


def at_sending(world: World, choices: Choices) -> list[Any]:
    """An invoice of ours; the statuses of the platform that received it."""
    number = world.number("N")
    world.wire.mute = {"0005"}
    world.deposit(service(number))
    for message in shuffled(written(number, FROM_RECEPTION, Role.BUYER), choices):
        world.receive("0005", "0003", message)
        world.work()
    return known(world, SELLER, number)


def at_reception(world: World, choices: Choices) -> list[Any]:
    """An invoice of another's platform, and its statuses, some before it."""
    number = world.number("R")
    world.wire.mute = {"0003"}
    messages = shuffled(written(number, FROM_SENDING, Role.SELLER), choices)
    when = choices[-1][0] % (len(messages) + 1)
    for message in messages[:when]:
        world.receive("0003", "0005", message)
        world.work()
    world.receive("0003", "0005", service(number), Kind.INVOICE)
    world.work()
    for message in messages[when:]:
        world.receive("0003", "0005", message)
        world.work()
    return known(world, BUYER, number)


IN_ORDER: Choices = [*((at, 0) for at in range(19)), (0, 0)]


@pytest.fixture(scope="module")
def expected() -> dict[str, list[Any]]:
    """What each side knows when every message comes once, in its order, after the invoice."""
    with opened() as world:
        return {"sending": at_sending(world, IN_ORDER), "reception": at_reception(world, IN_ORDER)}


@LENIENT
@given(choices=MANY)
def test_at_the_sending_platform(arriving: World, expected: dict[str, list[Any]], choices: Choices) -> None:
    """Any order and any number of the statuses of a buyer's platform end in the same life."""
    assert at_sending(arriving, choices) == expected["sending"]


@LENIENT
@given(choices=MANY)
def test_at_the_receiving_platform(arriving: World, expected: dict[str, list[Any]], choices: Choices) -> None:
    """Any order and any number of the statuses of a seller's platform, before or after the invoice, likewise."""
    assert at_reception(arriving, choices) == expected["reception"]


def test_what_is_known_in_the_end(expected: dict[str, list[Any]]) -> None:
    """Every status is there once, by its moment; one that nobody knows is kept, one in confidence is not shown."""
    theirs, own, latest, possible = expected["sending"]
    assert [status for status, *_rest in theirs] == ["202", "203", "204", "208", "207", "205", "207", "211", "219"]
    assert (own, latest) == (["200", "201"], "219")
    assert "212" in possible
    theirs, own, latest, possible = expected["reception"]
    assert [status for status, *_rest in theirs] == ["209", "225", "227", "212", "212", "212", "220"]
    assert (own, latest) == (["202", "203"], "220")
