"""What the portal asks of a transmission beyond its schema and Schematron, and what only content decides.

Periods, dates and repetitions inside one file are here; what needs the portal's own store (declarant known,
transmission already had, invoice already reported) is its own business. Source: annex 7, G1.07, G1.42, G6.24, G7.43,
G8.05; external specifications v3.2 §3.7.9.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import msgspec

from estafette.formats.flux10 import Kind, Report, ReportedInvoice, Role
from estafette.reporting.aggregation import Unit
from estafette.values.moments import paris_day

PERIOD, COHERENCE, UNIQUE, SEMANTIC = "REJ_PER", "REJ_COH", "REJ_UNI", "REJ_SEMAN"
"""The portal's reasons of rejection of a transmission (annex 7, G7.19)."""

NUMBERED = frozenset({"0002", "0223"})
"""Schemes of parties that must have a VAT number (G2.33)."""


class Anomaly(msgspec.Struct, frozen=True):
    """A rule that a transmission breaks, in the words of the rejection."""

    reason: str
    rule: str
    fr: str
    en: str
    terms: tuple[str, ...] = ()


def control(report: Report, *, on: date) -> tuple[Anomaly, ...]:
    """Return what is wrong with the period, the dates and the invoices of a transmission, controlled on a day."""
    return (*_period(report, on), *_dates(report, on), *_repeated(report))


def withheld(unit: Unit) -> Anomaly | None:
    """Tell why a unit would have its whole transmission rejected, whatever the others are; nothing when it would not.

    A party named by a SIREN or by a VAT number must have a VAT number (G2.33).
    """
    if not isinstance(unit, ReportedInvoice):
        return None
    parties = (("TT-34", "vendeur", "seller", unit.seller), ("TT-38", "acheteur", "buyer", unit.buyer))
    for term, fr, en, party in parties:
        if party is not None and party.scheme in NUMBERED and not party.vat_identifier:
            return Anomaly(
                SEMANTIC,
                "G2.33",
                f"Le {fr} ({party.identifier}) n'a pas de numéro de TVA : demandez-le au service des impôts des "
                "entreprises, puis déclarez la facture avec lui.",
                f"The {en} ({party.identifier}) has no VAT number: ask the tax office for businesses for it, then "
                "report the invoice with it.",
                (term,),
            )
    return None


def _period(report: Report, on: date) -> Iterator[Anomaly]:
    start_term, end_term = ("TT-17", "TT-18") if report.kind is Kind.TRANSACTIONS else ("TT-89", "TT-90")
    if report.start > on:
        yield Anomaly(
            PERIOD,
            "G6.24",
            f"La période commence dans le futur ({report.start}).",
            f"The period begins in the future ({report.start}).",
            (start_term,),
        )
    if report.end >= on:
        yield Anomaly(
            PERIOD,
            "G7.43",
            f"La période n'est pas finie : fin le {report.end}, contrôle le {on}.",
            f"The period is not over: it ends on {report.end}, controlled on {on}.",
            (end_term,),
        )
    if paris_day(report.issued_at) <= report.end:
        yield Anomaly(
            PERIOD,
            "G7.43",
            f"La transmission est datée du {paris_day(report.issued_at)}, avant la fin de la période ({report.end}).",
            f"The transmission is dated {paris_day(report.issued_at)}, before the end of the period ({report.end}).",
            ("TT-3", end_term),
        )


def _dates(report: Report, on: date) -> Iterator[Anomaly]:
    days = [("TT-20", invoice.issue_date) for invoice in report.invoices]
    days += [("TT-77", total.day) for total in report.daily_totals]
    days += [("TT-92", payment.day) for payment in report.invoice_payments]
    days += [("TT-96", payment.day) for payment in report.daily_payments]
    for term, day in dict.fromkeys(days):
        if day is not None and day > on:
            yield Anomaly(COHERENCE, "G1.07", f"Date dans le futur : {day}.", f"Date in the future: {day}.", (term,))


def _repeated(report: Report) -> Iterator[Anomaly]:
    keys = Counter(key for key in map(invoice_key, report.invoices) if report.role is Role.SELLER and key)
    for (_seller, year, number), count in keys.items():
        if count > 1:
            yield repeated_invoice(number, year)


def invoice_key(invoice: ReportedInvoice) -> tuple[str, int, str] | None:
    """Return what makes a reported invoice one (G1.42): seller, year, number; None without a date."""
    return (invoice.seller.identifier, invoice.issue_date.year, invoice.number) if invoice.issue_date else None


def repeated_invoice(number: str, year: int) -> Anomaly:
    """Return the anomaly of an invoice that is reported twice."""
    return Anomaly(
        UNIQUE,
        "G1.42",
        f"La facture {number} de {year} est déjà déclarée.",
        f"Invoice {number} of {year} is already reported.",
        ("TT-19", "TT-20", "TT-33"),
    )
