"""How the copy of the directory is loaded: a full extract under a generation of its own, a differential in place.

A national extract is loaded in as many transactions as it takes, a few thousand rows each, beside the generation that
is read; `swap` then makes it the one that is read and `purge` takes the former away, slice by slice. A differential is
one transaction: each entry replaces an earlier version of the same thing, never a later one, so that it may come twice.

A mask stays as a line of nature M: it is what keeps the version it masks from coming back.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Insert, Table, and_, case, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.diffusion import DIFFUSIONS, diffusion
from estafette.formats.directory import Presence
from estafette.formats.directory_entries import Entry
from estafette.platform.mirror_tables import (
    CURRENT,
    mirror_current,
    mirror_establishment,
    mirror_line,
    mirror_platform,
    mirror_routing_code,
    mirror_unit,
)
from estafette.store import sequences
from estafette.store.database import weigh
from estafette.values.folding import fold

ROWS_AT_ONCE = 1000
"""Entries written by one statement of a load."""

PURGED_AT_ONCE = 5000
"""Rows of a former generation that one transaction takes away."""

Row = dict[str, Any]


def new_generation(connection: Connection) -> int:
    """Return a generation that nothing was ever loaded under."""
    return sequences.draw(connection, "mirror")


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Give entries of one kind together, as many as one statement writes."""
    for _kind, same in groupby(entries, key=type):
        batch: list[Entry] = []
        for entry in same:
            batch.append(entry)
            if len(batch) == ROWS_AT_ONCE:
                yield batch
                batch = []
        if batch:
            yield batch


def stage(connection: Connection, generation: int, entries: list[Entry]) -> None:
    """The entries, of one kind, are in a generation; those that already are stay as they are."""
    table, row_of = _COPIED[type(entries[0])]
    rows = [{**row_of(entry), "generation": generation} for entry in entries]
    connection.execute(_insert(table, connection).on_conflict_do_nothing(), rows)


def swap(connection: Connection, generation: int) -> None:
    """The copy that is read is that of a generation, whole."""
    _withhold(connection, generation)
    row = {"id": 1, "generation": generation}
    connection.execute(_insert(mirror_current, connection).on_conflict_do_update(index_elements=["id"], set_=row), row)
    weigh(connection, [table for table, _row in _COPIED.values()])


def purge(connection: Connection, *, spare: Collection[int] = ()) -> bool:
    """Some rows of generations that are neither read nor spared are gone; tell whether there may be more."""
    current = connection.execute(select(CURRENT)).scalar_one()
    gone = 0
    for table, _row in _COPIED.values():
        keys = list(table.primary_key)
        others = select(*keys).where(table.c.generation.not_in([current, *spare])).limit(PURGED_AT_ONCE)
        gone += connection.execute(delete(table).where(tuple_(*keys).in_(others))).rowcount
    return gone >= PURGED_AT_ONCE


# ----------------------------------------------------------------------------------------------------- differentials


def apply(connection: Connection, presences: Iterable[Presence]) -> None:
    """The copy has what a differential says: what it tells anew, without what it tells of as gone."""
    generation = connection.execute(select(CURRENT)).scalar_one()
    for kind, same in groupby(presences, key=lambda presence: type(presence.entry)):
        for batch in _slices(same):
            if kind is DirectoryLine:
                _apply_lines(connection, generation, [presence.entry for presence in batch])
            else:
                _apply_entries(connection, generation, batch)


def _slices(presences: Iterable[Presence]) -> Iterator[list[Presence]]:
    batch: list[Presence] = []
    for presence in presences:
        batch.append(presence)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _apply_entries(connection: Connection, generation: int, batch: list[Presence]) -> None:
    """Units, establishments, codes: gone when they leave the directory, else as their last version says.

    A platform whose registration ended stays: its last statuses, and those for it, must still find it.
    """
    table, row_of = _COPIED[type(batch[0].entry)]
    keys = [column.name for column in table.primary_key if column.name != "generation"]
    latest: dict[tuple[Any, ...], tuple[bool, Row]] = {}
    for presence in batch:
        row = {**row_of(presence.entry), "generation": generation}
        key = tuple(row[name] for name in keys)
        is_gone = table is not mirror_platform and (presence.motive == "S" or row["status"] != "A")
        known = latest.get(key)
        if known is None or (row["instance"], is_gone) > (known[1]["instance"], known[0]):
            latest[key] = (is_gone, row)
    _replace(connection, table, keys, [row for is_gone, row in latest.values() if not is_gone])
    _remove(connection, table, keys, [row for is_gone, row in latest.values() if is_gone])
    if table in (mirror_establishment, mirror_routing_code):
        _withhold(connection, generation, {row["siret"] for _is_gone, row in latest.values()})


def _replace(connection: Connection, table: Table, keys: list[str], rows: list[Row]) -> None:
    if not rows:
        return
    statement = _insert(table, connection)
    values = {name: statement.excluded[name] for name in rows[0] if name not in (*keys, "generation")}
    later = statement.excluded.instance >= table.c.instance
    changed = statement.on_conflict_do_update(index_elements=["generation", *keys], set_=values, where=later)
    connection.execute(changed, rows)


def _remove(connection: Connection, table: Table, keys: list[str], rows: list[Row]) -> None:
    for row in rows:
        mine = and_(table.c.generation == row["generation"], *(table.c[name] == row[name] for name in keys))
        connection.execute(delete(table).where(mine, table.c.instance <= row["instance"]))


def _apply_lines(connection: Connection, generation: int, entries: list[Any]) -> None:
    """Of each address and start the last version is there, alone; what it replaces is gone.

    One that is there already, as when it is told again because it takes effect, is not written again.
    """
    latest: dict[tuple[str, Any], Row] = {}
    for line in sorted(entries, key=lambda line: line.instance):
        latest[line.address, line.start] = {**_line_row(line), "generation": generation}
    columns = mirror_line.c
    addresses = {address for address, _start in latest}
    there = select(mirror_line).where(columns.generation == generation, columns.address.in_(addresses))
    replaced = []
    for held in connection.execute(there).mappings().all():
        told = latest.get((held["address"], held["start"]))
        if told is None:
            continue
        if told["instance"] > held["instance"]:
            replaced.append(held["instance"])
        elif told["instance"] < held["instance"] or told == dict(held):
            del latest[held["address"], held["start"]]
    if replaced:
        connection.execute(delete(mirror_line).where(columns.generation == generation, columns.instance.in_(replaced)))
    rows = list(latest.values())
    if rows:
        statement = _insert(mirror_line, connection)
        values = {name: statement.excluded[name] for name in rows[0] if name not in ("instance", "generation")}
        keys = ["generation", "instance"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


# ------------------------------------------------------------------------------------------------------------ rows


def _withhold(connection: Connection, generation: int, sirets: Collection[str] | None = None) -> None:
    """A routing code shows no more of its address than its establishment does of its own."""
    code, shop = mirror_routing_code.c, mirror_establishment.c
    its = and_(shop.generation == code.generation, shop.siret == code.siret)
    query = select(code.siret, code.code, code.line_1, code.line_2, code.line_3, shop.diffusion)
    query = query.join_from(mirror_routing_code, mirror_establishment, its).where(code.generation == generation)
    hides = shop.diffusion.not_in([status for status, one in DIFFUSIONS.items() if one.is_street_published])
    query = query.where(case((hides, "P"), else_="O") != code.diffusion)
    if sirets is not None:
        query = query.where(code.siret.in_(sirets))
    for siret, name, *street, of_shop in connection.execute(query).all():
        is_published = diffusion(of_shop).is_street_published
        values = {
            "diffusion": "O" if is_published else "P",
            "folded_street": fold(_street(*street)) if is_published else "",
        }
        mine = and_(code.generation == generation, code.siret == siret, code.code == name)
        connection.execute(update(mirror_routing_code).where(mine).values(values))


def _insert(table: Table, connection: Connection) -> Any:
    """Return an insertion that may say what happens when the row is there."""
    of: dict[str, Callable[[Table], Insert]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
    return of.get(connection.dialect.name, insert)(table)


def _unit_row(unit: LegalUnit) -> Row:
    return {**_same(mirror_unit, unit), "folded_name": fold(unit.name)}


def _establishment_row(one: Establishment) -> Row:
    is_published = diffusion(one.diffusion).is_street_published
    folded = _folded(one) if is_published else {**_folded(one), "folded_street": ""}
    return {**_same(mirror_establishment, one), **folded, "siren": one.siret[:9]}


def _routing_code_row(code: RoutingCode) -> Row:
    return {**_same(mirror_routing_code, code), **_folded(code), "diffusion": "O"}


def _platform_row(platform: ReceivingPlatform) -> Row:
    return _same(mirror_platform, platform)


def _line_row(line: DirectoryLine) -> Row:
    return {**_same(mirror_line, line), "routing": line.routing_code}


def _same(table: Table, entry: object) -> Row:
    """Give the columns that are called as what the entry says."""
    return {name: getattr(entry, name) for name in _NAMES[table.name]}


def _folded(one: Establishment | RoutingCode) -> Row:
    street = _street(one.line_1, one.line_2, one.line_3)
    return {"folded_name": fold(one.name), "folded_city": fold(one.city), "folded_street": fold(street)}


def _street(*lines: str | None) -> str:
    return " ".join(line for line in lines if line)


_COPIED: dict[type[Any], tuple[Table, Callable[[Any], Row]]] = {
    LegalUnit: (mirror_unit, _unit_row),
    Establishment: (mirror_establishment, _establishment_row),
    RoutingCode: (mirror_routing_code, _routing_code_row),
    ReceivingPlatform: (mirror_platform, _platform_row),
    DirectoryLine: (mirror_line, _line_row),
}
_NAMES = {
    table.name: [column.name for column in table.columns if hasattr(kind, column.name)]
    for kind, (table, _row) in _COPIED.items()
}
