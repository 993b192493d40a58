"""An invoice come from another platform: kept, judged again, made available to its addressee or rejected.

The receiving platform owes the sender's 202 then 203, or 213 with its reasons; an address that is not served here, or
no longer since its customer changed platform, is a routing error (221). A rejected invoice is not handed over: the
addressee only sees that there was one. The State is not told of the rejection of a copy while the invoice itself lives
here: it would take it for that one's.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar
from estafette.formats.status_message import Detail, Note
from estafette.invoice.model import Invoice
from estafette.lifecycle.messages import InvoiceReference, between_platforms, platform_party
from estafette.platform import flows
from estafette.platform.deliveries import lane_of
from estafette.platform.examination import Examined
from estafette.platform.home import Home
from estafette.platform.intake import Ruling, duplicate, had, record, rejection
from estafette.platform.processing import Determined, determine, profile_of
from estafette.platform.status_reception import join_early
from estafette.platform.statuses import message_of, set_status
from estafette.platform.tables import company
from estafette.store import jobs
from estafette.store.identifiers import any_identifier
from estafette.store.queries import Lookup, Row
from estafette.values.moments import paris_day

RECEIVE = "receive"


def keep(home: Home, connection: Connection, message: Message) -> None:
    """The invoice is had; it will be judged."""
    names = ("id", "sender", "recipient", "name", "sha256")
    payload = {name: getattr(message, name) for name in names}
    key = f"{RECEIVE}:{message.sender}:{message.id}"
    jobs.add(connection, queue=RECEIVE, key=key, payload=payload, now=home.actor.clock())


def settle(home: Home, connection: Connection, payload: dict[str, Any], examined: Examined) -> None:
    """What was decided of the invoice is written and told."""
    document = examined.invoice
    if document is None:
        _unusable(home, connection, payload, examined)
        return
    tenant = _tenant(home, connection, document)
    if tenant is None:
        _misrouted(home, connection, payload, document)
        return
    faults, lives = examined.faults, had(connection, tenant["siren"], "received", document, standing="live")
    if not faults and had(connection, tenant["siren"], "received", document):
        faults = (duplicate(document),)
    ruling = Ruling("rejected" if faults else "live", faults, recipient=payload["sender"])
    brought = {**payload, "syntax": examined.syntax.value, "message_id": payload["id"]}
    now = home.actor.clock()
    row = record(connection, tenant["siren"], "received", document, deposit=brought, ruling=ruling, now=now)
    if faults:
        set_status(home, connection, row, document, "213", details=rejection(faults), declared=not lives)
        return
    _hand_over(home, connection, row, document)


def _hand_over(home: Home, connection: Connection, row: dict[str, Any], document: Invoice) -> None:
    set_status(home, connection, row, document, "202")
    determined = determine(document, is_public=partial(home.mirror.is_public, connection))
    flows.give(
        connection,
        siren=row["siren"],
        flow_type="CustomerInvoice" if document.is_self_billed else "SupplierInvoice",
        syntax=row["syntax"],
        name=row["file_name"],
        sha256=row["sha256"],
        invoice_id=row["id"],
        origin="peer",
        now=home.actor.clock(),
        processing_rule=determined.rule if isinstance(determined, Determined) else "B2B",
        profile=profile_of(document),
    )
    set_status(home, connection, row, document, "203")
    join_early(home, connection, row)


def _tenant(home: Home, connection: Connection, document: Invoice) -> Row | None:
    """Return the customer of this platform that the address belongs to, unless it is received elsewhere by now."""
    address, today = document.addressee.value if document.addressee else "", paris_day(home.actor.clock())
    siren = home.mirror.served(connection, address, by=home.identity.matricules, on=today)
    return COMPANY.first(connection, siren=siren) if siren else None


def _misrouted(home: Home, connection: Connection, payload: dict[str, Any], document: Invoice) -> None:
    """Tell the sender that the address is not served here (221)."""
    now = home.actor.clock()
    row = {
        "number": document.number,
        "type_code": document.type_code,
        "issue_date": document.issue_date,
        "seller_siren": document.seller_siren,
        "year": document.issue_date.year if document.issue_date else 0,
        "received_at": now,
        "side": "received",
    }
    details = (Detail(sequence=1, reason_code="ROUTAGE_ERR"),)
    message = message_of(row, document, "221", details=details, now=now)
    _return(home, connection, payload, cdar.write(message), lane=lane_of(row))


def _unusable(home: Home, connection: Connection, payload: dict[str, Any], examined: Examined) -> None:
    """Tell the sender that its file cannot be used (501), by the identifier of the message that brought it."""
    now = home.actor.clock()
    text = examined.refusal.message if examined.refusal else ""
    detail = Detail(reason_code=examined.irreceivable or "IRR_TYPE_F", notes=(Note(text, "", payload["name"]),))
    reference = InvoiceReference(
        number=payload["id"], type_code="380", issue_date=paris_day(now), seller_siren="", received_at=now
    )
    message = between_platforms(
        "501",
        identifier=f"{payload['id']}_501",
        invoice=reference,
        issuer=platform_party(),
        recipients=(platform_party(),),
        set_at=now,
        issued_at=now,
        details=(detail,),
    )
    _return(home, connection, payload, cdar.write(message), lane=payload["id"])


def _return(home: Home, connection: Connection, payload: dict[str, Any], status: bytes, *, lane: str) -> None:
    """Answer under the number that was written to."""
    message = Message(
        id=any_identifier().hex,
        kind=Kind.STATUS,
        sender=payload["recipient"],
        recipient=payload["sender"],
        name="statut.xml",
        sha256=home.actor.documents.put(status),
    )
    home.post.send(connection, message, lane=lane)


COMPANY = Lookup(select(company), {"siren": company.c.siren})
