"""What the concentrator tells the administration: a list of facts, or one alone, as JSON.

    {"kind": "invoice-data", "key": {"seller": "100000009", "number": "F1", "year": 2026}, "platform": "0003",
     "accepted_at": "2026-09-01T09:00:00Z", "flow": "FFE0111A_…", "data": {…}}
    {"kind": "status", "key": {…}, "status": 212, "set_at": "2026-09-02T10:00:00Z", "message_id": "…",
     "reasons": [], "collected": [{"rate": "20", "amount": "720.00"}]}
    {"kind": "report", "platform": "0003", "accepted_at": "…", "flow": "FFE1025A_…", "data": {…}}

A fact has its number at the concentrator (`fact`), in the order of acceptance. `data` has the fields of
`formats.flux1.Flux1`, or of `formats.flux10.Report`, kept whole. Amounts are decimals in text, dates are ISO 8601,
moments carry their zone. Told twice is told once; a status may come before the data of its invoice.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Table, and_, literal, select

from estafette.administration import alerts
from estafette.administration.facts import document_of
from estafette.administration.files import plain
from estafette.administration.tables import fact, report_fact, status_event
from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report
from estafette.store import gathered
from estafette.vat.facts import Collected

Siren = Annotated[str, msgspec.Meta(pattern="^[0-9]{9}$")]
Number = Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Key(msgspec.Struct, frozen=True):
    """What makes an invoice unique (G1.45)."""

    seller: Siren
    number: Number
    year: int


class InvoiceData(msgspec.Struct, frozen=True, tag="invoice-data", tag_field="kind"):
    """The Flow 1 data that the concentrator accepted (250)."""

    key: Key
    data: Flux1
    platform: str
    accepted_at: Moment
    flow: str


class StatusNotice(msgspec.Struct, frozen=True, tag="status", tag_field="kind"):
    """An obligatory status that the concentrator accepted, or its own rejection (251)."""

    key: Key
    status: Literal[200, 210, 212, 213, 251]
    set_at: Moment
    message_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    reasons: tuple[str, ...] = ()
    collected: tuple[Collected, ...] = ()
    platform: str = ""


class WrongMessage(ValueError):
    """A message of the concentrator that is not one: the text says where, what was seen and what was expected."""


class ReportNotice(msgspec.Struct, frozen=True, tag="report", tag_field="kind"):
    """A transmission of e-reporting that the concentrator accepted (300)."""

    data: Report
    platform: str
    accepted_at: Moment
    flow: str


Told = InvoiceData | StatusNotice | ReportNotice
_one = msgspec.json.Decoder(Told)
_many = msgspec.json.Decoder(list[Told])


def receive(connection: Connection, body: bytes, *, received_at: datetime) -> bool:
    """What the message tells is known, and looked at by the detectors; False when it was all known already.

    Raises: WrongMessage, and nothing is written.
    """
    news = [_known_from_now(connection, told, received_at) for told in _read(body)]
    return any(news)


def _read(body: bytes) -> list[Told]:
    """Return the facts of a message, all of them right. Raises: WrongMessage."""
    try:
        told = _many.decode(body) if body.lstrip()[:1] == b"[" else [_one.decode(body)]
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise WrongMessage(str(error)) from None
    for one in told:
        if isinstance(one, InvoiceData) and one.data.key != (one.key.seller, one.key.year, one.key.number):
            raise WrongMessage(f"the data are those of {one.data.key} - at `$.key`")
    return told


def _known_from_now(connection: Connection, told: Told, received_at: datetime) -> bool:
    if isinstance(told, StatusNotice):
        return _status(connection, told, received_at)
    if isinstance(told, ReportNotice):
        return _report(connection, told, received_at)
    return _data(connection, told, received_at)


def _data(connection: Connection, told: InvoiceData, received_at: datetime) -> bool:
    document = document_of(told.data)
    key = {"seller": document.seller, "number": document.number, "year": document.key.year, "flow": told.flow}
    if _known(connection, fact, key):
        return False
    row: dict[str, Any] = {
        "taxpayer": document.taxpayer,
        "total_cents": alerts.total_cents(document),
        "buyer": document.buyer,
        "issue_date": document.issue_date,
    }
    row |= {"platform": told.platform, "accepted_at": told.accepted_at, "received_at": received_at}
    gathered.add(connection, fact, {**key, **row, "data": plain(told.data)})
    alerts.look(connection, document, now=received_at)
    return True


def _status(connection: Connection, told: StatusNotice, received_at: datetime) -> bool:
    key = {"seller": told.key.seller, "number": told.key.number, "year": told.key.year, "message_id": told.message_id}
    if _known(connection, status_event, key):
        return False
    data = {"reasons": list(told.reasons), "collected": plain(told.collected), "platform": told.platform}
    row = {"status": told.status, "set_at": told.set_at, "received_at": received_at, "data": data}
    gathered.add(connection, status_event, {**key, **row})
    return True


def _report(connection: Connection, told: ReportNotice, received_at: datetime) -> bool:
    report = told.data
    key = {
        "declarant": report.declarant,
        "start": report.start,
        "end": report.end,
        "transmission": report.identifier,
    }
    if _known(connection, report_fact, key):
        return False
    row = {"role": report.role.value, "kind": report.kind.value, "type_code": report.type_code}
    row |= {"platform": told.platform, "flow": told.flow}
    moments = {"accepted_at": told.accepted_at, "received_at": received_at}
    gathered.add(connection, report_fact, {**key, **row, **moments, "data": plain(report)})
    return True


def _known(connection: Connection, table: Table, key: dict[str, Any]) -> bool:
    same = and_(*(table.c[column] == value for column, value in key.items()))
    return connection.execute(select(literal(1)).where(same)).first() is not None
