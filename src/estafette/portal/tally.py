"""What a flow comes to, counted as it is settled: so many objects, rejected for which reasons, late, answered how soon.

Counts are of the hour in which the flow is answered, and written once a flow in the transaction of its answer: the
watch desk reads a few rows whatever was carried.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, select, update

from estafette.formats.envelope import FlowName
from estafette.lifecycle.guards import Refusal
from estafette.portal.examination import Controlled
from estafette.portal.tables import partner_flow
from estafette.portal.watch_tables import flow_hour, reject_hour
from estafette.store import gathered

FLOW_KEY = ("hour", "partner", "interface")
REASON_KEY = (*FLOW_KEY, "code", "rule")
ADDED = ("flows", "irreceivable", "objects", "rejected", "late", "lag_ms")


@dataclass(slots=True)
class Tally:
    """Objects of one flow so far; of an irreceivable one, its reasons alone."""

    objects: int = 0
    rejected: int = 0
    late: int = 0
    irreceivable: bool = False
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, refusals: Iterable[Refusal], *, is_late: bool = False) -> None:
        """One object more, with why it was rejected when it was."""
        told = Counter((refusal.code, refusal.rule) for refusal in refusals)
        self.objects += 1
        self.rejected += bool(told)
        self.late += is_late
        self.reasons += told

    def turn_away(self, refusals: Iterable[Refusal]) -> None:
        """Nothing of the flow was taken, for these reasons."""
        self.irreceivable = True
        self.reasons += Counter((refusal.code, refusal.rule) for refusal in refusals)


def begun(controlled: Controlled) -> Tally:
    """Return the tally of a flow after its first stages."""
    tally = Tally()
    if controlled.refusals:
        tally.turn_away(controlled.refusals)
    return tally


def write(connection: Connection, name: FlowName, matricule: str, tally: Tally, *, now: datetime) -> None:
    """What the flow came to is counted with the others of the hour."""
    deposited = connection.execute(_DEPOSITED, {"name": str(name)}).scalar() or now
    lag_ms = max(int(1000 * (now - deposited).total_seconds()), 0)
    count(connection, (matricule, name.interface), tally, lag_ms=lag_ms, now=now)


def count(connection: Connection, whose: tuple[str, str], tally: Tally, *, lag_ms: int, now: datetime) -> None:
    """A flow of a partner, on an interface, is counted: what it came to, and how long its answer took."""
    where = dict(zip(FLOW_KEY, (now.replace(minute=0, second=0, microsecond=0), *whose), strict=True))
    counts = {"flows": 1, "irreceivable": int(tally.irreceivable), "objects": tally.objects, "rejected": tally.rejected}
    counts |= {"late": tally.late, "lag_ms": lag_ms, "lag_ms_max": lag_ms}
    _add(connection, (_FLOW, insert(flow_hour)), where, counts)
    for (code, rule), told in sorted(tally.reasons.items()):
        _add(
            connection,
            (_REASON, insert(reject_hour)),
            {**where, "code": code[:50], "rule": rule[:30]},
            {"count": told},
        )


def _add(connection: Connection, statements: tuple[Any, Any], where: dict[str, Any], counts: dict[str, int]) -> None:
    """The counts are added to those of the row, made when it is the first. One writer at a time makes that right."""
    added, first = statements
    values = {f"of_{name}": value for name, value in where.items()} | {
        f"by_{name}": one for name, one in counts.items()
    }
    if connection.execute(added, values).rowcount == 0:
        connection.execute(first, {**where, **counts})


def _of(table: Any, key: tuple[str, ...]) -> list[Any]:
    return [table.c[name] == bindparam(f"of_{name}", type_=table.c[name].type) for name in key]


_DEPOSITED = gathered.reads(select(partner_flow.c.created_at).where(partner_flow.c.name == bindparam("name")))
_longest = flow_hour.c.lag_ms_max
_FLOW = (
    update(flow_hour)
    .where(*_of(flow_hour, FLOW_KEY))
    .values(
        {flow_hour.c[name]: flow_hour.c[name] + bindparam(f"by_{name}") for name in ADDED}
        | {_longest: case((_longest < bindparam("by_lag_ms_max"), bindparam("by_lag_ms_max")), else_=_longest)}
    )
)
_REASON = (
    update(reject_hour)
    .where(*_of(reject_hour, REASON_KEY))
    .values({reject_hour.c["count"]: reject_hour.c["count"] + bindparam("by_count")})
)
