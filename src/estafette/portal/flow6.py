"""Obligatory statuses (Flow 6) at the concentrator: each controlled, answered only when rejected, 601 (stage 3)."""

import re
from datetime import datetime

from sqlalchemy import Connection

from estafette.formats.cdar import Named
from estafette.formats.status_message import StatusMessage
from estafette.lifecycle.deadlines import due
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.obligatory import control_mandatory
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal.facts import accept_status
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall
from estafette.portal.held import statuses_of, told_by, told_under
from estafette.portal.tally import Tally
from estafette.store import sequences

ANSWER_TO_STATUSES = "FFE0654A"
_SIREN = re.compile("[0-9]{9}")
OBJECT_MAX = 100
"""Characters of the identifier of an object in an answer (MDT-87)."""


def take(hall: Hall, connection: Connection, came: Came, message: StatusMessage, tally: Tally) -> Fact | None:
    """An obligatory status is accepted in silence, or rejected and answered; one had already changes nothing.

    Returns the fact, when there is one.
    """
    now, matricule = hall.actor.clock(), came.partner.matricule
    had = told_under(connection, matricule, message)
    if had == told_by(message):
        return None
    refusal = (
        _other(message) if had else control_mandatory(message, statuses_of(connection, message), partner=matricule)
    )
    if refusal is None and message.test:
        return None  # P1.13: controlled like any other, and nothing comes of it
    limit = due(message.status, message.set_at)
    tally.add((refusal,) if refusal else (), is_late=limit is not None and now > limit)
    if refusal is None:
        return accept_status(hall, connection, came, message)
    about = (message.identifier, message.seller_siren, message.issued_at)
    _reject(hall, connection, came, about, refusal)
    return None


def turn_down(hall: Hall, connection: Connection, came: Came, named: Named, tally: Tally) -> None:
    """A status that follows the schema and cannot be read for all that is rejected; its answer quotes it (G1.114)."""
    fr, en = f"{came.file} : {named.why.reason_fr}", f"{came.file}: {named.why.reason_en}"
    refusal = Refusal("REJ_RG", "G1.114", fr, en, (named.why.where,))
    tally.add((refusal,))
    _reject(hall, connection, came, (named.identifier, named.object_siren, None), refusal)


def _other(message: StatusMessage) -> Refusal:
    """Refuse another status under an identifier that was used: accepted in silence, it would be lost in silence."""
    fr = f"L'identifiant {message.identifier} est celui d'un autre statut, déjà accepté : il en faut un nouveau."
    en = f"Identifier {message.identifier} is that of another status, accepted already: a new one is needed."
    return Refusal("REJ_RG", "EST-MDT-4", fr, en, ("MDT-4",))


def _reject(
    hall: Hall, connection: Connection, came: Came, about: tuple[str, str, datetime | None], refusal: Refusal
) -> None:
    """The platform will know why its message is rejected; `about`: its identifier, the seller, when it was made."""
    now, number = hall.actor.clock(), sequences.draw(connection, "answer")
    identifier, siren, issued = about
    identifier = identifier if len(identifier) <= OBJECT_MAX else ""  # G1.114
    siren = siren if _SIREN.fullmatch(siren) else ""
    answer = about_object(
        ObjectKind.STATUS,
        identifier=f"{ANSWER_TO_STATUSES}_{hall.application_code}_{number:019d}",
        object_identifier=identifier,
        object_siren=siren,
        object_issued=issued,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=(refusal,),
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_STATUSES, answer)
