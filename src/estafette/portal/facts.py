"""What the concentrator has accepted: kept once, told to the administration in the same transaction, asked by controls.

Every fact keeps the message that brought it.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select

from estafette.exchange.messages import Kind, Message
from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report, Role
from estafette.formats.status_message import StatusMessage
from estafette.lifecycle.guards import StatusEvent
from estafette.portal.hall import Came, Hall
from estafette.portal.reporting_tables import accepted_report, reported_invoice
from estafette.portal.tables import invoice_data, obligatory_status
from estafette.reporting.controls import invoice_key
from estafette.store import gathered


def is_sent(connection: Connection, data: Flux1) -> bool:
    """Tell whether data of this seller, year and number were accepted already (G1.45)."""
    same = {"seller": data.seller_siren, "number": data.number, "year": data.issue_date.year}
    return connection.execute(_SENT, same).first() is not None


def is_had(connection: Connection, matricule: str, message: StatusMessage) -> bool:
    """Tell whether this platform's message was accepted already: by its identifier (MDT-4)."""
    same = {"partner": matricule, "message": message.identifier}
    return connection.execute(_HAD, same).first() is not None


def statuses_of(connection: Connection, message: StatusMessage) -> list[StatusEvent]:
    """Return the statuses accepted of the invoice that a message is about."""
    day = message.object_day
    key = {"seller": message.seller_siren, "number": message.object_identifier, "year": day.year if day else 0}
    return [StatusEvent(*row) for row in connection.execute(_HELD, key)]


def accept_data(hall: Hall, connection: Connection, came: Came, data: Flux1) -> None:
    """The regulatory data of an invoice are kept and the administration will have them."""
    now = hall.actor.clock()
    row = {
        "seller_siren": data.seller_siren,
        "number": data.number,
        "year": data.issue_date.year,
        "buyer_siren": data.buyer_siren,
        "issue_date": data.issue_date,
        "partner": came.partner.matricule,
        "flow_name": str(came.flow),
        "file_name": came.file,
        "sha256": came.sha256,
        "recorded_at": now,
    }
    gathered.add(connection, invoice_data, row)
    fact = {
        "kind": "invoice-data",
        "key": _key(data.seller_siren, data.number, data.issue_date.year),
        "data": msgspec.to_builtins(data),
        "platform": came.partner.matricule,
        "accepted_at": now.isoformat(),
        "flow": f"{came.flow}/{came.file}",
    }
    tell(hall, connection, fact, f"{data.seller_siren}/{data.issue_date.year}/{data.number}")


def accept_status(hall: Hall, connection: Connection, came: Came, message: StatusMessage) -> None:
    """An obligatory status is kept and the administration will have it."""
    now = hall.actor.clock()
    day = message.object_day
    key = _key(message.seller_siren, message.object_identifier, day.year if day else 0)
    row = {
        "message_id": message.identifier,
        "seller_siren": key["seller"],
        "number": key["number"],
        "year": key["year"],
        "status": message.status,
        "emitter_role": message.issuer.role,
        "set_at": message.set_at,
        "partner": came.partner.matricule,
        "flow_name": str(came.flow),
        "sha256": came.sha256,
        "recorded_at": now,
    }
    gathered.add(connection, obligatory_status, row)
    fact = {
        "kind": "status",
        "key": key,
        "status": int(message.status),
        "set_at": message.set_at.isoformat(),
        "reasons": list(message.reason_codes),
        "collected": [{"rate": str(one.percent), "amount": str(one.amount)} for one in message.characteristics("MEN")],
        "message_id": message.identifier,
        "platform": came.partner.matricule,
    }
    tell(hall, connection, fact, f"{key['seller']}/{key['year']}/{key['number']}")


def accept_report(hall: Hall, connection: Connection, came: Came, report: Report) -> None:
    """A transmission of e-reporting is kept and the administration will have it."""
    now = hall.actor.clock()
    row = {
        "declarant": report.declarant,
        "role": report.role.value,
        "kind": report.kind.value,
        "start": report.start,
        "end": report.end,
        "identifier": report.identifier,
        "type_code": report.type_code,
        "partner": came.partner.matricule,
        "flow_name": str(came.flow),
        "file_name": came.file,
        "sha256": came.sha256,
        "recorded_at": now,
    }
    identifier = connection.execute(insert(accepted_report).values(row).returning(accepted_report.c.id)).scalar_one()
    keys = [key for key in map(invoice_key, report.invoices) if key and report.role is Role.SELLER]
    rows = [
        {"report_id": identifier, "place": place, "seller": seller, "year": year, "number": number}
        for place, (seller, year, number) in enumerate(keys)
    ]
    if rows:
        connection.execute(insert(reported_invoice), rows)
    fact = {
        "kind": "report",
        "data": msgspec.to_builtins(report),
        "platform": came.partner.matricule,
        "accepted_at": now.isoformat(),
        "flow": f"{came.flow}/{came.file}",
    }
    tell(hall, connection, fact, f"{report.declarant}/{report.start}")


def _key(seller: str, number: str, year: int) -> dict[str, Any]:
    return {"seller": seller, "number": number, "year": year}


def tell(hall: Hall, connection: Connection, fact: dict[str, Any], lane: str) -> None:
    """The administration will have the fact, once."""
    body = msgspec.json.encode(fact)
    sha256 = hall.actor.documents.put(body)
    message = Message(
        id=sha256,
        kind=Kind.FACT,
        sender=hall.identifier,
        recipient=hall.administration,
        name="fact.json",
        sha256=sha256,
    )
    hall.post.send(connection, message, lane=lane)


_SENT = gathered.reads(
    select(invoice_data.c.id).where(
        invoice_data.c.seller_siren == bindparam("seller"),
        invoice_data.c.number == bindparam("number"),
        invoice_data.c.year == bindparam("year"),
    )
)
_HAD = gathered.reads(
    select(obligatory_status.c.status).where(
        obligatory_status.c.partner == bindparam("partner"), obligatory_status.c.message_id == bindparam("message")
    )
)
_HELD = gathered.reads(
    select(
        obligatory_status.c.status,
        obligatory_status.c.set_at,
        obligatory_status.c.emitter_role,
        obligatory_status.c.message_id,
    ).where(
        obligatory_status.c.seller_siren == bindparam("seller"),
        obligatory_status.c.number == bindparam("number"),
        obligatory_status.c.year == bindparam("year"),
    )
)
