"""On which line of the return an event goes, for the seller and for the buyer.

Source: form 3310-CA3-SD and its notice; VATEX codes of the CEF list and of the French annex. What an invoice does not
tell (margin, the rate of a reverse charge, fixed assets) is marked: presumed, or left out with its reason.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from estafette.vat.events import Event, Side
from estafette.vat.forms import Column, Form, Text
from estafette.vat.rates import UnknownRate, line_of, territory_of

REVERSE_CHARGE_RATE = Decimal(20)
"""The rate presumed for a purchase under reverse charge: the invoice does not carry it."""

MARGIN = frozenset({"VATEX-EU-D", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J"})
FRANCHISE = "VATEX-FR-FRANCHISE"
NET_OF_TAX_CREDIT = "VATEX-FR-CNWVAT"
BOUGHT_FREE_OF_VAT = "VATEX-FR-CGI275"

MARGIN_UNKNOWN = Text(
    "Régime de la marge : la marge n'est pas sur la facture.", "Margin scheme: the margin is not on the invoice."
)
NET_OF_TAX = Text("Avoir net de taxe : il ne change pas la TVA.", "Credit note net of tax: it changes no VAT.")
FULLY_DEDUCTIBLE = Text(
    "Compté en autres biens et services, entièrement déductible.",
    "Taken as other goods and services, fully deductible.",
)
REVERSE_CHARGE = Text(
    "Autoliquidation : le taux n'est pas sur la facture, 20 % présumé.",
    "Reverse charge: the rate is not on the invoice, 20 % presumed.",
)

UNTAXED = {"AE": "E2", "E": "E2", "G": "E1", "K": "F2"}
"""The line of an operation without VAT, by category, for the seller; Z and O are on no return."""


class Role(StrEnum):
    """Whose return it is."""

    SELLER = "seller"
    BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Allocation:
    """An amount that an event puts on a line. `presumed` says why it is not certain."""

    event: Event
    line: str
    column: Column
    amount: Decimal
    presumed: Text | None = None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An event that no line can take without the taxpayer, and why."""

    event: Event
    reason: Text


def allocate(event: Event, form: Form, role: Role) -> tuple[Allocation, ...] | Unplaced:
    """Return what the event puts on the return of the seller or of the buyer; an empty tuple when it is on no line."""
    if event.document.currency != "EUR":
        return Unplaced(event, _in_currency(event.document.currency))
    if role is Role.BUYER:
        return _bought(event, form)
    return () if event.side is Side.BUYER else _sold(event)


def _sold(event: Event) -> tuple[Allocation, ...] | Unplaced:
    if event.category == "S" and event.rate:
        return _taxed(event)
    if event.category == "S":
        return (_amount(event, "E2", event.base),)  # foreign VAT, declared as S at 0 (tolerance of 2026)
    if event.exemption_code in MARGIN:
        return Unplaced(event, MARGIN_UNKNOWN)
    if event.exemption_code == NET_OF_TAX_CREDIT:
        return Unplaced(event, NET_OF_TAX)
    if event.exemption_code == FRANCHISE or event.category not in UNTAXED:
        return ()
    return (_amount(event, UNTAXED[event.category], event.base),)


def _taxed(event: Event) -> tuple[Allocation, ...] | Unplaced:
    tax_line = _tax_line(event, event.rate)
    if tax_line is None:
        return Unplaced(event, no_line(event))
    placed = (
        _amount(event, "A1", event.base),
        Allocation(event, tax_line, Column.BASE, event.base),
        Allocation(event, tax_line, Column.TAX, event.vat),
    )
    to_monaco = event.document.buyer_country == "MC"
    return (*placed, _amount(event, "18", event.vat)) if to_monaco else placed


def _bought(event: Event, form: Form) -> tuple[Allocation, ...] | Unplaced:
    if event.category == "AE":
        return _self_assessed(event, form)
    if event.exemption_code == BOUGHT_FREE_OF_VAT:
        return (_amount(event, "F6", event.base),)
    if event.category == "S" and event.vat:
        return (_amount(event, "20", event.vat, FULLY_DEDUCTIBLE),)
    return ()


def _self_assessed(event: Event, form: Form) -> tuple[Allocation, ...]:
    """Reverse charge: the buyer owes the VAT and deducts it, both at the presumed rate."""
    why = REVERSE_CHARGE
    line = form.line(line_of(REVERSE_CHARGE_RATE, territory=territory_of("FR"), on=event.on)).code
    vat = event.base * REVERSE_CHARGE_RATE / 100
    return (
        _amount(event, "A2", event.base, why),
        Allocation(event, line, Column.BASE, event.base, why),
        Allocation(event, line, Column.TAX, vat, why),
        _amount(event, "20", vat, why),
    )


def _tax_line(event: Event, rate: Decimal) -> str | None:
    try:
        return line_of(rate, territory=territory_of(event.document.seller_country), on=event.on)
    except UnknownRate:
        return None


def _amount(event: Event, line: str, amount: Decimal, presumed: Text | None = None) -> Allocation:
    return Allocation(event, line, Column.AMOUNT, amount, presumed)


def _in_currency(currency: str) -> Text:
    return Text(
        f"Montants en {currency} : la base en euros n'est pas dans les données.",
        f"Amounts in {currency}: the base in euros is not in the data.",
    )


def no_line(event: Event) -> Text:
    """Say that the form has no line for the rate of this event."""
    day = event.on.isoformat()
    return Text(f"Aucune ligne ne déclare {event.rate} % au {day}.", f"No line declares {event.rate} % on {day}.")
