"""The facts as Parquet partitions: files written once, which any engine reads, and added to round after round.

    facts/kind=invoice/period=2026-09/000000000001-000000000500.parquet    facts, by kind and month of their day
    replaced/period=2026-11/000000000001-000000000500.parquet              which messages stand no more, and since when
    manifests/000000000001-000000000500.json                               what the range has: files, rows, digests

A range is of the numbers of messages. Theory of operation: what a range holds never changes, since facts are only added
to; so a range that was interrupted is written again, the same files with the same rows. `pending.json` names it before
the first of its files is there, its manifest comes last: a reader who follows the manifests sees whole ranges only, one
who reads every file sees each fact once.
"""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from estafette.portal.fact_tables import fact, replaced_fact
from estafette.store.database import Database

MESSAGES_MAX = 20_000
"""Messages in one range: some tens of megabytes at once, however far behind the files are."""

MEMORY = "256MB"
"""What the writer of Parquet may take; beyond it, it works on disk."""

PENDING, MANIFESTS = "pending.json", "manifests"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept in a folder: columns and types, by what it is partitioned and sorted; `moment` gives the period."""

    name: str
    by: str
    moment: str
    order: str
    columns: dict[str, str]


FACTS = Kept("facts", "kind, period", "day", "siren, day, message, place", {
    "message": "BIGINT", "place": "INTEGER", "kind": "VARCHAR", "platform": "VARCHAR", "siren": "VARCHAR",
    "role": "VARCHAR", "counterpart": "VARCHAR", "number": "VARCHAR", "year": "INTEGER", "day": "DATE",
    "status": "INTEGER", "type_code": "VARCHAR", "process": "VARCHAR", "vat_point": "VARCHAR", "category": "VARCHAR",
    "rate": "DECIMAL(9,4)", "base": "DECIMAL(28,6)", "vat": "DECIMAL(28,6)", "amount": "DECIMAL(28,6)",
    "currency": "VARCHAR", "known_from": "TIMESTAMP",
})  # fmt: skip
REPLACED = Kept("replaced", "period", "known_until", "message",
                {"message": "BIGINT", "by": "BIGINT", "known_until": "TIMESTAMP"})  # fmt: skip
"""Moments are in UTC; amounts have the six decimals of the longest (external specifications v3.2, annex 6)."""


@dataclass(frozen=True, slots=True)
class Range:
    """Messages from the first to the last, both in it."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first:012}-{self.last:012}"


def export(database: Database, folder: Path) -> int:
    """Every fact there is now has its file; returns how many messages were added. Raises: OSError."""
    added = 0
    while some := _next(database, folder):
        _write(database, folder, some)
        added += some.last - some.first + 1
    return added


def exported(folder: Path) -> int:
    """Return the number of the last message that has its files; 0 for none."""
    manifests = sorted((folder / MANIFESTS).glob("*.json"))
    return int(manifests[-1].stem.partition("-")[2]) if manifests else 0


def _next(database: Database, folder: Path) -> Range | None:
    """Return the range to write: the one that was interrupted, else what came since."""
    last = exported(folder)
    pending = folder / PENDING
    if pending.exists():
        asked = Range(**json.loads(pending.read_text()))
        if asked.last > last:
            return asked
    with database.read() as connection:
        newest = connection.execute(select(func.max(fact.c.message))).scalar() or 0
        oldest = connection.execute(select(func.min(fact.c.message)).where(fact.c.message > last)).scalar() or 0
    return Range(oldest, min(newest, oldest + MESSAGES_MAX - 1)) if newest > last else None


def _write(database: Database, folder: Path, some: Range) -> None:
    """The files of a range are there, then its manifest."""
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _put(folder / PENDING, {"first": some.first, "last": some.last})
    with database.read() as connection:
        _partition(connection, _facts_of(some), draft, FACTS)
        _partition(connection, _replaced_in(some), draft, REPLACED)
    files = [
        _move(file, folder / each.relative_to(draft) / f"{some}{f'-{rank}' if rank else ''}.parquet", folder)
        for each in sorted(one for one in draft.rglob("*") if one.is_dir())
        for rank, file in enumerate(sorted(each.glob("*.parquet")))
    ]
    (folder / MANIFESTS).mkdir(exist_ok=True)
    _put(folder / MANIFESTS / f"{some}.json", {"first": some.first, "last": some.last, "files": files})
    (folder / PENDING).unlink()
    shutil.rmtree(draft)


def _facts_of(some: Range) -> Select[Any]:
    return select(*(fact.c[name] for name in FACTS.columns)).where(fact.c.message.between(some.first, some.last))


def _replaced_in(some: Range) -> Select[Any]:
    """Return what became known as replaced with the messages of a range: by one of them, or one of them come late."""
    by, message = replaced_fact.c.by, replaced_fact.c.message
    known_with = or_(
        and_(by.between(some.first, some.last), message < by),
        and_(message.between(some.first, some.last), by < message),
    )
    return select(*(replaced_fact.c[name] for name in REPLACED.columns)).where(known_with)


def _partition(connection: Connection, rows: Select[Any], draft: Path, kept: Kept) -> None:
    """Write the rows as partitions, sorted in each so that one company's are together."""
    import duckdb  # noqa: PLC0415 -- sixty megabytes that only this has need of

    source = draft / f"{kept.name}.csv"
    if not _as_text(connection.execution_options(yield_per=5_000).execute(rows), source):
        return
    with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "temp_directory": str(draft)}) as engine:
        engine.execute(_copy(source, draft / kept.name, kept))
    source.unlink()


def _copy(source: Path, to: Path, kept: Kept) -> str:
    """Return the statement that makes partitions of a file of text."""
    typed = ", ".join(f"'{column}': '{type_}'" for column, type_ in kept.columns.items())
    quotes = "header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = ''"
    rows = f"read_csv({_quoted(source)}, {quotes}, columns = {{{typed}}})"
    sorted_ = f"SELECT *, strftime({kept.moment}, '%Y-%m') AS period FROM {rows} ORDER BY {kept.by}, {kept.order}"  # noqa: S608
    how = f"FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({kept.by}), WRITE_PARTITION_COLUMNS false"
    return f"COPY ({sorted_}) TO {_quoted(to)} ({how})"


def _as_text(rows: Iterable[Any], file: Path) -> int:
    """Write rows as text, one a line; returns how many."""
    count = 0
    with file.open("w", newline="") as handle:
        writer = csv.writer(handle)
        for row in rows:
            writer.writerow([_text(value) for value in row])
            count += 1
    return count


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _quoted(path: Path) -> str:
    """Write a path as SQL does a text."""
    return "'" + str(path).replace("'", "''") + "'"


def _move(file: Path, place: Path, folder: Path) -> dict[str, Any]:
    """The file is where readers look, whole; returns what the manifest says of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    _sync(file)
    file.replace(place)
    return {"path": place.relative_to(folder).as_posix(), "bytes": place.stat().st_size, "sha256": digest}


def _put(file: Path, content: dict[str, Any]) -> None:
    """The file says this, whole or not at all."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(content, indent=1))
    _sync(draft)
    draft.replace(file)


def _sync(file: Path) -> None:
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def files(folder: Path) -> Iterator[Path]:
    """Give the files that the manifests name, whole ranges only."""
    for manifest in sorted((folder / MANIFESTS).glob("*.json")):
        yield from (folder / one["path"] for one in json.loads(manifest.read_text())["files"])
