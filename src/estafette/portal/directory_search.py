"""What platforms ask of the directory: pages of its versions that meet criteria, with who made each, and when.

Without anything said of time one is given what holds: of units, establishments and codes the version that counts now,
of lines those in force and to come. A day of observation gives what was known at its end, of lines those in force on
that day; days of search give the versions defined between them; an audit gives every version, replaced and masked ones
too. A private unit that is not taxable, and what is of it, is shown to nobody.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.portal import holdings
from estafette.portal.holdings import TABLES, Version
from estafette.portal.tables import (
    directory_change,
    directory_line,
    establishment,
    legal_unit,
    receiving_platform,
    routing_code,
)
from estafette.values.moments import PARIS

Columns = Mapping[str, ColumnElement[Any]]

_UNIT, _SHOP, _CODE, _LINE = legal_unit.c, establishment.c, routing_code.c, directory_line.c
_MADE = directory_change.alias("made")


def _text(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """Join columns as one text, a space between."""
    joined: ColumnElement[str] = func.coalesce(columns[0], "")
    for column in columns[1:]:
        joined = joined + " " + func.coalesce(column, "")
    return joined


COLUMNS: Mapping[type[Any], Columns] = {
    LegalUnit: {column.name: column for column in legal_unit.c},
    Establishment: {column.name: column for column in establishment.c}
    | {"siren": func.substr(_SHOP.siret, 1, 9), "street": _text(_SHOP.line_1, _SHOP.line_2, _SHOP.line_3)},
    RoutingCode: {column.name: column for column in routing_code.c}
    | {"street": _text(_CODE.line_1, _CODE.line_2, _CODE.line_3)},
    DirectoryLine: {column.name: column for column in directory_line.c} | {"siren": func.substr(_LINE.address, 1, 9)},
}
"""What each kind can be looked for and ordered by; and `recorded_at`, `author`, of the change that made a version."""

KEYS: Mapping[type[Any], tuple[ColumnElement[Any], ...]] = {
    LegalUnit: (_UNIT.siren,),
    Establishment: (_SHOP.siret,),
    RoutingCode: (_CODE.siret, _CODE.code),
    DirectoryLine: (_LINE.address, _LINE.start),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a column must be, or contain; None is what has none."""

    name: str
    value: str | bool | None
    contains: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: every criterion holds; the order by names, descending where it is said; the times, as told above."""

    criteria: tuple[Criterion, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    on: date | None = None
    since: date | None = None
    until: date | None = None
    author: str | None = None
    is_audit: bool = False
    limit: int = 50
    ignore: int = 0


def find(connection: Connection, kind: type[Any], asked: Asked, *, today: date) -> tuple[int, list[Version]]:
    """Return how many versions meet what is asked, and those of the page."""
    conditions = [_shown(kind), *_holding(kind, asked, today)]
    conditions += [_condition(kind, criterion) for criterion in asked.criteria]
    of_change = _of_change(asked)
    table = TABLES[kind]
    counted = select(func.count()).select_from(table).where(*conditions, *of_change)
    made = _MADE.c.id == table.c.known_from
    total = connection.execute(counted.join(_MADE, made) if of_change else counted).scalar_one()
    if total <= asked.ignore:
        return total, []
    query = select(table, _MADE.c.recorded_at, _MADE.c.source, _MADE.c.author, _MADE.c.message)
    query = query.join(_MADE, made).where(*conditions, *of_change)
    page = query.order_by(*_order(kind, asked)).limit(asked.limit).offset(asked.ignore)
    return total, [_version(kind, row) for row in connection.execute(page).mappings()]


def by_key(
    connection: Connection, kind: type[Any], key: Mapping[str, str], *, on: date | None, today: date
) -> Version | None:
    """Return what has this key now, or at a day; of lines the one in force then."""
    criteria = tuple(Criterion(name, value) for name, value in key.items())
    day = today if on is None and kind is DirectoryLine else on
    _total, found = find(connection, kind, Asked(criteria, on=day, limit=2), today=today)
    return found[-1] if found else None


def by_instance(connection: Connection, kind: type[Any], instance: int) -> Version | None:
    """Return one version by its number, whatever became of it; None of what is shown to nobody."""
    mine = and_(TABLES[kind].c.instance == instance, _shown(kind))
    return next(holdings.versions(connection, kind, mine), None)


def units_of(connection: Connection, sirens: Collection[str]) -> dict[str, LegalUnit]:
    """Return the legal units of these numbers, as they are now."""
    query = select(legal_unit).where(_UNIT.siren.in_(sirens), holdings.counts(legal_unit))
    return {row["siren"]: holdings.entry(LegalUnit, row) for row in connection.execute(query).mappings()}


def establishments_of(connection: Connection, sirets: Collection[str]) -> dict[str, Establishment]:
    """Return the establishments of these numbers, as they are now."""
    query = select(establishment).where(_SHOP.siret.in_(sirets), holdings.counts(establishment))
    return {row["siret"]: holdings.entry(Establishment, row) for row in connection.execute(query).mappings()}


def routing_codes_of(connection: Connection, sirets: Collection[str]) -> dict[tuple[str, str], RoutingCode]:
    """Return the routing codes of these establishments, as they are now."""
    query = select(routing_code).where(_CODE.siret.in_(sirets), holdings.counts(routing_code))
    rows = connection.execute(query).mappings()
    return {(row["siret"], row["code"]): holdings.entry(RoutingCode, row) for row in rows}


def platforms_of(connection: Connection, matricules: Collection[str]) -> dict[str, ReceivingPlatform]:
    """Return the platforms of these numbers, as they are now."""
    query = select(receiving_platform).where(
        receiving_platform.c.matricule.in_(matricules), holdings.counts(receiving_platform)
    )
    rows = connection.execute(query).mappings()
    return {row["matricule"]: holdings.entry(ReceivingPlatform, row) for row in rows}


# ---------------------------------------------------------------------------------------------------------- conditions


def _shown(kind: type[Any]) -> ColumnElement[bool]:
    """A private unit that is not taxable is shown to nobody, nor what is of it."""
    is_shown = or_(_UNIT.is_taxable.is_(True), _UNIT.entity_type == "P")
    if kind is LegalUnit:
        return is_shown
    if kind is DirectoryLine:
        return _LINE.instance > 0
    unit = legal_unit.alias("unit")
    siret = _SHOP.siret if kind is Establishment else _CODE.siret
    mine = and_(unit.c.siren == func.substr(siret, 1, 9), unit.c.known_until.is_(None))
    return exists().where(mine, or_(unit.c.is_taxable.is_(True), unit.c.entity_type == "P"))


def _holding(kind: type[Any], asked: Asked, today: date) -> list[ColumnElement[bool]]:
    """Return what is asked of the versions: that they count, or counted; of lines that they hold; all, in an audit."""
    on = asked.on
    if asked.is_audit:
        return []
    if kind is not DirectoryLine:
        known = _midnight(on + timedelta(days=1)) - timedelta(microseconds=1) if on and on < today else None
        return [holdings.counts(TABLES[kind], known=known)]
    is_open = or_(_LINE.end.is_(None), _LINE.end > (on or today))
    begun = [_LINE.start <= on] if on else []
    return [holdings.counts(directory_line), _LINE.nature == "D", is_open, *begun]


def _of_change(asked: Asked) -> list[ColumnElement[bool]]:
    """Return what is asked of the change that made a version: when, and by whom."""
    conditions: list[ColumnElement[bool]] = []
    if asked.since is not None:
        conditions.append(_MADE.c.recorded_at >= _midnight(asked.since))
    if asked.until is not None:
        conditions.append(_MADE.c.recorded_at < _midnight(asked.until + timedelta(days=1)))
    if asked.author is not None:
        conditions.append(_MADE.c.author.icontains(asked.author, autoescape=True))
    return conditions


def _midnight(day: date) -> datetime:
    """Return the beginning of a day in Paris, the first there is."""
    return datetime.combine(min(max(day, date(1, 1, 2)), date(9999, 12, 30)), time(), PARIS)


def _condition(kind: type[Any], criterion: Criterion) -> ColumnElement[bool]:
    """Compare a column; what begins with a number is a range of its index."""
    value, column = criterion.value, COLUMNS[kind][criterion.name]
    if criterion.name == "siren" and kind is Establishment and isinstance(value, str):
        return and_(_SHOP.siret >= value, _SHOP.siret < f"{value}:")
    if criterion.name == "siren" and kind is DirectoryLine and isinstance(value, str):
        return holdings.beginning(value)
    if criterion.contains:
        return _containing(column, str(value or ""))
    if value is None or value == "":
        return or_(column.is_(None), column == "")
    return column == value


def _containing(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Look for a part whatever its case: engines fold the letters of English, a register is written in capitals."""
    parts = {part, part.upper(), part.lower()}
    return or_(*(column.icontains(each, autoescape=True) for each in sorted(parts)))


def _order(kind: type[Any], asked: Asked) -> list[ColumnElement[Any]]:
    columns = {**COLUMNS[kind], "recorded_at": _MADE.c.recorded_at, "author": _MADE.c.author}
    chosen = [
        (columns[name].desc() if is_descending else columns[name].asc()).nulls_last()
        for name, is_descending in asked.order
    ]
    return [*chosen, *KEYS[kind], TABLES[kind].c.instance]


def _version(kind: type[Any], row: Any) -> Version:
    return Version(
        holdings.entry(kind, row), row["recorded_at"], row["source"], row["author"], row["message"], replaced_at=None
    )
