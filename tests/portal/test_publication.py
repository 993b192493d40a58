"""The directory leaves when it changes and by the State's calendar, the same files for all, each under its own name."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select
from tests.platform.world import BUYER, World

from estafette.directory.publication import CALENDARS, next_publication
from estafette.formats import flow_archive
from estafette.formats.directory import Header, read_export
from estafette.formats.envelope import FlowName
from estafette.invoice.model import Identifier
from estafette.platform import mirror_extracts, watch
from estafette.portal import authority
from estafette.portal.extract_tables import directory_delivery, directory_extract
from estafette.portal.tables import partner_flow
from estafette.values.moments import PARIS


def sent(world: World, partner: str) -> list[tuple[str, str, Header]]:
    """Return what a partner was sent of the directory, in its order: name, document, header."""
    columns = partner_flow.c
    mine = select(columns.name, columns.sha256).where(
        columns.interface == "FFE1435A", columns.partner == partner, columns.direction == "Out"
    )
    documents, found = world.running["portal"].actor.documents, []
    for row in world.rows("portal", mine.order_by(columns.name)):
        for _file, data in flow_archive.unpack(FlowName.parse(row["name"]).archive, documents.get(row["sha256"])):
            found.append((row["name"], row["sha256"], read_export(BytesIO(data))[0]))
    return found


def add(world: World, suffix: str) -> None:
    """The directory has a line more."""
    line = {"siren": BUYER, "suffix": suffix, "matricule": "0005", "start": date(2024, 1, 1)}
    authority.load(world.hall, lines=[line])


def knows(world: World, suffix: str) -> bool:
    """Tell whether platform A finds that line."""
    platform = world.platform("platform-a")
    with platform.home.actor.database.read() as connection:
        found = platform.home.mirror.resolve(connection, Identifier(f"{BUYER}_{suffix}", "0225"), on=date(2026, 9, 20))
    return found.matricule is not None


def alarms(world: World) -> list[tuple[str, str]]:
    """Return what is wrong with the directory of platform A."""
    actor = world.running["platform-a"].actor
    with actor.database.read() as connection:
        found = watch.conditions(connection, world.clock.now)
        return [(one.kind, one.subject) for one in found if one.kind == "directory"]


def test_a_change_leaves_at_once_as_a_differential(own_world: World) -> None:
    """Every platform is sent the same file, under a name of its own, that follows the extract before it."""
    world = own_world
    before = sent(world, "0003")
    add(world, "UN")
    world.work()
    add(world, "DEUX")
    world.work()
    first, second = sent(world, "0003")[len(before) :]
    assert [header.is_full for _name, _sha, header in (first, second)] == [False, False]
    assert second[2].previous_at == first[2].produced_at
    mine, theirs = sent(world, "0003"), sent(world, "0005")
    assert [sha for _name, sha, _header in mine[-2:]] == [sha for _name, sha, _header in theirs[-2:]]
    assert not {name for name, _sha, _header in mine} & {name for name, _sha, _header in theirs}
    assert knows(world, "UN")
    assert knows(world, "DEUX")


def test_each_platform_had_it_whole_once(world: World) -> None:
    """The first thing that a platform is sent is the whole directory; nothing is sent it twice."""
    for partner in ("0000", "0003", "0005"):
        headers = [header for _name, _sha, header in sent(world, partner)]
        assert headers[0].is_full
        assert len({(header.is_full, header.produced_at) for header in headers}) == len(headers)
    rows = world.rows("portal", select(directory_delivery.c.partner, directory_delivery.c.extract))
    assert len({tuple(row.values()) for row in rows}) == len(rows)


def test_by_the_calendar_alone(own_world: World) -> None:
    """A change waits for one o'clock; in the night from Sunday to Monday the whole directory leaves besides."""
    world = own_world
    world.hall.publishes_on_change = False
    before = len(sent(world, "0003"))
    add(world, "UN")
    world.work()
    assert (len(sent(world, "0003")), knows(world, "UN")) == (before, False)
    world.clock.now = datetime(2026, 9, 16, 1, 0, 30, tzinfo=PARIS)
    world.work()
    assert [header.is_full for _name, _sha, header in sent(world, "0003")[before:]] == [False]
    assert knows(world, "UN")
    for day in range(17, 22):
        world.clock.now = datetime(2026, 9, day, 1, 0, 30, tzinfo=PARIS)
        world.work()
    kinds = [(header.produced_at.day, header.is_full) for _name, _sha, header in sent(world, "0003")[before + 1 :]]
    assert kinds == [*((day, False) for day in range(17, 22)), (21, True)]
    assert knows(world, "UN")


def test_a_differential_that_never_comes(own_world: World) -> None:
    """What follows a lost differential is held and an alarm says so; the full extract of Monday ends it."""
    world = own_world
    world.wire.held = []
    add(world, "PERDU")
    world.work()
    world.wire.held = None
    add(world, "SUITE")
    world.work()
    assert (knows(world, "PERDU"), knows(world, "SUITE")) == (False, False)
    assert alarms(world) == [("directory", "gap")]
    world.clock.now = datetime(2026, 9, 21, 1, 0, 30, tzinfo=PARIS)
    world.work()
    assert (knows(world, "PERDU"), knows(world, "SUITE")) == (True, True)
    assert alarms(world) == []


def test_nothing_comes_any_more(own_world: World) -> None:
    """A copy that has had nothing for a day and a half is said to be old."""
    world = own_world
    assert alarms(world) == []
    world.pass_by(hours=37)
    assert alarms(world) == [("directory", "stale")]


def test_the_hour_that_autumn_repeats(own_world: World) -> None:
    """What changes in it the second time is written as later than what changed the first: no copy passes it over."""
    world = own_world
    moments = ((datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "ETE"), (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "HIVER"))
    for at, suffix in moments:
        world.clock.now = at
        add(world, suffix)
        world.work()
        assert knows(world, suffix)
    extracts = world.rows("portal", select(directory_extract.c.produced_at).order_by(directory_extract.c.id))
    produced = [row["produced_at"] for row in extracts]
    assert produced == sorted(produced)


@pytest.mark.parametrize(
    ("after", "day", "is_full"),
    [
        (datetime(2026, 9, 15, 22, 30, tzinfo=UTC), date(2026, 9, 16), False),
        (datetime(2026, 9, 15, 23, 0, tzinfo=UTC), date(2026, 9, 17), False),
        (datetime(2026, 9, 20, 12, 0, tzinfo=UTC), date(2026, 9, 21), True),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), date(2026, 10, 26), True),
    ],
)
def test_the_calendar(after: datetime, day: date, is_full: bool) -> None:
    """A publication a day at one in Paris, whatever the season; a full extract on Mondays."""
    coming = next_publication(after)
    assert coming.at == datetime.combine(day, CALENDARS[0].daily_at, PARIS)
    assert (coming.at - after) <= timedelta(hours=26)
    assert coming.is_full is is_full


def test_the_state_of_a_copy(world: World) -> None:
    """A copy that has all that came says of when it is, and waits for nothing."""
    actor: Any = world.running["platform-a"].actor
    with actor.database.read() as connection:
        state = mirror_extracts.state(connection)
    assert (state.held, state.arriving, state.missing_since) == (0, 0, None)
    assert state.as_of == max(header.produced_at for _name, _sha, header in sent(world, "0003"))
