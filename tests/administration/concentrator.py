"""What the concentrator tells, as it tells it."""

from typing import Any

import msgspec

from estafette.formats.flux1 import Flux1
from estafette.invoice.model import Period, PrecedingInvoice, VatBreakdown
from estafette.vat.facts import Document, Status


def facts(document: Document) -> Flux1:
    """The regulatory data of this invoice."""
    return Flux1(
        profile="BASE",
        number=document.number,
        issue_date=document.issue_date,
        type_code=document.type_code,
        business_process=document.business_process,
        currency=document.currency,
        seller_siren=document.seller,
        buyer_siren=document.buyer,
        seller_country=document.seller_country,
        buyer_country=document.buyer_country,
        vat_group_siren=document.vat_group,
        vat_point_code=document.vat_point_date_code,
        due_date=document.payment_due_date,
        delivery_date=document.delivery_date,
        invoicing_period=Period(document.period_start, document.period_end) if document.period_end else None,
        preceding_invoices=tuple(
            PrecedingInvoice(each.number, each.issue_date) for each in document.preceding_invoices
        ),
        vat_breakdown=tuple(
            VatBreakdown(
                taxable_amount=part.taxable_amount,
                tax_amount=part.tax_amount,
                category=part.category,
                rate=part.rate,
                exemption_code=part.exemption_code,
            )
            for part in document.vat_breakdown
        ),
    )


def told(document: Document, *, flow: str = "FFE0111A_AAA111_1/Base.xml", at: str = "2026-03-01T09:00:00Z") -> bytes:
    """The message of accepted invoice data."""
    return told_facts(facts(document), flow=flow, at=at)


def told_facts(data: Flux1, *, flow: str = "FFE0111A_AAA111_1/Base.xml", at: str = "2026-03-01T09:00:00Z") -> bytes:
    """The message of these data."""
    key = {"seller": data.seller_siren, "number": data.number, "year": data.issue_date.year}
    body: dict[str, Any] = {"kind": "invoice-data", "key": key, "data": msgspec.to_builtins(data)}
    return msgspec.json.encode({**body, "platform": "0003", "accepted_at": at, "flow": flow})


def told_status(status: Status) -> bytes:
    """The message of an accepted status."""
    collected = [{"rate": str(each.rate), "amount": str(each.amount)} for each in status.collected]
    body: dict[str, Any] = {"kind": "status", "key": status.key._asdict(), "status": status.code}
    body |= {"set_at": status.set_at.isoformat(), "message_id": status.message_id, "reasons": list(status.reasons)}
    return msgspec.json.encode({**body, "collected": collected, "platform": "0003"})
