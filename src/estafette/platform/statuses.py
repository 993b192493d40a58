"""A status is set here, by the platform or for its customer: kept, told, passed on, declared.

Who hears of it: the customer always; the other platform, unless the status is between the sender and its own platform
(200, 201, a rejection at issue); the portal, when the status is obligatory.
"""

from datetime import datetime

from sqlalchemy import Connection

from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar
from estafette.formats.status_message import Detail, Party, Role, StatusMessage
from estafette.invoice.model import Invoice
from estafette.lifecycle import STATUSES
from estafette.lifecycle.guards import told_of
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party, platform_party
from estafette.platform import flows
from estafette.platform.declarations import declare_status
from estafette.platform.deliveries import Row, lane_of
from estafette.platform.home import Home
from estafette.platform.life_cycle import history, keep
from estafette.store.identifiers import any_identifier


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
        give(connection, row, message, sha256, origin="platform", now=now)
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
        identifier=written.identifier if written else f"{row['number']}_{status}_{any_identifier().hex}",
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


def give(
    connection: Connection,
    row: Row,
    message: StatusMessage,
    sha256: str,
    *,
    origin: str,
    now: datetime,
) -> None:
    """The customer finds the status among its flows."""
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
        id=any_identifier().hex,
        kind=Kind.STATUS,
        sender=row["matricule"] or home.identity.matricule,
        recipient=row["peer"],
        name=f"{row['number']}_{message.status}.xml",
        sha256=sha256,
    )
    home.post.send(connection, sent, lane=lane_of(row))
