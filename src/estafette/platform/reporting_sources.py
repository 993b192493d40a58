"""What invoices and their collections put in the ledger of e-reporting.

An invoice that stays outside e-invoicing is a unit of block 10.1, or daily totals of block 10.3; one already paid is
its payment too. A collection (212) of such an invoice is a payment; one that gives back, of the invoice or of a credit
note on it, is taken off the payments it cancels, of whatever period, because the portal takes no negative cash (G1.16).
An invoice that is e-invoiced after all takes back what was reported of its number.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, select

from estafette.formats.flux10 import (
    Block,
    DailyPayment,
    InvoicePayment,
    PaidPart,
    Role,
)
from estafette.formats.status_message import Detail
from estafette.invoice.model import Invoice
from estafette.platform.home import Home
from estafette.platform.payments import collected
from estafette.platform.reporting_ledger import (
    Entry,
    Source,
    invoice_year,
    record,
    regimes,
    take_back,
    unit_of,
    units,
)
from estafette.platform.reporting_tables import unit_record
from estafette.reporting.aggregation import ZERO, aggregate
from estafette.reporting.calendar import regime_on
from estafette.reporting.cashing import REPORTED_BEFORE, is_on_collection, paid_at_issue, payment_of, reportable_parts
from estafette.reporting.decision import Decision, Treatment
from estafette.reporting.extraction import daily_totals, reported_invoice
from estafette.reporting.records import invoice_unit_key
from estafette.store.queries import Lookup
from estafette.values.moments import paris_day

Row = RowMapping | dict[str, Any]
Payment = InvoicePayment | DailyPayment


def take_invoice(home: Home, connection: Connection, row: Row, document: Invoice, decision: Decision) -> None:
    """The invoice is in the ledger of its declarant, as the decision says."""
    if document.business_process[1:] == REPORTED_BEFORE:
        return
    on_debits = _on_debits(connection, row["siren"], document)
    source = Source("invoice", row["id"])
    record(home, connection, row["siren"], _entries(home, row, document, decision, on_debits=on_debits), source)
    paid = reportable_parts(document, paid_at_issue(document), on_debits=on_debits)
    if paid and decision.role is Role.SELLER and document.issue_date:
        day = min(document.due_date or document.issue_date, paris_day(home.actor.clock()))
        payment = payment_of(document, decision.treatment, day, paid)
        _pay(home, connection, row, document, payment, key=f"paid:{row['id']}", source=source)


def _entries(home: Home, row: Row, document: Invoice, decision: Decision, *, on_debits: bool) -> Iterator[Entry]:
    if decision.treatment is Treatment.INTERNATIONAL:
        invoice = reported_invoice(document, decision.role, on=paris_day(home.actor.clock()))
        key = invoice_unit_key(decision.role, invoice)
        yield Entry(decision.role, key, invoice, reference=document.number)
        return
    for total in daily_totals(document, on_debits=on_debits):
        yield Entry(Role.SELLER, f"sale:{row['id']}:{total.category}", total, reference=document.number)


def e_invoiced(home: Home, connection: Connection, row: Row, document: Invoice) -> None:
    """What was reported of this number is taken back: an operation goes one way only.

    Not of a self-billed invoice: it bears a number of another seller's, whatever the company sold under the same.
    """
    if document.business_process[1:] == REPORTED_BEFORE or row["seller_siren"] != row["siren"]:
        return
    if REPORTED.value(connection, siren=row["siren"], number=document.number) is None:
        return
    mine = (unit_record.c.reference == document.number, unit_record.c.role == Role.SELLER.value)
    held = [each for each in units(connection, row["siren"], *mine) if invoice_year(unit_of(each)) == row["year"]]
    if held:
        take_back(home, connection, row["siren"], held, Source("invoice", row["id"]))


REPORTED = Lookup(select(unit_record.c.id), {"siren": unit_record.c.siren, "number": unit_record.c.reference})
"""Whether anything was ever reported of a number: asked for each invoice that is e-invoiced."""


def is_collectable(connection: Connection, row: Row, document: Invoice) -> bool:
    """Tell whether what is collected of this reported invoice is to be reported."""
    on_debits = _on_debits(connection, row["siren"], document)
    return row["siren"] == row["seller_siren"] and is_on_collection(document, on_debits=on_debits)


def take_collection(
    home: Home, connection: Connection, row: Row, document: Invoice, *, message_id: str, details: Sequence[Detail]
) -> None:
    """The collection of a reported invoice is in the ledger, on the day it was cashed."""
    today = paris_day(home.actor.clock())
    cashed: dict[date, list[tuple[Decimal, Decimal]]] = {}
    for one in collected(details):
        cashed.setdefault(min(one.on or today, today), []).append((one.percent or ZERO, one.amount or ZERO))
    treatment = _treatment(connection, row)
    on_debits = _on_debits(connection, row["siren"], document)
    source = Source("status", message_id)
    for day, amounts in cashed.items():
        payment = payment_of(document, treatment, day, reportable_parts(document, amounts, on_debits=on_debits))
        _pay(home, connection, row, document, payment, key=f"status:{message_id}:{day}", source=source)


def _pay(
    home: Home, connection: Connection, row: Row, document: Invoice, payment: Payment, *, key: str, source: Source
) -> None:
    """The payment is in the ledger; what it gives back is taken off those it cancels, the latest first, on their days.

    Those it cancels are of the invoice itself; of a credit note, of the invoices that it credits too. What cancels
    nothing that was reported stays on its own day: it is shown, and blocked when the day falls below nothing.
    """
    siren, number = row["siren"], document.number
    left = {part.rate: part.amount for part in payment.parts}
    entries = []
    if any(amount < 0 for amount in left.values()):
        for held in reversed(_paid(connection, siren, _concerned(document), until=payment.day)):
            if parts := tuple(_taken_off(held, left)):
                name = f"{key}@{held.day}" + (f"/{held.number}" if isinstance(held, InvoicePayment) else "")
                entries.append(Entry(Role.SELLER, name, replace(held, parts=parts), reference=number))
    rest = tuple(PaidPart(rate, amount) for rate, amount in left.items() if amount)
    if rest:
        entries.append(Entry(Role.SELLER, key, replace(payment, parts=rest), reference=number))
    record(home, connection, siren, entries, source)


def _concerned(document: Invoice) -> list[str]:
    """Name the invoices whose payments one that gives back may cancel."""
    credited = [one.number for one in document.preceding_invoices if one.number] if document.is_credit_note else []
    return sorted({document.number or "", *credited})


def _taken_off(held: Payment, left: dict[Decimal, Decimal]) -> Iterator[PaidPart]:
    """Give what is taken off a payment, rate by rate: no more than it amounts to; `left` is what is still to be."""
    for part in held.parts:
        taken = max(left.get(part.rate, ZERO), -part.amount)
        if taken < 0 < part.amount:
            left[part.rate] -= taken
            yield PaidPart(part.rate, taken)


def _paid(connection: Connection, siren: str, numbers: Sequence[str], *, until: date) -> list[Payment]:
    """Return what was cashed of these invoices and stands, one payment a day and block, the first first."""
    mine = (
        unit_record.c.reference.in_(numbers),
        unit_record.c.kind == Block.DAILY_PAYMENTS.kind.value,
        unit_record.c.day <= until,
    )
    content = aggregate(map(unit_of, units(connection, siren, *mine)), on=until)
    return sorted((*content.invoice_payments, *content.daily_payments), key=lambda payment: payment.day)


def _treatment(connection: Connection, row: Row) -> Treatment:
    """Return how the invoice was reported, from what it put in the ledger."""
    mine = (unit_record.c.source == "invoice", unit_record.c.source_id == row["id"])
    blocks = {each["block"] for each in units(connection, row["siren"], *mine)}
    return Treatment.INTERNATIONAL if Block.INVOICES in blocks else Treatment.CONSUMER


def _on_debits(connection: Connection, siren: str, document: Invoice) -> bool:
    day = document.issue_date
    return day is not None and regime_on(regimes(connection, siren), day).on_debits
