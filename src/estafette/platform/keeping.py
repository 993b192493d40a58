"""What a platform keeps and until when: a thing with its date, its rule, and what stands against its purge.

A drawer is one kind of thing. It is looked through from its oldest day, by an index on that day, only as far as a thing
may be over, page by page; `told` gives each with the last day it is kept; `discard` deletes it, or blanks the name of
its document where the record itself stays. What is over is purged by `keeping_purge`, unless it is held, or still
needed (`Kept.needed`). The drawers are in `keeping_drawers`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    RowMapping,
    Select,
    Table,
    delete,
    func,
    or_,
    select,
    update,
)

from estafette.platform.tables import event, invoice
from estafette.store import audit
from estafette.store.inventory import NONE
from estafette.values.moments import PARIS, paris_day
from estafette.values.retention import Kind, Retention, rule_of

OWED = ("waiting", "packed")
"""A declaration or transmission that the portal has not taken yet."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What stays of one record that goes: its kind and identifier, and the hash of its document."""

    kind: str
    object_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing that is kept: whose, of which day, number and counterpart, until when by which rule.

    `traces`: the thing first, then what goes with it. `documents`: one for each record that names it and goes.
    """

    drawer: str
    key: Any
    siren: str
    reference: str
    counterpart: str
    dated: date
    until: date
    rule: Kind
    traces: tuple[Trace, ...]
    at: Any
    """The day or moment by which its drawer finds it."""
    documents: tuple[str, ...] = ()
    needed: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which things are looked for: those that may be over on a day, after a day and a key, so many; or these again."""

    retention: Retention
    on: date
    after: tuple[Any, Any] | None = None
    these: Sequence[Kept] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a drawer: their key, the day each is of, what each is kept as: one of `kinds`, or `all_of` them.

    `day` begins an index, which is partial where `where` says of which rows: written with constants (`constant`), so
    that every engine knows the index by it. A row has `kept_day` and `kept_key` besides its own columns.
    """

    query: Select[Any]
    key: ColumnElement[Any]
    day: ColumnElement[Any]
    kinds: tuple[Kind, ...]
    where: tuple[ColumnElement[bool], ...] = ()
    all_of: bool = False

    def page(self, asked: Asked) -> Select[Any]:
        """Ask for one page, the oldest first; or for these things again."""
        query = self.query.add_columns(self.day.label("kept_day"), self.key.label("kept_key"))
        query = query.where(*self.where, self._may_be_over(asked)).order_by(self.day, self.key)
        if asked.these is not None:
            days = [thing.at for thing in asked.these]
            return query.where(
                self.key.in_([thing.key for thing in asked.these]), self.day.between(min(days), max(days))
            )
        if asked.after is not None:
            day, key = asked.after
            query = query.where(self.day >= day, or_(self.day > day, self.key > key))
        return query.limit(asked.limit)

    def _may_be_over(self, asked: Asked) -> ColumnElement[bool]:
        ends = [asked.retention.before(kind, on=asked.on) for kind in self.kinds]
        last = min(ends) if self.all_of else max(ends)
        if isinstance(self.day.type, Date):
            return self.day <= last
        return self.day < datetime.combine(last + timedelta(days=1), time(), PARIS)


@dataclass(frozen=True, slots=True)
class Drawer:
    """One kind of thing: its words, where it is, what its rows are, and how it goes."""

    name: str
    fr: str
    en: str
    source: Source
    told: Callable[[Connection, Sequence[RowMapping], Asked], list[Kept]]
    discard: Callable[[Connection, Sequence[Kept]], None]

    def find(self, connection: Connection, asked: Asked) -> tuple[list[Kept], tuple[Any, Any] | None]:
        """Return what may be over, and after which day and key to go on; None at the end."""
        rows = connection.execute(self.source.page(asked)).mappings().all()
        last = (rows[-1]["kept_day"], rows[-1]["kept_key"]) if rows else None
        return self.told(connection, rows, asked), last


def kept(asked: Asked, row: RowMapping, kind: Kind, *traces: Trace, drawer: str, **said: Any) -> Kept:
    """Return a thing of the day of its row; its documents are those of its traces, unless it is said otherwise."""
    day = row["kept_day"]
    day = paris_day(day) if isinstance(day, datetime) else day
    said.setdefault("documents", tuple(trace.sha256 for trace in traces if trace.sha256))
    defaults: dict[str, Any] = {"siren": "", "reference": "", "counterpart": "", "dated": day}
    until = asked.retention.until(kind, day, on=asked.on)
    made = defaults | said
    return Kept(drawer, row["kept_key"], until=until, rule=kind, traces=traces, at=row["kept_day"], **made)


def blank(table: Table, key: ColumnElement[Any]) -> Callable[[Connection, Sequence[Kept]], None]:
    """Return what leaves the record and takes the name of its document."""

    def discard(connection: Connection, things: Sequence[Kept]) -> None:
        keys = [thing.key for thing in things]
        connection.execute(update(table).where(key.in_(keys)).values(sha256=NONE))

    return discard


def remove(table: Table, key: ColumnElement[Any]) -> Callable[[Connection, Sequence[Kept]], None]:
    """Return what deletes the record."""

    def discard(connection: Connection, things: Sequence[Kept]) -> None:
        connection.execute(delete(table).where(key.in_([thing.key for thing in things])))

    return discard


def hash_of(row: RowMapping, table: Table) -> str:
    """Return the hash of a record that has no document: of its values, in their only form."""
    values = {name: row[name] for name in table.c.keys()}  # noqa: SIM118 - the names, as they are in a row
    text = audit.canonical(
        {name: value if isinstance(value, dict | None) else str(value) for name, value in values.items()}
    )
    return hashlib.sha256(text.encode()).hexdigest()


def rule_text(kind: Kind, *, on: date) -> str:
    """Say a rule as it is written beside what was purged by it: `tax-evidence: LPF, art. L. 102 B`."""
    return f"{kind}: {rule_of(kind, on=on).source}"


def until_of(row: Any, last_status_at: datetime | None, retention: Retention, on: date) -> tuple[date, date, Kind]:
    """Return the day of an invoice, the last on which its file is kept, and by which rule."""
    if row["standing"] == "rejected":
        day = paris_day(row["received_at"])
        until, kind = retention.longest((Kind.REJECTED,), day, on=on)
    else:
        day = row["issue_date"]
        until, kind = retention.longest((Kind.TAX_EVIDENCE, Kind.ACCOUNTING), day, on=on)
    if last_status_at is not None:
        until, kind = max((until, kind), (retention.until(Kind.STATUS, paris_day(last_status_at), on=on), Kind.STATUS))
    return day, until, kind


def last_status() -> Any:
    """Select when the last status of an invoice was set."""
    return select(func.max(event.c.set_at)).where(event.c.invoice_id == invoice.c.id).scalar_subquery()
