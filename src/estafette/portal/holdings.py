"""What the directory holds, read: now, on any day of effect, and as it was known at any moment.

Two times. A line holds from its `start` to its `end`; a version of it (or of a unit, an establishment, a code, a
platform) was known from the change that made it until the one that replaced it. Every question takes `known`: None is
what holds now, one probe of an index; a moment is what the last change at or before it had left, one query too.

A line is an address and a start. Its versions follow each other; when the one that counts is a mask (nature M), the
line resolves no more. `lines*` give definitions and masks alike: `directory.resolution.current` or `nature` tells them.

Only `register` writes these tables.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, and_, or_, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory_entries import Entry
from estafette.portal.tables import (
    directory_change,
    directory_line,
    establishment,
    legal_unit,
    receiving_platform,
    routing_code,
)

Kind = TypeVar("Kind", LegalUnit, Establishment, RoutingCode, ReceivingPlatform, DirectoryLine)

TABLES: dict[type[Any], Table] = {
    LegalUnit: legal_unit,
    Establishment: establishment,
    RoutingCode: routing_code,
    ReceivingPlatform: receiving_platform,
    DirectoryLine: directory_line,
}
AFTER = "`"
"""The character after `_`: every address that begins with a SIREN, or with SIREN_SIRET, is below it."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an entry, the change that made it, the moment another replaced it."""

    entry: Entry
    recorded_at: datetime
    source: str
    author: str
    message: str | None
    replaced_at: datetime | None


# ---------------------------------------------------------------------------------------------------- one thing each


def legal_unit_of(connection: Connection, siren: str, *, known: datetime | None = None) -> LegalUnit | None:
    """Return a legal unit, whatever its status; None when the directory never had it, or not yet."""
    return _one(connection, LegalUnit, legal_unit.c.siren == siren, known=known)


def establishment_of(connection: Connection, siret: str, *, known: datetime | None = None) -> Establishment | None:
    """Return an establishment, whatever its status."""
    return _one(connection, Establishment, establishment.c.siret == siret, known=known)


def routing_code_of(
    connection: Connection, siret: str, code: str, *, known: datetime | None = None
) -> RoutingCode | None:
    """Return a routing code of an establishment, whatever its status."""
    mine = and_(routing_code.c.siret == siret, routing_code.c.code == code)
    return _one(connection, RoutingCode, mine, known=known)


def platform_of(connection: Connection, matricule: str, *, known: datetime | None = None) -> ReceivingPlatform | None:
    """Return a platform, whatever became of its registration."""
    return _one(connection, ReceivingPlatform, receiving_platform.c.matricule == matricule, known=known)


def line_at(connection: Connection, address: str, *, on: date, known: datetime | None = None) -> DirectoryLine | None:
    """Return the line of this exact address that holds on a day, as known at a moment; there is one at most (G1.86)."""
    column = directory_line.c
    query = _select(DirectoryLine, column.address == address, known=known).where(
        column.nature == "D", column.start <= on, or_(column.end.is_(None), column.end > on)
    )
    row = connection.execute(query.order_by(column.instance.desc()).limit(1)).mappings().first()
    return entry(DirectoryLine, row) if row else None


def by_instance(connection: Connection, kind: type[Kind], instance: int) -> Kind | None:
    """Return one version by its number, replaced since or not."""
    table = TABLES[kind]
    row = connection.execute(select(table).where(table.c.instance == instance)).mappings().first()
    return entry(kind, row) if row else None


# --------------------------------------------------------------------------------------------------------- many of them


def lines(connection: Connection, address: str, *, known: datetime | None = None) -> list[DirectoryLine]:
    """Return the lines of this exact address, by start: the version of each that counts, masks too."""
    return _lines(connection, directory_line.c.address == address, known=known)


def lines_of_unit(connection: Connection, siren: str, *, known: datetime | None = None) -> list[DirectoryLine]:
    """Return the lines of a SIREN, of every grain, by address and start."""
    return _lines(connection, beginning(siren), known=known)


def lines_of_establishment(connection: Connection, siret: str, *, known: datetime | None = None) -> list[DirectoryLine]:
    """Return the lines of a SIRET and of its routing codes, by address and start."""
    mine = and_(beginning(f"{siret[:9]}_{siret}"), directory_line.c.siret == siret)
    return _lines(connection, mine, known=known)


def lines_of_platform(
    connection: Connection, matricule: str, *, known: datetime | None = None, after: int = 0, limit: int | None = None
) -> list[DirectoryLine]:
    """Return the lines whose version that counts names a platform, by instance: those after one, so many at most."""
    column = directory_line.c
    query = _select(DirectoryLine, and_(column.matricule == matricule, column.instance > after), known=known)
    rows = connection.execute(query.order_by(column.instance).limit(limit)).mappings()
    return [entry(DirectoryLine, row) for row in rows]


def establishments_of(connection: Connection, siren: str, *, known: datetime | None = None) -> list[Establishment]:
    """Return the establishments of a SIREN, by SIRET."""
    mine = and_(establishment.c.siret > siren, establishment.c.siret < f"{siren}:")
    query = _select(Establishment, mine, known=known).order_by(establishment.c.siret)
    return [entry(Establishment, row) for row in connection.execute(query).mappings()]


def routing_codes_of(connection: Connection, siret: str, *, known: datetime | None = None) -> list[RoutingCode]:
    """Return the routing codes of an establishment, by code."""
    query = _select(RoutingCode, routing_code.c.siret == siret, known=known).order_by(routing_code.c.code)
    return [entry(RoutingCode, row) for row in connection.execute(query).mappings()]


def platforms(connection: Connection, *, known: datetime | None = None) -> list[ReceivingPlatform]:
    """Return every platform, by number."""
    query = _select(ReceivingPlatform, receiving_platform.c.matricule > "", known=known)
    rows = connection.execute(query.order_by(receiving_platform.c.matricule)).mappings()
    return [entry(ReceivingPlatform, row) for row in rows]


# -------------------------------------------------------------------------------------------------------------- history


def versions(connection: Connection, kind: type[Kind], mine: ColumnElement[bool]) -> Iterator[Version]:
    """Give every version of what a condition on the table of a kind chooses, the first made first."""
    table, made, replaced = TABLES[kind], directory_change.alias("made"), directory_change.alias("replaced")
    query = (
        select(
            table, made.c.recorded_at, made.c.source, made.c.author, made.c.message, replaced.c.recorded_at.label("to")
        )
        .join(made, made.c.id == table.c.known_from)
        .outerjoin(replaced, replaced.c.id == table.c.known_until)
        .where(mine)
        .order_by(table.c.instance)
    )
    for row in connection.execute(query).mappings():
        held = entry(kind, row, **({"defined_at": row["recorded_at"]} if kind is DirectoryLine else {}))
        yield Version(held, row["recorded_at"], row["source"], row["author"], row["message"], row["to"])


def counts(table: Table, *, known: datetime | None = None) -> ColumnElement[bool]:
    """Return the condition that a version of a table counts: now, or as known at a moment."""
    if known is None:
        return table.c.known_until.is_(None)
    last = last_change(known)
    return and_(table.c.known_from <= last, or_(table.c.known_until.is_(None), table.c.known_until > last))


def last_change(known: datetime) -> ColumnElement[int]:
    """Return the last change recorded at or before a moment, as a part of a query."""
    column = directory_change.c
    query = select(column.id).where(column.recorded_at <= known)
    return query.order_by(column.recorded_at.desc(), column.id.desc()).limit(1).scalar_subquery()


def beginning(prefix: str) -> ColumnElement[bool]:
    """Return the condition that an address is this one, or this one and more: a range of the index."""
    return and_(directory_line.c.address >= prefix, directory_line.c.address < prefix + AFTER)


def entry(kind: type[Kind], row: RowMapping, **more: Any) -> Kind:
    """Return the entry that a row holds."""
    given = {name: row[name] for name in _NAMES[kind] if name in row} | more
    if kind is DirectoryLine:
        given |= {"siren": row["address"][:9], "routing_code": row["routing"]}
    if kind is ReceivingPlatform and row["platform_type"] == "PDP":
        given.setdefault("trade_name", row["name"])
    return kind(**given)


def _one(connection: Connection, kind: type[Kind], mine: ColumnElement[bool], *, known: datetime | None) -> Kind | None:
    row = connection.execute(_select(kind, mine, known=known)).mappings().first()
    return entry(kind, row) if row else None


def _lines(connection: Connection, mine: ColumnElement[bool], *, known: datetime | None) -> list[DirectoryLine]:
    query = _select(DirectoryLine, mine, known=known)
    rows: Iterable[RowMapping] = connection.execute(
        query.order_by(directory_line.c.address, directory_line.c.start)
    ).mappings()
    return [entry(DirectoryLine, row) for row in rows]


def _select(kind: type[Any], mine: ColumnElement[bool], *, known: datetime | None) -> Select[Any]:
    table = TABLES[kind]
    return select(table).where(mine, counts(table, known=known))


_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in TABLES}
