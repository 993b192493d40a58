"""An envelope that holds many objects is answered in several transactions, and made while the records are free."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, update
from tests.platform.world import SELLER, World, service

from estafette.formats import Syntax, flow_archive
from estafette.platform import acknowledgements, declarations, envelopes
from estafette.platform.tables import declaration, portal_flow
from estafette.store.tables import audit_event

SENT = select(portal_flow.c.sha256).where(portal_flow.c.name.startswith(declarations.DATA[Syntax.UBL]))
STATES = select(declaration.c.interface, declaration.c.state).order_by(declaration.c.id)
ANSWERED = select(audit_event.c.body).where(audit_event.c.body.contains('"declaration.answered"'))


def left_together(world: World, count: int) -> list[str]:
    """So many invoices have left together; return their numbers."""
    numbers = [world.number() for _ in range(count)]
    for number in numbers:
        world.leave(service(number))
    return numbers


def answers(world: World, before: int = 0) -> int:
    """Count the answers that the log of the sending platform tells."""
    return len(world.rows("platform-a", ANSWERED)) - before


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return, as it fills, how many objects each transaction answers from now on."""
    few: list[int] = []
    real = acknowledgements._answer

    def answer(home: Any, connection: Connection, name: Any, files: list[Any]) -> None:
        few.append(len(files))
        real(home, connection, name, files)

    monkeypatch.setattr(acknowledgements, "_answer", answer)
    return few


def test_it_is_answered_a_few_at_a_time(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object is answered once, and the envelope acknowledged with the last."""
    monkeypatch.setattr(acknowledgements, "TOGETHER_MAX", 3)
    few = counted(monkeypatch)
    before = answers(own_world)
    numbers = left_together(own_world, 7)
    own_world.work()
    assert few == [3, 3, 1]
    assert {own_world.owed(SELLER, number) for number in numbers} == {"200:receivable F1:accepted"}
    assert answers(own_world, before) == 7


def test_one_that_dies_between_two_begins_anew(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on after what was answered."""
    monkeypatch.setattr(acknowledgements, "TOGETHER_MAX", 3)
    deaths = iter([RuntimeError("killed between two writes")])
    real = acknowledgements._acknowledge

    def acknowledge(*asked: Any) -> None:
        for death in deaths:
            raise death
        real(*asked)

    monkeypatch.setattr(acknowledgements, "_acknowledge", acknowledge)
    before = answers(own_world)
    numbers = left_together(own_world, 7)
    assert own_world.work_with_troubles() == ["platform-a: RuntimeError: killed between two writes"]
    assert answers(own_world, before) == 6
    few = counted(monkeypatch)
    own_world.pass_by(hours=1)
    own_world.work()
    assert few == [1]
    assert {own_world.owed(SELLER, number) for number in numbers} == {"200:receivable F1:accepted"}
    assert answers(own_world, before) == 7


def test_what_comes_while_it_is_made_waits_for_the_next(own_world: World) -> None:
    """An envelope is of what waited when it was made, and is the one that was made; what is left asks for another."""
    home = own_world.platform("platform-a").home
    interface = declarations.DATA[Syntax.UBL]
    left_together(own_world, 2)
    own_world.work_some("deposit", 2)
    made = envelopes.made(home, interface)
    assert [len(rows) for rows in made] == [2]
    left_together(own_world, 1)
    own_world.work_some("deposit", 1)
    with home.actor.database.begin() as connection:
        envelopes.pack_all(home, connection, [interface], {interface: made})
    states = own_world.rows("platform-a", STATES)
    assert [row["state"] for row in states if row["interface"] == interface] == ["packed", "packed", "waiting"]
    sent = own_world.rows("platform-a", SENT)
    assert [row["sha256"] for row in sent] == [*made.values()]
    own_world.work()
    assert {row["state"] for row in own_world.rows("platform-a", STATES)} == {"accepted", "receivable"}


def test_one_of_rows_that_wait_no_more_is_not_sent(own_world: World) -> None:
    """When something of it left meanwhile, what still waits is made anew."""
    home = own_world.platform("platform-a").home
    interface = declarations.DATA[Syntax.UBL]
    left_together(own_world, 2)
    own_world.work_some("deposit", 2)
    made = envelopes.made(home, interface)
    ((first, _),) = made
    with home.actor.database.begin() as connection:
        connection.execute(update(declaration).where(declaration.c.id == first).values(state="rejected"))
        envelopes.pack_all(home, connection, [interface], {interface: made})
    (sent,) = own_world.rows("platform-a", SENT)
    assert sent["sha256"] not in made.values()
    assert len(list(flow_archive.unpack("x.tar.gz", home.actor.documents.get(sent["sha256"])))) == 1
