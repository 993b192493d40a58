"""A company without a platform opens its account at the portal by itself, and is a customer like any other."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.test_watch import call
from tests.platform.world import HOME_OF, SELLER, TOWN, UNREACHABLE, World, party, service
from tests.web.visitor import Page, Visitor

from estafette.portal import holdings
from estafette.portal.opening_tables import direct_opening
from estafette.store import identity
from estafette.values.moments import paris_day

PASSWORD = "une phrase assez longue"


@pytest.fixture
def visitor(own_world: World) -> Visitor:
    """Give a stranger at the portal's desk."""
    return Visitor(own_world.running["portal"].application)


def letters(world: World) -> list[Any]:
    """Return the letters to send, as the operator sees them."""
    status, found = call(world, "/operator/v1/openings", of="portal")
    assert status == 200
    return list(found)


def confirmed(visitor: Visitor, code: str, *, siren: str = UNREACHABLE, login: str = "gerante") -> Page:
    """Bring a code back."""
    return visitor.post("/opening/confirm", siren=siren, code=code, login=login, password=PASSWORD)


def test_from_the_letter_to_an_approval(own_world: World, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked, written to, opened, listed from tomorrow, sent an invoice by another platform, which it approves."""
    world = own_world
    monkeypatch.setitem(HOME_OF, UNREACHABLE, "portal")
    asked = visitor.post("/opening", siren=UNREACHABLE)
    assert "courrier part au siège" in asked.text
    (letter,) = letters(world)
    assert (letter["siren"], len(letter["code"])) == (UNREACHABLE, 12)
    done = confirmed(visitor, f"{letter['code'][:6].lower()}-{letter['code'][6:]}")
    assert (done.status, "administrateur" in done.text) == (201, True)
    assert letters(world) == []
    world.work()
    with world.running["portal"].actor.database.read() as connection:
        tomorrow = paris_day(world.clock.now) + timedelta(days=1)
        line = holdings.line_at(connection, UNREACHABLE, on=tomorrow)
    assert line is not None
    assert (line.matricule, line.start) == ("0000", tomorrow)
    world.pass_by(days=1)
    world.work()
    world.deposit(service("D1", buyer=party(UNREACHABLE)))
    assert world.statuses(SELLER, "D1") == "200 201 202 203"
    world.answer(UNREACHABLE, "D1", "205")
    assert world.statuses(SELLER, "D1") == "200 201 202 203 205"
    signed = visitor.sign_in("gerante", PASSWORD)
    assert "D1" in signed.text


def test_who_may_not(own_world: World, visitor: Visitor) -> None:
    """No SIREN, nobody of the directory, a public entity, a company that is here already: each is told why."""
    for siren, says in (
        ("123", "neuf chiffres"),
        ("999999998", "n'a pas cette entreprise"),
        (TOWN, "Chorus Pro"),
        ("300000007", "déjà son compte"),
    ):
        own_world.pass_by(minutes=1)
        page = visitor.post("/opening", siren=siren)
        assert (page.status in (400, 409), says in page.text) == (True, True), page.text
    assert letters(own_world) == []


def test_a_letter_is_written_once(own_world: World, visitor: Visitor) -> None:
    """Asking again writes no other letter while the first one lives; its code is kept sealed."""
    for _time in range(3):
        visitor.post("/opening", siren=UNREACHABLE)
    (letter,) = letters(own_world)
    (row,) = own_world.rows("portal", select(direct_opening))
    assert letter["code"] not in row["sealed_code"]
    own_world.pass_by(days=31)
    assert confirmed(visitor, letter["code"]).status == 401, "it has expired"
    visitor.post("/opening", siren=UNREACHABLE)
    (other,) = letters(own_world)
    assert other["code"] != letter["code"]


def test_a_code_is_not_guessed(own_world: World, visitor: Visitor) -> None:
    """Wrong codes are slowed down, then end the letter; a right one with a taken login or a weak password does not."""
    visitor.post("/opening", siren=UNREACHABLE)
    (letter,) = letters(own_world)
    assert confirmed(visitor, letter["code"], login="").status == 400
    statuses = []
    for _time in range(14):
        own_world.pass_by(minutes=10)
        statuses.append(confirmed(visitor, "AAAAAAAAAAAA").status)
    assert statuses[0] == 401
    assert letters(own_world) == []
    own_world.pass_by(hours=1)
    assert confirmed(visitor, letter["code"]).status == 401


def test_how_often(own_world: World, visitor: Visitor) -> None:
    """One address asks for a few letters at once, and then waits."""
    statuses = [visitor.post("/opening", siren="999999998").status for _time in range(8)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    assert "attendez" in visitor.post("/opening", siren="999999998").text
    assert letters(own_world) == []


def test_a_login_that_is_taken(own_world: World, visitor: Visitor) -> None:
    """A login of somebody else opens nothing; the code is still good for another one."""
    visitor.post("/opening", siren=UNREACHABLE)
    (letter,) = letters(own_world)
    with own_world.running["portal"].actor.database.begin() as connection:
        identity.add_account(
            connection, login="gerante", held="-", role="reader", tenant="300000007", now=own_world.clock()
        )
    assert confirmed(visitor, letter["code"]).status == 409
    assert confirmed(visitor, letter["code"], login="autre").status == 201
