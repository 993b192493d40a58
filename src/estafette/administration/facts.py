"""What was told, read back: the data that stand, their statuses, and what VAT follows from in them."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, Table, and_, literal, or_, select

from estafette.administration.tables import fact, report_fact, status_event
from estafette.formats.flux1 import Flux1
from estafette.formats.flux10 import Report
from estafette.reporting.standing import standing
from estafette.vat.facts import Collected, Document, DocumentKey, Preceding, Status, VatBreakdown

ZERO = Decimal(0)


def document_of(facts: Flux1) -> Document:
    """Return what VAT follows from in these data; a breakdown without a rate (category O) is at 0."""
    period = facts.invoicing_period
    return Document(
        seller=facts.seller_siren,
        number=facts.number,
        issue_date=facts.issue_date,
        type_code=facts.type_code,
        business_process=facts.business_process,
        vat_breakdown=tuple(
            VatBreakdown(
                part.category or "O",
                part.rate or ZERO,
                part.taxable_amount or ZERO,
                part.tax_amount or ZERO,
                part.exemption_code,
            )
            for part in facts.vat_breakdown
        ),
        buyer=facts.buyer_siren,
        currency=facts.currency,
        vat_point_date_code=facts.vat_point_code,
        payment_due_date=facts.due_date,
        delivery_date=facts.delivery_date,
        period_start=period.start if period else None,
        period_end=period.end if period else None,
        seller_country=facts.seller_country or "FR",
        buyer_country=facts.buyer_country or "FR",
        vat_group=facts.vat_group_siren,
        preceding_invoices=tuple(
            Preceding(each.number, each.issue_date) for each in facts.preceding_invoices if each.number
        ),
    )


def document_in(data: Any) -> Document:
    """Return what VAT follows from in data as they are kept."""
    return document_of(msgspec.convert(data, Flux1))


def documents_of(connection: Connection, siren: str | None = None) -> list[Document]:
    """Return the data that stand: all of them, or those of invoices this company sent, declares or received."""
    query = select(fact.c.data).order_by(fact.c.accepted_at, fact.c.flow)
    if siren is not None:
        query = query.where(or_(fact.c.seller == siren, fact.c.taxpayer == siren, fact.c.buyer == siren))
    first: dict[DocumentKey, Document] = {}
    for (data,) in connection.execute(query):
        document = document_in(data)
        first.setdefault(document.key, document)
    return list(first.values())


def statuses_of(connection: Connection, siren: str | None = None) -> list[Status]:
    """Return the statuses: all of them, or those of invoices this company sent, declares or received."""
    query = select(status_event).order_by(status_event.c.set_at, status_event.c.message_id)
    if siren is not None:
        same = and_(*(fact.c[name] == status_event.c[name] for name in ("seller", "number", "year")))
        mine = or_(fact.c.seller == siren, fact.c.taxpayer == siren, fact.c.buyer == siren)
        query = query.where(select(literal(1)).where(same, mine).exists())
    return [_status_of(row) for row in connection.execute(query).mappings()]


def reports_of(connection: Connection, siren: str | None = None) -> tuple[Report, ...]:
    """Return the transmissions of e-reporting that stand: all of them, or those of this company."""
    query = select(report_fact.c.data)
    if siren is not None:
        query = query.where(report_fact.c.declarant == siren)
    return standing(msgspec.convert(data, Report) for (data,) in connection.execute(query))


def told_of(connection: Connection, key: DocumentKey) -> tuple[list[RowMapping], list[Status]]:
    """Return all that was told of one invoice: its data rows, the one that stands first, and its statuses."""
    rows = select(fact).where(*_same(fact, key)).order_by(fact.c.accepted_at, fact.c.flow)
    statuses = select(status_event).where(*_same(status_event, key)).order_by(status_event.c.set_at)
    held = [_status_of(row) for row in connection.execute(statuses).mappings()]
    return list(connection.execute(rows).mappings()), held


def _same(table: Table, key: DocumentKey) -> list[Any]:
    return [table.c.seller == key.seller, table.c.number == key.number, table.c.year == key.year]


def _status_of(row: RowMapping) -> Status:
    fields = {name: row[name] for name in ("seller", "number", "year", "message_id", "set_at")}
    collected = msgspec.convert(row["data"]["collected"], tuple[Collected, ...])
    return Status(**fields, code=row["status"], reasons=tuple(row["data"]["reasons"]), collected=collected)
