"""Documents that a record named which is gone: those that no other record names are purged, looked for all at once.

Theory of operation. The tables that name documents have no index on their hash: it would cost every invoice, for what
is asked once a day. So whoever deletes records notes the documents that they named, in the same transaction; a sweep
reads each column that names documents once, however many wait, and purges those that it did not meet. Dying in between
leaves them noted. What a record names a moment later is put back before its bytes are erased (`store.erasure`).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from estafette.store import inventory
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.tables import unlinked

SWEPT_AT_ONCE = 50_000
"""Documents of one reading of the tables: some megabytes of names."""

BATCH = 500


def note(connection: Connection, names: Iterable[str], *, now: datetime) -> None:
    """The records that named these documents are gone, if this transaction is committed."""
    for some in _batches(sorted(set(names))):
        connection.execute(delete(unlinked).where(unlinked.c.sha256.in_(some)))
        connection.execute(insert(unlinked), [{"sha256": name, "since": now} for name in some])


def waiting_since(connection: Connection) -> datetime | None:
    """Return since when the first of them waits; None when none does."""
    found: datetime | None = connection.execute(select(func.min(unlinked.c.since))).scalar()
    return found


def sweep(database: Database, documents: Documents, *, now: datetime) -> int:
    """What was noted and is named by no record is purged, the rest is noted no more; returns how many were purged."""
    count = 0
    while True:
        with database.read() as connection:
            query = select(unlinked).order_by(unlinked.c.sha256).limit(SWEPT_AT_ONCE)
            rows = connection.execute(query).all()
            if not rows:
                return count
            these = select(unlinked.c.sha256).where(unlinked.c.sha256 <= rows[-1].sha256)
            named = inventory.still_named(connection, these)
        newest = max(row.since for row in rows)
        for some in _batches([row.sha256 for row in rows]):
            gone = [name for name in some if name not in named]
            with database.begin() as connection:
                mine = (unlinked.c.sha256.in_(some), unlinked.c.since <= newest)  # one noted anew is looked at anew
                connection.execute(delete(unlinked).where(*mine))
                count += len(documents.purge(connection, gone, now=now))
            documents.forget(gone)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + BATCH] for at in range(0, len(names), BATCH))
