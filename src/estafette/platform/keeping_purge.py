"""What is kept no more is purged: a round that goes on where it was, and leaves the hash and the rule of all it takes.

Theory of operation. A batch is planned in a snapshot (what is over, what is held or needed), then done in one
transaction, which first looks again: when anything has moved meanwhile, a hold that was just set say, nothing is done
and the next round plans anew. The transaction deletes the records, traces each in `purged`, tells the audit log of the
tenant, and notes the documents. Dying between any two writes leaves either the whole batch or none of it. Once a day
the documents that no other record names are purged (`store.orphans`); their bytes are erased after a while
(`store.erasure`).

Cost. A round looks, by an index, at what may be over and nothing else, so many batches at most, and the next goes on
from there. The tables that name documents are read from one end to the other twice a day, when anything was purged.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from estafette.platform.keeping import Asked, Drawer, Kept, rule_text
from estafette.platform.keeping_drawers import DRAWERS, needing
from estafette.store import audit, audit_purge, erasure, gathered, holds, orphans
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.holds import Held
from estafette.store.tables import purged
from estafette.values.moments import paris_day
from estafette.values.retention import AUDIT, Retention

log = structlog.get_logger()

BATCH = 100
"""Things in one transaction: few enough that nobody waits for it."""

BATCHES_A_VISIT = 50
"""Batches that one round looks at; the next goes on (our bound on what one round takes)."""


SWEPT_EVERY = timedelta(days=1)
"""How long documents wait, at the least, until it is looked at whether another record names them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch: what goes, and what stays though its time is over, with why."""

    drawer: Drawer
    going: tuple[Kept, ...]
    staying: tuple[tuple[Kept, str], ...]
    place: "Place"
    """Where one goes on after it."""


Place = tuple[int, Any]
"""How far a round is: the number of a drawer, and after which day and key of it."""

BEGINNING: Place = (0, None)


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
        self._place = BEGINNING

    def plans(self, place: Place = BEGINNING) -> Iterator[Plan]:
        """Give every batch there is now from a place on, what goes and what stays; nothing is written."""
        on = paris_day(self._clock())
        first, after = place
        for number, drawer in enumerate(DRAWERS[first:], start=first):
            while True:
                with self._database.read() as connection:
                    things, after = drawer.find(connection, Asked(self._retention, on, after=after, limit=BATCH))
                    if after is None:
                        break
                    over = [thing for thing in things if thing.until < on]
                    made = plan(connection, drawer, over, on=on, place=(number, after))
                yield made

    async def visit(self) -> None:
        """What is over is purged, and what was condemned long enough is erased: a bounded part, away from the loop."""
        counts = await asyncio.to_thread(self.run, batches=BATCHES_A_VISIT)
        if counts.going or counts.erased or counts.restored:
            log.info("purge.done", purged=dict(counts.going), erased=counts.erased, restored=counts.restored)

    def run(self, *, batches: int | None = None, told: Callable[[Plan], None] = lambda _plan: None) -> Counts:
        """What is over is purged, with its documents; `told` hears of each batch that was done.

        `batches`: so many are looked at, the next time one goes on from there; documents go once a day then.
        """
        counts, run, bounded = Counts(), str(uuid4()), islice(self.plans(self._place), batches)
        self._place, left = BEGINNING, batches
        for made in bounded:
            counts.staying[made.drawer.name] += len(made.staying)
            if made.going and self._do(made, run):
                counts.going[made.drawer.name] += len(made.going)
                told(made)
            left = None if left is None else left - 1
            self._place = made.place if left == 0 else BEGINNING
        now = self._clock()
        held = partial(_is_held, on=paris_day(now))
        if gone := audit_purge.forget(self._database, last=self._journal_end(now), now=now, held=held):
            counts.going["journal"] = gone
        if batches is None or self._is_to_sweep(now):
            counts.documents = orphans.sweep(self._database, self._documents, now=now)
        while (batch := erasure.erase_some(self._database, self._documents, now=now)) != erasure.Erased():
            counts.erased += batch.erased
            counts.restored += batch.restored
        return counts

    def _journal_end(self, now: datetime) -> date:
        """Return the last day whose events of the audit log are kept no more: neither for themselves nor as a proof of
        an invoice of that day.
        """
        on = paris_day(now)
        day = min(self._retention.before(kind, on=on) for kind in AUDIT)
        while any(self._retention.until(kind, day, on=on) >= on for kind in AUDIT):
            day -= timedelta(days=1)
        return day

    def _is_to_sweep(self, now: datetime) -> bool:
        with self._database.read() as connection:
            since = orphans.waiting_since(connection)
        return since is not None and now - since >= SWEPT_EVERY

    def _do(self, made: Plan, run: str) -> bool:
        """The batch is done, unless something has moved since it was planned; tells whether it is."""
        now = self._clock()
        on = paris_day(now)
        with self._database.begin() as connection:
            found, _last = made.drawer.find(connection, Asked(self._retention, on, these=made.going))
            going, _staying = _parted(connection, [thing for thing in found if thing.until < on], on=on)
            if going != made.going:
                return False
            made.drawer.discard(connection, made.going)
            for thing in made.going:
                _trace(connection, thing, run=run, now=now, on=on)
            with audit.acting(f"job:purge {run}"):
                for thing in made.going:
                    _tell(connection, thing, now=now, on=on)
            orphans.note(connection, (name for thing in made.going for name in thing.documents), now=now)
        return True


def _is_held(connection: Connection, chain: str, *, on: date) -> bool:
    return bool(holds.active(connection, on=on, organizations=[chain]))


def plan(connection: Connection, drawer: Drawer, things: Sequence[Kept], *, on: date, place: Place) -> Plan:
    """Return what would become of things that are over: gone or staying."""
    return Plan(drawer, *_parted(connection, things, on=on), place)


def _parted(
    connection: Connection, things: Sequence[Kept], *, on: date
) -> tuple[tuple[Kept, ...], tuple[tuple[Kept, str], ...]]:
    """Return which things go, and which stay with why: held, or still needed."""
    held = holds.active(connection, on=on)
    needed = needing(connection, {thing.siren for thing in things}, on=on)
    going, staying = [], []
    for thing in things:
        why = thing.needed or needed.get(thing.siren) or _held(thing, held)
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
    elif thing.drawer in ("portal-flow", "message", "early-status"):
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
            "rule": rule_text(thing.rule, on=on), "sha256": trace.sha256 or None, "run": run, "purged_at": now,
        }  # fmt: skip
        gathered.add(connection, purged, row, once=True)


def _tell(connection: Connection, thing: Kept, *, now: datetime, on: date) -> None:
    first = thing.traces[0]
    told = {
        "kind": first.kind, "dated": thing.dated.isoformat(), "kept_until": thing.until.isoformat(),
        "rule": rule_text(thing.rule, on=on), "sha256": first.sha256, "with": len(thing.traces) - 1,
    }  # fmt: skip
    audit.record(connection, thing.siren, "purged", at=now, about=first.object_id[:200], **told)
