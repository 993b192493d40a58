"""What is kept no more is purged: a round that goes on where it was, and leaves the hash and the rule of all it takes.

Theory of operation. A batch is planned in a snapshot (what is over, what is held or needed, which documents no other
record names), then done in one transaction, which first looks again: when anything has moved meanwhile, a hold that was
just set say, nothing is done and the next round plans anew. The transaction deletes the records, traces each in
`purged`, tells the audit log of the tenant, and condemns the documents; their bytes are erased after a while
(`store.erasure`). Dying between any two writes leaves either the whole batch or none of it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from estafette.platform import keeping
from estafette.platform.keeping import DRAWERS, Asked, Drawer, Kept
from estafette.store import audit, erasure, gathered, holds, inventory
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.holds import Held
from estafette.store.tables import purged
from estafette.values.moments import paris_day
from estafette.values.retention import Retention

log = structlog.get_logger()

BATCH = 100
"""Things in one transaction: few enough that nobody waits for it."""

BATCHES_A_VISIT = 50
"""Batches of one round; the next goes on (our bound on what one round takes)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch: what goes, with which documents, and what stays though its time is over, with why."""

    drawer: Drawer
    going: tuple[Kept, ...]
    staying: tuple[tuple[Kept, str], ...]
    documents: frozenset[str]


@dataclass(slots=True)
class Counts:
    """What a purge came to, by drawer; `staying` is over, but held or needed."""

    going: Counter[str] = field(default_factory=Counter)
    staying: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    erased: int = 0
    restored: int = 0


class Purge:
    """The purge of one platform's store. `clock` gives the time."""

    def __init__(
        self, database: Database, documents: Documents, retention: Retention, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._documents = documents
        self._retention = retention
        self._clock = clock

    def plans(self) -> Iterator[Plan]:
        """Give every batch there is now, what goes and what stays; nothing is written."""
        on = paris_day(self._clock())
        for drawer in DRAWERS:
            after = None
            while True:
                with self._database.read() as connection:
                    things, after = drawer.find(connection, Asked(self._retention, on, after=after, limit=BATCH))
                    if after is None:
                        break
                    made = plan(connection, drawer, [thing for thing in things if thing.until < on], on=on)
                yield made

    async def visit(self) -> None:
        """What is over is purged, and what was condemned long enough is erased: a bounded part, away from the loop."""
        counts = await asyncio.to_thread(self.run, batches=BATCHES_A_VISIT)
        if counts.going or counts.erased or counts.restored:
            log.info("purge.done", purged=dict(counts.going), erased=counts.erased, restored=counts.restored)

    def run(self, *, batches: int | None = None, told: Callable[[Plan], None] = lambda _plan: None) -> Counts:
        """What is over is purged, so many batches at most; `told` hears of each that was done."""
        counts, run = Counts(), str(uuid4())
        for made in self.plans():
            for _thing, _why in made.staying:
                counts.staying[made.drawer.name] += 1
            if made.going and self._do(made, run):
                counts.going[made.drawer.name] += len(made.going)
                counts.documents += len(made.documents)
                told(made)
                if batches is not None and (batches := batches - 1) <= 0:
                    break
        now = self._clock()
        while (batch := erasure.erase_some(self._database, self._documents, now=now)) != erasure.Erased():
            counts.erased += batch.erased
            counts.restored += batch.restored
        return counts

    def _do(self, made: Plan, run: str) -> bool:
        """The batch is done, unless something has moved since it was planned; tells whether it is."""
        now = self._clock()
        on = paris_day(now)
        with self._database.begin() as connection:
            keys = [thing.key for thing in made.going]
            found, _last = made.drawer.find(connection, Asked(self._retention, on, keys=keys))
            going, _staying = _parted(connection, [thing for thing in found if thing.until < on], on=on)
            if going != made.going:
                return False
            made.drawer.discard(connection, made.going)
            for thing in made.going:
                _trace(connection, thing, run=run, now=now, on=on)
            with audit.acting(f"job:purge {run}"):
                for thing in made.going:
                    _tell(connection, thing, now=now, on=on)
            self._documents.purge(connection, made.documents, now=now)
        self._documents.forget(made.documents)
        return True


def plan(connection: Connection, drawer: Drawer, things: Sequence[Kept], *, on: date) -> Plan:
    """Return what would become of things that are over: gone or staying, and the documents that would go."""
    going, staying = _parted(connection, things, on=on)
    counts = Counter(name for thing in going for name in thing.documents)
    named = inventory.still_named(connection, list(counts), but=counts)
    return Plan(drawer, going, staying, frozenset(counts) - named)


def _parted(
    connection: Connection, things: Sequence[Kept], *, on: date
) -> tuple[tuple[Kept, ...], tuple[tuple[Kept, str], ...]]:
    """Return which things go, and which stay with why: held, or still needed."""
    held = holds.active(connection, on=on)
    needing = keeping.needing(connection, {thing.siren for thing in things}, on=on)
    going, staying = [], []
    for thing in things:
        why = thing.needed or needing.get(thing.siren) or _held(thing, held)
        if why:
            staying.append((thing, why))
        else:
            going.append(thing)
    return tuple(going), tuple(staying)


def _held(thing: Kept, held: dict[str, list[Held]]) -> str | None:
    """Return which hold covers a thing; what is of no company in particular is covered by those of any."""
    if thing.siren:
        mine = held.get(thing.siren, [])
        found = next((one for one in mine if one.covers(thing.dated, thing.counterpart, thing.reference)), None)
    elif thing.drawer in ("portal-flow", "message"):
        every = (one for some in held.values() for one in some)
        found = next((one for one in every if one.scope.covers_day(thing.dated)), None)
    else:
        found = None
    return f"hold {found.id}: {found.reason}" if found else None


def _trace(connection: Connection, thing: Kept, *, run: str, now: datetime, on: date) -> None:
    for trace in thing.traces:
        row = {
            "kind": trace.kind, "object_id": trace.object_id, "organization": thing.siren,
            "reference": thing.reference[:255], "dated": thing.dated, "kept_until": thing.until,
            "rule": keeping.rule_text(thing.rule, on=on), "sha256": trace.sha256 or None, "run": run, "purged_at": now,
        }  # fmt: skip
        gathered.add(connection, purged, row, once=True)


def _tell(connection: Connection, thing: Kept, *, now: datetime, on: date) -> None:
    first = thing.traces[0]
    told = {
        "kind": first.kind, "dated": thing.dated.isoformat(), "kept_until": thing.until.isoformat(),
        "rule": keeping.rule_text(thing.rule, on=on), "sha256": first.sha256, "with": len(thing.traces) - 1,
    }  # fmt: skip
    audit.record(connection, thing.siren, "purged", at=now, about=first.object_id[:200], **told)
