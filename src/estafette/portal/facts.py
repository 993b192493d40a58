"""What the concentrator has accepted: kept once, asked by the controls (`held`), told to the administration (`feed`).

Every accepted message has a number, drawn in the order of acceptance, and every fact keeps the message that brought it:
its flow, its file, its digest. Nothing is ever changed: what a later message replaces or ends is told by other rows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report, Role
from estafette.formats.status_message import StatusMessage
from estafette.portal import fact_rows, held
from estafette.portal.fact_tables import fact, replaced_fact
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall
from estafette.portal.held import Transmission
from estafette.portal.reporting_tables import accepted_report, reported_invoice
from estafette.portal.tables import invoice_data, obligatory_status
from estafette.reporting.controls import invoice_key
from estafette.reporting.standing import Rank, rank
from estafette.store import gathered, sequences

FACT = "fact"
"""The counter of accepted messages."""


def accept_data(hall: Hall, connection: Connection, came: Came, data: Flux1) -> Fact:
    """The regulatory data of an invoice are kept; returns what the administration is told."""
    now, number = hall.actor.clock(), sequences.draw(connection, FACT)
    row = {
        "id": number,
        "seller_siren": data.seller_siren,
        "number": data.number,
        "year": data.issue_date.year,
        "buyer_siren": data.buyer_siren,
        "issue_date": data.issue_date,
        **_brought(came, now),
    }
    gathered.add(connection, invoice_data, row)
    _keep(connection, came, number, fact_rows.of_data(data), now)
    held.accepted_data(connection, data)
    return {
        "kind": "invoice-data",
        "fact": number,
        "key": _key(data.seller_siren, data.number, data.issue_date.year),
        "data": data,
        "platform": came.partner.matricule,
        "accepted_at": now,
        "flow": f"{came.flow}/{came.file}",
    }


def accept_status(hall: Hall, connection: Connection, came: Came, message: StatusMessage) -> Fact:
    """An obligatory status is kept; returns what the administration is told."""
    now, number = hall.actor.clock(), sequences.draw(connection, FACT)
    key = _key(*held.invoice_of(message))
    row = {
        "message_id": message.identifier,
        "seller_siren": key["seller"],
        "number": key["number"],
        "year": key["year"],
        "status": message.status,
        "emitter_role": message.issuer.role,
        "set_at": message.set_at,
        "fact": number,
        **_brought(came, now),
    }
    gathered.add(connection, obligatory_status, row)
    _keep(connection, came, number, fact_rows.of_status(message, key["year"]), now)
    held.accepted_status(connection, came.partner.matricule, message)
    return {
        "kind": "status",
        "fact": number,
        "key": key,
        "status": int(message.status),
        "set_at": message.set_at.isoformat(),
        "reasons": list(message.reason_codes),
        "collected": [{"rate": str(one.percent), "amount": str(one.amount)} for one in message.characteristics("MEN")],
        "message_id": message.identifier,
        "platform": came.partner.matricule,
    }


def accept_report(hall: Hall, connection: Connection, came: Came, report: Report) -> Fact:
    """A transmission of e-reporting is kept, and stands for its period or not; returns what the administration is told.

    Of a period the highest in rank stands, whatever the order in which they came (`reporting.standing`).
    """
    now, number = hall.actor.clock(), sequences.draw(connection, FACT)
    row = {
        "id": number,
        "declarant": report.declarant,
        "role": report.role.value,
        "kind": report.kind.value,
        "start": report.start,
        "end": report.end,
        "identifier": report.identifier,
        "type_code": report.type_code,
        "issued_at": report.issued_at,
        **_brought(came, now),
    }
    _replace(connection, report, number, now)
    gathered.add(connection, accepted_report, row)
    keys = [key for key in map(invoice_key, report.invoices) if key and report.role is Role.SELLER]
    for place, (seller, year, invoice) in enumerate(keys):
        reported = {"report_id": number, "place": place, "seller": seller, "year": year, "number": invoice}
        gathered.add(connection, reported_invoice, reported)
    _keep(connection, came, number, fact_rows.of_report(report), now)
    return {
        "kind": "report",
        "fact": number,
        "data": report,
        "platform": came.partner.matricule,
        "accepted_at": now,
        "flow": f"{came.flow}/{came.file}",
    }


def _replace(connection: Connection, report: Report, number: int, now: datetime) -> None:
    """Of the transmissions of the period one stands; every other stands no more, since now and because of it."""
    accepted = Transmission(
        number, report.role.value, report.kind.value, report.identifier, report.type_code, report.issued_at, True
    )
    same = (one for one in held.transmissions_of(connection, report) if one.stands and _is_of(one, report))
    standing, ended = next(same, None), None
    if standing is not None:
        is_first = rank(report.type_code, report.issued_at, report.identifier) > _rank(standing)
        ended, by = (standing.id, number) if is_first else (number, standing.id)
        gathered.add(connection, replaced_fact, {"message": ended, "by": by, "known_until": now})
    held.accepted_transmission(connection, report, accepted, ended)


def _is_of(one: Transmission, report: Report) -> bool:
    return (one.role, one.kind) == (report.role.value, report.kind.value)


def _rank(one: Transmission) -> Rank:
    return rank(one.type_code, one.issued_at, one.identifier)


def _brought(came: Came, now: datetime) -> dict[str, Any]:
    """Return what names the message that brings a fact."""
    flow, file = str(came.flow), came.file
    brought = {"partner": came.partner.matricule, "flow_name": flow, "file_name": file, "sha256": came.sha256}
    return {**brought, "recorded_at": now}


def _keep(connection: Connection, came: Came, number: int, rows: Sequence[fact_rows.Row], now: datetime) -> None:
    """The facts of one message are kept under its number."""
    about = {"message": number, "platform": came.partner.matricule, "known_from": now}
    for place, row in enumerate(rows):
        gathered.add(connection, fact, {**about, "place": place, **row})


def _key(seller: str, number: str, year: int) -> dict[str, Any]:
    return {"seller": seller, "number": number, "year": year}
