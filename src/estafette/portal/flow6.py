"""Obligatory statuses (Flow 6) at the concentrator: each controlled, answered only when rejected, 601 (stage 3)."""

from sqlalchemy import Connection

from estafette.formats.status_message import StatusMessage
from estafette.lifecycle.deadlines import due
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.obligatory import control_mandatory
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal.facts import accept_status
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall
from estafette.portal.held import is_had, statuses_of
from estafette.portal.tally import Tally
from estafette.store import sequences

ANSWER_TO_STATUSES = "FFE0654A"


def take(hall: Hall, connection: Connection, came: Came, message: StatusMessage, tally: Tally) -> Fact | None:
    """An obligatory status is accepted in silence, or rejected and answered; one had already changes nothing.

    Returns the fact, when there is one.
    """
    now = hall.actor.clock()
    if is_had(connection, came.partner.matricule, message):
        return None
    refusal = control_mandatory(message, statuses_of(connection, message), partner=came.partner.matricule)
    if refusal is None and message.test:
        return None  # P1.13: controlled like any other, and nothing comes of it
    limit = due(message.status, message.set_at)
    tally.add((refusal,) if refusal else (), is_late=limit is not None and now > limit)
    if refusal is None:
        return accept_status(hall, connection, came, message)
    number = sequences.draw(connection, "answer")
    answer = about_object(
        ObjectKind.STATUS,
        identifier=f"{ANSWER_TO_STATUSES}_{hall.application_code}_{number:019d}",
        object_identifier=message.identifier,
        object_siren=message.seller_siren,
        object_issued=message.issued_at,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=(refusal,),
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_STATUSES, answer)
    return None
