"""What fits in an invoice, by VAT rate."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from estafette.formats.status_message import Characteristic, Detail
from estafette.invoice.model import Invoice, VatBreakdown
from estafette.platform.payments import excess

TWO_RATES = Invoice(
    number="F-1",
    currency="EUR",
    vat_breakdown=(
        VatBreakdown(taxable_amount=Decimal(600), tax_amount=Decimal(120), category="S", rate=Decimal("20.00")),
        VatBreakdown(taxable_amount=Decimal(400), tax_amount=Decimal(40), category="S", rate=Decimal(10)),
    ),
)


def told(*amounts: tuple[str, str], currency: str = "EUR") -> tuple[Detail, ...]:
    """A collection: amounts with VAT and their rates."""
    data = tuple(
        Characteristic(type_code="MEN", percent=Decimal(rate), amount=Decimal(amount), currency=currency)
        for rate, amount in amounts
    )
    return (Detail(characteristics=data),)


def had(*amounts: tuple[str, str]) -> list[Any]:
    """Collections already had, as they are kept."""
    kept = {"type": "MEN", "currency": "EUR"}
    return [{"status": "212", "characteristics": [{**kept, "rate": r, "amount": a} for r, a in amounts]}]


@pytest.mark.parametrize(
    ("before", "now", "fits"),
    [
        ((), (("20", "720"), ("10", "440")), True),
        ((("20", "360.00"), ("10", "220")), (("20.0", "360"), ("10.00", "220")), True),
        ((("20", "720"),), (("20", "-720"),), True),
        ((("20", "720"),), (("20", "0.01"),), False),
        ((), (("20", "720.01"),), False),
        ((), (("5.5", "1"),), False),
        ((), (("20", "-0.01"),), False),
        ((("20", "100"),), (("20", "-100.01"),), False),
        ((("20", "720"),), (("20", "-720"), ("10", "440")), True),
        ((("20", "900"),), (("20", "-100"),), True),
        ((("20", "900"),), (("20", "1"),), False),
        ((("20", "-50"),), (("20", "20"),), True),
    ],
)
def test_collections_fit_or_not(before: tuple[Any, ...], now: tuple[Any, ...], fits: bool) -> None:
    """In parts, back again, at each rate, from nothing to the invoice and not a cent beyond; what mends fits."""
    assert (excess(TWO_RATES, had(*before), told(*now)) is None) is fits


CREDIT_NOTE = replace(TWO_RATES, type_code="381")


@pytest.mark.parametrize(("amount", "fits"), [("-720", True), ("720", False), ("-721", False)])
def test_the_sign_of_a_credit_note(amount: str, fits: bool) -> None:
    """A credit note is collected in the negative: the other sign would be declared as tax collected."""
    refusal = excess(CREDIT_NOTE, [], told(("20", amount)))
    assert (refusal is None) is fits
    if amount == "720":
        assert refusal is not None
        assert "(-720)" in refusal.fr


@pytest.mark.parametrize(("in_kind", "fits"), [("-600", True), ("-720", True), ("-720.01", False), ("600", False)])
def test_set_off_in_kind(in_kind: str, fits: bool) -> None:
    """Barter: the whole price is collected, what was set off in kind is taken back without VAT, and no more than it."""
    assert (excess(TWO_RATES, [], told(("20", "720"), ("0", in_kind))) is None) is fits


FINAL = replace(
    TWO_RATES,
    vat_breakdown=(
        *TWO_RATES.vat_breakdown,
        VatBreakdown(taxable_amount=Decimal(-100), tax_amount=Decimal("-5.50"), category="S", rate=Decimal("5.5")),
    ),
)


@pytest.mark.parametrize(("amount", "fits"), [("-105.50", True), ("-105.51", False), ("1", False)])
def test_a_rate_that_takes_away(amount: str, fits: bool) -> None:
    """Where a payment on account of another rate is deducted, that rate is collected in the negative."""
    assert (excess(FINAL, [], told(("5.5", amount))) is None) is fits


def test_another_currency_is_not_compared() -> None:
    """Nobody knows at which rate euros are dollars: an amount in another currency is taken as it is."""
    assert excess(replace(TWO_RATES, currency="USD"), [], told(("20", "800"))) is None
    assert excess(replace(TWO_RATES, currency="USD"), [], told(("20", "800"), currency="USD")) is not None


def test_what_the_invoice_itself_declared_counts() -> None:
    """Of an invoice that is reported as already paid nothing is left to collect; it may be given back."""
    paid = [(Decimal(20), Decimal(720)), (Decimal(10), Decimal(440))]
    assert excess(TWO_RATES, [], told(("20", "1")), already=paid) is not None
    assert excess(TWO_RATES, [], told(("20", "-720")), already=paid) is None
