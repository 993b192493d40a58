"""What a customer says of an invoice, at its desk or by its software: checked against the life cycle, then set.

The collection of an invoice that goes by e-reporting is all that can be said of it; it is reported too (10.2, 10.4).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from estafette.formats.status_message import Characteristic, Detail, Note, Party, Role, StatusMessage
from estafette.invoice.model import Invoice
from estafette.lifecycle import STATUSES, Refusal, may, possible
from estafette.lifecycle.contents import commented, incomplete
from estafette.platform import reporting_sources
from estafette.platform.deliveries import Row, is_b2g, role_of, side_of
from estafette.platform.home import Home
from estafette.platform.life_cycle import history
from estafette.platform.payments import collected, excess
from estafette.platform.statuses import set_status
from estafette.platform.tables import event
from estafette.reporting.cashing import paid_at_issue
from estafette.values.moments import paris_day

SPEAKERS = {
    Role.SELLER: frozenset({Role.SELLER_AGENT, Role.INVOICER, Role.PAYEE, Role.FACTOR}),
    Role.BUYER: frozenset({Role.BUYER_AGENT, Role.INVOICEE, Role.PAYER, Role.SELLER_AGENT}),
}
"""Third parties who speak through a party's account, by the rights it gave them (XP Z12-014 §4); the head of a group of
co-contractors is the seller's agent and endorses (214) at the buyer's."""


class NotAllowed(Exception):
    """The life cycle does not allow the status. `refusal` says why, in both languages, with the code of the field."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.fr} / {refusal.en}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person or a program wants to say of an invoice. `amounts` are (VAT rate or None, amount with VAT)."""

    status: str
    reason: str | None = None
    action: str | None = None
    comment: str | None = None
    amounts: tuple[tuple[Decimal | None, Decimal], ...] = ()


def answer(home: Home, connection: Connection, row: Row, document: Invoice, said: Answer) -> None:
    """The customer's status is set and on its way. Raises: NotAllowed."""
    role = role_of(row)
    details = details_of(said, currency_of(row, document), on=home.actor.clock())
    details = commented(said.status, details, credit_note=_credit_note(document))
    if row["standing"] == "reportable":
        _collect(home, connection, row, document, said.status, details)
        return
    _check(connection, row, document, status=said.status, role=role, details=details)
    set_status(home, connection, row, document, said.status, role=role, details=details)


def answer_message(home: Home, connection: Connection, row: Row, document: Invoice, message: StatusMessage) -> None:
    """The status a customer's software wrote itself is set, under its own identifier and moment. Raises: NotAllowed.

    A third party that the customer lets speak through its account sets the status in its own role.
    """
    own, said = role_of(row), message.issuer.role
    issuer = message.issuer if said in SPEAKERS[own] else None
    role = Role(said) if issuer else own
    had = select(event.c.status).where(event.c.invoice_id == row["id"], event.c.message_id == message.identifier)
    if connection.execute(had).first():
        return
    details = commented(message.status, message.details, credit_note=_credit_note(document), labelled=True)
    if row["standing"] == "reportable":
        _collect(home, connection, row, document, message.status, details, written=message)
        return
    _check(connection, row, document, status=message.status, role=role, details=details)
    set_status(
        home,
        connection,
        row,
        document,
        message.status,
        role=role,
        details=details,
        written=replace(message, issuer=issuer or Party()),
    )


def _collect(  # noqa: PLR0917 - a status in full
    home: Home,
    connection: Connection,
    row: Row,
    document: Invoice,
    status: str,
    details: tuple[Detail, ...],
    written: StatusMessage | None = None,
) -> None:
    """The collection of an invoice that is reported is kept and will be reported too (10.2, 10.4). Raises: NotAllowed.

    Nothing else is said of such an invoice, and nobody else hears of it.
    """
    if status != "212" or not reporting_sources.is_collectable(connection, row, document):
        fr = "Facture déclarée (e-reporting) : seul l'encaissement (212) de services dont la TVA y est due se pose."
        en = "Reported invoice: only the collection (212) of services whose VAT is due then can be set."
        raise NotAllowed(Refusal("REJ_RG", "EST-REPORTED", fr, en, ("MDT-105",)))
    had = select(event.c.status, event.c.characteristics).where(event.c.invoice_id == row["id"])
    paid = paid_at_issue(document)  # the invoice itself has put it in the ledger
    events = connection.execute(had).mappings()
    refusal = incomplete(status, details) or excess(document, events, details, already=paid)
    if refusal is None and any(one.currency != "EUR" for one in collected(details)):
        fr, en = "Un encaissement se déclare en euros.", "What is collected is reported in euros."
        refusal = Refusal("REJ_ENCAISSEMENT", "G6.27", fr, en, ("MDT-216",))
    if refusal:
        raise NotAllowed(refusal)
    held = {one.message_identifier for one in history(connection, row["id"])}
    set_status(
        home, connection, row, document, status, role=Role.SELLER, details=details, written=written, declared=False
    )
    for one in history(connection, row["id"]):
        if one.message_identifier not in held:
            reporting_sources.take_collection(
                home, connection, row, document, message_id=one.message_identifier, details=details
            )


def _credit_note(document: Invoice) -> str:
    return document.number if document.is_credit_note else ""


def offered(connection: Connection, row: Row, document: Invoice) -> tuple[Any, ...]:
    """Return the statuses the tenant may set now."""
    if row["standing"] == "reportable" and reporting_sources.is_collectable(connection, row, document):
        return (STATUSES["212"],)
    if row["standing"] not in ("live", "undelivered"):
        return ()
    held = history(connection, row["id"])
    b2g = is_b2g(row)
    return possible(held, role_of(row), side=side_of(row), self_billed=document.is_self_billed, b2g=b2g)


def _check(
    connection: Connection, row: Row, document: Invoice, *, status: str, role: Role, details: tuple[Detail, ...]
) -> None:
    if row["standing"] == "archived":
        fr = "Facture archivée seulement : son cycle de vie est ailleurs, ou n'est pas."
        en = "Invoice archived only: its life cycle is elsewhere, or is none."
        raise NotAllowed(Refusal("REJ_INC", "EST-ARCHIVED", fr, en))
    held, b2g = history(connection, row["id"]), is_b2g(row)
    own = document.is_self_billed
    refusal = may(status, history=held, emitter_role=role, side=side_of(row), self_billed=own, b2g=b2g)
    refusal = refusal or incomplete(status, details, b2g=b2g)
    if refusal is None and status == "212":
        had = select(event.c.status, event.c.characteristics).where(event.c.invoice_id == row["id"])
        refusal = excess(document, connection.execute(had).mappings(), details)
    if refusal:
        raise NotAllowed(refusal)


def currency_of(row: Row, document: Invoice) -> str:
    """Return in which currency an amount is said: the invoice's; of what is reported, euros (G6.27)."""
    return "EUR" if row["standing"] == "reportable" else document.currency


def details_of(said: Answer, currency: str, *, on: datetime) -> tuple[Detail, ...]:
    """Return what goes with the status: the reason and comment, and one amount collected or paid for each given."""
    kind = "MEN" if said.status == "212" else "MPA"
    day = paris_day(on) if kind == "MPA" else None
    amounts = tuple(
        Characteristic(type_code=kind, amount=amount, currency=currency, percent=rate, changed=False, on=day)
        for rate, amount in said.amounts
    )
    notes = (Note(said.comment),) if said.comment else ()
    if not (said.reason or said.action or notes or amounts):
        return ()
    return (
        Detail(
            sequence=1,
            reason_code=said.reason or "",
            requested_action=said.action or "",
            notes=notes,
            characteristics=amounts,
        ),
    )
