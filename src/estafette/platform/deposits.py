"""What becomes of a file that a customer deposited: an invoice, a status, data of e-reporting, or nothing usable."""

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from estafette.formats import cdar
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Syntax, Unreadable
from estafette.platform import acknowledgements, answers, flows, intake, reporting_deposits
from estafette.platform.answers import NotAllowed
from estafette.platform.examination import Examined
from estafette.platform.flows import Refusal
from estafette.platform.home import Home
from estafette.platform.tables import invoice
from estafette.store.queries import AnyRow


def settle(home: Home, connection: Connection, row: AnyRow, data: bytes, examined: Examined) -> None:
    """The deposit is what it turns out to be, unless it was settled before, or the very bytes were deposited before."""
    if row["acknowledgement"] != "Pending":
        return
    earlier = flows.technical_duplicate(connection, siren=row["siren"], identifier=row["id"], sha256=row["sha256"])
    if earlier:
        _acknowledge(home, connection, row, flows.repeated(earlier))
    elif examined.syntax is Syntax.CDAR and row["syntax"] == Syntax.CDAR.value and examined.refusal is None:
        refusal, known = _take_status(home, connection, row, data)
        _acknowledge(home, connection, row, refusal, **known)
    elif examined.syntax is Syntax.FRR:
        reporting_deposits.settle(home, connection, row, data, examined)
    else:
        intake.settle(home, connection, row, data, examined)


def _acknowledge(home: Home, connection: Connection, row: AnyRow, refusal: Refusal | None, **known: Any) -> None:
    flows.acknowledge(connection, row["id"], refusal=refusal, now=home.actor.clock(), **known)


def _take_status(home: Home, connection: Connection, row: AnyRow, data: bytes) -> tuple[Refusal | None, dict[str, Any]]:
    """Set the status that a customer's software deposited (CDAR); return why it cannot be, and what it is about."""
    try:
        message = cdar.read(data)
    except Unreadable as unreadable:
        text = f"{unreadable.code}: {unreadable.reason_fr} / {unreadable.reason_en}"
        return Refusal("InvalidSchema", text), {}
    held = _about(connection, row["siren"], message)
    if held is None:
        text = f"Facture {message.object_identifier} inconnue. / Unknown invoice {message.object_identifier}."
        return Refusal("InvoiceLCRuleError", text, item="MDT-87"), {}
    known = {"flow_type": f"{flows.type_of(held)}LC", "invoice_id": held["id"]}
    try:
        answers.answer_message(home, connection, held, home.invoice(held["sha256"]), message)
    except NotAllowed as refused:
        return Refusal(acknowledgements.REASON_OF[refused.refusal.code], str(refused), item="MDT-105"), known
    return None, known


def _about(connection: Connection, siren: str, message: StatusMessage) -> RowMapping | None:
    day = message.object_day
    query = select(invoice).where(
        invoice.c.siren == siren,
        invoice.c.seller_siren == message.seller_siren,
        invoice.c.number == message.object_identifier,
        invoice.c.standing.in_(("live", "undelivered", "reportable")),
    )
    if day:
        query = query.where(invoice.c.year == day.year)
    return connection.execute(query).mappings().first()
