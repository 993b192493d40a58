"""Counters that never go back: a number is drawn in the transaction that uses it."""

from sqlalchemy import Connection, bindparam, select, update

from estafette.store import gathered
from estafette.store.queries import Query
from estafette.store.tables import sequence

_LAST = Query(select(sequence.c.value).where(sequence.c.name == bindparam("which")))
_DRAWN = update(sequence).where(sequence.c.name == bindparam("which")).values(value=bindparam("last"))


def draw(connection: Connection, name: str) -> int:
    """Return the next number of this counter, from 1, without gap among committed transactions."""
    return reserve(connection, name, 1)[0]


def reserve(connection: Connection, name: str, count: int) -> range:
    """Return the next numbers of this counter, as many as asked, for whoever loads by the million."""
    last = gathered.remember(connection, ("sequence", name), lambda: _last(connection, name))
    gathered.memorize(connection, ("sequence", name), last + count)
    gathered.set_last(connection, _DRAWN, name, {"which": name, "last": last + count})
    return range(last + 1, last + 1 + count)


def _last(connection: Connection, name: str) -> int:
    """Return the last number drawn; a counter begins at 0."""
    value = _LAST.value(connection, which=name)
    if value is None:
        gathered.add(connection, sequence, {"name": name, "value": 0}, once=True)
        value = _LAST.value(connection, which=name)
    return int(value)
