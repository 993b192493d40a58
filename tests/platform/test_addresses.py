"""A platform declares its customers to the directory by F13, moves them, lets them go, and says what was answered."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from tests.platform.test_watch import raised
from tests.platform.world import BUYER, SELLER, TODAY, UNREACHABLE, World, party, service
from tests.platform.world import opened as opened_world

from estafette.directory import LegalUnit
from estafette.platform.address_tables import address_request
from estafette.platform.addresses import CannotAsk
from estafette.portal import authority, holdings
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_line
from estafette.store import alarms
from estafette.values.moments import PARIS

TOMORROW = TODAY + timedelta(days=1)


def requests(world: World, siren: str, actor: str = "platform-a") -> list[tuple[str, str, str]]:
    """Return what was asked for a company: the days and the answer, the first first."""
    rows = world.rows(actor, select(address_request).where(address_request.c.siren == siren).order_by("id"))
    return [(str(row["start"]), str(row["end"]), row["state"]) for row in rows]


def platform_of(world: World, address: str, on: date) -> str | None:
    """Return the platform that the portal's directory leads to on a day."""
    with world.hall.actor.database.read() as connection:
        line = holdings.line_at(connection, address, on=on)
    return line.matricule if line else None


def opened(world: World, siren: str, actor: str = "platform-a") -> None:
    """A company has opened an account, and everything that follows has happened."""
    world.platform(actor).open_company(siren=siren, name="Société", status_address=siren)
    world.work()


def test_a_company_that_had_no_platform(own_world: World) -> None:
    """When its account is opened it is declared from tomorrow, accepted, and reached the day after."""
    world = own_world
    opened(world, UNREACHABLE)
    assert requests(world, UNREACHABLE) == [(str(TOMORROW), "None", "accepted")]
    assert [platform_of(world, UNREACHABLE, on) for on in (TODAY, TOMORROW)] == ["9998", "0003"]
    (line, default) = sorted(world.platform("platform-a").addresses(UNREACHABLE).lines, key=lambda one: one.matricule)
    assert (line.start, default.end) == (TOMORROW, TOMORROW)
    world.deposit(service("F1", buyer=party(UNREACHABLE)))
    world.clock.now += timedelta(days=1)
    world.deposit(service("F2", buyer=party(UNREACHABLE)))
    assert world.statuses(SELLER, "F1").startswith("200")
    assert world.statuses(SELLER, "F2") == "200 201 202 203"


def test_a_company_that_the_directory_comes_to_know(own_world: World) -> None:
    """Opened before the directory knows it, a company is declared when it does; once, however often it is told."""
    world, siren = own_world, "800000002"
    opened(world, siren)
    assert requests(world, siren) == []
    authority.load(world.hall, units=[{"siren": siren, "name": "Nouvelle", "entity_type": "A"}])
    world.work()
    assert requests(world, siren) == [(str(TOMORROW), "None", "accepted")]
    world.clock.now += timedelta(days=2)
    authority.load(world.hall, units=[{"siren": "900000001", "name": "Autre", "entity_type": "A"}])
    world.work()
    assert len(requests(world, siren)) == 1


def test_a_direct_user_of_the_portal(own_world: World) -> None:
    """A company without a platform that opens an account at the portal is listed under the portal."""
    opened(own_world, UNREACHABLE, "portal")
    assert requests(own_world, UNREACHABLE, "portal") == [(str(TOMORROW), "None", "accepted")]
    assert platform_of(own_world, UNREACHABLE, TOMORROW) == "0000"


def test_a_customer_of_another_platform(own_world: World) -> None:
    """It is not taken over by opening an account; when it asks, the change is at midnight in Paris, for everyone."""
    world, day = own_world, TODAY + timedelta(days=3)
    opened(world, BUYER)
    assert requests(world, BUYER) == []
    world.platform("platform-a").move_addresses(BUYER, day, arrives=True)
    world.work()
    assert requests(world, BUYER) == [("2024-01-01", str(day), "accepted"), (str(day), "None", "accepted")]
    statuses = []
    for number, seconds in (("F1", -300), ("F2", 0)):  # this clock goes on a second each time it is asked
        world.clock.now = datetime.combine(day, datetime.min.time(), PARIS) + timedelta(seconds=seconds)
        world.deposit(service(number, buyer=party(BUYER)))
        statuses.append(world.statuses(SELLER, number))
    assert statuses == ["200 201 202 203", "200 201 202 203"]
    held = {
        name: {row["number"] for row in world.platform(name).invoices(BUYER, "received", 50)}
        for name in ("platform-a", "platform-b")
    }
    assert held == {"platform-a": {"F2"}, "platform-b": {"F1"}}


def test_a_customer_that_leaves(own_world: World) -> None:
    """Its lines in force are closed on that day, those to come are masked; it is not declared again by itself."""
    world = own_world
    day = TODAY + timedelta(days=10)
    world.platform("platform-b").move_addresses(BUYER, day, arrives=False)
    world.work()
    asked = requests(world, BUYER, "platform-b")
    assert {state for _start, _end, state in asked} == {"accepted"}
    assert [platform_of(world, BUYER, on) for on in (day - timedelta(days=1), day)] == ["0005", None]
    assert platform_of(world, f"{BUYER}_COMPTABILITE", date(2027, 9, 2)) is None
    world.clock.now += timedelta(days=20)
    authority.load(world.hall, units=[{"siren": "900000001", "name": "Autre", "entity_type": "A"}])
    world.work()
    assert requests(world, BUYER, "platform-b") == asked


@pytest.fixture
def by_calendar() -> Iterator[World]:
    """Give a system whose portal publishes the directory once a day, and nothing in between."""
    with opened_world(actors=lambda _folder: {"portal": {"directory": "calendar"}}) as world:
        world.work()
        yield world


def addressed(world: World) -> list[str]:
    """Return what the platform is told of what it asked of the directory."""
    return [subject for kind, subject in raised(world) if kind == "address"]


def found(world: World, siren: str) -> list[bool]:
    """Tell of each request of a company whether the copy has shown it."""
    rows = world.rows("platform-a", select(address_request).where(address_request.c.siren == siren).order_by("id"))
    return [row["found_at"] is not None for row in rows]


def test_what_was_accepted_is_found_the_next_day(by_calendar: World) -> None:
    """A line, its closing, the mask of another: each is noted once the extract of the next day shows it."""
    world, platform = by_calendar, by_calendar.platform("platform-a")
    opened(world, UNREACHABLE)
    assert (requests(world, UNREACHABLE)[0][2], found(world, UNREACHABLE)) == ("accepted", [False])
    world.pass_by(days=1)
    world.work()
    assert (found(world, UNREACHABLE), addressed(world)) == ([True], [])
    for days, arrives in ((3, False), (3, True)):
        platform.move_addresses(UNREACHABLE, TOMORROW + timedelta(days=days), arrives=arrives)
        world.work()
        world.pass_by(days=1)
        world.work()
    platform.move_addresses(UNREACHABLE, TOMORROW + timedelta(days=3), arrives=False)
    world.work()
    world.pass_by(days=1)
    world.work()
    natures = [row["nature"] for row in platform.addresses(UNREACHABLE).requests]
    assert (natures, found(world, UNREACHABLE), addressed(world)) == (["M", "D", "D", "D"], [True] * 4, [])


def test_what_was_accepted_and_is_not_in_the_directory(by_calendar: World) -> None:
    """What the extract of the next day does not show is told, with what it shows, until it is asked again."""
    world = by_calendar
    opened(world, UNREACHABLE)
    with world.hall.actor.database.begin() as connection:
        connection.execute(delete(directory_line).where(directory_line.c.start == TOMORROW))
    assert addressed(world) == [], "its extract has not come"
    world.pass_by(days=1)
    world.work()
    assert addressed(world) == [f"{UNREACHABLE} {TOMORROW}"]
    with world.running["platform-a"].actor.database.read() as connection:
        (alarm,) = (row for row in alarms.raised(connection) if row["kind"] == "address")
    assert (
        f"D {UNREACHABLE} {TOMORROW} @0003, accepted by the portal, is not there; seen: D {UNREACHABLE}" in alarm["en"]
    )
    world.platform("platform-a").move_addresses(UNREACHABLE, TOMORROW + timedelta(days=2), arrives=True)
    world.work()
    world.pass_by(days=1)
    world.work()
    assert (found(world, UNREACHABLE), addressed(world)) == ([False, True], [])


def test_a_customer_that_a_refusal_leaves_without_address(by_calendar: World) -> None:
    """A customer who was refused and has no platform is told, while the directory has it."""
    world = by_calendar
    with world.hall.actor.database.begin() as connection:
        register = Register(connection, at=world.clock(), source=Source.TAX, author="DGFiP")
        register.put_unit(LegalUnit(siren=UNREACHABLE, name="Logiciels", is_taxable=False))
    opened(world, UNREACHABLE)
    assert requests(world, UNREACHABLE)[0][2] == "rejected"
    assert addressed(world) == [f"{UNREACHABLE} {TOMORROW} refused"]
    world.pass_by(days=1)
    world.work()
    assert addressed(world) == []


def test_what_the_portal_leaves_unanswered(own_world: World) -> None:
    """A request without an answer for a day is told."""
    own_world.platform("platform-a").open_company(siren=UNREACHABLE, name="Société", status_address=UNREACHABLE)
    assert addressed(own_world) == []
    own_world.pass_by(hours=25)
    assert addressed(own_world) == ["unanswered"]


def test_what_the_directory_refuses(own_world: World) -> None:
    """A refusal is kept with its rule and its words, as the portal said them."""
    world = own_world
    opened(world, UNREACHABLE)
    platform = world.platform("platform-b")
    platform.move_addresses(UNREACHABLE, TODAY + timedelta(days=2), arrives=True)
    world.work()
    assert [state for *_days, state in requests(world, UNREACHABLE, "platform-b")] == ["rejected"] * 2
    refused = platform.addresses(UNREACHABLE).requests[0]
    assert (refused["details"][0]["reason"], refused["details"][0]["rule"]) == ("REJ_COH", "G1.86")
    closing = platform.addresses(UNREACHABLE).requests[1]
    assert [detail["rule"] for detail in closing["details"]] == ["REJ_HAB"], "another's line that has not started"
    assert "Fermez-la d'abord" in refused["details"][0]["fr"]


def test_what_cannot_be_asked(world: World) -> None:
    """A day that is not to come, a company unknown, public, already here, or not here: said in both languages."""
    platform = world.platform("platform-a")
    for siren, day, arrives, why in (
        (BUYER, TODAY, True, "tomorrow"),
        ("999999999", TOMORROW, True, "does not know"),
        ("400000006", TOMORROW, True, "Chorus Pro"),
        (SELLER, TOMORROW, True, "already"),
        (BUYER, TOMORROW, False, "No address"),
    ):
        with pytest.raises(CannotAsk, match=why) as refused:
            platform.move_addresses(siren, day, arrives=arrives)
        assert refused.value.fr != refused.value.en
