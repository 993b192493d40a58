"""What the controls ask the portal: was it had, is it known; asked once for all that a flow brings.

An answer is remembered until the transaction ends. `foresee_*` asks for a whole flow in a few statements, so that a
thousand objects do not ask one by one; `accepted_*` keeps what is remembered true as the flow goes on. Nothing depends
on a flow having been foreseen: what was not is asked when it is needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, tuple_

from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report
from estafette.formats.status_message import StatusMessage
from estafette.lifecycle.guards import StatusEvent
from estafette.portal.fact_tables import replaced_fact
from estafette.portal.reporting_tables import accepted_report, reported_invoice
from estafette.portal.tables import invoice_data, legal_unit, obligatory_status
from estafette.store import gathered

TOGETHER = 500
"""Keys in one question: well under what an engine binds in one statement."""

Key = TypeVar("Key")
InvoiceKey = tuple[str, str, int]
ReportedKey = tuple[str, int, str]
Told = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Transmission:
    """A transmission accepted for a period, and whether it stands."""

    id: int
    role: str
    kind: str
    identifier: str
    type_code: str
    issued_at: datetime | None
    stands: bool


# ------------------------------------------------------------------------------------------------------------ Flow 1


def is_unit(connection: Connection, siren: str) -> bool:
    """Tell whether the directory has this legal unit."""
    known = gathered.remember(connection, "units", set[str])
    if siren not in known:  # one that is not there may come
        known.update(_units(connection, [siren]))
    return siren in known


def is_sent(connection: Connection, data: Flux1) -> bool:
    """Tell whether data of this seller, year and number were accepted already (G1.45)."""
    key = _key_of(data)
    return gathered.remember(connection, ("sent", key), lambda: bool(_sent(connection, [key])))


def deposited_at(connection: Connection, data: Flux1) -> datetime | None:
    """Return when the invoice of these data was deposited (status 200), when that was told already."""
    key = _key_of(data)
    return gathered.remember(connection, ("deposited", key), lambda: _deposits(connection, [key]).get(key))


def foresee_data(connection: Connection, many: Sequence[Flux1]) -> None:
    """What will be asked of these data is remembered."""
    _foresee_units(connection, (siren for one in many for siren in (one.seller_siren, one.buyer_siren)))
    keys = {_key_of(one) for one in many}
    sent = {key for some in _by(keys) for key in _sent(connection, some)}
    deposits = {key: at for some in _by(keys) for key, at in _deposits(connection, some).items()}
    for key in keys:
        gathered.memorize(connection, ("sent", key), key in sent)
        gathered.memorize(connection, ("deposited", key), deposits.get(key))


def accepted_data(connection: Connection, data: Flux1) -> None:
    """The data are had from now on."""
    gathered.memorize(connection, ("sent", _key_of(data)), True)


def _key_of(data: Flux1) -> InvoiceKey:
    return data.seller_siren, data.number, data.issue_date.year


# ------------------------------------------------------------------------------------------------------------ Flow 6


def told_under(connection: Connection, matricule: str, message: StatusMessage) -> Told | None:
    """Return what this platform told already under the identifier of the message (MDT-4), None when nothing."""
    name = (matricule, message.identifier)
    return gathered.remember(connection, ("had", *name), lambda: _had(connection, [name]).get(name))


def statuses_of(connection: Connection, message: StatusMessage) -> list[StatusEvent]:
    """Return the statuses accepted of the invoice that a message is about."""
    key = invoice_of(message)
    return gathered.remember(connection, ("statuses", key), lambda: [row[1] for row in _statuses(connection, [key])])


def foresee_statuses(connection: Connection, matricule: str, many: Sequence[StatusMessage]) -> None:
    """What will be asked of these messages is remembered."""
    names = {(matricule, one.identifier) for one in many}
    had = {name: told for some in _by(names) for name, told in _had(connection, some).items()}
    for name in names:
        gathered.memorize(connection, ("had", *name), had.get(name))
    held: dict[InvoiceKey, list[StatusEvent]] = {invoice_of(one): [] for one in many}
    for some in _by(held):
        for key, event in _statuses(connection, some):
            held[key].append(event)
    for key, events in held.items():
        gathered.memorize(connection, ("statuses", key), events)


def accepted_status(connection: Connection, matricule: str, message: StatusMessage) -> None:
    """The status is had from now on."""
    event = StatusEvent(message.status, message.set_at, message.issuer.role, message.identifier)
    held = statuses_of(connection, message)
    gathered.memorize(connection, ("statuses", invoice_of(message)), [*held, event])
    gathered.memorize(connection, ("had", matricule, message.identifier), told_by(message))


def told_by(message: StatusMessage) -> Told:
    """Return what a message tells: which status of which invoice."""
    return *invoice_of(message), message.status


def invoice_of(message: StatusMessage) -> InvoiceKey:
    """Return the invoice that a message is about: seller, number, year; 0 when it gives no day."""
    day = message.object_day
    return message.seller_siren, message.object_identifier, day.year if day else 0


# ----------------------------------------------------------------------------------------------------------- Flow 10


def transmissions_of(connection: Connection, report: Report) -> list[Transmission]:
    """Return what was accepted of the declarant for the period, in any role and kind."""
    key = _period_of(report)
    asked = ("period", key)
    return gathered.remember(connection, asked, lambda: [row[1] for row in _transmissions(connection, [key])])


def foresee_reports(connection: Connection, many: Sequence[Report]) -> None:
    """What will be asked of these transmissions is remembered."""
    _foresee_units(connection, (one.declarant for one in many))
    held: dict[tuple[str, date, date], list[Transmission]] = {_period_of(one): [] for one in many}
    for some in _by(held):
        for key, transmission in _transmissions(connection, some):
            held[key].append(transmission)
    for key, transmissions in held.items():
        gathered.memorize(connection, ("period", key), transmissions)


def accepted_transmission(connection: Connection, report: Report, accepted: Transmission, ended: int | None) -> None:
    """The transmission is had from now on; the one whose number is `ended`, which may be itself, stands no more."""
    held = [*transmissions_of(connection, report), accepted]
    held = [_ended(one) if one.id == ended else one for one in held]
    gathered.memorize(connection, ("period", _period_of(report)), held)


def reported_elsewhere(connection: Connection, report: Report, keys: Iterable[ReportedKey]) -> frozenset[ReportedKey]:
    """Return which of these invoices (seller, year, number) a transmission of another period reports, and stands."""
    about = {"declarant": report.declarant, "role": report.role.value, "start": report.start, "end": report.end}
    asked = (connection.execute(_REPORTED, {"keys": some, **about}) for some in _by(set(keys)))
    return frozenset((row[0], row[1], row[2]) for rows in asked for row in rows)


def _ended(one: Transmission) -> Transmission:
    return Transmission(one.id, one.role, one.kind, one.identifier, one.type_code, one.issued_at, False)


def _period_of(report: Report) -> tuple[str, date, date]:
    return report.declarant, report.start, report.end


# --------------------------------------------------------------------------------------------------------- questions


def _foresee_units(connection: Connection, sirens: Iterable[str]) -> None:
    known = gathered.remember(connection, "units", set[str])
    for some in _by(set(sirens) - known):
        known.update(_units(connection, some))


def _by(keys: Iterable[Key]) -> Iterator[list[Key]]:
    left = iter(keys)
    while some := list(islice(left, TOGETHER)):
        yield some


def _units(connection: Connection, sirens: list[str]) -> list[str]:
    return list(connection.execute(_KNOWN, {"keys": sirens}).scalars())


def _sent(connection: Connection, keys: list[InvoiceKey]) -> list[InvoiceKey]:
    return [(row[0], row[1], row[2]) for row in connection.execute(_SENT, {"keys": keys})]


def _deposits(connection: Connection, keys: list[InvoiceKey]) -> dict[InvoiceKey, datetime]:
    rows = connection.execute(_DEPOSITED, {"keys": keys})
    return {(row[0], row[1], row[2]): row[3] for row in rows if row[3] is not None}


def _had(connection: Connection, names: list[tuple[str, str]]) -> dict[tuple[str, str], Told]:
    rows = connection.execute(_HAD, {"keys": names})
    return {(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in rows}


def _statuses(connection: Connection, keys: list[InvoiceKey]) -> Iterator[tuple[InvoiceKey, StatusEvent]]:
    for row in connection.execute(_HELD, {"keys": keys}):
        yield (row[0], row[1], row[2]), StatusEvent(*row[3:])


def _transmissions(
    connection: Connection, keys: list[tuple[str, date, date]]
) -> Iterator[tuple[tuple[str, date, date], Transmission]]:
    for declarant, start, end, is_replaced, *fields in connection.execute(_PERIOD, {"keys": keys}):
        number, role, kind, identifier, type_code, issued_at = fields
        stands = not is_replaced
        yield (declarant, start, end), Transmission(number, role, kind, identifier, type_code, issued_at, stands)


def _among(*columns: Any) -> Any:
    return tuple_(*columns).in_(bindparam("keys", expanding=True))


_data, _status, _report, _reported = invoice_data.c, obligatory_status.c, accepted_report.c, reported_invoice.c
_KNOWN = gathered.reads(
    select(legal_unit.c.siren)
    .distinct()
    .where(legal_unit.c.siren.in_(bindparam("keys", expanding=True)))
    .where(or_(legal_unit.c.is_taxable, legal_unit.c.entity_type == "P"))  # who never was is in no directory
)
_SENT = gathered.reads(
    select(_data.seller_siren, _data.number, _data.year).where(_among(_data.seller_siren, _data.number, _data.year))
)
_DEPOSITED = gathered.reads(
    select(
        *(_status.seller_siren, _status.number, _status.year),
        func.max(_status.set_at).filter(_status.status == "200"),  # no condition: half of all there are meet it
    )
    .where(_among(_status.seller_siren, _status.number, _status.year))
    .group_by(_status.seller_siren, _status.number, _status.year)
)
_HAD = gathered.reads(
    select(
        *(_status.partner, _status.message_id),
        *(_status.seller_siren, _status.number, _status.year, _status.status),
    ).where(_among(_status.partner, _status.message_id))
)
_HELD = gathered.reads(
    select(
        *(_status.seller_siren, _status.number, _status.year),
        *(_status.status, _status.set_at, _status.emitter_role, _status.message_id),
    ).where(_among(_status.seller_siren, _status.number, _status.year))
)
_PERIOD = gathered.reads(
    select(
        *(_report.declarant, _report.start, _report.end),
        exists().where(replaced_fact.c.message == _report.id),
        *(_report.id, _report.role, _report.kind, _report.identifier, _report.type_code, _report.issued_at),
    ).where(_among(_report.declarant, _report.start, _report.end))
)
_REPORTED = gathered.reads(
    select(_reported.seller, _reported.year, _reported.number)
    .select_from(reported_invoice.join(accepted_report))
    .where(_among(_reported.seller, _reported.year, _reported.number))
    .where(~exists().where(replaced_fact.c.message == _report.id))
    .where(
        ~and_(
            _report.declarant == bindparam("declarant"),
            _report.role == bindparam("role"),
            _report.start == bindparam("start"),
            _report.end == bindparam("end"),
        )
    )
)
