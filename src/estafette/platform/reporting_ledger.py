"""The ledger of unit records: what a company must report, added to and never changed, once by its key.

Whatever brings a unit (an invoice, a status, a file, a report, the desk) says under which key; the same again changes
nothing, other values replace, and what is taken back is written so. Each change asks that its period be sent: with the
others of the period, or with the next late ones (`reporting_sending`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, insert, select

from estafette.formats.flux10 import (
    Block,
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    Kind,
    ReportedInvoice,
    Role,
)
from estafette.platform.home import Home
from estafette.platform.reporting_tables import reporting_regime, unit_record
from estafette.reporting.aggregation import Unit
from estafette.reporting.calendar import Period, Regime, RegimeChange, next_sending, period_of
from estafette.store import jobs

REPORT = "report"
"""The queue of what is sent when its time comes."""

SPREAD_MINUTES = 240
"""Over how long the sendings of one deadline are spread, by SIREN: they all fall due at the same hour."""

TYPES: dict[Block, type[Any]] = {
    Block.INVOICES: ReportedInvoice,
    Block.INVOICE_PAYMENTS: InvoicePayment,
    Block.DAILY_TOTALS: DailyTotal,
    Block.DAILY_PAYMENTS: DailyPayment,
}
BLOCKS = {type_: block for block, type_ in TYPES.items()}
_AT_ONCE = 400
"""Keys looked up, and rows written, in one statement."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A unit for the ledger; None takes back what the key gave. `day` decides the period: the unit's unless given."""

    role: Role
    key: str
    unit: Unit | None
    place: int = 0
    reference: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class PeriodKey:
    """Which period of a company is meant: as what it reports, what, and a day that the period holds."""

    siren: str
    role: Role
    kind: Kind
    day: date


@dataclass(frozen=True, slots=True)
class Source:
    """What brought units: its kind and its identifier."""

    kind: str
    identifier: str


def record(home: Home, connection: Connection, siren: str, entries: Iterable[Entry], source: Source) -> int:
    """The entries are in the ledger and their periods will be sent; returns how many changed anything."""
    now = home.actor.clock()
    changes = regimes(connection, siren)
    touched: set[tuple[Role, Kind, date]] = set()
    count = 0
    pending = iter(entries)
    while some := list(islice(pending, _AT_ONCE)):
        held = _latest(connection, siren, [entry.key for entry in some])
        rows = []
        for entry in some:
            row = _row(siren, entry, held.get(entry.key), source, now)
            if row is not None:
                rows.append(row)
                both = (row, held.get(entry.key) or row)  # the period it leaves, when it moves, is to be corrected too
                touched |= {(Role(each["role"]), Kind(each["kind"]), each["day"]) for each in both}
        if rows:
            connection.execute(insert(unit_record), rows)
        count += len(rows)
    schedule(connection, siren, touched, changes, now)
    return count


def _row(siren: str, entry: Entry, held: RowMapping | None, source: Source, now: datetime) -> dict[str, Any] | None:
    """Return what is to be written; None when the key already gives just that, or there is nothing to take back."""
    data = None if entry.unit is None else msgspec.json.decode(msgspec.json.encode(entry.unit))
    if held is None and data is None:
        return None
    block = BLOCKS[type(entry.unit)] if entry.unit is not None else Block(held["block"] if held else "")
    day = entry.day or (day_of(entry.unit) if entry.unit is not None else held["day"] if held else now.date())
    if held is not None and (held["data"], held["day"], held["role"]) == (data, day, entry.role):
        return None
    return {
        "siren": siren,
        "role": entry.role.value,
        "kind": block.kind.value,
        "block": block.value,
        "key": entry.key,
        "day": day,
        "data": data,
        "source": source.kind,
        "source_id": source.identifier,
        "place": entry.place,
        "reference": entry.reference,
        "recorded_at": now,
    }


def day_of(unit: Unit) -> date:
    """Return the day by which a unit belongs to a period: that of the operation, or of the cashing (DSE note 125)."""
    day = unit.issue_date if isinstance(unit, ReportedInvoice) else unit.day
    if day is None:
        raise ValueError("a unit without a day was let through")
    return day


def invoice_year(unit: Unit) -> int:
    """Return the year of the invoice that a unit is about: of its date where the unit says it, else of its own day."""
    issued = unit.issue_date if isinstance(unit, ReportedInvoice | InvoicePayment) else None
    return (issued or day_of(unit)).year


def take_back(home: Home, connection: Connection, siren: str, rows: Sequence[RowMapping], source: Source) -> None:
    """These units of the company count no more."""
    entries = [Entry(Role(row["role"]), row["key"], None, row["place"], row["reference"], row["day"]) for row in rows]
    record(home, connection, siren, entries, source)


def units(connection: Connection, siren: str, *conditions: ColumnElement[bool]) -> list[RowMapping]:
    """Return the rows that stand now, by their day, then as they came."""
    return list(each_unit(connection, siren, *conditions))


def each_unit(connection: Connection, siren: str, *conditions: ColumnElement[bool]) -> Iterable[RowMapping]:
    """Give the rows that stand now, by their day, then as they came, some at a time: a till may make a hundred thousand
    a month.
    """
    query = select(unit_record).where(
        unit_record.c.siren == siren, *conditions, _stands(), unit_record.c.data.is_not(None)
    )
    ordered = query.order_by(unit_record.c.day, unit_record.c.id).execution_options(yield_per=_AT_ONCE)
    return connection.execute(ordered).mappings()


def in_period(role: Role, kind: Kind, start: date, end: date) -> ColumnElement[bool]:
    """Hold for the units of one transmission."""
    columns = unit_record.c
    return and_(columns.role == role.value, columns.kind == kind.value, columns.day.between(start, end))


def unit_of(row: RowMapping) -> Unit:
    """Return the unit that a row holds."""
    unit: Unit = msgspec.convert(row["data"], TYPES[Block(row["block"])], strict=False)
    return unit


def _stands() -> ColumnElement[bool]:
    """Hold for the latest row of a key."""
    later = unit_record.alias("later")
    return ~exists().where(
        later.c.siren == unit_record.c.siren, later.c.key == unit_record.c.key, later.c.id > unit_record.c.id
    )


def _latest(connection: Connection, siren: str, keys: list[str]) -> dict[str, RowMapping]:
    query = select(unit_record).where(unit_record.c.siren == siren, unit_record.c.key.in_(keys), _stands())
    return {row["key"]: row for row in connection.execute(query).mappings()}


# ------------------------------------------------------------------------------------------------------- the calendar


def regimes(connection: Connection, siren: str) -> tuple[RegimeChange, ...]:
    """Return the company's regimes, the first first."""
    query = select(reporting_regime).where(reporting_regime.c.siren == siren).order_by(reporting_regime.c.id)
    held = {row["since"]: RegimeChange(row["since"], Regime(row["regime"]), row["on_debits"])
            for row in connection.execute(query).mappings()}  # fmt: skip
    return tuple(sorted(held.values()))


def set_regime(home: Home, connection: Connection, siren: str, change: RegimeChange) -> None:
    """The company has this regime from a day on, and what it must report follows the new periods."""
    now = home.actor.clock()
    row = {"siren": siren, "since": change.since, "regime": change.regime.value, "on_debits": change.on_debits}
    connection.execute(insert(reporting_regime).values(**row, recorded_at=now))
    days = select(unit_record.c.role, unit_record.c.kind, unit_record.c.day).distinct()
    later = connection.execute(days.where(unit_record.c.siren == siren, unit_record.c.day >= change.since))
    schedule(
        connection,
        siren,
        {(Role(role), Kind(kind), day) for role, kind, day in later},
        regimes(connection, siren),
        now,
    )


def schedule(
    connection: Connection,
    siren: str,
    touched: Iterable[tuple[Role, Kind, date]],
    changes: tuple[RegimeChange, ...],
    now: datetime,
) -> None:
    """The periods of these days will be sent when their time comes; late ones at the next time of their kind."""
    periods = {(role, kind, period_of(day, kind, changes)) for role, kind, day in touched}
    for role, kind, period in sorted(periods):
        due = sending_time(siren, kind, period, changes, now)
        ask(connection, PeriodKey(siren, role, kind, period.start), due=due, now=now)


def sending_time(siren: str, kind: Kind, period: Period, changes: tuple[RegimeChange, ...], now: datetime) -> datetime:
    """Return when a period is sent by itself."""
    due = period.sent_from if now < period.sent_from else next_sending(now, kind, changes)
    return due + timedelta(minutes=int(siren) % SPREAD_MINUTES)


def ask(connection: Connection, key: PeriodKey, *, due: datetime, now: datetime, forced: bool = False) -> None:
    """The period will be sent at a moment; `forced` also sends again what was rejected as it is."""
    said = {"siren": key.siren, "role": key.role.value, "kind": key.kind.value, "day": key.day.isoformat()}
    named = f"{REPORT}:{key.siren}:{key.role}:{key.kind}:{key.day}:{due.isoformat()}"
    jobs.add(connection, queue=REPORT, key=named, payload={**said, "forced": forced}, now=now, due=due)
