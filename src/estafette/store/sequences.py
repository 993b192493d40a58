"""Counters that never go back: a number is drawn in the transaction that uses it."""

from sqlalchemy import Connection, insert, select, update

from estafette.store.tables import sequence


def draw(connection: Connection, name: str) -> int:
    """Return the next number of this counter, from 1, without gap among committed transactions."""
    value = connection.execute(select(sequence.c.value).where(sequence.c.name == name)).scalar()
    if value is None:
        connection.execute(insert(sequence).values(name=name, value=1))
        return 1
    connection.execute(update(sequence).where(sequence.c.name == name).values(value=value + 1))
    return int(value) + 1
