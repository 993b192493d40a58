"""The drawers of e-reporting: transmissions, the files that were handed in, unit records."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from estafette.platform.keeping import (
    OWED,
    Asked,
    Drawer,
    Kept,
    Source,
    Trace,
    blank,
    hash_of,
    kept,
    remove,
)
from estafette.platform.reporting_tables import reporting_file, transmission, unit_record
from estafette.store.columns import constant
from estafette.store.inventory import NONE
from estafette.values.retention import Kind


def _transmissions(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    found = []
    for row in rows:
        owed = row["state"] if row["state"] in OWED else None
        trace = Trace("transmission", str(row["id"]), row["sha256"])
        said = {"siren": row["siren"], "reference": row["identifier"], "needed": owed}
        found.append(kept(asked, row, Kind.REPORT, trace, drawer="transmission", **said))
    return found


def _files(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    found = []
    for row in rows:
        trace = Trace("reporting-file", row["id"], row["sha256"])
        said = {"siren": row["siren"], "reference": row["name"]}
        found.append(kept(asked, row, Kind.REPORT, trace, drawer="reporting-file", **said))
    return found


def _unit_records(_connection: Connection, rows: Sequence[RowMapping], asked: Asked) -> list[Kept]:
    found = []
    for row in rows:
        trace = Trace("unit-record", str(row["id"]), hash_of(row, unit_record))
        said = {"siren": row["siren"], "reference": row["reference"] or "", "documents": ()}
        found.append(kept(asked, row, Kind.REPORT, trace, drawer="unit-record", **said))
    return found


TRANSMISSIONS = Drawer(
    "transmission", "Transmissions d'e-reporting", "Transmissions of e-reporting",
    Source(select(transmission), transmission.c.id, transmission.c.end, (Kind.REPORT,),
           (transmission.c.sha256 != constant(NONE),)),
    _transmissions, blank(transmission, transmission.c.id),
)  # fmt: skip
FILES = Drawer(
    "reporting-file", "Fichiers d'e-reporting", "Files of e-reporting",
    Source(select(reporting_file), reporting_file.c.id, reporting_file.c.recorded_at, (Kind.REPORT,),
           (reporting_file.c.sha256 != constant(NONE),)),
    _files, blank(reporting_file, reporting_file.c.id),
)  # fmt: skip
UNITS = Drawer(
    "unit-record", "Enregistrements unitaires", "Unit records",
    Source(select(unit_record), unit_record.c.id, unit_record.c.day, (Kind.REPORT,)),
    _unit_records, remove(unit_record, unit_record.c.id),
)  # fmt: skip
