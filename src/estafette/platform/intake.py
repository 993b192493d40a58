"""An invoice deposited by a customer: judged, controlled, numbered once, routed, declared.

Order of the controls (use-cases.md §2): technical, schema, then functional: official rules, the depositor's right, the
date, uniqueness, the addressee. The first three need nothing but the document; the others look at the platform's state,
inside the transaction that settles the deposit. What is rejected (213) is stored, told to the customer and to the
portal, and goes nowhere else.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection, select

from estafette.directory.resolution import Outcome, Resolution
from estafette.exchange.messages import Kind, Message
from estafette.formats.flux10 import Role
from estafette.formats.status_message import Detail, Note
from estafette.invoice.model import Invoice
from estafette.platform import controls, flows, reporting_sources
from estafette.platform.declarations import declare_invoice
from estafette.platform.deliveries import brought_by, lane_of
from estafette.platform.examination import Examined, Fault
from estafette.platform.flows import Refusal
from estafette.platform.home import Home
from estafette.platform.life_cycle import begin
from estafette.platform.processing import determine, profile_of
from estafette.platform.status_reception import join_early
from estafette.platform.statuses import set_status
from estafette.platform.tables import invoice
from estafette.reporting.decision import Decision, Treatment, absent_from_directory, decide
from estafette.store import audit, gathered, measures
from estafette.store.identifiers import new_identifier
from estafette.store.queries import AnyRow, Lookup
from estafette.values.moments import PARIS

REASONS_MAX = 50
"""Reasons told in one status; the desk shows them all."""

FRENCH_RULES = "BR-FR-"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided of a deposit: how it stands, the statuses it gets, where it goes, whether the State hears of it.

    A rejection is not declared when its seller, number and year, all that the portal knows an invoice by, are those of
    another invoice that lives, or of another company: it would be taken for the rejection of that one.
    """

    standing: str
    faults: tuple[Fault, ...] = ()
    recipient: str | None = None
    reason: str | None = None
    explanation: dict[str, str] | None = None
    declared: bool = True
    decision: Decision | None = None
    """How the operation is reported (Flow 10), when it is."""


def settle(home: Home, connection: Connection, deposit: AnyRow, data: bytes, examined: Examined) -> None:
    """The deposit is taken, rejected or refused, and everything that follows is written."""
    now = home.actor.clock()
    refusal = examined.refusal or _misplaced(deposit, examined)
    if refusal or examined.invoice is None:
        refusal = refusal or Refusal("FlowTypeError", "Ni facture ni statut. / Neither invoice nor status.")
        known = {} if examined.invoice else {"flow_type": "Undefined"}
        flows.acknowledge_row(connection, deposit, refusal=refusal, now=now, **known)
        return
    document = examined.invoice
    home.keep(deposit["sha256"], document)
    known = {
        "flow_type": "SupplierInvoice" if document.is_self_billed else "CustomerInvoice",
        "syntax": examined.syntax.value,
        "profile": profile_of(document) if deposit["profile"] == "Undefined" else deposit["profile"],
    }
    given = deposit["processing_rule"] if deposit["processing_rule_source"] == "Input" else None
    determined = determine(document, given, is_public=partial(home.mirror.is_public, connection))
    if isinstance(determined, Refusal):
        flows.acknowledge_row(connection, deposit, refusal=determined, now=now, **known)
        return
    ruling = rule(home, connection, deposit, document, determined.rule, faults=examined.faults, now=now)
    is_copy = ruling.standing == "archived" and issuer_of(document) != deposit["siren"]  # archived by its buyer
    is_purchase = ruling.decision is not None and ruling.decision.role is Role.BUYER
    side = "received" if is_copy or is_purchase else "issued"
    row = record(connection, deposit["siren"], side, document, deposit=deposit, ruling=ruling, now=now)
    known |= {"invoice_id": row["id"], "processing_rule": determined.rule}
    flows.acknowledge_row(connection, deposit, refusal=None, now=now, **known)
    _tell(home, connection, row, document, ruling=ruling, data=data)


def rule(
    home: Home,
    connection: Connection,
    deposit: AnyRow,
    document: Invoice,
    processing_rule: str,
    *,
    faults: tuple[Fault, ...],
    now: datetime,
) -> Ruling:
    """Return what is decided of the invoice, by the first control that decides."""
    if processing_rule == "ArchiveOnly":
        return Ruling("archived")
    decision = decide(document, asked=deposit["processing_rule"])
    if _is_purchase(decision):  # a foreign seller owes nothing to the French rules of form
        faults = tuple(fault for fault in faults if not fault.rule.startswith(FRENCH_RULES))
    faults = faults or tuple(_own_faults(connection, deposit, document, now, decision))
    if faults:
        is_its_own = issuer_of(document) == deposit["siren"]
        is_free = not had(connection, deposit["siren"], "issued", document)
        return Ruling("rejected", faults, declared=is_its_own and is_free)
    if decision.treatment.is_reported:
        return _reported(decision)
    if decision.treatment is Treatment.NOTHING:
        return Ruling("archived", explanation={"fr": decision.fr, "en": decision.en})
    if controls.needless(connection, deposit["siren"], document):
        return Ruling("archived", explanation=controls.NEEDLESS)
    ruling = _addressed(home, connection, document, on=now.astimezone(PARIS).date())
    return _reported(absent_from_directory(decision)) if ruling.explanation is ABSENT else _warned(ruling, document)


def _warned(ruling: Ruling, document: Invoice) -> Ruling:
    """Return the ruling with what its depositor should know of an invoice that goes all the same."""
    warning = controls.unnumbered(document) if ruling.standing in ("live", "undelivered") else None
    if warning is None:
        return ruling
    said = ruling.explanation or {}
    return replace(ruling, explanation={name: f"{said.get(name, '')} {text}".strip() for name, text in warning.items()})


def _reported(decision: Decision) -> Ruling:
    """Return that the operation goes by e-reporting, and why."""
    told = {"fr": f"{REPORTABLE['fr']} {decision.fr}", "en": f"{REPORTABLE['en']} {decision.en}"}
    return Ruling("reportable", explanation=told, decision=decision)


def _addressed(home: Home, connection: Connection, document: Invoice, *, on: date) -> Ruling:
    """Return what the directory makes of the invoice: of its parties, then of its address."""
    if faults := tuple(controls.directory_faults(home.mirror, connection, document)):
        return Ruling("rejected", faults)
    resolution = home.mirror.resolve(connection, document.addressee, on=on)
    if controls.outside(document) and resolution.outcome is not Outcome.CHORUS_PRO:
        return Ruling("reportable", explanation=controls.OUTSIDE)
    if resolution.outcome is Outcome.CHORUS_PRO:
        faults = tuple(controls.public_faults(home.mirror, connection, document))
        return Ruling("rejected" if faults else "live", faults, None if faults else resolution.matricule)
    return _routed(document, resolution)


REPORTABLE = {
    "fr": "Hors facturation électronique : opération à déclarer (e-reporting), aucune donnée de facture transmise.",
    "en": "Outside e-invoicing: to be e-reported, no invoice data sent.",
}
ABSENT = {
    "fr": "Le client n'est pas dans l'annuaire : opération à déclarer comme une vente à un non-assujetti (10.3).",
    "en": "The customer is not in the directory: to be e-reported as a sale to a non-taxable person (10.3).",
}
CLOSING = {
    "fr": "L'adresse du client ferme : envoyée encore à son ancienne plateforme, qui peut ne plus la prendre ; "
    "demandez-lui sa nouvelle adresse.",
    "en": "The customer's address is closing: still sent to its former platform, which may not take it any more; "
    "ask for its new address.",
}
UNREACHABLE = {
    "fr": "Le client n'a pas choisi de plateforme : déposée, non transmise ; remettez-lui une copie autrement.",
    "en": "The customer has chosen no platform: deposited, not transmitted; hand it a copy by other means.",
}


def _routed(document: Invoice, resolution: Resolution) -> Ruling:
    """Turn the directory's answer (directory.md §11) into a ruling."""
    match resolution.outcome:
        case Outcome.PLATFORM | Outcome.GRACE:
            explanation = CLOSING if resolution.outcome is Outcome.GRACE else None
            return Ruling("live", recipient=resolution.matricule, explanation=explanation)
        case Outcome.NOT_TRANSMITTED:
            return Ruling("undelivered", reason="NON_TRANSMISE", explanation=UNREACHABLE)
        case Outcome.NOT_IN_DIRECTORY:
            return Ruling("reportable", explanation=ABSENT)
        case _:
            address = document.addressee.value if document.addressee else "∅"
            fault = Fault(
                "REJ_ADR",
                "EST-ADDRESS",
                f"L'adresse {address} n'est pas dans l'annuaire à ce jour : vérifiez-la auprès du client.",
                f"Address {address} is not in the directory today: check it with the customer.",
                "BT-34" if document.is_self_billed else "BT-49",
            )
            return Ruling("rejected", (fault,))


def _own_faults(
    connection: Connection, deposit: AnyRow, document: Invoice, now: datetime, decision: Decision
) -> list[Fault]:
    faults = []
    issuer, term = issuer_of(document), "BT-47" if document.is_self_billed else "BT-30"
    is_purchase = _is_purchase(decision)
    if is_purchase:  # its buyer reports it, whoever drew it up
        issuer, term = document.buyer_siren, "BT-47"
    if issuer != deposit["siren"]:
        fr = f"L'émetteur {issuer or '∅'} n'est pas le déposant {deposit['siren']}."
        en = f"The issuer {issuer or '∅'} is not the depositor {deposit['siren']}."
        faults.append(Fault("REJ_COH", "EST-ISSUER", fr, en, term))
    if document.issue_date and document.issue_date > now.astimezone(PARIS).date():
        fr = f"La date de facture {document.issue_date} est dans le futur."
        en = f"The invoice date {document.issue_date} is in the future."
        faults.append(Fault("REJ_COH", "BR-FR-CO-01", fr, en, "BT-2"))
    if had(connection, deposit["siren"], "received" if is_purchase else "issued", document):
        faults.append(duplicate(document))
    return [*faults, *controls.content_faults(document)]


def _is_purchase(decision: Decision) -> bool:
    return decision.treatment is Treatment.INTERNATIONAL and decision.role is Role.BUYER


def issuer_of(document: Invoice) -> str | None:
    """Return the SIREN of whoever draws the invoice up: the buyer of a self-billed one, else the seller."""
    return document.buyer_siren if document.is_self_billed else document.seller_siren


def seller_key(document: Invoice) -> str:
    """Return what tells sellers apart: the SIREN; of a foreign seller its VAT number, else nothing."""
    return document.seller_siren or (document.seller.vat_identifier or "")[:20]


def year_of(document: Invoice) -> int:
    """Return the calendar year in which the number is unique: that of the invoice date (BR-FR-CO-02)."""
    if document.issue_date is None:
        raise ValueError("an invoice without a date was let through")
    return document.issue_date.year


def key_of(document: Invoice) -> dict[str, Any]:
    """Return what an invoice is unique by: its seller, its number, its year (BR-FR-CO-02)."""
    return {"seller": seller_key(document), "number": document.number, "year": year_of(document)}


def duplicate(document: Invoice) -> Fault:
    """Return the fault of a number already had from this seller this year (BR-FR-CO-02)."""
    year = year_of(document)
    fr = f"La facture {document.number} de {year} existe déjà pour ce vendeur : autre numéro."
    en = f"Invoice {document.number} of {year} already exists for this seller: another number."
    return Fault("DOUBLON", "BR-FR-CO-02", fr, en, "BT-1, BT-2, BT-30")


def had(connection: Connection, siren: str, side: str, document: Invoice, *, standing: str | None = None) -> bool:
    """Tell whether this tenant already holds that invoice on that side, in this standing or any but rejected."""
    key = {"siren": siren, "side": side, **key_of(document)}
    standings = HELD.values(connection, **key)
    return any(one == standing if standing else one != "rejected" for one in standings)


HELD = Lookup(
    select(invoice.c.standing),
    {
        "siren": invoice.c.siren,
        "side": invoice.c.side,
        "seller": invoice.c.seller_siren,
        "number": invoice.c.number,
        "year": invoice.c.year,
    },
    through=("seller", "number"),
)
DELIVERED = Lookup(select(invoice), {"which": invoice.c.id})


def record(
    connection: Connection,
    siren: str,
    side: str,
    document: Invoice,
    *,
    deposit: AnyRow,
    ruling: Ruling,
    now: datetime,
) -> dict[str, Any]:
    """The delivery is written; returns its row. `deposit` gives name, syntax and document."""
    faults = [fault.row() for fault in ruling.faults]
    row = {
        "id": new_identifier(now),
        "siren": siren,
        "side": side,
        "standing": ruling.standing,
        "seller_siren": seller_key(document),
        "seller_name": document.seller.name or "",
        "buyer_siren": document.buyer_siren or "",
        "buyer_name": document.buyer.name or "",
        "number": document.number,
        "year": year_of(document),
        "issue_date": document.issue_date,
        "due_date": document.due_date,
        "type_code": document.type_code,
        "total_with_vat": document.totals.total_with_vat,
        "currency": document.currency,
        "syntax": deposit["syntax"],
        "sha256": deposit["sha256"],
        "file_name": PurePath(deposit["name"]).name,
        "peer": ruling.recipient,
        "matricule": deposit.get("recipient"),
        "message_id": deposit.get("message_id"),
        "received_at": now,
        "explanation": {"faults": faults, **(ruling.explanation or {})},
    }
    gathered.add(connection, invoice, row)
    begin(connection, row["id"])
    measures.count(connection, "verdicts", side, ruling.standing)
    ruled = [fault.rule for fault in ruling.faults[:REASONS_MAX]]
    told = {"number": document.number, "side": side, "standing": ruling.standing, "faults": ruled}
    audit.record(connection, siren, "judged", about=row["id"], at=now, sha256=row["sha256"], **told)
    return row


def _tell(
    home: Home, connection: Connection, row: dict[str, Any], document: Invoice, *, ruling: Ruling, data: bytes
) -> None:
    """Say what was decided: to the customer, to the portal, to the platform of the addressee."""
    if ruling.standing == "rejected":
        details = rejection(ruling.faults)
        set_status(home, connection, row, document, "213", details=details, declared=ruling.declared)
    elif ruling.standing in ("live", "undelivered"):
        details = (Detail(sequence=1, reason_code=ruling.reason),) if ruling.reason else ()
        set_status(home, connection, row, document, "200", details=details)
        declare_invoice(home, connection, row, document)
        reporting_sources.e_invoiced(home, connection, row, document)
    elif ruling.decision is not None:
        reporting_sources.take_invoice(home, connection, row, document, ruling.decision)
    if ruling.recipient:
        _send(home, connection, row, data)
        join_early(home, connection, row)


def rejection(faults: tuple[Fault, ...]) -> tuple[Detail, ...]:
    """Return the faults as the details of a status: one reason each, the rule, the message, the terms."""
    return tuple(
        Detail(
            sequence=number,
            reason_code=fault.reason,
            notes=(Note(f"{fault.fr} / {fault.en}"[:2000], fault.rule[:30], fault.terms[:200]),),
        )
        for number, fault in enumerate(faults[:REASONS_MAX], start=1)
    )


def _send(home: Home, connection: Connection, row: dict[str, Any], data: bytes) -> None:
    message = Message(
        id=row["id"],
        kind=Kind.INVOICE,
        sender=home.identity.matricule,
        recipient=row["peer"],
        name=row["file_name"],
        sha256=home.actor.documents.put(data),
    )
    home.post.send(connection, message, lane=lane_of(row))


def delivered(home: Home, connection: Connection, message: Message) -> None:
    """The addressee's platform has the invoice: its sender is told so (201)."""
    row = DELIVERED.first(connection, which=brought_by(message.id))
    if row is not None:
        document = home.invoice(row["sha256"])
        audit.record(connection, row["siren"], "delivered", about=row["id"], at=home.actor.clock(), to=row["peer"])
        set_status(home, connection, row, document, "201")


def _misplaced(deposit: AnyRow, examined: Examined) -> Refusal | None:
    """The syntax announced is not that of the file."""
    announced, seen = deposit["syntax"], examined.syntax.value
    if announced == seen:
        return None
    text = f"Annoncé {announced}, trouvé {seen}. / Announced {announced}, found {seen}."
    return Refusal("FlowTypeError", f"IRR_TYPE_F: {text}", item="flowSyntax")
