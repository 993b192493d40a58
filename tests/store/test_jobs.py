"""The queue: once per key, in order within a lane, later when it fails, never lost."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event, select
from tests.store.conftest import on_sqlite

from estafette.store import jobs
from estafette.store.database import Database
from estafette.store.jobs import LEASE, TRIES_MAX, Job
from estafette.store.tables import job as table

Add = Callable[..., bool]
Claim = Callable[..., list[Job]]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """Give a transaction on an empty store."""
    with database.begin() as connection:
        yield connection


@pytest.fixture
def add(connection: Connection, now: datetime) -> Add:
    """Give what adds a job by its key."""

    def verb(key: str, *, lane: str | None = None, queue: str = "q", at: datetime = now) -> bool:
        return jobs.add(connection, queue=queue, key=key, payload={"of": key}, now=at, lane=lane)

    return verb


@pytest.fixture
def claim(connection: Connection, now: datetime) -> Claim:
    """Give what claims jobs."""

    def verb(*, after: timedelta = timedelta(), limit: int = 100, queues: tuple[str, ...] = ("q",)) -> list[Job]:
        return jobs.claim(connection, queues=queues, now=now + after, limit=limit)

    return verb


def keys(claimed: list[Job]) -> list[str]:
    """Name the jobs."""
    return [job.key for job in claimed]


def row(connection: Connection, key: str) -> dict[str, object]:
    """Give a job as the store holds it."""
    return dict(connection.execute(select(table).where(table.c.key == key)).mappings().one())


def test_a_job_comes_as_it_was_asked(add: Add, claim: Claim) -> None:
    """What is claimed is what was written, with no attempt behind it."""
    add("invoice 1")
    [job] = claim()
    assert (job.queue, job.key, job.payload, job.tries) == ("q", "invoice 1", {"of": "invoice 1"}, 0)


def test_asking_twice_is_asking_once(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """A key is worked for once, whether the first is waiting, running, done or parked, in this queue or another."""
    add("a")
    add("a")
    [job] = claim()
    add("a", queue="another", lane="x")
    jobs.end(connection, [job], now=now)
    add("a")
    assert claim(queues=("q", "another"), after=LEASE * 2) == []
    add("b")
    [job] = claim()
    jobs.park(connection, job, now=now, error="no")
    add("b")
    assert claim(queues=("q", "another"), after=LEASE * 2) == []


def test_what_is_rolled_back_was_never_asked(database: Database, now: datetime) -> None:
    """A job written in a transaction that fails does not exist."""
    with pytest.raises(InterruptedError), database.begin() as connection:
        jobs.add(connection, queue="q", key="a", payload={}, now=now)
        raise InterruptedError
    with database.begin() as connection:
        assert jobs.claim(connection, queues=("q",), now=now, limit=9) == []
        jobs.add(connection, queue="q", key="a", payload={}, now=now)
        assert keys(jobs.claim(connection, queues=("q",), now=now, limit=9)) == ["a"]


def test_claimed_is_left_alone_until_the_lease_is_over(add: Add, claim: Claim) -> None:
    """A claimed job is given to nobody else; once its lease is over, it is."""
    add("a")
    assert keys(claim()) == ["a"]
    assert claim(after=LEASE) == []
    assert keys(claim(after=LEASE + timedelta(microseconds=1))) == ["a"]
    assert claim(after=LEASE + timedelta(minutes=1)) == []


def test_a_part_of_a_queue_is_of_the_queue(add: Add, claim: Claim) -> None:
    """A queue is also its parts, which only share the letters before a colon."""
    add("a", queue="q:0003")
    add("b", queue="qq")
    add("c", queue="q_:0003")
    assert keys(claim()) == ["a"]


def test_a_busy_queue_is_left(connection: Connection, add: Add, now: datetime) -> None:
    """What waits in a queue that has all it can be given is not claimed, and is not what comes next."""
    add("a", queue="q:0003")
    add("b", queue="q:0005", at=now)
    claimed = jobs.claim(connection, queues=("q",), now=now, limit=9, busy=["q:0003"])
    assert keys(claimed) == ["b"]
    assert jobs.next_due(connection, ("q",), ["q:0003", "q:0005"]) is None


def test_a_job_may_be_for_later(connection: Connection, now: datetime) -> None:
    """A job written with the time it falls due is not claimed before."""
    jobs.add(connection, queue="q", key="a", payload={}, now=now, due=now + timedelta(hours=1))
    assert jobs.claim(connection, queues=("q",), now=now, limit=9) == []
    assert keys(jobs.claim(connection, queues=("q",), now=now + timedelta(hours=1), limit=9)) == ["a"]


def test_release_frees_what_a_dead_process_held(connection: Connection, add: Add, claim: Claim) -> None:
    """After a release every claimed job can be claimed at once, with the attempts it had."""
    add("a")
    [before] = claim()
    jobs.release(connection)
    assert claim() == [before]


def test_only_these_queues_only_so_many_longest_due_first(add: Add, claim: Claim, now: datetime) -> None:
    """A claim takes of its queues, no more than it asks for, those due the longest, and none before it is due."""
    for number, minutes in enumerate((0, -3, 5, -1, -2)):
        add(f"{number}", at=now + timedelta(minutes=minutes))
    add("other", queue="other", at=now - timedelta(hours=1))
    assert keys(claim(limit=2)) == ["1", "4"]
    assert keys(claim()) == ["3", "0"]
    assert claim(after=timedelta(minutes=4)) == []
    assert keys(claim(after=timedelta(minutes=5))) == ["2"]
    assert keys(claim(queues=("q", "other"))) == ["other"]


def test_a_lane_goes_one_by_one_in_order(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """Of one lane only the first unfinished job runs, even when a later one was due before it."""
    add("first", lane="x", at=now)
    add("second", lane="x", at=now - timedelta(hours=1))
    add("third", lane="x")
    for expected in ("first", "second", "third"):
        claimed = claim()
        assert keys(claimed) == [expected]
        assert claim() == []
        jobs.end(connection, [claimed[0]], now=now)
    assert claim() == []


def test_lanes_do_not_wait_for_each_other(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """A lane whose first job fails holds neither other lanes nor jobs without lane."""
    for key, lane in (("x1", "x"), ("y1", "y"), ("x2", "x"), ("free", None), ("y2", "y")):
        add(key, lane=lane)
    claimed = {job.key: job for job in claim()}
    assert list(claimed) == ["x1", "y1", "free"]
    jobs.retry(connection, claimed["x1"], now=now, error="peer is down")
    jobs.end(connection, [claimed["y1"]], now=now)
    assert keys(claim()) == ["y2"]
    assert keys(claim(after=timedelta(seconds=1))) == ["x1"]


def test_a_parked_job_leaves_its_lane(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """What cannot succeed stays visible with its reason, and those behind it go on."""
    add("refused", lane="x")
    add("next", lane="x")
    [job] = claim()
    jobs.park(connection, job, now=now, error="422 unknown address")
    assert keys(claim()) == ["next"]
    held = row(connection, "refused")
    assert (held["state"], held["error"], held["tries"], held["ended_at"]) == ("parked", "422 unknown address", 1, now)


def test_a_failed_job_waits_longer_each_time(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """A job that fails is due again after its back-off and not before, with its attempts counted and its last error."""
    add("a")
    moment = timedelta()
    for tries in range(5):
        [job] = claim(after=moment)
        assert job.tries == tries
        jobs.retry(connection, job, now=now + moment, error=f"try {tries}")
        wait = jobs.back_off(tries)
        assert claim(after=moment + wait - timedelta(microseconds=1)) == []
        moment += wait
    assert row(connection, "a")["error"] == "try 4"


def test_back_off_grows_and_is_bounded() -> None:
    """Each wait is at least the one before, from half a second to an hour, whatever the count."""
    waits = [jobs.back_off(tries) for tries in (*range(TRIES_MAX), 10**6)]
    assert waits == sorted(waits)
    assert waits[:3] == [timedelta(seconds=seconds) for seconds in (0.5, 1, 2)]
    assert waits[-1] == timedelta(hours=1)


def test_all_attempts_take_over_the_legal_day_and_below_two() -> None:
    """From the first failure to the last attempt there is more than 24 h and less than 48 h."""
    total = sum((jobs.back_off(tries) for tries in range(TRIES_MAX - 1)), timedelta())
    assert timedelta(hours=24) < total < timedelta(hours=48)


def test_parked_after_the_last_attempt(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """A job is tried `TRIES_MAX` times, then parked with its last error, out of the way of its lane."""
    add("a", lane="x")
    add("b", lane="x")
    moment = timedelta()
    for tries in range(TRIES_MAX):
        moment += timedelta(hours=1)
        [job] = claim(after=moment)
        assert (job.key, job.tries) == ("a", tries)
        jobs.retry(connection, job, now=now + moment, error=f"try {tries}")
    held = row(connection, "a")
    assert (held["state"], held["error"], held["tries"]) == ("parked", "try 59", TRIES_MAX)
    assert keys(claim(after=moment)) == ["b"]


@pytest.mark.parametrize("ending", ["done", "parked"])
def test_whoever_comes_late_changes_nothing(
    connection: Connection, add: Add, claim: Claim, now: datetime, ending: str
) -> None:
    """When a job was claimed again, its lease being over, and has ended, the first claimer no longer can end it."""
    add("a")
    [late] = claim()
    [again] = claim(after=LEASE * 2)
    if ending == "done":
        jobs.end(connection, [again], now=now)
    else:
        jobs.park(connection, again, now=now, error="422")
    before = row(connection, "a")
    jobs.end(connection, [late], now=now + LEASE)
    jobs.park(connection, late, now=now + LEASE, error="late")
    jobs.retry(connection, late, now=now + LEASE, error="late")
    assert row(connection, "a") == before


def test_an_endless_error_is_cut(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """Two thousand characters of an error are kept."""
    add("a")
    [job] = claim()
    jobs.retry(connection, job, now=now, error="x" * 1_000_000)
    assert row(connection, "a")["error"] == "x" * 2000


def test_waiting_counts_what_is_not_over(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """Jobs waiting and running count, those done or parked do not."""
    for key in "abcd":
        add(key)
    done, parked, _running = claim(limit=3)
    jobs.end(connection, [done], now=now)
    jobs.park(connection, parked, now=now, error="no")
    assert jobs.waiting(connection) == 2


def test_next_due_is_when_something_can_run(connection: Connection, add: Add, claim: Claim, now: datetime) -> None:
    """A job kept waiting by its lane is not next: a worker that believed so would look fifty times a second."""
    minute = timedelta(minutes=1)
    assert jobs.next_due(connection, ("q",)) is None
    add("x1", lane="x")
    add("x2", lane="x")
    add("later", at=now + 20 * minute)
    add("foreign", queue="foreign", at=now - minute)
    assert jobs.next_due(connection, ("q",)) == now
    [x1] = claim()
    assert jobs.next_due(connection, ("q",)) == now + LEASE
    jobs.retry(connection, x1, now=now, error="down")
    assert jobs.next_due(connection, ("q",)) == now + jobs.back_off(0)
    [x1] = claim(after=minute)
    jobs.end(connection, [x1], now=now + minute)
    assert jobs.next_due(connection, ("q",)) == now
    [_x2] = claim(after=11 * minute)
    assert jobs.next_due(connection, ("q",)) == now + 20 * minute


@on_sqlite
def test_the_history_costs_nothing(database: Database, connection: Connection, claim: Claim) -> None:
    """A claim searches the index of what is due and that of the lane; it scans and sorts nothing."""
    asked = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cu, statement, values, *_: asked.append((statement, values)),
    )
    claim()
    statement, values = asked[0]
    plan = [row[-1] for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)]
    assert [step for step in plan if step.startswith("SEARCH")] == [
        "SEARCH job USING INDEX job_ready (due<?)",
        "SEARCH earlier USING INDEX job_lane (lane=? AND id<?)",
    ]
    assert not [step for step in plan if "SCAN job" in step or "TEMP B-TREE" in step]
