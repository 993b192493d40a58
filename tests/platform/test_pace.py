"""Envelopes leave at once while they are few, and never more in an hour than the portal takes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select
from tests.platform.world import SELLER, World, service

from estafette.platform import declarations, envelopes, pace
from estafette.platform.pace import HOUR
from estafette.platform.tables import portal_flow
from estafette.store.tables import job

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)


def rest_s(sent: int, flows: int, *, is_full: bool = False) -> float:
    """Return how long one rests, of a thousand flows an hour."""
    return pace.rest_s(sent, least_s=0.25, flows_an_hour=1000, flows=flows, is_full=is_full)


def test_the_first_leave_at_once() -> None:
    """As long as half of the hour's flows are left."""
    assert (rest_s(499, 2), rest_s(500, 2)) == (0.25, 14.4)


def test_a_full_one_leaves_at_once() -> None:
    """It can be no fuller: as long as a tenth of the hour's flows is left."""
    assert (rest_s(500, 2, is_full=True), rest_s(899, 2, is_full=True)) == (0.25, 0.25)
    assert rest_s(900, 2, is_full=True) == rest_s(900, 2) == 72


@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("flows", [1, 2, 3])
def test_no_hour_has_more_than_the_portal_takes(flows: int, is_full: bool) -> None:
    """However much there is to send, for three hours."""
    now, left = NOW, list[datetime]()
    while now < NOW + 3 * HOUR:
        sent = sum(at > now - HOUR for at in left[-2000:])
        left.extend([now] * flows)
        now += timedelta(seconds=rest_s(sent, flows, is_full=is_full))
    most = max(sum(start < at <= start + HOUR for at in left) for start in left[:: 50 * flows])
    assert most <= 1000


def test_what_any_process_sent_counts(own_world: World) -> None:
    """Flows that another process sent within the hour, or before a start, keep the queue at rest; older ones do not."""
    world = own_world
    actor = world.running["platform-a"].actor
    resting = actor.worker._rests[envelopes.PACK]
    assert callable(resting)
    row = {"direction": "Out", "state": "sent", "sha256": "0" * 64, "details": []}
    for minutes, rests in ((61, False), (30, True)):
        moment = world.clock.now - timedelta(minutes=minutes)
        names = [f"FFE0111A_OTHER1_{minutes}_{number}" for number in range(500)]
        with actor.database.begin() as connection:
            connection.execute(insert(portal_flow), [{**row, "name": name, "created_at": moment} for name in names])
        world.deposit(service(world.number()))
        assert (resting() > 5) is rests


def waiting(world: World) -> int:
    """Count the jobs that ask to pack and are not done."""
    query = select(func.count().label("n")).where(job.c.queue == envelopes.PACK, job.c.state == "pending")
    return int(world.rows("platform-a", query)[0]["n"])


def test_what_waits_asks_once_for_its_envelope(own_world: World) -> None:
    """Each transaction asks once for each interface; whoever packs all that waits leaves nobody else to ask."""
    world = own_world
    for _ in range(8):
        world.leave(service(world.number()))
    world.work_some("deposit", 8)
    assert waiting(world) == 2, "of eight invoices written together: one for their data, one for their statuses"
    for _ in range(8):
        world.leave(service(world.number()))
    world.work_some("deposit", 8)
    assert waiting(world) == 4
    world.work_some(envelopes.PACK, 2)
    assert waiting(world) == 0, "the two that were not claimed have nothing left to do"


def test_what_is_more_than_a_lot_leaves_all_the_same(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One job asks for many: as long as some are left the next envelope is asked for."""
    world = own_world
    monkeypatch.setattr(envelopes, "lot", lambda _flow, _on: 3)
    numbers = [world.number() for _ in range(8)]
    for number in numbers:
        world.leave(service(number))
    world.work_some("deposit", 8)
    world.work()
    assert {world.owed(SELLER, number) for number in numbers} == {"200:receivable F1:accepted"}


def test_what_comes_after_an_envelope_in_its_transaction(own_world: World) -> None:
    """What is declared once the others were packed, in the same transaction, asks anew."""
    world = own_world
    platform = world.platform("platform-a").home
    number = world.number()
    world.deposit(service(number))
    row = world.declaration(SELLER, number)
    with platform.actor.database.begin() as connection:
        envelopes.ask_to_pack(connection, row["interface"], now=world.clock())
        envelopes.pack_all(platform, connection, [row["interface"]])
        envelopes.ask_to_pack(connection, row["interface"], now=world.clock())
    assert waiting(world) == 1


def test_a_full_lot_is_seen(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much as one envelope may hold waits for an interface, or less."""
    world = own_world
    home, database = world.home(SELLER).home, world.running["platform-a"].actor.database
    monkeypatch.setattr(envelopes, "lot", lambda _flow, _today: 3)
    for expected in (False, False, True):
        world.leave(service(world.number()))
        world.work_some("deposit", 1)
        with database.glance() as connection:
            assert envelopes.fills_a_lot(home, connection, declarations.INTERFACES) is expected
    world.work()
    with database.glance() as connection:
        assert not envelopes.fills_a_lot(home, connection, declarations.INTERFACES)
