"""The administration at work: what it takes from the concentrator, and what it tells the portal.

Every verb that decides on a registration is here, because what it decides is announced in the same transaction.
"""

import msgspec
from sqlalchemy import Connection

from estafette.administration import intake, registration
from estafette.administration.completeness import Link, RegistrationForm
from estafette.administration.journal import Act
from estafette.administration.registration import Announcement, State
from estafette.exchange.actor import Actor
from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Post, Refused


class Administration:
    """The tax administration. `portal` is the portal's identifier on the exchange, `portal_matricule` its number."""

    def __init__(self, actor: Actor, post: Post, *, portal: str, portal_matricule: str = "0000") -> None:
        self.actor = actor
        self._post = post
        self._portal = portal
        self._reserved = registration.RESERVED | {portal_matricule}

    def act(self, role: str) -> Act:
        """Return that this role acts now."""
        return Act(role, self.actor.clock())

    def taken(self, connection: Connection, message: Message, body: bytes) -> None:
        """What the concentrator told is known. Raises: Refused for anything else, and the message is parked there."""
        if message.kind is not Kind.FACT or message.sender != self._portal:
            raise Refused(403, "only the portal's facts are taken here")
        try:
            intake.receive(connection, body, received_at=self.actor.clock())
        except intake.WrongMessage as wrong:
            raise Refused(422, str(wrong)) from None

    def decide(self, connection: Connection, file_id: int, outcome: State, *, reason: str, act: Act) -> None:
        """The file is decided, and a registration announced. Raises: NotAllowed, KeyError."""
        decided = registration.decide(connection, file_id, outcome, reason=reason, act=act, reserved=self._reserved)
        self._announce(connection, decided)

    def lift_reservation(self, connection: Connection, file_id: int, form: RegistrationForm, *, act: Act) -> None:
        """The registration is definitive, and announced so. Raises: NotAllowed, KeyError."""
        self._announce(connection, registration.lift_reservation(connection, file_id, form, act=act))

    def relink(self, connection: Connection, file_id: int, link: Link, *, act: Act) -> None:
        """The platform is reached otherwise, and the portal told so. Raises: NotAllowed, KeyError."""
        self._announce(connection, registration.relink(connection, file_id, link, act=act))

    def withdraw(self, connection: Connection, file_id: int, *, reason: str, act: Act) -> None:
        """The file or registration is withdrawn, and its end announced. Raises: NotAllowed, KeyError."""
        self._announce(connection, registration.withdraw(connection, file_id, reason=reason, act=act))

    def _announce(self, connection: Connection, announcement: Announcement | None) -> None:
        """The portal will know of this platform, in the order things were decided."""
        if announcement is None:
            return
        sha256 = self.actor.documents.put(msgspec.json.encode(announcement))
        message = Message(
            id=sha256,
            kind=Kind.PLATFORM,
            sender=self.actor.identifier,
            recipient=self._portal,
            name="platform.json",
            sha256=sha256,
        )
        self._post.send(connection, message, lane=f"platform:{announcement.matricule}")
        self.actor.worker.wake()
