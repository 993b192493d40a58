"""The directory authority: legal units, platforms, addresses, and their export to every platform (F14).

The registration service tells of a platform; the register gives the legal units and, at the opening of the pilot, their
addresses. Whenever anything changes, each connected platform is sent the whole directory. A private unit without any
other line has its default one: taxable, no platform chosen (9998).
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date
from itertools import groupby
from typing import Any, TypeVar, get_args

import msgspec
from sqlalchemy import Connection, RowMapping, Table, and_, delete, insert, select, update

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.history import current
from estafette.directory.resolution import FICTIVE
from estafette.exchange.post import Peer, peer_of
from estafette.formats.directory import write
from estafette.formats.directory_entries import Entry
from estafette.portal.hall import Hall
from estafette.portal.tables import directory_line, establishment, legal_unit, receiving_platform, routing_code
from estafette.store import jobs, sequences
from estafette.store.jobs import Job
from estafette.store.worker import Apply
from estafette.values.moments import PARIS

EXPORT = "export"
INTERFACE = "FFE1435A"

Kind = TypeVar("Kind", LegalUnit, Establishment, RoutingCode, ReceivingPlatform, DirectoryLine)


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What the registration service tells of a platform."""

    matricule: str
    name: str
    registered_from: date
    siren: str | None = None
    application_code: str | None = None
    url: str | None = None
    public_key: str | None = None
    registered_until: date | None = None
    platform_type: str = "PDP"


def learn(hall: Hall, connection: Connection, told: Registered) -> None:
    """The platform is known, or what changed of it is; a registration that ends closes its lines that day."""
    reached = Peer(told.matricule, told.url, told.public_key) if told.url and told.public_key else None
    row = {
        "matricule": told.matricule,
        "platform_type": told.platform_type,
        "name": told.name,
        "siren": told.siren,
        "contact": reached.contact if reached else None,
        "application_code": told.application_code,
        "registered_from": told.registered_from,
        "registered_until": told.registered_until,
    }
    if not _put(hall, connection, receiving_platform, row):
        return
    if told.registered_until:
        open_lines = (directory_line.c.matricule == told.matricule, directory_line.c.effective_end.is_(None))
        connection.execute(update(directory_line).where(*open_lines).values(effective_end=told.registered_until))
    publish(hall, connection)


def install(hall: Hall, own: Sequence[Registered]) -> None:
    """The platforms that need no registration are known: the portal's, Chorus Pro's reception, the fictitious one."""
    with hall.actor.database.begin() as connection:
        for told in own:
            learn(hall, connection, told)


def load(
    hall: Hall,
    *,
    units: Sequence[dict[str, Any]] = (),
    establishments: Sequence[Establishment] = (),
    routing_codes: Sequence[RoutingCode] = (),
    lines: Sequence[dict[str, Any]] = (),
) -> dict[str, int]:
    """The register and the addresses of the pilot are in the directory; returns how many of each were new."""
    with hall.actor.database.begin() as connection:
        new = {
            "units": sum(_put(hall, connection, legal_unit, _whole(unit)) for unit in units),
            "establishments": sum(_put(hall, connection, establishment, _row(one)) for one in establishments),
            "routing_codes": sum(_put(hall, connection, routing_code, _row(code)) for code in routing_codes),
            "lines": sum(_define(hall, connection, line) for line in lines),
        }
        new["lines"] += sum(_default(hall, connection, unit) for unit in units)
        if any(new.values()):
            publish(hall, connection)
    return new


def _whole(unit: dict[str, Any]) -> dict[str, Any]:
    return {"status": "A", "diffusion": "O", **unit}


def _row(entry: Establishment | RoutingCode) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "instance"}


def _put(hall: Hall, connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Write the version that holds now; False when it already says the same."""
    mine = and_(*(column == row[column.name] for column in table.primary_key))
    held = connection.execute(select(*(table.c[name] for name in row)).where(mine)).mappings().first()
    if held is not None and dict(held) == row:
        return False
    connection.execute(delete(table).where(mine))
    instance = sequences.draw(connection, "instance")
    connection.execute(insert(table).values(**row, instance=instance, recorded_at=hall.actor.clock()))
    return True


def _define(hall: Hall, connection: Connection, parts: dict[str, Any]) -> bool:
    """Write a line, or the mask of one, once by its address and start."""
    line = DirectoryLine(
        siren=parts["siren"],
        siret=parts.get("siret"),
        routing_code=parts.get("routing"),
        suffix=parts.get("suffix"),
        matricule=parts["matricule"],
        start=parts["start"],
        end=parts.get("end"),
        nature=parts.get("nature", "D"),
        instance=sequences.draw(connection, "instance"),
    )
    same = (
        directory_line.c.address == line.address,
        directory_line.c.start == line.start,
        directory_line.c.nature == line.nature,
    )
    if connection.execute(select(directory_line.c.instance).where(*same)).first():
        return False
    row = {
        "instance": line.instance,
        "nature": line.nature,
        "address": line.address,
        "siren": line.siren,
        "siret": line.siret,
        "routing": line.routing_code,
        "suffix": line.suffix,
        "start": line.start,
        "end": line.end,
        "matricule": line.matricule,
        "defined_at": hall.actor.clock(),
    }
    connection.execute(insert(directory_line).values(row))
    return True


def _default(hall: Hall, connection: Connection, unit: dict[str, Any]) -> bool:
    """Give a private unit without any line its default one (directory.md §5)."""
    mine = select(directory_line.c.instance).where(directory_line.c.siren == unit["siren"])
    if unit["entity_type"] != "A" or connection.execute(mine).first():
        return False
    today = hall.actor.clock().astimezone(PARIS).date()
    return _define(hall, connection, {"siren": unit["siren"], "matricule": FICTIVE, "start": today})


def peer(connection: Connection, matricule: str) -> Peer | None:
    """Return a platform as the registration service told it: where it is, and its key."""
    query = select(receiving_platform.c.contact).where(receiving_platform.c.matricule == matricule)
    return peer_of(matricule, connection.execute(query).scalar())


# ------------------------------------------------------------------------------------------------------ publication


def publish(hall: Hall, connection: Connection) -> None:
    """Every connected platform will be sent the directory as it is by then."""
    number = sequences.draw(connection, EXPORT)
    jobs.add(connection, queue=EXPORT, key=f"{EXPORT}:{number}", lane=EXPORT, payload={}, now=hall.actor.clock())


async def export(hall: Hall, _job: Job) -> Apply:
    """The directory as it is now leaves for every connected platform."""
    return lambda connection: _export(hall, connection)


def _export(hall: Hall, connection: Connection) -> None:
    produced = hall.actor.clock()
    data = write(_entries(connection), produced_at=produced)
    for partner in hall.partners(connection):
        name = hall.new_name(connection, partner, INTERFACE)
        hall.send(connection, partner, name, {f"{name}.xml": data})


def _entries(connection: Connection) -> Iterator[Entry]:
    """Give what the directory holds, in the order of the export: units, establishments, codes, platforms, lines."""
    for row in connection.execute(select(legal_unit).order_by(legal_unit.c.siren)).mappings():
        yield _entry(LegalUnit, row)
    for row in connection.execute(select(establishment).order_by(establishment.c.siret)).mappings():
        yield _entry(Establishment, row)
    ordered = select(routing_code).order_by(routing_code.c.siret, routing_code.c.code)
    for row in connection.execute(ordered).mappings():
        yield _entry(RoutingCode, row)
    for row in connection.execute(select(receiving_platform).order_by(receiving_platform.c.matricule)).mappings():
        yield _entry(ReceivingPlatform, row, trade_name=row["name"] if row["platform_type"] == "PDP" else None)
    yield from _lines(connection)


def _lines(connection: Connection) -> Iterator[DirectoryLine]:
    """Give the lines that count, an address after another: neither the versions replaced nor those masked."""
    ordered = (directory_line.c.siren, directory_line.c.siret, directory_line.c.routing, directory_line.c.suffix)
    rows = connection.execute(select(directory_line).order_by(*ordered, directory_line.c.start)).mappings()
    lines = (_entry(DirectoryLine, row, routing_code=row["routing"]) for row in rows)
    for _address, versions in groupby(lines, key=lambda line: line.address):
        yield from current(versions)


def _entry(kind: type[Kind], row: RowMapping, **more: Any) -> Kind:
    """Give the entry that a row holds, whose columns are called as its fields."""
    return kind(**{name: row[name] for name in _NAMES[kind] if name in row}, **more)


_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in get_args(Entry)}
