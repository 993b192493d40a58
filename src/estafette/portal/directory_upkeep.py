"""What the portal does by itself for its directory: tax statuses whose day has come, words, telling what feeds changed.

Files are loaded by a command beside the portal: here it is noticed that they changed the directory, and the change is
published as any other is.
"""

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, delete, func, insert, select

from estafette.exchange.actor import Actor
from estafette.portal import directory_words, feeds
from estafette.portal.feed_tables import directory_cursor
from estafette.portal.register import Register, Source
from estafette.portal.tables import directory_change

EVERY_S = 30.0
"""Seconds between two visits."""

FED = (str(Source.SIRENE), str(Source.TAX), str(Source.CHORUS_PRO))
CURSOR = "published feeds"


def visit_of(actor: Actor, changed: Callable[[Connection], None]) -> Callable[[], Awaitable[None]]:
    """Return the visit that keeps the directory of an actor up with the day and with itself.

    `changed` is called in the transaction that notes that the feeds changed it.
    """

    def settle(connection: Connection) -> int:
        register = Register(connection, at=actor.clock(), source=Source.TAX, author="DGFiP")
        return feeds.apply_due(register)

    def publish(connection: Connection) -> bool:
        last, is_fed = _news(connection)
        if last is None:
            return False
        connection.execute(delete(directory_cursor).where(directory_cursor.c.name == CURSOR))
        connection.execute(insert(directory_cursor).values(name=CURSOR, instance=last))
        if is_fed:
            changed(connection)
        return is_fed

    async def visit() -> None:
        while await actor.database.write(settle):
            pass
        with actor.database.read() as connection:
            has_news = _news(connection)[0] is not None
        if has_news and await actor.database.write(publish):
            actor.worker.wake()
        while await actor.database.write(directory_words.gather, durable=False):
            pass

    return visit


def _news(connection: Connection) -> tuple[int | None, bool]:
    """Return the last change of the directory since the last visit, and whether the feeds made one of them."""
    cursor = select(directory_cursor.c.instance).where(directory_cursor.c.name == CURSOR)
    after = connection.execute(cursor).scalar() or 0
    fresh = directory_change.c.id > after
    fed = select(directory_change.c.id).where(fresh, directory_change.c.source.in_(FED)).limit(1)
    is_fed = connection.execute(fed).first() is not None
    return connection.execute(select(func.max(directory_change.c.id)).where(fresh)).scalar(), is_fed
