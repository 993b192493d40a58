"""What an actor counts of itself, as Prometheus reads it: no tenant is named, and no measure grows with tenants.

What is counted inside a transaction is noted on its connection (`count`) and counted once it is committed: what is
undone or applied twice counts once. Each actor has a registry of its own; a peer is named by its identifier, since
platforms are few and public.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from sqlalchemy import Connection

_KEY = "estafette.noted"

QUICK = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds of the histograms of time, in seconds: the promised 100 ms is one of them."""

SIZES = (1, 2, 4, 8, 16, 32, 64)


class Measures:
    """The counters and histograms of one actor, in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.deposits = Counter("estafette_deposits", "Files deposited by customers.", ["syntax"], registry=registry)
        self.verdicts = Counter(
            "estafette_verdicts", "What became of what was judged.", ["kind", "outcome"], registry=registry
        )
        self.messages = Counter(
            "estafette_messages", "Messages sent to peers, by their answer.", ["peer", "outcome"], registry=registry
        )
        self.taken = Counter(
            "estafette_messages_taken", "Messages had from peers.", ["peer", "kind"], registry=registry
        )
        self.requests = Histogram(
            "estafette_http_request_seconds",
            "Time to answer a request.",
            ["method", "route", "status"],
            registry=registry,
            buckets=QUICK,
        )
        self.jobs = Counter("estafette_jobs", "Attempts at jobs, by outcome.", ["queue", "outcome"], registry=registry)
        self.job_seconds = Histogram(
            "estafette_job_seconds",
            "Time of an attempt that ended well: of a job, or of a batch of them.",
            ["queue"],
            registry=registry,
            buckets=QUICK,
        )
        self.commit_writes = Histogram(
            "estafette_commit_writes", "Writes that shared a commit.", registry=registry, buckets=SIZES
        )
        self.commit_seconds = Histogram(
            "estafette_commit_seconds", "Time of a commit, its writes included.", registry=registry, buckets=QUICK
        )
        ProcessCollector(registry=registry)

    def committed(self, writes: int, seconds: float) -> None:
        """So many writes were committed together, in this time."""
        self.commit_writes.observe(writes)
        self.commit_seconds.observe(seconds)


class _Noted:
    """What one transaction has to count, and where."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        self.counts: list[tuple[str, tuple[str, ...]]] = []


def begin(connection: Connection, measures: Measures) -> None:
    """A transaction of this actor starts, nothing noted."""
    connection.info[_KEY] = _Noted(measures)


def count(connection: Connection, counter: str, *labels: str) -> None:
    """The counter of that name will be one more once the transaction is committed."""
    if (noted := connection.info.get(_KEY)) is not None:
        noted.counts.append((counter, labels))


def mark(connection: Connection) -> int:
    """Return how much is noted now."""
    noted = connection.info.get(_KEY)
    return len(noted.counts) if noted else 0


def undo(connection: Connection, mark: int) -> None:
    """What was noted since that mark is not counted."""
    if (noted := connection.info.get(_KEY)) is not None:
        del noted.counts[mark:]


def end(connection: Connection) -> Callable[[], None]:
    """The transaction is over; returns what counts what it noted."""
    noted: _Noted | None = None if connection.invalidated else connection.info.pop(_KEY, None)

    def tell() -> None:
        if noted is not None:
            for counter, labels in noted.counts:
                getattr(noted.measures, counter).labels(*labels).inc()

    return tell
