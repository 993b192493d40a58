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
from sqlalchemy import Connection, Table, select

from estafette.administration import alerts
from estafette.administration.facts import document_of
from estafette.administration.files import plain
from estafette.administration.tables import fact, report_fact, status_event
from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report
from estafette.store import gathered
from estafette.store.queries import Lookup
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
    told = _read(body)
    for kind, known in _KNOWN.items():
        known.ahead(connection, [_key(one) for one in told if isinstance(one, kind)])
    news = [_known_from_now(connection, one, received_at) for one in told]
    gathered.look_no_further(connection)
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
    if _KNOWN[type(told)].rows(connection, **_key(told)):
        return False
    if isinstance(told, StatusNotice):
        _status(connection, told, received_at)
    elif isinstance(told, ReportNotice):
        _report(connection, told, received_at)
    else:
        _data(connection, told, received_at)
    return True


def _key(told: Told) -> dict[str, Any]:
    """Return what the fact is one by."""
    if isinstance(told, ReportNotice):
        report = told.data
        period = {"start": report.start, "end": report.end}
        return {"declarant": report.declarant, **period, "transmission": report.identifier}
    invoice = {"seller": told.key.seller, "number": told.key.number, "year": told.key.year}
    return invoice | ({"flow": told.flow} if isinstance(told, InvoiceData) else {"message_id": told.message_id})


def _data(connection: Connection, told: InvoiceData, received_at: datetime) -> None:
    document = document_of(told.data)
    row: dict[str, Any] = {
        "taxpayer": document.taxpayer,
        "total_cents": alerts.total_cents(document),
        "buyer": document.buyer,
        "issue_date": document.issue_date,
    }
    row |= {"platform": told.platform, "accepted_at": told.accepted_at, "received_at": received_at}
    gathered.add(connection, fact, {**_key(told), **row, "data": plain(told.data)})
    alerts.look(connection, document, now=received_at)


def _status(connection: Connection, told: StatusNotice, received_at: datetime) -> None:
    data = {"reasons": list(told.reasons), "collected": plain(told.collected), "platform": told.platform}
    row = {"status": told.status, "set_at": told.set_at, "received_at": received_at, "data": data}
    gathered.add(connection, status_event, {**_key(told), **row})


def _report(connection: Connection, told: ReportNotice, received_at: datetime) -> None:
    report = told.data
    row = {"role": report.role.value, "kind": report.kind.value, "type_code": report.type_code}
    row |= {"platform": told.platform, "flow": told.flow}
    moments = {"accepted_at": told.accepted_at, "received_at": received_at}
    gathered.add(connection, report_fact, {**_key(told), **row, **moments, "data": plain(report)})


def _known_by(table: Table, *, through: tuple[str, ...]) -> Lookup:
    return Lookup(select(table.c[through[0]]), {column.name: column for column in table.primary_key}, through=through)


_KNOWN: dict[type[Told], Lookup] = {
    InvoiceData: _known_by(fact, through=("seller", "number")),
    StatusNotice: _known_by(status_event, through=("seller", "number")),
    ReportNotice: _known_by(report_fact, through=("declarant", "start")),
}
"""Where each kind of fact is looked for, by what it is one by."""
