"""The platform's copy of the directory, read to route and to find peers.

An address is resolved among the lines of the copy, by `directory.resolution`; nothing is asked of the portal when an
invoice is sent. What software asks of the copy is in `mirror_search`; how it is loaded, in `mirror_loading`; by which
extracts, in `mirror_extracts`.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, bindparam, func, select

from estafette.directory import DirectoryLine, Resolution, resolve
from estafette.directory.resolution import FICTIVE, current
from estafette.exchange.post import Peer, peer_of
from estafette.formats.directory import read
from estafette.invoice.model import Identifier
from estafette.platform import mirror_loading
from estafette.platform.mirror_tables import (
    is_current,
    mirror_establishment,
    mirror_line,
    mirror_platform,
    mirror_routing_code,
    mirror_unit,
)
from estafette.store.queries import Lookup, Query

log = structlog.get_logger()

_UNITS, _SHOPS, _CODES = mirror_unit.c, mirror_establishment.c, mirror_routing_code.c
_PLATFORMS, _OF_LINE = mirror_platform.c, mirror_line.c
_DAY = timedelta(days=1)


LINES_COUNTED_MAX = 10_000
"""How far the lines of a copy are counted: whoever asks wants to know whether it has come."""


class Mirror:
    """The copy, in the platform's own store."""

    def load(self, connection: Connection, data: bytes) -> None:
        """The copy is what this full export says, and nothing else, at once. Raises: Unreadable."""
        generation = mirror_loading.new_generation(connection)
        for entries in mirror_loading.batches(read(data)):
            mirror_loading.stage(connection, generation, entries)
        mirror_loading.swap(connection, generation)
        while mirror_loading.purge(connection):
            pass

    def resolve(self, connection: Connection, address: Identifier | None, *, on: date) -> Resolution:
        """Tell where an invoice to this address goes on this day (directory.md §11)."""
        value, scheme = (address.value, address.scheme or "") if address else ("", "")
        rows = LINES.rows(connection, address=value)
        found = resolve(
            value,
            scheme,
            [_line(row) for row in rows],
            on=on,
            legal_unit_known=self.knows(connection, value[:9]),
            unregistered={
                one for one in {row["matricule"] for row in rows} if self._is_unregistered(connection, one, on)
            },
        )
        if found.is_contradictory:
            log.warning("directory.contradictory", address=value, on=str(on), taken=found.matricule)
        return found

    def _is_unregistered(self, connection: Connection, matricule: str, on: date) -> bool:
        """Tell whether a platform of the directory has no registration in force that day."""
        row = REGISTRATION.first(connection, matricule=matricule)
        if row is None:
            return False
        has_begun = row["registered_from"] is None or row["registered_from"] <= on
        is_over = row["registered_until"] is not None and row["registered_until"] <= on
        return row["status"] != "A" or not has_begun or is_over

    def knows(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory has this legal unit."""
        return UNIT.first(connection, siren=siren) is not None

    def has_active(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory has this legal unit, active."""
        return bool(_unit(connection, siren, "status") == "A")

    def establishment(self, connection: Connection, siret: str) -> RowMapping | None:
        """Return an establishment as the directory has it: of a public entity, with what it asks of its suppliers."""
        query = select(mirror_establishment).where(is_current(mirror_establishment), _SHOPS.siret == siret)
        return connection.execute(query).mappings().first()

    def routing_code(self, connection: Connection, siret: str, code: str) -> RowMapping | None:
        """Return an active routing code of an establishment."""
        mine = (
            is_current(mirror_routing_code),
            _CODES.siret == siret,
            _CODES.code == code,
        )
        query = select(mirror_routing_code).where(*mine, _CODES.status == "A")
        return connection.execute(query).mappings().first()

    def is_empty(self, connection: Connection) -> bool:
        """Tell whether no directory has come yet."""
        return connection.execute(select(_UNITS.siren).where(is_current(mirror_unit)).limit(1)).first() is None

    def served(self, connection: Connection, address: str, *, by: Collection[str], on: date) -> str | None:
        """Return the SIREN that an address belongs to; None when it has none, or is another platform's by now.

        What was sent before the change may still come: the address is let go of a day later.
        """
        lines = [_line(row) for row in LINES.rows(connection, address=address)]
        held = current(lines)
        is_elsewhere = any(line.covers(on) and line.matricule not in {*by, FICTIVE} for line in held)
        was_here = any(line.covers(day) and line.matricule in by for line in held for day in (on, on - _DAY))
        return lines[0].siren if lines and (was_here or not is_elsewhere) else None

    def peer(self, connection: Connection, matricule: str) -> Peer | None:
        """Return a platform by what the directory says of it: where it is, and its key."""
        return peer_of(matricule, _CONTACT.value(connection, matricule=matricule))

    def is_public(self, connection: Connection, siren: str) -> bool:
        """Tell whether the directory knows a legal unit as a public body."""
        return bool(_unit(connection, siren, "entity_type") == "P")

    def size(self, connection: Connection) -> int:
        """Count the lines of the copy, as far as LINES_COUNTED_MAX."""
        is_line = (is_current(mirror_line), _OF_LINE.nature == "D")
        some = select(_OF_LINE.instance).where(*is_line).limit(LINES_COUNTED_MAX).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _unit(connection: Connection, siren: str, name: str) -> Any:
    row = UNIT.first(connection, siren=siren)
    return row[name] if row else None


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


UNIT = Lookup(select(_UNITS.status, _UNITS.entity_type).where(is_current(mirror_unit)), {"siren": _UNITS.siren})
_CONTACT = Query(
    select(_PLATFORMS.contact).where(is_current(mirror_platform), _PLATFORMS.matricule == bindparam("matricule"))
)
REGISTRATION = Lookup(
    select(_PLATFORMS.status, _PLATFORMS.registered_from, _PLATFORMS.registered_until).where(
        is_current(mirror_platform)
    ),
    {"matricule": _PLATFORMS.matricule},
)
LINES = Lookup(select(mirror_line).where(is_current(mirror_line)), {"address": _OF_LINE.address})
