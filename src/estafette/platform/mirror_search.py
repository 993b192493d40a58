"""What software asks of the copy of the directory: one entry by its key, or a page of those that meet criteria.

A page comes with the exact number of all that meet them, both read in one snapshot. An address is given once, by its
line in force, else the one to come: `directoryLineStatus` (XP Z12-013 §6.2.2) is worked out here, for the day asked.
What is withheld of a company (`directory.diffusion`) never leaves this module.

Deliberately absent: the numbers of platforms, dates of effect, versions. They are for platforms only (annex 3).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, and_, case, func, or_, select

from estafette.directory import Establishment, LegalUnit, RoutingCode
from estafette.directory.diffusion import diffusion
from estafette.directory.resolution import FICTIVE
from estafette.platform.mirror_tables import (
    is_current,
    mirror_establishment,
    mirror_line,
    mirror_platform,
    mirror_routing_code,
    mirror_unit,
)
from estafette.values.folding import fold

LAST = "\U0010ffff"
"""After every text that begins alike, by its bytes."""


class Operator(StrEnum):
    """How a value is compared (XP Z12-013, annex B)."""

    STRICT = "strict"
    CONTAINS = "contains"
    STARTS_WITH = "startWith"


@dataclass(frozen=True, slots=True)
class Criterion:
    """What one thing must be: `name` as the directory calls it."""

    name: str
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """Every criterion holds; the order is that of the names given, descending where it is said."""

    criteria: tuple[Criterion, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int = 100
    ignore: int = 0


class LineStatus(StrEnum):
    """What an address is good for (directoryLineStatus)."""

    ENABLED = "Enabled"
    """A platform receives there."""
    DISABLED = "Disabled"
    """No platform does: none was chosen, or it stopped, or the routing code is no longer active."""
    UPCOMING = "Upcoming"
    """A platform will, from a day to come."""


@dataclass(frozen=True, slots=True)
class Line:
    """An address as the public may know it, and its routing code where the copy has one."""

    address: str
    siren: str
    siret: str | None
    routing: str | None
    routing_scheme: str
    suffix: str | None
    is_public_platform: bool
    status: LineStatus
    routing_code: RoutingCode | None


Entry = TypeVar("Entry")
Kind = TypeVar("Kind", LegalUnit, Establishment, RoutingCode)


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """Some of what meets the criteria, and how many do in all."""

    total: int
    entries: list[Entry]


_UNIT, _SHOP, _CODE, _LINE = mirror_unit.c, mirror_establishment.c, mirror_routing_code.c, mirror_line.c

_UNSEARCHED = ("line_", "folded_", "generation", "instance")

UNIT_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "siren": _UNIT.siren,
    "name": _UNIT.folded_name,
    "entity_type": _UNIT.entity_type,
    "status": _UNIT.status,
    "diffusion": _UNIT.diffusion,
}
ESTABLISHMENT_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    **{
        column.name: column
        for column in mirror_establishment.c
        if not column.name.startswith(("line_", "folded_", "generation"))
    },
    "name": _SHOP.folded_name,
    "street": _SHOP.folded_street,
    "city": _SHOP.folded_city,
}
ROUTING_CODE_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "siret": _CODE.siret,
    "code": _CODE.code,
    "scheme": _CODE.scheme,
    "name": _CODE.folded_name,
    "status": _CODE.status,
    "street": _CODE.folded_street,
    "postal_code": _CODE.postal_code,
    "city": _CODE.folded_city,
    "commitment_required": _CODE.commitment_required,
}
LINE_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "address": _LINE.address,
    "siren": _LINE.siren,
    "siret": _LINE.siret,
    "routing": _LINE.routing,
    "suffix": _LINE.suffix,
}


def legal_units(connection: Connection, query: Query) -> Page[LegalUnit]:
    """Return the legal units that meet the criteria, on `UNIT_COLUMNS`."""
    return _page(connection, mirror_unit, UNIT_COLUMNS, query, LegalUnit)


def establishments(connection: Connection, query: Query) -> Page[Establishment]:
    """Return the establishments that meet the criteria, on `ESTABLISHMENT_COLUMNS`."""
    return _page(connection, mirror_establishment, ESTABLISHMENT_COLUMNS, query, Establishment)


def routing_codes(connection: Connection, query: Query) -> Page[RoutingCode]:
    """Return the routing codes that meet the criteria, on `ROUTING_CODE_COLUMNS`."""
    return _page(connection, mirror_routing_code, ROUTING_CODE_COLUMNS, query, RoutingCode)


def lines(connection: Connection, query: Query, *, on: date) -> Page[Line]:
    """Return the addresses that meet the criteria, on `LINE_COLUMNS`, as they are on a day."""
    held = and_(_is_shown(on), *_conditions(LINE_COLUMNS, query.criteria))
    total = connection.execute(select(func.count(_LINE.address.distinct())).where(held)).scalar_one()
    ranked = _ranked(on).where(held).subquery()
    columns = {name: ranked.c[column.name] for name, column in LINE_COLUMNS.items()}
    order = [*_order(columns, query), ranked.c.address]
    page = _with_code(ranked).order_by(*order).limit(query.limit).offset(query.ignore)
    return Page(total, [_line(row) for row in connection.execute(page).mappings()])


def legal_unit(connection: Connection, siren: str) -> LegalUnit | None:
    """Return the legal unit of this number."""
    return next(iter(units_of(connection, {siren}).values()), None)


def establishment(connection: Connection, siret: str) -> Establishment | None:
    """Return the establishment of this number."""
    return next(iter(establishments_of(connection, {siret}).values()), None)


def routing_code(connection: Connection, siret: str, code: str) -> RoutingCode | None:
    """Return the routing code of an establishment."""
    query = select(mirror_routing_code).where(is_current(mirror_routing_code), _CODE.siret == siret, _CODE.code == code)
    row = connection.execute(query).mappings().first()
    return _entry(RoutingCode, row) if row else None


def line(connection: Connection, address: str, *, on: date) -> Line | None:
    """Return an address as it is on a day."""
    ranked = _ranked(on).where(_LINE.address == address, _is_shown(on)).subquery()
    row = connection.execute(_with_code(ranked)).mappings().first()
    return _line(row) if row else None


def units_of(connection: Connection, sirens: Collection[str]) -> dict[str, LegalUnit]:
    """Return the legal units of these numbers, those there are."""
    rows = connection.execute(select(mirror_unit).where(is_current(mirror_unit), _UNIT.siren.in_(sirens))).mappings()
    return {row["siren"]: _entry(LegalUnit, row) for row in rows}


def establishments_of(connection: Connection, sirets: Collection[str]) -> dict[str, Establishment]:
    """Return the establishments of these numbers, those there are."""
    mine = select(mirror_establishment).where(is_current(mirror_establishment), _SHOP.siret.in_(sirets))
    rows = connection.execute(mine).mappings()
    return {row["siret"]: _entry(Establishment, row) for row in rows}


# ------------------------------------------------------------------------------------------------ criteria and order


def _page(
    connection: Connection, table: Table, columns: Mapping[str, ColumnElement[Any]], query: Query, kind: type[Kind]
) -> Page[Kind]:
    conditions = [is_current(table), *_conditions(columns, query.criteria)]
    total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
    order = [*_order(columns, query), *table.primary_key]
    page = select(table).where(*conditions).order_by(*order).limit(query.limit).offset(query.ignore)
    return Page(total, [_entry(kind, row) for row in connection.execute(page).mappings()])


def _conditions(
    columns: Mapping[str, ColumnElement[Any]], criteria: tuple[Criterion, ...]
) -> list[ColumnElement[bool]]:
    return [_condition(columns[criterion.name], criterion) for criterion in criteria]


def _condition(column: ColumnElement[Any], criterion: Criterion) -> ColumnElement[bool]:
    """Compare a column; one that is kept folded is compared so, and a beginning is then a range of its index."""
    is_folded = getattr(column, "name", "").startswith("folded_")
    value = fold(criterion.value) if is_folded else criterion.value
    if criterion.operator is Operator.STRICT:
        return column == value
    if criterion.operator is Operator.CONTAINS:
        return column.contains(value, autoescape=True) if is_folded else column.icontains(value, autoescape=True)
    if is_folded or criterion.name == "postal_code":
        return and_(column >= value, column < value + LAST)
    return column.istartswith(value, autoescape=True)


def _order(columns: Mapping[str, ColumnElement[Any]], query: Query) -> list[ColumnElement[Any]]:
    return [
        (columns[name].desc() if is_descending else columns[name].asc()).nulls_last()
        for name, is_descending in query.order
    ]


# --------------------------------------------------------------------------------------------------- lines as they are


def _is_shown(on: date) -> ColumnElement[bool]:
    """A line whose agreed end is past can no longer be consulted (general file §3.5.3)."""
    is_open = or_(_LINE.end.is_(None), and_(_LINE.end > on, _LINE.end > _LINE.start))
    return and_(is_current(mirror_line), _LINE.nature == "D", is_open)


def _ranked(on: date) -> Select[Any]:
    """Give every line with its status, and its place among those of its address: 1 is the one to show."""
    is_chosen = _LINE.matricule != FICTIVE
    has_begun = and_(_LINE.start <= on, or_(_LINE.effective_end.is_(None), _LINE.effective_end > on))
    code = and_(_CODE.generation == _LINE.generation, _CODE.siret == _LINE.siret, _CODE.code == _LINE.routing)
    status: ColumnElement[str] = case(
        (_CODE.status == "I", LineStatus.DISABLED.value),
        (and_(is_chosen, has_begun), LineStatus.ENABLED.value),
        (and_(is_chosen, _LINE.start > on), LineStatus.UPCOMING.value),
        else_=LineStatus.DISABLED.value,
    )
    rank = case((status == LineStatus.ENABLED.value, 0), (status == LineStatus.UPCOMING.value, 1), else_=2)
    order = (rank, _LINE.start, _LINE.instance.desc())
    place = func.row_number().over(partition_by=_LINE.address, order_by=order)
    joined = mirror_line.outerjoin(mirror_routing_code, code)
    return select(mirror_line, status.label("line_status"), place.label("place")).select_from(joined)


def _with_code(ranked: Any) -> Select[Any]:
    mine = _CODE.generation == ranked.c.generation
    code = and_(mine, _CODE.siret == ranked.c.siret, _CODE.code == ranked.c.routing)
    platform = mirror_platform.c
    its = and_(platform.generation == ranked.c.generation, platform.matricule == ranked.c.matricule)
    joined = ranked.outerjoin(mirror_routing_code, code).outerjoin(mirror_platform, its)
    codes = [column.label(f"code_{column.name}") for column in mirror_routing_code.c]
    columns = [ranked.c.address, ranked.c.siren, ranked.c.siret, ranked.c.routing, ranked.c.routing_scheme]
    columns += [ranked.c.suffix, ranked.c.line_status, mirror_platform.c.platform_type]
    return select(*columns, *codes).select_from(joined).where(ranked.c.place == 1)


def _line(row: RowMapping) -> Line:
    held = {name.removeprefix("code_"): value for name, value in row.items() if name.startswith("code_")}
    return Line(
        address=row["address"],
        siren=row["siren"],
        siret=row["siret"],
        routing=row["routing"],
        routing_scheme=row["routing_scheme"],
        suffix=row["suffix"],
        is_public_platform=row["platform_type"] != "PDP",
        status=LineStatus(row["line_status"]),
        routing_code=_entry(RoutingCode, held) if held["code"] is not None else None,
    )


# ------------------------------------------------------------------------------------------------------------- entries


def _entry(kind: type[Kind], row: Mapping[Any, Any]) -> Kind:
    """Give the entry that a row holds, without what is withheld."""
    held = {name: row[name] for name in _NAMES[kind] if name in row}
    if "line_1" in held and not diffusion(row["diffusion"]).is_street_published:
        held |= {"line_1": None, "line_2": None, "line_3": None}
    return kind(**held)


_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (LegalUnit, Establishment, RoutingCode)}
