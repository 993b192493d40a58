"""Our own sample invoices: invented companies, accepted by the official rules, made anew under any number and date.

Six documents lie here: `service` (UBL, 20 %), `service-cii` (its twin), `service-10` (10 %), `goods` (with a delivery
address), `credit-note`, `public` (to a town). `load` reads one, changes terms, and writes it in its own syntax;
`facturx_from` puts a CII in a PDF. Deliberately absent: bad documents, which `mutations` makes.
"""

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from msgspec.structs import replace

from estafette.formats import read, recognise
from estafette.formats.writing import write
from estafette.invoice.model import Invoice, Party
from estafette.readable import facturx as facturx_from

__all__ = ["NAMES", "facturx_from", "load"]

NAMES = ("service", "service-cii", "service-10", "goods", "credit-note", "public")
"""The samples that can be loaded."""


def load(
    name: str,
    *,
    number: str,
    issue_date: date,
    due_date: date | None = None,
    seller: Party | None = None,
    buyer: Party | None = None,
    **terms: Any,
) -> bytes:
    """Give a sample under a number and a date; its other dates move with it, and any term may be changed by its name.

    Raises: KeyError for a sample that does not exist.
    """
    if name not in NAMES:
        raise KeyError(name)
    data = files(__package__).joinpath(f"{name}.xml").read_bytes()
    invoice = _moved(read(data), to=issue_date)
    changes = {"number": number, "due_date": due_date, "seller": seller, "buyer": buyer, **terms}
    given = {field: value for field, value in changes.items() if value is not None}
    return write(replace(invoice, **given), recognise(data))


def _moved(invoice: Invoice, *, to: date) -> Invoice:
    """Give the invoice issued on a day, each of its dates as far from it as before."""
    apart = to - invoice.issue_date if invoice.issue_date else timedelta(0)
    delivery = invoice.delivery
    if delivery is not None and delivery.actual_delivery_date is not None:
        delivery = replace(delivery, actual_delivery_date=delivery.actual_delivery_date + apart)
    preceding = tuple(
        replace(each, issue_date=each.issue_date and each.issue_date + apart) for each in invoice.preceding_invoices
    )
    return replace(
        invoice,
        issue_date=to,
        due_date=invoice.due_date and invoice.due_date + apart,
        delivery=delivery,
        preceding_invoices=preceding,
    )
