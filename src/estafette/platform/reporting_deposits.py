"""What a company hands in to be reported: files of unit records, and whole transmissions taken over as its own.

A file is kept as it came. It is taken whole or not at all, unless its good rows are asked for alone; each bad row is
answered. A transmission (FRR, Flow 10) must be its declarant's own, of one of its periods, that is over, and accepted
by the official rules; its units join the ledger, and the platform sends the period under its own name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, and_, insert, select

from estafette.formats import flux10
from estafette.formats.flux10 import Block, Report, ReportedInvoice, Role
from estafette.formats.xml import Unreadable
from estafette.platform import flows
from estafette.platform.examination import Examined
from estafette.platform.flows import Refusal
from estafette.platform.home import Home
from estafette.platform.reporting_drafts import faults_of
from estafette.platform.reporting_ledger import (
    BLOCKS,
    Entry,
    Source,
    day_of,
    in_period,
    invoice_year,
    record,
    regimes,
    take_back,
    units,
)
from estafette.platform.reporting_tables import reporting_file, unit_record
from estafette.platform.tables import invoice
from estafette.reporting.aggregation import Unit
from estafette.reporting.calendar import period_of
from estafette.reporting.records import Fault, Record, Records, invoice_unit_key
from estafette.store import audit
from estafette.store.queries import AnyRow
from estafette.values.moments import paris_day

FLOW_TYPES = {
    (Block.INVOICES, Role.SELLER): "UnitaryCustomerTransactionReport",
    (Block.INVOICES, Role.BUYER): "UnitarySupplierTransactionReport",
    (Block.DAILY_TOTALS, Role.SELLER): "AggregatedCustomerTransactionReport",
    (Block.INVOICE_PAYMENTS, Role.SELLER): "UnitaryCustomerPaymentReport",
    (Block.DAILY_PAYMENTS, Role.SELLER): "AggregatedCustomerPaymentReport",
}
"""Types of the flows of e-reporting (XP Z12-013 §3.6); several blocks make a MultiFlowReport."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: `state` is taken, partial (the good rows only) or refused; how many rows changed what."""

    identifier: str
    state: str
    rows: int
    changes: int
    faults: tuple[Fault, ...]


def take_records(
    home: Home,
    connection: Connection,
    siren: str,
    read: Records,
    data: bytes,
    *,
    name: str,
    source: str,
    partial: bool = False,
) -> Taken:
    """The file is kept; its rows are in the ledger when all are good, or the good ones when `partial` asks for them."""
    good, taken_elsewhere = _apart(connection, siren, read.records)
    faults = (*read.faults, *taken_elsewhere)
    state = "taken" if not faults else "partial" if partial and good else "refused"
    identifier = str(uuid4())
    changes = 0
    if state != "refused":
        changes = record(home, connection, siren, _entries(good), Source("file", identifier))
    row = {
        "id": identifier,
        "siren": siren,
        "name": name[:255],
        "sha256": home.actor.documents.put(data),
        "source": source,
        "state": state,
        "rows": len(good),
        "changes": changes,
        "faults": [fault.row() for fault in faults],
        "recorded_at": home.actor.clock(),
    }
    connection.execute(insert(reporting_file).values(row))
    told = {"name": row["name"], "sha256": row["sha256"], "state": state, "changes": changes}
    audit.record(connection, siren, "report.file", about=identifier, at=home.actor.clock(), **told)
    return Taken(identifier, state, len(good), changes, faults)


def _entries(records: Iterable[Record]) -> Iterator[Entry]:
    for each in records:
        for key, unit in each.units:
            yield Entry(each.role, key, unit, each.line, each.invoice_number)


def _apart(connection: Connection, siren: str, records: tuple[Record, ...]) -> tuple[list[Record], list[Fault]]:
    """Set apart the rows about an invoice that is e-invoiced: an operation goes one way only."""
    numbers = {each.invoice_number for each in records if each.invoice_number and each.role is Role.SELLER}
    held = _e_invoiced(connection, siren, sorted(numbers))
    good, faults = [], []
    for each in records:
        if not held.isdisjoint(_invoices_of(each)):
            fr = "facture déjà transmise en facturation électronique : elle ne se déclare pas en plus"
            en = "invoice already e-invoiced: it is not reported as well"
            faults.append(Fault(each.line, "invoice_number", str(each.invoice_number), fr, en))
        else:
            good.append(each)
    return good, faults


def _invoices_of(each: Record) -> set[tuple[str, int]]:
    """Return which invoice of the company a row is about: its number and its year; of a purchase, none."""
    if not each.invoice_number or each.role is not Role.SELLER:
        return set()
    return {(each.invoice_number, invoice_year(unit)) for _key, unit in each.units if unit is not None}


def _e_invoiced(connection: Connection, siren: str, numbers: list[str]) -> set[tuple[str, int]]:
    """Return the invoices that the company sold by and e-invoiced among these numbers, each with its year."""
    found: set[tuple[str, int]] = set()
    for at in range(0, len(numbers), 400):
        query = select(invoice.c.number, invoice.c.year).where(
            invoice.c.siren == siren,
            invoice.c.side == "issued",
            invoice.c.seller_siren == siren,
            invoice.c.number.in_(numbers[at : at + 400]),
            invoice.c.standing.in_(("live", "undelivered")),
        )
        found |= {(row.number, row.year) for row in connection.execute(query)}
    return found


# ------------------------------------------------------------------------------------------- a whole transmission (FRR)


def settle(home: Home, connection: Connection, deposit: AnyRow, data: bytes, examined: Examined) -> None:
    """The transmission deposited is taken over or refused, and its flow says so."""
    now = home.actor.clock()
    try:
        report = None if examined.refusal else flux10.read(data)
    except Unreadable as unreadable:
        text = f"{unreadable.code}: {unreadable.reason_fr} / {unreadable.reason_en} {unreadable.where}"
        flows.acknowledge(connection, deposit["id"], refusal=Refusal("InvalidSchema", text), now=now, syntax="FRR")
        return
    refusal = examined.refusal or (_refused(home, connection, deposit["siren"], report, examined) if report else None)
    known: dict[str, Any] = {"syntax": "FRR", "processing_rule": "NotApplicable"}
    if report is not None:
        known["flow_type"] = flow_type_of(report)
    flows.acknowledge(connection, deposit["id"], refusal=refusal, now=now, **known)
    if refusal is None and report is not None:
        _take_over(home, connection, deposit, report)


def flow_type_of(report: Report) -> str:
    """Return the type of the flow that a transmission is."""
    blocks = {BLOCKS[type(unit)] for unit in _units(report)}
    if len(blocks) == 1:
        return FLOW_TYPES.get((blocks.pop(), report.role), "MultiFlowReport")
    return "MultiFlowReport"


def _units(report: Report) -> tuple[Unit, ...]:
    return (*report.invoices, *report.daily_totals, *report.invoice_payments, *report.daily_payments)


def _refused(home: Home, connection: Connection, siren: str, report: Report, examined: Examined) -> Refusal | None:
    """Return why the transmission cannot be the company's own, by the first thing that is wrong."""
    if report.declarant != siren:
        fr, en = f"déclarant {report.declarant}, déposant {siren}", f"declarant {report.declarant}, depositor {siren}"
        return _refusal("REJ_COH", "TT-13", fr, en)
    for fault in faults_of(examined, report, on=paris_day(home.actor.clock())):
        return _refusal(fault.reason, fault.terms or fault.rule, f"{fault.rule} {fault.fr}", f"{fault.rule} {fault.en}")
    period = period_of(report.start, report.kind, regimes(connection, siren))
    if (report.start, report.end) != (period.start, period.end):
        bounds = f"{period.start} → {period.end}"
        fr = f"période {report.start} → {report.end} ; celle de votre régime de TVA est {bounds}"
        return _refusal("REJ_PER", "TT-17, TT-89", fr, f"period {report.start} → {report.end}; yours is {bounds}")
    for unit in _units(report):
        if not isinstance(unit, ReportedInvoice) and not report.start <= unit.day <= report.end:
            fr, en = f"jour {unit.day} hors de la période", f"day {unit.day} outside the period"
            return _refusal("REJ_PER", "TT-77, TT-92, TT-96", fr, en)
    return _second(connection, siren, report)


def _second(connection: Connection, siren: str, report: Report) -> Refusal | None:
    """Return why an initial transmission cannot follow another one: a correction (RE) replaces it."""
    if report.is_corrective or not _from_reports(connection, siren, report):
        return None
    fr = "une transmission initiale de cette période a déjà été déposée : déposez une rectificative (RE)"
    return _refusal("REJ_UNI", "TT-4", fr, "this period has an initial transmission already: deposit a corrective one")


def _refusal(code: str, item: str, fr: str, en: str) -> Refusal:
    return Refusal("OtherTechnicalError", f"{code}: {fr} / {en}", item=item)


def _from_reports(connection: Connection, siren: str, report: Report) -> list[RowMapping]:
    """Return the units of the period that reports brought."""
    period = in_period(report.role, report.kind, report.start, report.end)
    return units(connection, siren, and_(period, unit_record.c.source == "report"))


def _take_over(home: Home, connection: Connection, deposit: AnyRow, report: Report) -> None:
    """The units of the report are in the ledger; those of the one it corrects are taken back."""
    entries = [_entry(report, unit, place) for place, unit in enumerate(_units(report), start=1)]
    given = {entry.key for entry in entries}
    former = [row for row in _from_reports(connection, deposit["siren"], report) if row["key"] not in given]
    source = Source("report", deposit["id"])
    take_back(home, connection, deposit["siren"], former, source)
    record(home, connection, deposit["siren"], entries, source)


def _entry(report: Report, unit: Unit, place: int) -> Entry:
    day: date = min(max(day_of(unit), report.start), report.end)  # an invoice may be of before, and come late (G1.07)
    if isinstance(unit, ReportedInvoice):
        return Entry(report.role, invoice_unit_key(report.role, unit), unit, place, unit.number, day)
    return Entry(report.role, f"report:{report.start}:{report.identifier}:{place}", unit, place, day=day)
