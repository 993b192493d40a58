"""Flow 10: the e-reporting that a platform sends the portal, as a model, from bytes and to bytes.

- `model`: a transmission (TB-1) and its four blocks: invoices abroad (10.1), payments of them (10.2), daily totals of
  sales to non-taxable persons (10.3) and of what was cashed for them (10.4);
- `layout`: where each datum stands in the file, one table that `reading` and `writing` both follow.

Deliberately absent: rules. The schema and the Schematron of the portal judge a file (`estafette.rules`); what neither
can know is for who keeps the ledger. Source: external specifications v3.2, annex 6 v1.10 and the Flow 10 schema.
"""

from estafette.formats.flux10.model import (
    Block,
    DailyPayment,
    DailyTotal,
    InvoicePayment,
    Kind,
    PaidPart,
    RatePart,
    Report,
    ReportedInvoice,
    ReportedParty,
    Role,
)
from estafette.formats.flux10.reading import Head, head, read, read_named
from estafette.formats.flux10.writing import write

__all__ = [
    "Block",
    "DailyPayment",
    "DailyTotal",
    "Head",
    "InvoicePayment",
    "Kind",
    "PaidPart",
    "RatePart",
    "Report",
    "ReportedInvoice",
    "ReportedParty",
    "Role",
    "head",
    "read",
    "read_named",
    "write",
]
