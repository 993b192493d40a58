"""The platform's copy of the directory: loaded whole from each full export (F14), read to route and to find peers.

An address is resolved among the lines of the copy, by `directory.resolution`; nothing is asked of the portal when an
invoice is sent. What software asks of the copy is in `mirror_search`.

A load is one transaction, so that every reader has the copy before it or the copy after it; its entries pass through
memory a thousand at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, bindparam, delete, func, insert, or_, select, update

from estafette.directory import (
    DirectoryLine,
    Establishment,
    LegalUnit,
    ReceivingPlatform,
    Resolution,
    RoutingCode,
    resolve,
)
from estafette.directory.diffusion import DIFFUSIONS, diffusion
from estafette.exchange.post import Peer, peer_of
from estafette.formats.directory import read
from estafette.invoice.model import Identifier
from estafette.platform.mirror_tables import (
    mirror_establishment,
    mirror_line,
    mirror_platform,
    mirror_routing_code,
    mirror_unit,
)
from estafette.store.queries import Query
from estafette.values.folding import fold

ROWS_AT_ONCE = 1000
"""Entries written by one statement of a load."""


class Mirror:
    """The copy, in the platform's own store."""

    def load(self, connection: Connection, data: bytes) -> None:
        """The copy is what this full export says, and nothing else. Raises: Unreadable."""
        for table, _row in _COPIED.values():
            connection.execute(delete(table))
        for kind, entries in groupby(read(data), key=type):
            table, row_of = _COPIED[kind]
            for rows in _batches(map(row_of, entries)):
                connection.execute(insert(table), rows)
        _withhold(connection)

    def resolve(self, connection: Connection, address: Identifier | None, *, on: date) -> Resolution:
        """Tell where an invoice to this address goes on this day (directory.md §11)."""
        value, scheme = (address.value, address.scheme or "") if address else ("", "")
        rows = _LINES.rows(connection, address=value)
        return resolve(
            value,
            scheme,
            [_line(row) for row in rows],
            on=on,
            legal_unit_known=self.knows(connection, value[:9]),
            unregistered=frozenset(_INACTIVE.values(connection, day=on)),
        )

    def knows(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory has this legal unit."""
        return _UNIT.value(connection, siren=siren) is not None

    def has_active(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory has this legal unit, active."""
        return bool(_UNIT.value(connection, siren=siren) == "A")

    def establishment(self, connection: Connection, siret: str) -> RowMapping | None:
        """Return an establishment as the directory has it: of a public entity, with what it asks of its suppliers."""
        query = select(mirror_establishment).where(mirror_establishment.c.siret == siret)
        return connection.execute(query).mappings().first()

    def routing_code(self, connection: Connection, siret: str, code: str) -> RowMapping | None:
        """Return an active routing code of an establishment."""
        mine = (mirror_routing_code.c.siret == siret, mirror_routing_code.c.code == code)
        query = select(mirror_routing_code).where(*mine, mirror_routing_code.c.status == "A")
        return connection.execute(query).mappings().first()

    def is_empty(self, connection: Connection) -> bool:
        """Tell whether no directory has come yet."""
        return connection.execute(select(mirror_unit.c.siren).limit(1)).first() is None

    def addressee(self, connection: Connection, address: str) -> str | None:
        """Return the SIREN that an address of the directory belongs to."""
        siren: str | None = _ADDRESSEE.value(connection, address=address)
        return siren

    def peer(self, connection: Connection, matricule: str) -> Peer | None:
        """Return a platform by what the directory says of it: where it is, and its key."""
        return peer_of(matricule, _CONTACT.value(connection, matricule=matricule))

    def is_public(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory knows a legal unit as a public body."""
        return bool(_KIND.value(connection, siren=siren) == "P")

    def size(self, connection: Connection) -> int:
        """Count the lines of the copy."""
        return connection.execute(select(func.count()).select_from(mirror_line)).scalar_one()


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, ROWS_AT_ONCE)):
        yield batch


def _withhold(connection: Connection) -> None:
    """A routing code shows no more of its address than its establishment does of its own."""
    published = [status for status in DIFFUSIONS if diffusion(status).is_street_published]
    partial = select(mirror_establishment.c.siret).where(mirror_establishment.c.diffusion.not_in(published))
    withheld = update(mirror_routing_code).where(mirror_routing_code.c.siret.in_(partial))
    connection.execute(withheld.values(diffusion="P", folded_street=""))


def _unit_row(unit: LegalUnit) -> dict[str, Any]:
    return {**_same(mirror_unit, unit), "folded_name": fold(unit.name)}


def _establishment_row(one: Establishment) -> dict[str, Any]:
    is_published = diffusion(one.diffusion).is_street_published
    folded = _folded(one) if is_published else {**_folded(one), "folded_street": ""}
    return {**_same(mirror_establishment, one), **folded, "siren": one.siret[:9]}


def _routing_code_row(code: RoutingCode) -> dict[str, Any]:
    return {**_same(mirror_routing_code, code), **_folded(code), "diffusion": "O"}


def _platform_row(platform: ReceivingPlatform) -> dict[str, Any]:
    return _same(mirror_platform, platform)


def _line_row(line: DirectoryLine) -> dict[str, Any]:
    return {**_same(mirror_line, line), "routing": line.routing_code}


def _same(table: Table, entry: object) -> dict[str, Any]:
    """Give the columns that are called as what the entry says."""
    return {name: getattr(entry, name) for name in _NAMES[table.name]}


def _folded(one: Establishment | RoutingCode) -> dict[str, str]:
    street = " ".join(line for line in (one.line_1, one.line_2, one.line_3) if line)
    return {"folded_name": fold(one.name), "folded_city": fold(one.city), "folded_street": fold(street)}


def _line(row: Mapping[str, Any]) -> DirectoryLine:
    return DirectoryLine(
        siren=row["siren"],
        siret=row["siret"],
        routing_code=row["routing"],
        suffix=row["suffix"],
        matricule=row["matricule"],
        start=row["start"],
        end=row["end"],
        effective_end=row["effective_end"],
        nature=row["nature"],
        instance=row["instance"],
    )


_COPIED: dict[type[Any], tuple[Table, Callable[[Any], dict[str, Any]]]] = {
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

_UNIT = Query(select(mirror_unit.c.status).where(mirror_unit.c.siren == bindparam("siren")))
_KIND = Query(select(mirror_unit.c.entity_type).where(mirror_unit.c.siren == bindparam("siren")))
_CONTACT = Query(select(mirror_platform.c.contact).where(mirror_platform.c.matricule == bindparam("matricule")))
_ADDRESSEE = Query(select(mirror_line.c.siren).where(mirror_line.c.address == bindparam("address")))
_INACTIVE = Query(
    select(mirror_platform.c.matricule).where(
        or_(
            mirror_platform.c.status != "A",
            mirror_platform.c.registered_from > bindparam("day"),
            mirror_platform.c.registered_until <= bindparam("day"),
        )
    )
)
_LINES = Query(select(mirror_line).where(mirror_line.c.address == bindparam("address")))
