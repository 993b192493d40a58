"""Whatever is done to the queue, it is what a few lists would be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from estafette.store import jobs
from estafette.store.database import Database
from estafette.store.jobs import LEASE, Job, back_off
from estafette.store.tables import job as table

KEYS = st.sampled_from([f"k{number}" for number in range(12)])
LANES = st.sampled_from([None, "x", "y"])
STEPS = st.sampled_from([timedelta(), timedelta(seconds=0.5), timedelta(seconds=7), LEASE, timedelta(hours=1)])


@dataclass
class Known:
    """A job as the model knows it."""

    lane: str | None
    due: datetime
    state: str = "pending"
    tries: int = 0
    lease: datetime | None = None
    order: int = 0


@dataclass
class Model:
    """The queue as a list in order of writing."""

    jobs: dict[str, Known] = field(default_factory=dict)

    def first_of_its_lane(self, key: str) -> bool:
        """Tell whether no unfinished job of its lane was written before it."""
        mine = self.jobs[key]
        return mine.lane is None or not any(
            other.lane == mine.lane and other.state == "pending" and other.order < mine.order
            for other in self.jobs.values()
        )

    def claimable(self, now: datetime, limit: int) -> list[str]:
        """Name what may run now, longest due first."""
        ready = [
            key
            for key, known in self.jobs.items()
            if known.state == "pending" and known.due <= now and (known.lease is None or known.lease < now)
            and self.first_of_its_lane(key)
        ]  # fmt: skip
        return sorted(ready, key=lambda key: (self.jobs[key].due, self.jobs[key].order))[:limit]


def machine(new_store: Callable[[], Database], epoch: datetime) -> type[RuleBasedStateMachine]:
    """Give a machine that does the same to a store and to the model."""

    class Queue(RuleBasedStateMachine):
        claimed: Bundle[Job] = Bundle("claimed")

        @initialize()
        def begin(self) -> None:
            self.database, self.model, self.now = new_store(), Model(), epoch

        @rule(key=KEYS, lane=LANES)
        def add(self, key: str, lane: str | None) -> None:
            with self.database.begin() as connection:
                jobs.add(connection, queue="q", key=key, payload={"k": key}, now=self.now, lane=lane)
            if key not in self.model.jobs:
                self.model.jobs[key] = Known(lane, self.now, order=len(self.model.jobs))

        @rule(target=claimed, limit=st.integers(1, 4))
        def claim(self, limit: int) -> object:
            expected = self.model.claimable(self.now, limit)
            with self.database.begin() as connection:
                got = jobs.claim(connection, queues=("q",), now=self.now, limit=limit)
            assert [(job.key, job.tries) for job in got] == [(key, self.model.jobs[key].tries) for key in expected]
            for key in expected:
                self.model.jobs[key].lease = self.now + LEASE
            return multiple(*got)

        @rule(job=claimed)
        def end(self, job: Job) -> None:
            with self.database.begin() as connection:
                jobs.end(connection, [job], now=self.now)
            self.settled(job, "done", tries=self.model.jobs[job.key].tries)

        @rule(job=claimed)
        def park(self, job: Job) -> None:
            with self.database.begin() as connection:
                jobs.park(connection, job, now=self.now, error="no")
            self.settled(job, "parked", tries=job.tries + 1)

        @rule(job=claimed)
        def retry(self, job: Job) -> None:
            with self.database.begin() as connection:
                jobs.retry(connection, job, now=self.now, error="not now")
            self.settled(job, "pending", tries=job.tries + 1, due=self.now + back_off(job.tries))

        def settled(self, job: Job, state: str, *, tries: int, due: datetime | None = None) -> None:
            known = self.model.jobs[job.key]
            if known.state == "pending":
                known.state, known.tries, known.lease = state, tries, None
                known.due = due or known.due

        @rule()
        def restart(self) -> None:
            with self.database.begin() as connection:
                jobs.release(connection)
            for known in self.model.jobs.values():
                known.lease = None

        @rule(step=STEPS)
        def wait(self, step: timedelta) -> None:
            self.now += step

        @invariant()
        def same(self) -> None:
            with self.database.read() as connection:
                held = {row["key"]: row for row in connection.execute(select(table)).mappings()}
                soonest, waiting = jobs.next_due(connection, ("q",)), jobs.waiting(connection)
            facts = {key: (row["state"], row["tries"], row["due"], row["leased_until"]) for key, row in held.items()}
            known = {key: (one.state, one.tries, one.due, one.lease) for key, one in self.model.jobs.items()}
            assert facts == known
            first = [
                key
                for key, one in self.model.jobs.items()
                if one.state == "pending" and self.model.first_of_its_lane(key)
            ]
            assert soonest == min(
                (self.model.jobs[key].lease or self.model.jobs[key].due for key in first), default=None
            )
            assert waiting == sum(one.state == "pending" for one in self.model.jobs.values())

        def teardown(self) -> None:
            self.database.close()

    return Queue


def test_the_queue_is_what_a_list_would_be(new_store: Callable[[], Database], now: datetime) -> None:
    """After any adding, claiming, ending, failing, parking, restarting and waiting, store and model say the same."""
    run_state_machine_as_test(
        machine(new_store, now),
        settings=settings(max_examples=15, stateful_step_count=25, deadline=None, derandomize=True),
    )
