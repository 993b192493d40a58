"""Seeded documents that the official rules accept: invoices in both syntaxes and every profile, status messages,
e-reporting.

The same seed gives the same bytes. An invoice is drawn (`invoices`), then written (`ubl`, `cii`); messages are in
`messages`. Deliberately absent: faults (see `mutations`), and the meaning of a network (see the other modules of the
room).
"""

from collections.abc import Callable

from estafette.simulation.cii import cii
from estafette.simulation.invoices import invoice
from estafette.simulation.messages import payments_report, status_message, transactions_report
from estafette.simulation.ubl import ubl


def document(kind: str, seed: int) -> bytes:
    """Return the accepted document of a kind and a seed; the kinds are the keys of `KINDS`."""
    return KINDS[kind](seed)


KINDS: dict[str, Callable[[int], bytes]] = {
    "ubl": lambda seed: ubl(invoice(seed)),
    "ubl-extended": lambda seed: ubl(invoice(seed), "EXTENDED-CTC-FR"),
    "cii": lambda seed: cii(invoice(seed)),
    "cii-extended": lambda seed: cii(invoice(seed), "EXTENDED-CTC-FR"),
    "facturx-extended": lambda seed: cii(invoice(seed), "EXTENDED"),
    "facturx-basic": lambda seed: cii(invoice(seed), "BASIC"),
    "facturx-basicwl": lambda seed: cii(invoice(seed), "BASICWL"),
    "facturx-minimum": lambda seed: cii(invoice(seed), "MINIMUM"),
    "cdar": status_message,
    "flux10": transactions_report,
    "flux10-payments": payments_report,
}
"""Kind → its writer, from a seed."""
