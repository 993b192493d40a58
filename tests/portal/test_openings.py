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
    with world.running["portal"].actor.database.begin() as connection:
        identity.add_account(connection, login="autrui", held="-", role="reader", tenant="300000007", now=world.clock())
    assert confirmed(visitor, letter["code"], login="autrui").status == 409, "a login of somebody else opens nothing"
    assert confirmed(visitor, letter["code"], login="").status == 400
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


def test_who_may_not(world: World) -> None:
    """No SIREN, nobody of the directory, a public entity, a company that is here already: each is told why."""
    visitor = Visitor(world.running["portal"].application)
    for siren, says in (
        ("123", "neuf chiffres"),
        ("999999998", "n'a pas cette entreprise"),
        (TOWN, "Chorus Pro"),
        ("300000007", "déjà son compte"),
    ):
        world.pass_by(minutes=1)
        page = visitor.post("/opening", siren=siren)
        assert (page.status, says in page.text) == (400, True), page.text
    assert letters(world) == []


def test_how_often(world: World) -> None:
    """One address asks for a few letters at once, and then waits."""
    visitor = Visitor(world.running["portal"].application)
    world.pass_by(minutes=10)
    statuses = [visitor.post("/opening", siren="999999998").status for _time in range(8)]
    assert (statuses[0], statuses[-1]) == (400, 429)
    assert "attendez" in visitor.post("/opening", siren="999999998").text
    assert letters(world) == []


def test_the_life_of_a_letter(own_world: World, visitor: Visitor) -> None:
    """One letter at a time, its code sealed; it ends with its thirty days, or with ten wrong codes, slowed down."""
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
    statuses = []
    for _time in range(14):
        own_world.pass_by(minutes=10)
        statuses.append(confirmed(visitor, "AAAAAAAAAAAA").status)
    assert statuses[0] == 401
    assert letters(own_world) == []
    own_world.pass_by(hours=1)
    assert confirmed(visitor, other["code"]).status == 401
