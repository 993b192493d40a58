"""Which records name which documents, and whether what rests is what they name.

A record names a document in a column `sha256` (or one that ends so), none when that is empty; work that waits names
some in its payload.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Column, Connection, Engine, MetaData, Select, String, Table, exists, func, inspect, select

from estafette.store.documents import Damaged, Documents
from estafette.store.tables import condemned, document, job, purged, unlinked

NOT_NAMING = frozenset({document.name, condemned.name, purged.name, unlinked.name, "package"})
"""Tables that name no document: what keeps them, and restitution packages, each a file of its own."""

WITHIN_ENVELOPES = frozenset({"invoice_data", "obligatory_status", "accepted_report"})
"""Tables of the portal whose hash is that of a file in an envelope: the envelope is the document."""

NONE = ""
"""What a record names whose document was purged."""

AT_ONCE = 500
FINDINGS_MAX = 1000
"""Findings told; past them the store is beyond listing (our bound)."""

_NAMING: WeakKeyDictionary[Engine, list[Column[str]]] = WeakKeyDictionary()
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Finding:
    """A document that is not there, or is not what it is named by: its name, where it is named, what is wrong."""

    sha256: str
    where: str
    fr: str
    en: str


@dataclass(slots=True)
class Report:
    """What was read of a store, and what was found."""

    documents: int = 0
    packs: int = 0
    bytes: int = 0
    named: int = 0
    findings: list[Finding] = field(default_factory=list)

    def find(self, finding: Finding) -> None:
        """One more finding, unless there are too many already."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


def naming(connection: Connection) -> list[Column[str]]:
    """Return the columns of this store that name documents, as they are there; they are looked for once."""
    if connection.engine not in _NAMING:
        inspector = inspect(connection)
        _NAMING[connection.engine] = [
            Table(name, MetaData(), Column(column["name"], String(64))).c[column["name"]]
            for name in sorted(set(inspector.get_table_names()) - NOT_NAMING - WITHIN_ENVELOPES)
            for column in inspector.get_columns(name)
            if column["name"].endswith("sha256")
        ]
    return _NAMING[connection.engine]


def still_named(connection: Connection, asked: Select[tuple[str]]) -> set[str]:
    """Return which of the documents that a query gives are named by a record, or by work that waits.

    Each column that names documents is read once, from one end to the other: many are to be asked for at once.
    """
    found: set[str] = set()
    for column in naming(connection):
        found.update(connection.execute(select(column).where(column.in_(asked)).distinct()).scalars())
    if in_work := _in_work(connection):
        found |= in_work.intersection(connection.execute(asked).scalars())
    return found


def _in_work(connection: Connection) -> set[str]:
    query = select(job.c.payload).where(job.c.state != "done")
    rows = connection.execute(query.execution_options(yield_per=AT_ONCE)).scalars()
    return {name for payload in rows for name in _HASH.findall(msgspec.json.encode(payload).decode())}


def size(connection: Connection) -> dict[str, int]:
    """Count what rests: documents, packs, bytes as they are compressed, documents to be erased, traces of a purge."""
    count, packs, length = connection.execute(
        select(func.count(), func.count(document.c.pack.distinct()), func.coalesce(func.sum(document.c.length), 0))
    ).one()
    waiting = select(func.count()).select_from(condemned).where(condemned.c.erased_at.is_(None))
    traces = select(func.count()).select_from(purged)
    return {
        "documents": int(count),
        "packs": int(packs),
        "bytes": int(length),
        "condemned": int(connection.execute(waiting).scalar_one()),
        "purged": int(connection.execute(traces).scalar_one()),
    }


def verify(
    connection: Connection, documents: Documents, *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Report:
    """Return what is wrong: a document named and absent, one that is not its bytes, a pack that cannot be read.

    `progress` is told how many documents were read and how many there are. Memory is that of one document.
    """
    report = Report()
    total = connection.execute(select(func.count()).select_from(document)).scalar_one()
    report.packs = connection.execute(select(func.count(document.c.pack.distinct()))).scalar_one()
    for name, place in _resting(connection):
        report.documents += 1
        report.bytes += place[2]
        try:
            documents.check_at(name, place)
        except Damaged as damaged:
            fr, en = f"abîmé : {damaged}", f"damaged: {damaged}"
            report.find(Finding(name, f"pack {place[0]}", fr, en))
        except OSError as fault:
            report.find(Finding(name, f"pack {place[0]}", f"illisible : {fault}", f"unreadable: {fault}"))
        if report.documents % AT_ONCE == 0:
            progress(report.documents, total)
    for column in naming(connection):
        _absent(connection, column, documents, report)
    progress(report.documents, total)
    return report


def _resting(connection: Connection) -> Iterator[tuple[str, tuple[str, int, int]]]:
    """Give every document and where it rests, as the packs lie."""
    query = select(document).order_by(document.c.pack, document.c.start)
    for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        yield row.sha256, (row.pack, row.start, row.length)


def _absent(connection: Connection, column: Column[str], documents: Documents, report: Report) -> None:
    """Every document that a column names is there; a record whose document was purged names none."""
    report.named += connection.execute(select(func.count(column.distinct())).where(column != NONE)).scalar_one()
    there = exists().where(document.c.sha256 == column)
    for name in connection.execute(select(column).where(column != NONE, ~there).distinct()).scalars().all():
        finding = partial(Finding, name, column.table.name)
        try:
            documents.get(name)
        except KeyError:
            report.find(finding("absent : un enregistrement le nomme", "absent: a record names it"))
        except Damaged as damaged:
            report.find(finding(f"abîmé : {damaged}", f"damaged: {damaged}"))
