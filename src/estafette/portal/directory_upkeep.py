"""What the portal does by itself for its directory: tax statuses whose day has come, words of what is new."""

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from estafette.exchange.actor import Actor
from estafette.portal import directory_words, feeds
from estafette.portal.register import Register, Source

EVERY_S = 30.0
"""Seconds between two visits."""


def visit_of(actor: Actor) -> Callable[[], Awaitable[None]]:
    """Return the visit that keeps the directory of an actor up with the day and with itself."""

    def settle(connection: Connection) -> int:
        register = Register(connection, at=actor.clock(), source=Source.TAX, author="DGFiP")
        return feeds.apply_due(register)

    async def visit() -> None:
        while await actor.database.write(settle):
            pass
        while await actor.database.write(directory_words.gather, durable=False):
            pass

    return visit
