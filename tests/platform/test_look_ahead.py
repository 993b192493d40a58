"""What is done at once ends as what is done one by one, and asks the records far less."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from tests.platform.world import BUYER, DIRECT, SELLER, TODAY, UNREACHABLE, World, party, service

from estafette.store.database import Database

AT_ONCE = 64
NUMBERS = ("1", "2", "3")
"""Few, so that the same ones come several times at once."""

TO = {"live": BUYER, "direct": DIRECT, "none": UNREACHABLE, "unknown": "999999998"}
ONE = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(sorted(TO)), st.sampled_from((10, 30)))
"""Of a deposit: the number, to whom, due in how many days."""

Deposits = list[tuple[str, str, int]]
ANSWERS = st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from(("204", "205", "207", "210")), max_size=3)
REASONS = {"207": "CMD_ERR", "210": "TX_TVA_ERR"}


def play(world: World, deposits: Deposits, answers: dict[str, str], at_once: int) -> Any:
    """Return what becomes of these deposits and answers, whatever their numbers."""
    world.at_once = at_once
    prefix = world.number("L")
    flows = [
        world.leave(_document(f"{prefix}-{number}", to, days), tracking_id=f"{prefix}-{place}")
        for place, (number, to, days) in enumerate(deposits)
    ]
    world.work()
    for number, status in sorted(answers.items()):
        for row in world.invoices(BUYER, f"{prefix}-{number}"):
            if row["standing"] == "live":
                world.say(BUYER, f"{prefix}-{number}", status, reason=REASONS.get(status), comment="Voir.")
    world.work()
    return [_flow(world, flow) for flow in flows], [_invoice(world, f"{prefix}-{number}") for number in NUMBERS]


def _document(number: str, to: str, days: int) -> bytes:
    return service(number, buyer=party(TO[to]), due_date=TODAY + timedelta(days=days))


def _flow(world: World, identifier: str) -> Any:
    row = world.flow(SELLER, identifier)
    return row["acknowledgement"], [each["reasonCode"] for each in row["details"]], row["standing"], row["flow_type"]


def _invoice(world: World, number: str) -> Any:
    return [
        (
            row["side"],
            row["standing"],
            [fault["rule"] for fault in row["explanation"]["faults"]],
            sorted(event["status"] for event in view.events),
            sorted((one["status"] or "F1", one["state"]) for one in view.declarations),
        )
        for siren in (SELLER, BUYER, DIRECT)
        for row in world.invoices(siren, number)
        if (view := world.home(siren).invoice(siren, row["id"])) is not None
    ]


@settings(max_examples=12, deadline=None)
@given(deposits=st.lists(ONE, min_size=2, max_size=8), answers=ANSWERS)
def test_what_is_done_at_once_ends_as_what_is_done_one_by_one(
    shared_world: World, deposits: Deposits, answers: dict[str, str]
) -> None:
    """The same bytes twice, the same number twice, to whoever it is: which is refused does not change."""
    try:
        alone = play(shared_world, deposits, answers, 1)
        assert play(shared_world, deposits, answers, AT_ONCE) == alone
    finally:
        shared_world.at_once = 1


PER_INVOICE = (32, 12)
"""Statements that one more invoice adds on each platform when it goes with others (115 and 44 when it goes alone)."""


def test_eight_at_once_do_not_ask_eight_times_as_much(world: World) -> None:
    """On each platform, statements grow by a few with each invoice that goes with others."""
    try:
        world.at_once = AT_ONCE
        few, many = _asked(world, 2), _asked(world, 8)
    finally:
        world.at_once = 1
    added = [(more - less) / 6 for less, more in zip(few, many, strict=True)]
    assert [one < most for one, most in zip(added, PER_INVOICE, strict=True)] == [True, True], added


def _asked(world: World, count: int) -> list[int]:
    """Count what each platform asks its store for so many invoices, from the deposit to the last acknowledgement."""
    prefix = world.number("A")
    databases = [world.running[name].actor.database for name in ("platform-a", "platform-b")]
    with counted(databases[0]) as sending, counted(databases[1]) as receiving:
        for place in range(count):
            world.leave(service(f"{prefix}-{place}"))
        world.work()
    return [len(sending), len(receiving)]


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Give the statements that this store is asked meanwhile."""
    asked: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    yield asked
    event.remove(database.engine, "before_cursor_execute", hear)
