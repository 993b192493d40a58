"""The portal at work: which job does what, and what it takes from other actors."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from estafette.exchange.messages import Kind, Listed, Message
from estafette.exchange.post import Peer, Refused
from estafette.portal import acknowledged, authority, concentrator, connections, extracts, intake, reports, updates
from estafette.portal.hall import BATCH, BATCH_REST_S, Hall


class Portal:
    """The public portal: its directory and its concentrator."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall

    def take_work(self) -> None:
        """The worker knows what each queue of this room asks."""
        worker = self.hall.actor.worker
        worker.handles(intake.CONTROL, lambda job: concentrator.control(self.hall, job))
        worker.handles(intake.CONTROL_REPORTS, lambda job: reports.control_reports(self.hall, job))
        worker.handles(intake.CONTROL_UPDATES, lambda job: updates.control_updates(self.hall, job))
        worker.handles(intake.ACKNOWLEDGED, lambda job: acknowledged.note(self.hall, job))
        worker.handles(authority.LAPSE, lambda job: authority.lapse(self.hall, job))
        worker.handles(extracts.EXPORT, lambda job: extracts.export(self.hall, job))
        worker.handles_together(BATCH, self.hall.batch, rest_s=BATCH_REST_S)

    def admitted(self, connection: Connection, listed: Sequence[Listed]) -> None:
        """What a platform wants to send may be read now. Raises: Refused."""
        connections.admit(self.hall, connection, listed)

    def taken(self, connection: Connection, message: Message, body: bytes) -> None:
        """What another actor sent is kept and will be worked on. Raises: Refused."""
        if message.kind is Kind.FLOW:
            intake.keep(self.hall, connection, message)
        elif message.kind is Kind.PLATFORM and message.sender == self.hall.administration:
            authority.learn(self.hall, connection, msgspec.json.decode(body, type=authority.Registered))
        else:
            raise Refused(403, f"{message.kind} of {message.sender} is not taken here")

    def peer(self, connection: Connection, matricule: str) -> Peer | None:
        """Return a platform as the registration service told it."""
        return authority.peer(connection, matricule)
