"""Every status of an invoice, set here or come from the other platform: kept, told, passed on, declared.

A status set here is checked against what the life cycle allows; one that comes from elsewhere is kept as it came. A
status is the same by its identifier (MDT-4): had twice, it is had once. Who hears of it: the customer always; the other
platform, unless the status is between the sender and its own platform (200, 201, a rejection at issue); the portal,
when the status is obligatory.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from estafette.directory.resolution import CHORUS_PRO
from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar
from estafette.formats.status_message import Characteristic, Detail, Note, Party, Role, StatusMessage
from estafette.invoice.model import Invoice
from estafette.lifecycle import STATUSES, Refusal, Side, StatusEvent, may, possible
from estafette.lifecycle.contents import commented, incomplete
from estafette.lifecycle.guards import told_of
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party, platform_party
from estafette.platform import flows, reporting_sources
from estafette.platform.declarations import declare_status
from estafette.platform.home import Home
from estafette.platform.payments import excess
from estafette.platform.tables import early_status, event, invoice
from estafette.store import audit, gathered
from estafette.store.queries import Query
from estafette.values.moments import paris_day

Row = RowMapping | dict[str, Any]

IN_ORDER = (event.c.set_at, event.c.status, event.c.recorded_at)
"""The order of a life cycle: by the second each status was set; within one, as the codes go."""

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
    details = details_of(said, document.currency, on=home.actor.clock())
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
    refusal = incomplete(status, details) or excess(document, connection.execute(had).mappings(), details)
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


def set_status(
    home: Home,
    connection: Connection,
    row: Row,
    document: Invoice,
    status: str,
    *,
    role: Role = Role.PLATFORM,
    details: tuple[Detail, ...] = (),
    written: StatusMessage | None = None,
    declared: bool = True,
) -> None:
    """The status is kept, given to the customer, passed to the other platform and declared, in this transaction.

    `written`: the message of the customer's software, whose identifier, moment and attachments are its own.
    """
    now = home.actor.clock()
    second = now.replace(microsecond=0)  # what a message can tell: set here or come from elsewhere, one order
    told = told_of(status, history(connection, row["id"]))
    message = message_of(row, document, status, role=role, details=details, written=written, told=told, now=second)
    sha256 = home.actor.documents.put(cdar.write(message))
    if not keep(connection, row, message, sha256=sha256, now=now, received=False):
        return
    if written is None:  # what its software deposited, a customer has already
        _give(connection, row, message, sha256, origin="platform", now=now)
    if row["peer"] and _other(row, document) in told:
        _pass_on(home, connection, row, message, sha256)
    if declared:
        declare_status(home, connection, row, document, message)


def message_of(
    row: Row,
    document: Invoice,
    status: str,
    *,
    now: datetime,
    role: Role = Role.PLATFORM,
    details: tuple[Detail, ...] = (),
    written: StatusMessage | None = None,
    told: frozenset[Role] | None = None,
) -> StatusMessage:
    """Return the message by which those who are `told` learn of a status set now on this delivery.

    What a customer's software wrote keeps its moment (MDT-78), unless it is of before the invoice or of the future.
    """
    told = STATUSES[status].told if told is None else told
    if status in ("200", "201", "213") and row["side"] == "issued":
        told = frozenset({Role.BUYER if document.is_self_billed else Role.SELLER})  # who deposited, and nobody else
    parties = {one: _party(one, document) for one in (Role.SELLER, Role.BUYER)}
    recipients = [party for one, party in parties.items() if one in told and one != role]
    issuer = written.issuer if written and written.issuer.role else parties.get(role, platform_party())
    return between_platforms(
        status,
        identifier=written.identifier if written else f"{row['number']}_{status}_{uuid4().hex}",
        invoice=InvoiceReference(
            number=row["number"],
            type_code=row["type_code"],
            issue_date=row["issue_date"],
            seller_siren=row["seller_siren"],
            received_at=row["received_at"],
        ),
        issuer=issuer,
        recipients=recipients or [platform_party()],
        set_at=written.set_at if written and row["received_at"] <= written.set_at <= now else now,
        issued_at=now,
        details=details,
        attachments=written.attachments if written else (),
        name=f"{row['number']} {status}"[:150],
    )


def _other(row: Row, document: Invoice) -> Role:
    """Return what the one at the other end is in the invoice: its buyer, or its seller when the buyer draws it up."""
    return Role.BUYER if (row["side"] == "issued") is not document.is_self_billed else Role.SELLER


def _party(role: Role, document: Invoice) -> Party:
    """Return a party of the invoice with the address where it wants its statuses."""
    party = document.seller if role is Role.SELLER else document.buyer
    address = party.electronic_address.value if party.electronic_address else ""
    return company_party(role, party.siren or "", name=party.name or "", address=address)


def keep(
    connection: Connection,
    row: Row,
    message: StatusMessage,
    *,
    sha256: str,
    now: datetime,
    received: bool,
) -> bool:
    """The status is in the life cycle of this delivery; False when it already was."""
    had = history(connection, row["id"])
    if any(one.message_identifier == message.identifier for one in had):
        return False
    values = {
        "invoice_id": row["id"],
        "message_id": message.identifier,
        "status": message.status,
        "emitter_role": message.issuer.role,
        "set_at": message.set_at,
        "recorded_at": now,
        "received": received,
        "reasons": [
            {"reason": detail.reason_code, "action": detail.requested_action, "text": detail.reason}
            for detail in message.details
            if detail.reason_code
        ],
        "characteristics": [_characteristic(one) for detail in message.details for one in detail.characteristics],
        "comment": "\n".join(message.comments) or None,
        "sha256": sha256,
    }
    gathered.add(connection, event, values)
    fresh = StatusEvent(message.status, message.set_at, message.issuer.role, message.identifier)
    in_order = sorted([*had, fresh], key=lambda one: (one.set_at, one.status))
    gathered.memorize(connection, _life_of(row["id"]), in_order)
    told = {"status": message.status, "message": message.identifier, "sha256": sha256, "role": message.issuer.role}
    what = "status.received" if received else "status.set"
    audit.record(connection, row["siren"], what, about=row["id"], at=now, **told)
    return True


def receive(home: Home, connection: Connection, sender: str, message: StatusMessage, sha256: str) -> None:
    """The status come from another platform joins its delivery, or waits for it."""
    now = home.actor.clock()
    day = message.object_day
    key = {
        "seller_siren": message.seller_siren,
        "number": message.object_identifier,
        "year": day.year if day else 0,
    }
    row = _delivery(connection, sender, message, key)
    if row is None:
        values = {"message_id": message.identifier, "sender": sender, "sha256": sha256, "received_at": now, **key}
        mine = (early_status.c.sender == sender, early_status.c.message_id == message.identifier)
        known = select(early_status.c.sender).where(*mine)
        if connection.execute(known).first() is None:
            connection.execute(insert(early_status).values(values))
        return
    if _is_for_others(message, row):
        return
    if keep(connection, row, message, sha256=sha256, now=now, received=True):
        _give(connection, row, message, sha256, origin="peer", now=now)


def join_early(home: Home, connection: Connection, row: dict[str, Any]) -> None:
    """The statuses that came before this delivery are in its life cycle."""
    key = {name: row[name] for name in ("peer", "seller_siren", "number", "year")}
    for early in _EARLY.rows(connection, **key):
        message = cdar.read(home.actor.documents.get(early["sha256"]))
        mine = (early_status.c.sender == early["sender"], early_status.c.message_id == early["message_id"])
        connection.execute(delete(early_status).where(*mine))
        receive(home, connection, early["sender"], message, early["sha256"])


def history(connection: Connection, invoice_id: str) -> list[StatusEvent]:
    """Return the life cycle of a delivery in the order its statuses were set; a transaction reads it once."""
    return gathered.remember(
        connection,
        _life_of(invoice_id),
        lambda: [StatusEvent(*row) for row in _HISTORY.tuples(connection, invoice=invoice_id)],
    )


def begin(connection: Connection, invoice_id: str) -> None:
    """The delivery, just recorded, has no status yet: nothing is to be read."""
    gathered.memorize(connection, _life_of(invoice_id), [])


def _life_of(invoice_id: str) -> tuple[str, str]:
    return "life", invoice_id


def role_of(row: Row) -> Role:
    """Return what the tenant is in the invoice: its seller or its buyer."""
    return Role.SELLER if row["siren"] == row["seller_siren"] else Role.BUYER


def side_of(row: Row) -> Side:
    """Return which platform this one is for the delivery."""
    return Side.SENDING if row["side"] == "issued" else Side.RECEIVING


def is_b2g(row: Row) -> bool:
    """Tell whether Chorus Pro receives the invoice: it then knows fewer statuses, and other reasons."""
    return bool((row["peer"] if row["side"] == "issued" else row["matricule"]) == CHORUS_PRO)


def lane_of(row: Row) -> str:
    """Return the lane in which everything about one invoice travels, in order."""
    return f"{row['seller_siren']}/{row['year']}/{row['number']}"


def _delivery(connection: Connection, sender: str, message: StatusMessage, key: dict[str, Any]) -> Row | None:
    """Find the delivery a status is about: exchanged with its sender, the live one rather than a rejected one.

    A platform that could not read the invoice names the message that brought it (501).
    """
    if message.status == "501":
        same = (invoice.c.id == brought_by(message.object_identifier), invoice.c.peer == sender)
        return connection.execute(select(invoice).where(*same)).mappings().first()
    rows = _EXCHANGED.rows(connection, **key, peer=sender)
    return next((row for row in rows if _concerns(message, row)), None)


def brought_by(identifier: str) -> str:
    """Return the delivery that a message brought, by the message's identifier: the first one, or one sent again.

    >>> brought_by("4f6b"), brought_by("4f6b.3")
    ('4f6b', '4f6b')
    """
    return identifier.partition(".")[0]


def _concerns(message: StatusMessage, row: Row) -> bool:
    """Tell whether the other end speaks to this side: its platform to the sender, a party to the other one."""
    if message.issuer.role in ("", Role.PLATFORM):
        return bool(row["side"] == "issued")
    return message.issuer.role != role_of(row)


def _is_for_others(message: StatusMessage, row: Row) -> bool:
    """Tell whether the status is between parties of whom the tenant is none (226): it should not have come at all."""
    known = STATUSES.get(message.status)
    return known is not None and Role.PLATFORM not in known.told and role_of(row) not in known.told


def _give(
    connection: Connection,
    row: Row,
    message: StatusMessage,
    sha256: str,
    *,
    origin: str,
    now: datetime,
) -> None:
    flows.give(
        connection,
        siren=row["siren"],
        flow_type=f"{flows.type_of(row)}LC",
        syntax="CDAR",
        name=f"{row['number']}_{message.status}.xml",
        sha256=sha256,
        invoice_id=row["id"],
        origin=origin,
        now=now,
    )


def _pass_on(home: Home, connection: Connection, row: Row, message: StatusMessage, sha256: str) -> None:
    sent = Message(
        id=uuid4().hex,
        kind=Kind.STATUS,
        sender=row["matricule"] or home.identity.matricule,
        recipient=row["peer"],
        name=f"{row['number']}_{message.status}.xml",
        sha256=sha256,
    )
    home.post.send(connection, sent, lane=lane_of(row))


def _characteristic(one: Characteristic) -> dict[str, str | None]:
    """Return an amount or a datum of a status as it is kept: exact, as text."""
    return {
        "type": one.type_code,
        "term": one.term or None,
        "value": one.value or None,
        "amount": None if one.amount is None else format(one.amount, "f"),
        "currency": one.currency or None,
        "rate": None if one.percent is None else format(one.percent, "f"),
    }


_HISTORY = Query(
    select(event.c.status, event.c.set_at, event.c.emitter_role, event.c.message_id)
    .where(event.c.invoice_id == bindparam("invoice"))
    .order_by(*IN_ORDER),
    sees_gathered=False,
)
"""Asked before the transaction keeps any status of the delivery: later it is remembered."""
_EARLY = Query(
    select(early_status)
    .where(
        early_status.c.sender == bindparam("peer"),
        early_status.c.seller_siren == bindparam("seller_siren"),
        early_status.c.number == bindparam("number"),
        early_status.c.year == bindparam("year"),
    )
    .order_by(early_status.c.received_at)
)
_EXCHANGED = Query(
    select(invoice)
    .where(
        invoice.c.seller_siren == bindparam("seller_siren"),
        invoice.c.number == bindparam("number"),
        invoice.c.year == bindparam("year"),
        invoice.c.peer == bindparam("peer"),
    )
    .order_by(invoice.c.standing, invoice.c.received_at.desc())
)
