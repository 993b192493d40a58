"""The bytes of purged documents are erased, a while after no record names them any more.

Theory of operation. `Documents.purge` moves a document from `document` to `condemned`, in the transaction that deletes
what named it. A deposit of the very same bytes may have been under way just then and name them a moment later: so
nothing is erased before `GRACE`, longer than any work that is under way, and what a record then names again is put
back, its bytes being still there. Erasing comes before it is written that they are erased: who dies in between erases
twice. A full pack of which nothing is kept any more is dropped whole.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, select, update

from estafette.store import inventory
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.tables import condemned, document

GRACE = timedelta(hours=1)
BATCH = 10_000
"""Documents in one go: every table that names documents is read once for it."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What a batch came to: documents erased, and put back because a record names them."""

    erased: int = 0
    restored: int = 0


def erase_some(database: Database, documents: Documents, *, now: datetime) -> Erased:
    """A batch of what has waited long enough is erased, or put back; none is left once both counts are zero."""
    with database.read() as connection:
        rows = _waiting(connection, now)
        back = _named_again(connection, now, rows[-1].id) if rows else set()
    gone = [row for row in rows if row.sha256 not in back]
    for row in gone:
        if row.pack:
            documents.packs.erase(row.pack, row.start, row.length)
        else:
            documents.packs.erase_loose(row.sha256)
    if not rows:
        return Erased()
    with database.begin() as connection:
        done = update(condemned).where(condemned.c.id.in_([row.id for row in gone]))
        connection.execute(done.values(erased_at=now))
        _put_back(connection, [row for row in rows if row.sha256 in back])
        empty = _empty(connection, {row.pack for row in gone if row.pack})
    for pack in empty:
        documents.packs.drop(pack)
    return Erased(len(gone), len(rows) - len(gone))


def _named_again(connection: Connection, now: datetime, last: int) -> set[str]:
    """Return what, up to a number, a record names and of which no other copy was written since."""
    copied = exists().where(document.c.sha256 == condemned.c.sha256)
    asked = select(condemned.c.sha256).where(*_ripe(now), condemned.c.id <= last, ~copied)
    return inventory.still_named(connection, asked)


def _waiting(connection: Connection, now: datetime) -> list[Row[Any]]:
    query = select(condemned).where(*_ripe(now)).order_by(condemned.c.id).limit(BATCH)
    return list(connection.execute(query).all())


def _ripe(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return condemned.c.erased_at.is_(None), condemned.c.condemned_at <= now - GRACE


def _put_back(connection: Connection, rows: list[Row[Any]]) -> None:
    """What a record names again rests where it rested."""
    for row in rows:
        connection.execute(delete(condemned).where(condemned.c.id == row.id))
        if row.pack:
            place = {"sha256": row.sha256, "pack": row.pack, "start": row.start, "length": row.length}
            connection.execute(insert(document).values(place))


def _empty(connection: Connection, packs: set[str]) -> list[str]:
    """Return the packs of which nothing is kept, nor waits to be erased."""
    kept = exists().where(document.c.pack == condemned.c.pack)
    other = condemned.alias("other")
    waits = exists().where(other.c.pack == condemned.c.pack, other.c.erased_at.is_(None))
    query = select(condemned.c.pack).where(condemned.c.pack.in_(sorted(packs)), ~kept, ~waits).distinct()
    return list(connection.execute(query).scalars())
