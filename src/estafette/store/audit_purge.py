"""What the events of the audit log said is forgotten once nothing asks for it any more; the chains stay whole.

Theory of operation. The hash of an event is made of the one before and of the digest of its text (`store.audit`): where
the text is replaced by its digest the chain is followed as before, and no other text can be put back. Only whole days
go, from the first on, each once a signed root covers it: the root says by when its events had been written, so that
`store.verification` finds a text that was taken away before its time. Roots are gone through one after the other, and
how far is written; each is told once, in the chain of the operator.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from estafette.store import audit
from estafette.store.database import Database
from estafette.store.tables import audit_blank, audit_event, audit_leaf, audit_root

ROOTS = "roots"
"""The name under which it is kept how many roots were gone through."""

AT_ONCE = 500
ROOTS_A_VISIT = 50


def forget(
    database: Database, *, last: date, now: datetime, held: Callable[[Connection, str], bool] = lambda _c, _s: False
) -> int:
    """The events of up to a day say nothing more, but in chains that are held; returns how many were blanked.

    A bounded part: the next call goes on.
    """
    count = 0
    with database.read() as connection:
        numbers = list(_over(connection, last))
    for number in numbers:
        with database.read() as connection:
            stood = select(audit_leaf.c.chain, audit_leaf.c.seq).where(audit_leaf.c.number == number)
            due = [(row.chain, row.seq) for row in connection.execute(stood) if not held(connection, row.chain)]
        count += sum(_blank(database, chain, upto) for chain, upto in due)
        with database.begin() as connection:
            _note(connection, ROOTS, number)
            audit.record(connection, None, "journal.purged", at=now, about=str(number), until=last.isoformat())
    return count


def covered(connection: Connection, last: date) -> int:
    """Return the number of the last root of a day or of one before, 0 when there is none."""
    found = 0
    for row in connection.execute(select(audit_root.c.number, audit_root.c.body).order_by(audit_root.c.number)):
        if date.fromisoformat(msgspec.json.decode(row.body)["day"]) > last:
            break
        found = int(row.number)
    return found


def _over(connection: Connection, last: date) -> Iterator[int]:
    """Give the next roots whose events are over."""
    done = _done(connection, ROOTS)
    following = select(audit_root.c.number, audit_root.c.body).where(audit_root.c.number > done)
    for row in connection.execute(following.order_by(audit_root.c.number).limit(ROOTS_A_VISIT)):
        if date.fromisoformat(msgspec.json.decode(row.body)["day"]) > last:
            return
        yield int(row.number)


def _blank(database: Database, chain: str, upto: int) -> int:
    """The events of a chain up to a place say nothing more; returns how many said something before."""
    with database.read() as connection:
        first = done = _done(connection, chain)
    while done < upto:
        with database.begin() as connection:
            mine = (audit_event.c.chain == chain, audit_event.c.seq > done, audit_event.c.seq <= upto)
            rows = connection.execute(select(audit_event).where(*mine).order_by(audit_event.c.seq).limit(AT_ONCE)).all()
            if not rows:
                break
            blanked = [{"place": row.seq, "digested": audit.blanked(row.body)} for row in rows]
            connection.execute(_BLANK.where(audit_event.c.chain == chain), blanked)
            done = rows[-1].seq
            _note(connection, chain, done)
    return done - first


def _done(connection: Connection, chain: str) -> int:
    return connection.execute(select(audit_blank.c.seq).where(audit_blank.c.chain == chain)).scalar() or 0


def _note(connection: Connection, chain: str, seq: int) -> None:
    connection.execute(delete(audit_blank).where(audit_blank.c.chain == chain))
    connection.execute(insert(audit_blank).values(chain=chain, seq=seq))


_BLANK = update(audit_event).where(audit_event.c.seq == bindparam("place")).values(body=bindparam("digested"), about="")
