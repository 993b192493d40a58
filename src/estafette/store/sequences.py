"""Counters that never go back: a number is drawn in the transaction that uses it."""

from sqlalchemy import Connection, bindparam, select, update

from estafette.store import gathered
from estafette.store.tables import sequence

_LAST = gathered.reads(select(sequence.c.value).where(sequence.c.name == bindparam("which")).with_for_update())
_DRAWN = update(sequence).where(sequence.c.name == bindparam("which")).values(value=bindparam("last"))


def draw(connection: Connection, name: str) -> int:
    """Return the next number of this counter, from 1, without gap among committed transactions."""
    last = gathered.remember(connection, ("sequence", name), lambda: _last(connection, name))
    gathered.memorize(connection, ("sequence", name), last + 1)
    gathered.change(connection, _DRAWN, {"which": name, "last": last + 1})
    return last + 1


def _last(connection: Connection, name: str) -> int:
    """Return the last number drawn; a counter begins at 0. On an engine with several writers, the others wait."""
    value = connection.execute(_LAST, {"which": name}).scalar()
    if value is None:
        gathered.add(connection, sequence, {"name": name, "value": 0}, once=True)
        value = connection.execute(_LAST, {"which": name}).scalar_one()
    return int(value)
