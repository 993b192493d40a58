"""Which room of an actor a message is for: the portal's by its identifier, the platform's by its matricules."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from estafette.circuit.network import PORTAL, SEATS, Network
from estafette.exchange.actor import Actor
from estafette.exchange.messages import Listed, Message
from estafette.exchange.post import QUEUE, REST_S, Peer, Post
from estafette.platform import look_ahead
from estafette.platform.platform import Platform
from estafette.portal.portal import Portal


class Rooms:
    """Hands the messages of one actor to its rooms, as they are put in it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.platform: Platform | None = None
        self.portal: Portal | None = None
        self.others: Callable[[Connection, Message, bytes], None] | None = None

    def post(self, actor: Actor, identifiers: frozenset[str]) -> Post:
        """Return the post of the actor, its deliveries among the worker's jobs."""
        post = Post(
            identifiers=identifiers,
            key=actor.key,
            database=actor.database,
            documents=actor.documents,
            clock=actor.clock,
            peers=self._peer,
            taken=self._taken,
            delivered=self._delivered,
            ahead=self._ahead,
            admitted=self._admitted,
            tls=self._network.tls(next(seat for seat in SEATS if seat.name == actor.name)),
        )
        actor.worker.handles_together(QUEUE, post.deliver, rest_s=REST_S)
        return post

    def _peer(self, connection: Connection, identifier: str) -> Peer | None:
        known = self._network.peer(identifier)
        if known is None and self.portal is not None:
            known = self.portal.peer(connection, identifier)
        if known is None and self.platform is not None:
            known = self.platform.peer(connection, identifier)
        return known

    def _taken(self, connection: Connection, message: Message, body: bytes) -> None:
        if self.portal is not None and message.recipient == PORTAL:
            self.portal.taken(connection, message, body)
        elif self.platform is not None:
            self.platform.taken(connection, message, body)
        elif self.others is not None:
            self.others(connection, message, body)

    def _ahead(self, connection: Connection, messages: Sequence[Message]) -> None:
        if self.platform is not None:
            look_ahead.delivered(connection, messages)

    def _admitted(self, connection: Connection, listed: Sequence[Listed]) -> None:
        if self.portal is not None and listed[0].message.recipient == PORTAL:
            self.portal.admitted(connection, listed)

    def _delivered(self, connection: Connection, messages: list[Message]) -> None:
        if self.platform is not None:
            self.platform.delivered(connection, messages)
