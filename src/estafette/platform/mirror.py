"""The platform's copy of the directory: loaded whole from each full export (F14), read to route and to find peers.

An address is resolved among the lines of the copy, by `directory.resolution`; nothing is asked of the portal when an
invoice is sent.
"""

from datetime import date

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from estafette.directory import DirectoryLine, LegalUnit, ReceivingPlatform, Resolution, resolve
from estafette.exchange.post import Peer, peer_of
from estafette.formats.directory import read
from estafette.invoice.model import Identifier
from estafette.platform.tables import mirror_line, mirror_platform, mirror_unit


class Mirror:
    """The copy, in the platform's own store."""

    def load(self, connection: Connection, data: bytes) -> None:
        """The copy is what this full export says, and nothing else."""
        for table in (mirror_line, mirror_platform, mirror_unit):
            connection.execute(delete(table))
        for entry in read(data):
            if isinstance(entry, DirectoryLine):
                connection.execute(insert(mirror_line).values(_line_row(entry)))
            elif isinstance(entry, LegalUnit):
                row = {"siren": entry.siren, "name": entry.name, "entity_type": entry.entity_type}
                connection.execute(insert(mirror_unit).values(row))
            elif isinstance(entry, ReceivingPlatform):
                connection.execute(insert(mirror_platform).values(_platform_row(entry)))

    def resolve(self, connection: Connection, address: Identifier | None, *, on: date) -> Resolution:
        """Tell where an invoice to this address goes on this day (directory.md §11)."""
        value, scheme = (address.value, address.scheme or "") if address else ("", "")
        rows = connection.execute(select(mirror_line).where(mirror_line.c.address == value)).mappings()
        known = select(mirror_unit.c.siren).where(mirror_unit.c.siren == value[:9])
        return resolve(
            value,
            scheme,
            [_line(row) for row in rows],
            on=on,
            legal_unit_known=connection.execute(known).first() is not None,
        )

    def addressee(self, connection: Connection, address: str) -> str | None:
        """Return the SIREN that an address of the directory belongs to."""
        query = select(mirror_line.c.siren).where(mirror_line.c.address == address)
        return connection.execute(query).scalar()

    def peer(self, connection: Connection, matricule: str) -> Peer | None:
        """Return a platform by what the directory says of it: where it is, and its key."""
        query = select(mirror_platform.c.contact).where(mirror_platform.c.matricule == matricule)
        return peer_of(matricule, connection.execute(query).scalar())

    def size(self, connection: Connection) -> int:
        """Count the lines of the copy."""
        return connection.execute(select(func.count()).select_from(mirror_line)).scalar_one()


def _line_row(line: DirectoryLine) -> dict[str, object]:
    return {
        "instance": line.instance,
        "address": line.address,
        "siren": line.siren,
        "siret": line.siret,
        "routing": line.routing_code,
        "suffix": line.suffix,
        "nature": line.nature,
        "start": line.start,
        "end": line.end,
        "effective_end": line.effective_end,
        "matricule": line.matricule,
    }


def _line(row: RowMapping) -> DirectoryLine:
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


def _platform_row(platform: ReceivingPlatform) -> dict[str, object]:
    return {
        "matricule": platform.matricule,
        "platform_type": platform.platform_type,
        "name": platform.name,
        "contact": platform.contact,
        "status": platform.status,
    }
