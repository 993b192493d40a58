"""What the watch desk sees of the portal's partners: what came and when, what was rejected, what is late, what waits.

Asked for one platform, nothing of another is in the answer; asked for all, nothing names an invoice or a company.

Late is what the portal holds: objects that came past their term (`tally` counts them as they come), and deposits whose
data have not come. Terms are the dated tables of `lifecycle.deadlines` (24 h) and `reporting.calendar` (08:00).

Cost: counts are read by the hour, whatever was carried; what is missing is looked for among the deposits of a week.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from estafette.lifecycle.deadlines import INVOICE_DATA, due
from estafette.portal.tables import invoice_data, obligatory_status, outgoing_object, partner_flow
from estafette.portal.watch_tables import flow_hour, reject_hour
from estafette.values.money import rounded

HOUR = timedelta(hours=1)
HOURS_MAX = 24 * 7
"""How far back one may look at once."""

LOOKED_BACK = timedelta(days=7)
"""How long missing data are looked for: as long as the portal keeps what it sends for those who fetch it (§3.3.2.1)."""

OWED_MAX = 10_000
"""Deposits without data that are counted: past it, the count is at least that."""

MISSING_SHOWN = 50
"""Missing data shown to the platform that owes them, the longest due first."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one partner sent on one interface, in an hour or in all; lags are in seconds, from deposit to answer."""

    partner: str
    interface: str
    flows: int = 0
    irreceivable: int = 0
    objects: int = 0
    rejected: int = 0
    late: int = 0
    lag_ms: int = 0
    lag_ms_max: int = 0
    hour: datetime | None = None

    @property
    def lag_s(self) -> Decimal:
        """Seconds from a deposit to its answer, on average, to the hundredth."""
        return rounded(Decimal(self.lag_ms) / self.flows / 1000) if self.flows else Decimal(0)

    @property
    def lag_s_max(self) -> Decimal:
        """The longest, to the hundredth."""
        return rounded(Decimal(self.lag_ms_max) / 1000)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why objects or flows of a partner were rejected: the code, the rule, how often."""

    partner: str
    interface: str
    code: str
    rule: str
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, of one partner: its flows for an answer (since when, at the earliest), its answers to leave.

    `unacknowledged`: flows of the portal that it has not acknowledged, of those that left in the days looked back.
    """

    partner: str
    flows: int = 0
    since: datetime | None = None
    answers: int = 0
    unacknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """Deposits of one partner whose data are past their term and have not come."""

    partner: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Owed:
    """The data of one invoice that have not come: its seller, number and year, deposited when, due when."""

    seller: str
    number: str
    year: int
    deposited_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class View:
    """What is seen, of the hours from `since` to `until`. `owed` is for a platform that looks at its own."""

    since: datetime
    until: datetime
    hours: tuple[Count, ...]
    totals: tuple[Count, ...]
    causes: tuple[Cause, ...]
    waiting: tuple[Waiting, ...]
    missing: tuple[Missing, ...]
    owed: tuple[Owed, ...]

    @property
    def partners(self) -> tuple[str, ...]:
        """Those of whom something is said."""
        said: tuple[Count | Waiting | Missing, ...] = (*self.totals, *self.waiting, *self.missing)
        return tuple(sorted({one.partner for one in said}))

    def of(self, partner: str) -> tuple[tuple[datetime, int, int], ...]:
        """Give each hour of the view with the objects that a partner sent in it and those rejected."""
        sent: Counter[datetime] = Counter()
        rejected: Counter[datetime] = Counter()
        for count in self.hours:
            if count.partner == partner and count.hour is not None:
                sent[count.hour] += count.objects or count.flows
                rejected[count.hour] += count.rejected + count.irreceivable
        hours = int((self.until - self.since) / HOUR)
        each = (self.since + place * HOUR for place in range(hours))
        return tuple((hour, sent[hour], rejected[hour]) for hour in each)


def look(connection: Connection, *, now: datetime, hours: int = 24, partner: str | None = None) -> View:
    """Return what is seen of the last hours, the present one in them; of one partner, only what is its own."""
    until = now.replace(minute=0, second=0, microsecond=0) + HOUR
    since = until - min(max(hours, 1), HOURS_MAX) * HOUR
    counts = _counts(connection, since, partner)
    owed = _owed(connection, now, partner)
    return View(
        since=since,
        until=until,
        hours=counts,
        totals=_totals(counts),
        causes=_causes(connection, since, partner),
        waiting=_waiting(connection, now, partner),
        missing=_missing(owed),
        owed=tuple(one for _partner, one in owed[:MISSING_SHOWN]) if partner else (),
    )


def _mine(query: Select[Any], column: Any, partner: str | None) -> Select[Any]:
    return query if partner is None else query.where(column == partner)


def _counts(connection: Connection, since: datetime, partner: str | None) -> tuple[Count, ...]:
    names = list(Count.__dataclass_fields__)
    query = select(*(flow_hour.c[name] for name in names)).where(flow_hour.c.hour >= since)
    order = (flow_hour.c.hour, flow_hour.c.partner, flow_hour.c.interface)
    query = _mine(query, flow_hour.c.partner, partner).order_by(*order)
    return tuple(Count(*row) for row in connection.execute(query))


def _totals(counts: Iterable[Count]) -> tuple[Count, ...]:
    """Sum the hours, by partner and interface."""
    held: dict[tuple[str, str], list[Count]] = defaultdict(list)
    for count in counts:
        held[count.partner, count.interface].append(count)
    return tuple(_sum(*key, some) for key, some in sorted(held.items()))


def _sum(partner: str, interface: str, some: list[Count]) -> Count:
    added = ("flows", "irreceivable", "objects", "rejected", "late", "lag_ms")
    sums = {name: sum(getattr(one, name) for one in some) for name in added}
    return Count(partner, interface, **sums, lag_ms_max=max(one.lag_ms_max for one in some))


def _causes(connection: Connection, since: datetime, partner: str | None) -> tuple[Cause, ...]:
    columns = [reject_hour.c[name] for name in ("partner", "interface", "code", "rule")]
    count = func.sum(reject_hour.c["count"])
    query = select(*columns, count).where(reject_hour.c.hour >= since).group_by(*columns)
    rows = connection.execute(_mine(query, reject_hour.c.partner, partner).order_by(count.desc(), *columns))
    return tuple(Cause(*row) for row in rows)


def _waiting(connection: Connection, now: datetime, partner: str | None) -> tuple[Waiting, ...]:
    columns, waits = partner_flow.c, outgoing_object.c
    own = ~columns.interface.like("C%")
    flows = select(columns.partner, func.count(), func.min(columns.created_at)).group_by(columns.partner)
    flows = _mine(flows.where(columns.state == "received"), columns.partner, partner)
    silent = select(columns.partner, func.count()).group_by(columns.partner)
    silent = silent.where(columns.state == "sent", columns.created_at > now - LOOKED_BACK, own)
    answers = select(waits.partner, func.count()).where(waits.flow_name.is_(None)).group_by(waits.partner)
    received = {row[0]: (row[1], row[2]) for row in connection.execute(flows)}
    unanswered, unsent = (
        {row[0]: int(row[1]) for row in connection.execute(_mine(query, column, partner))}
        for query, column in ((silent, columns.partner), (answers, waits.partner))
    )
    return tuple(
        Waiting(one, *received.get(one, (0, None)), answers=unsent.get(one, 0), unacknowledged=unanswered.get(one, 0))
        for one in sorted({*received, *unsent, *unanswered})
    )


def _owed(connection: Connection, now: datetime, partner: str | None) -> list[tuple[str, Owed]]:
    """Return the deposits whose data are past their term, the longest due first, with who deposited them."""
    status, ended = obligatory_status, obligatory_status.alias("ended")
    key = ("seller_siren", "number", "year")
    came = exists().where(*(invoice_data.c[name] == status.c[name] for name in key))
    over = exists().where(*(ended.c[name] == status.c[name] for name in key), ended.c.status.in_(("210", "213")))
    query = select(status.c.partner, *(status.c[name] for name in key), status.c.set_at)
    query = query.where(status.c.status == "200", status.c.set_at >= now - LOOKED_BACK, ~came, ~over)
    query = _mine(query, status.c.partner, partner).order_by(status.c.set_at).limit(OWED_MAX)
    owed = [
        (row[0], Owed(row[1], row[2], row[3], row[4], due(INVOICE_DATA, row[4]) or now))
        for row in connection.execute(query)
    ]
    return [one for one in owed if one[1].due_at < now]


def _missing(owed: list[tuple[str, Owed]]) -> tuple[Missing, ...]:
    held: dict[str, list[Owed]] = defaultdict(list)
    for partner, one in owed:
        held[partner].append(one)
    return tuple(Missing(partner, len(some), min(one.due_at for one in some)) for partner, some in sorted(held.items()))
