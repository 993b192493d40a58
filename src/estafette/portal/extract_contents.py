"""What an extract of the directory shows: everything that counts (full), or what changed since another (differential).

Both are read by change, not by clock: an extract shows the directory as one change had left it, whatever was written
while it was being produced, so that producing it again gives the same bytes. Rows come in the order of the annex and
pass through memory a few thousand at a time.

Annex 3 gives what a full extract shows (units active and taxable, or public; their active establishments and codes;
lines in force, C, or to come, V) and why a differential shows something (P, S, N). Our reading where it is silent: what
belongs to a unit or an establishment that leaves the directory, or comes back, goes with it in the same differential;
a line that takes effect or ceases is told once, in the first differential of that day.

Source: external specifications v3.2, annex 3 (V1.8), DT-3-1 to DT-7-1; directory.md §8.1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Select, Table, and_, exists, func, or_, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory import Presence
from estafette.formats.directory_entries import Entry
from estafette.portal.tables import directory_line, establishment, legal_unit, receiving_platform, routing_code

ROWS_AT_ONCE = 2000
"""Rows that wait in memory."""

_UNIT, _SHOP, _CODE, _LINE = legal_unit.c, establishment.c, routing_code.c, directory_line.c
_PLATFORM = receiving_platform.c


@dataclass(frozen=True, slots=True)
class Window:
    """What a differential is about: the changes, and the versions, after those of the one before, to its own."""

    after_change: int
    to_change: int
    after_instance: int
    to_instance: int
    day: date
    previous_day: date
    """Lines that take effect or cease are told of the days after this one, to `day`."""


def full(connection: Connection, *, change: int, day: date) -> Iterator[Presence]:
    """Give what a full extract of a day shows, as a change had left it."""
    yield from _present(_read(connection, LegalUnit, _counts(legal_unit, change), _is_unit_shown(), _UNIT.siren))
    shown = and_(_SHOP.status == "A", _has_unit(_SHOP.siret, change))
    yield from _present(_read(connection, Establishment, _counts(establishment, change), shown, _SHOP.siret))
    shown = and_(_CODE.status == "A", _has_establishment(_CODE.siret, change))
    yield from _present(_read(connection, RoutingCode, _counts(routing_code, change), shown, _CODE.siret, _CODE.code))
    for platform in _platforms(connection, change, day):
        yield Presence(platform, "C")
    held = and_(_LINE.nature == "D", or_(_LINE.end.is_(None), _LINE.end > day))
    for line in _in_order(_read(connection, DirectoryLine, _counts(directory_line, change), held, _LINE.address)):
        if motive := line.motive_in_full(day):
            yield Presence(line, motive)


def differential(connection: Connection, window: Window) -> Iterator[Presence]:
    """Give what a differential shows; of units, establishments and codes, those shown now (P) or until now (S)."""
    change, before = window.to_change, window.after_change
    mine, shown, was = _is_new(legal_unit, window), _has_unit(_UNIT.siren, change), _has_unit(_UNIT.siren, before)
    yield from _judged(
        connection, LegalUnit, _counts(legal_unit, change), and_(mine, or_(shown, was)), shown, _UNIT.siren
    )
    moved = _units_that_moved(window)
    mine = or_(_is_new(establishment, window), func.substr(_SHOP.siret, 1, 9).in_(moved))
    shown, was = _has_establishment(_SHOP.siret, change), _has_establishment(_SHOP.siret, before)
    yield from _judged(
        connection, Establishment, _counts(establishment, change), and_(mine, or_(shown, was)), shown, _SHOP.siret
    )
    shops = _establishments_that_moved(window)
    mine = or_(_is_new(routing_code, window), func.substr(_CODE.siret, 1, 9).in_(moved), _CODE.siret.in_(shops))
    shown, was = _has_code(change), _has_code(before)
    yield from _judged(
        connection, RoutingCode, _counts(routing_code, change), and_(mine, or_(shown, was)), shown,
        _CODE.siret, _CODE.code,
    )  # fmt: skip
    turns = or_(_turns(_PLATFORM.registered_from, window), _turns(_PLATFORM.registered_until, window))
    for platform in _platforms(connection, change, window.day, or_(_is_new(receiving_platform, window), turns)):
        is_over = platform.registered_until is not None and platform.registered_until <= window.day
        yield Presence(platform, "S" if is_over else "P")
    yield from _lines(connection, window)


def _lines(connection: Connection, window: Window) -> Iterator[Presence]:
    """Give each version made in the window, and each line that takes effect or ceases, once a motive."""
    mine = _is_new(directory_line, window)
    if window.previous_day < window.day:
        ends = func.coalesce(_LINE.effective_end, _LINE.end)
        turns = or_(_turns(_LINE.start, window), _turns(ends, window))
        mine = or_(mine, and_(_counts(directory_line, window.to_change), _LINE.nature == "D", turns))
    made = _LINE.known_from <= window.to_change
    for line in _in_order(_read(connection, DirectoryLine, made, mine, _LINE.address)):
        for motive in _motives(line, window):
            yield Presence(line, motive)


def _platforms(
    connection: Connection, change: int, day: date, mine: ColumnElement[bool] | None = None
) -> Iterator[ReceivingPlatform]:
    """Give platforms, those of a condition, inactive on a day on which they are not registered (DT-6-2)."""
    wanted = _PLATFORM.matricule != "" if mine is None else mine
    for one in _read(connection, ReceivingPlatform, _counts(receiving_platform, change), wanted, _PLATFORM.matricule):
        yield one if one.is_registered(day) else replace(one, status="I")


def _motives(line: DirectoryLine, window: Window) -> Iterator[str]:
    end = line.effective_end or line.end
    if line.nature == "D" and window.previous_day < line.start <= window.day:
        yield "P"
    if line.nature == "D" and end is not None and window.previous_day < end <= window.day:
        yield "S"
    if line.instance > window.after_instance:
        yield "N"


# --------------------------------------------------------------------------------------------------------- conditions


def _counts(table: FromClause, change: int) -> ColumnElement[bool]:
    """Hold for the versions that counted once a change was made."""
    column = table.c
    return and_(column.known_from <= change, or_(column.known_until.is_(None), column.known_until > change))


def _is_new(table: Table, window: Window) -> ColumnElement[bool]:
    """Hold for the versions made in a window."""
    return and_(table.c.instance > window.after_instance, table.c.instance <= window.to_instance)


def _turns(day: ColumnElement[Any], window: Window) -> ColumnElement[bool]:
    """Hold for a day that came since the differential before."""
    return and_(day > window.previous_day, day <= window.day)


def _is_unit_shown(unit: Any = _UNIT) -> ColumnElement[bool]:
    return and_(unit.status == "A", or_(unit.is_taxable, unit.entity_type == "P"))


def _has_unit(number: ColumnElement[str], change: int) -> ColumnElement[bool]:
    """Hold for the SIREN or SIRET of a unit that was shown, as a change had left it."""
    unit = legal_unit.alias()
    mine = unit.c.siren == func.substr(number, 1, 9)
    return exists(select(unit.c.instance).where(mine, _counts(unit, change), _is_unit_shown(unit.c)))


def _has_establishment(siret: ColumnElement[str], change: int) -> ColumnElement[bool]:
    """Hold for the SIRET of an establishment that was shown: active, of a unit that was."""
    shop = establishment.alias()
    mine = and_(shop.c.siret == siret, shop.c.status == "A", _counts(shop, change))
    return and_(exists(select(shop.c.instance).where(mine)), _has_unit(siret, change))


def _has_code(change: int) -> ColumnElement[bool]:
    """Hold for the routing codes that were shown: active, of an establishment that was."""
    code = routing_code.alias()
    mine = and_(code.c.siret == _CODE.siret, code.c.code == _CODE.code, code.c.status == "A", _counts(code, change))
    return and_(exists(select(code.c.instance).where(mine)), _has_establishment(_CODE.siret, change))


def _units_that_moved(window: Window) -> Select[Any]:
    """Select the units that a window brings into the directory or takes out of it."""
    now, before = legal_unit.alias("now"), legal_unit.alias("before")
    was = select(before.c.instance).where(
        before.c.siren == now.c.siren, _counts(before, window.after_change), _is_unit_shown(before.c)
    )
    made = and_(now.c.instance > window.after_instance, now.c.instance <= window.to_instance)
    is_there = and_(_counts(now, window.to_change), _is_unit_shown(now.c))
    return select(now.c.siren).where(made, or_(and_(is_there, ~exists(was)), and_(~is_there, exists(was))))


def _establishments_that_moved(window: Window) -> Select[Any]:
    """Select the establishments made active in a window, or no longer."""
    now, before = establishment.alias("now"), establishment.alias("before")
    was = select(before.c.instance).where(
        before.c.siret == now.c.siret, _counts(before, window.after_change), before.c.status == "A"
    )
    made = and_(now.c.instance > window.after_instance, now.c.instance <= window.to_instance)
    is_there = and_(_counts(now, window.to_change), now.c.status == "A")
    return select(now.c.siret).where(made, or_(and_(is_there, ~exists(was)), and_(~is_there, exists(was))))


# ------------------------------------------------------------------------------------------------------------ reading


def _present(entries: Iterator[Any]) -> Iterator[Presence]:
    return (Presence(entry, "C") for entry in entries)


def _judged(
    connection: Connection, kind: type[Any], counts: ColumnElement[bool], mine: ColumnElement[bool],
    shown: ColumnElement[bool], *order: Column[str],
) -> Iterator[Presence]:  # fmt: skip
    """Give what a window tells of, each with whether it is in the directory (P) or leaves it (S)."""
    names, make = _MADE[kind]
    columns = [order[0].table.c[name] for name in names]
    query = select(*columns, shown.label("is_shown")).where(counts, mine).order_by(*order)
    for *values, is_shown in _rows(connection, query):
        yield Presence(make(names, values), "P" if is_shown else "S")


def _read(
    connection: Connection, kind: type[Any], counts: ColumnElement[bool], mine: ColumnElement[bool], *order: Column[str]
) -> Iterator[Any]:
    names, make = _MADE[kind]
    columns = [order[0].table.c[name] for name in names]
    for values in _rows(connection, select(*columns).where(counts, mine).order_by(*order)):
        yield make(names, values)


def _rows(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    return iter(connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}))


def _in_order(lines: Iterator[DirectoryLine]) -> Iterator[DirectoryLine]:
    """Give lines that come by address in the order of the annex: SIREN, SIRET, code, suffix, start."""
    for _siren, mine in groupby(lines, key=lambda line: line.siren):
        yield from sorted(mine, key=_rank)


def _rank(line: DirectoryLine) -> tuple[str, str, str, date, int]:
    return line.siret or "", line.routing_code or "", line.suffix or "", line.start, line.instance


def _make(kind: type[Entry]) -> Callable[[tuple[str, ...], Any], Entry]:
    return lambda names, values: kind(**dict(zip(names, values, strict=True)))


def _make_line(_names: tuple[str, ...], values: Any) -> DirectoryLine:
    instance, nature, address, siret, routing, suffix, start, end, effective_end, matricule = values
    return DirectoryLine(
        siren=address[:9], siret=siret, routing_code=routing, suffix=suffix, matricule=matricule, start=start, end=end,
        effective_end=effective_end, nature=nature, instance=instance,
    )  # fmt: skip


def _make_platform(names: tuple[str, ...], values: Any) -> ReceivingPlatform:
    told = dict(zip(names, values, strict=True))
    return ReceivingPlatform(**told, trade_name=told["name"] if told["platform_type"] == "PDP" else None)


_MADE: dict[type[Any], tuple[tuple[str, ...], Callable[[tuple[str, ...], Any], Any]]] = {
    LegalUnit: (
        ("instance", "siren", "name", "entity_type", "is_taxable", "status", "diffusion"),
        _make(LegalUnit),
    ),
    Establishment: (
        (
            "instance", "siret", "name", "kind", "status", "diffusion", "line_1", "line_2", "line_3", "city",
            "postal_code", "subdivision", "country", "commitment_required", "service_required",
            "commitment_or_service_required", "is_contracting_authority", "is_contracting_authority_only",
            "manages_payment_status",
        ),
        _make(Establishment),
    ),
    RoutingCode: (
        (
            "instance", "siret", "code", "name", "scheme", "status", "line_1", "line_2", "line_3", "city",
            "postal_code", "subdivision", "country", "commitment_required",
        ),
        _make(RoutingCode),
    ),
    ReceivingPlatform: (
        (
            "instance", "matricule", "platform_type", "name", "siren", "contact", "registered_from",
            "registered_until",
        ),
        _make_platform,
    ),
    DirectoryLine: (
        (
            "instance", "nature", "address", "siret", "routing", "suffix", "start", "end", "effective_end", "matricule",
        ),
        _make_line,
    ),
}  # fmt: skip
"""The columns read of each kind, and what makes an entry of them: made once, for tens of millions of rows."""
