"""Regulatory data of invoices (Flow 1) at the concentrator: each object controlled and answered, 250 or 251 (stage 3).

The content, then what the portal already knows: the parties in the directory, the number had this year.
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection

from estafette.formats.flux1 import Examined
from estafette.lifecycle.deadlines import INVOICE_DATA, due
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal.facts import accept_data
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall
from estafette.portal.held import deposited_at, is_sent, is_unit
from estafette.portal.tally import Tally
from estafette.store import sequences
from estafette.values.moments import paris_day

ANSWER_TO_DATA = "FFE0604A"


def take(hall: Hall, connection: Connection, came: Came, examined: Examined, tally: Tally) -> Fact | None:
    """The data of one invoice are accepted or rejected, and answered; returns the fact, when there is one."""
    now, data = hall.actor.clock(), examined.facts
    refusals = tuple(_refusals(connection, came, examined, on=paris_day(now)))
    tally.add(refusals, is_late=_is_late(connection, examined, now))
    sequence = sequences.draw(connection, "answer")
    number, siren, issued = data.named
    answer = about_object(
        ObjectKind.INVOICE_DATA,
        identifier=f"{ANSWER_TO_DATA}_{hall.application_code}_{sequence:019d}",
        object_identifier=number,
        object_siren=siren,
        object_issued=issued,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=refusals,
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_DATA, answer)
    return None if refusals else accept_data(hall, connection, came, data)


def _is_late(connection: Connection, examined: Examined, now: datetime) -> bool:
    """Tell whether the data come past their term, which runs from the deposit (external specifications §3.6.5)."""
    begun = deposited_at(connection, examined.facts)
    limit = due(INVOICE_DATA, begun) if begun else None
    return limit is not None and now > limit


def _refusals(connection: Connection, came: Came, examined: Examined, *, on: date) -> Iterable[Refusal]:
    """Tell what stage 3 finds: the content, the parties in the directory, the number already had."""
    data = examined.facts
    for anomaly in examined.anomalies:
        yield Refusal(anomaly.reason, anomaly.rule, anomaly.message_fr, anomaly.message_en, anomaly.terms)
    if not all(data.named):
        seen = f"{came.file} : BT-1 {data.number[:40]!r}, BT-2 {data.issue_date}, BT-30 {data.seller_siren[:40]!r}"
        fr, en = f"Facture non identifiable dans {seen}.", f"The invoice cannot be identified in {seen}."
        yield Refusal("REJ_SEMAN", "G1.114", fr, en, ("BT-1", "BT-2", "BT-30"))
    parties = [("G1.63", "BT-30", data.seller_siren), ("G1.63", "BT-47", data.buyer_siren)]
    if data.vat_group_siren:
        parties.append(("G1.101", "BT-29d", data.vat_group_siren))
    for rule, term, siren in parties:
        if not is_unit(connection, siren):
            fr, en = f"SIREN {siren} absent de l'annuaire.", f"SIREN {siren} is not in the directory."
            yield Refusal("REJ_COH", rule, fr, en, (term,))
    if data.issue_date > on:
        fr, en = (
            f"Facture datée du {data.issue_date}, après le contrôle.",
            f"Dated {data.issue_date}, after the control.",
        )
        yield Refusal("REJ_COH", "G1.07", fr, en, ("BT-2",))
    if is_sent(connection, data):
        fr, en = "Facture déjà transmise pour cette année.", "Invoice already sent for this year."
        yield Refusal("REJ_UNI", "G1.45", fr, en, ("BT-1", "BT-2", "BT-30"))
