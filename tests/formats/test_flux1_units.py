"""A document of several sellers is several invoices for the State, each with its own number, seller and amounts."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.formats.test_flux1 import sound

from estafette import formats
from estafette.formats import flux1
from estafette.invoice.model import Identifier, Invoice, Line, PrecedingInvoice, VatBreakdown

FOLDER = "xp-z12-014-v1.3/Facture_Sous_Ligne_et_Multi-Vendeur/Multi-Vendeur"
EXPECTED = {
    "UC10": [
        ("100000009", "F202600004", "1000.00", "200.00"),
        ("111111118", "111111118_F202600004", "4500.00", "450.00"),
    ],
    "UC11": [("100000009", "F202600022", "90.95", "5.00"), ("111111118", "111111118_F202600022", "121.95", "12.20")],
}


@pytest.mark.parametrize("case", EXPECTED)
def test_official_documents(corpus: Path, case: str) -> None:
    """The official multi-vendor documents give the unit invoices of their commentary, in every syntax."""
    files = sorted((corpus / FOLDER).glob(f"{case}_*"))
    assert len(files) == 3
    for file in files:
        units = flux1.units(formats.read(file.read_bytes()))
        found = [(u.seller_siren, u.number, str(u.totals.total_without_vat), str(u.totals.total_vat)) for u in units]
        assert found == EXPECTED[case]
        assert {unit.business_process for unit in units} == {"S1"}
        assert all(sum(part.taxable_amount for part in u.vat_breakdown) == u.totals.total_without_vat for u in units)
        assert not any(part.exemption_reason for unit in units for part in unit.vat_breakdown)


def two_sided(amount: str) -> Invoice:
    """Give a self-billed document that sets off: the seller sells for 100, the buyer for this amount as written."""
    first, second = "F2026-0001", "R-1"
    return replace(
        sound(),
        business_process="S9",
        type_code="389",
        vat_breakdown=(part("100.00", "20.00", first), part(amount, str(Decimal(amount) / 5), second)),
        lines=(
            group("1", first, "S1", sound().seller, "100.00"),
            detail("2", "1", first, "100.00"),
            group("3", second, "B1", sound().buyer, amount),
            detail("4", "3", second, amount),
        ),
    )


def part(base: str, tax: str, number: str) -> VatBreakdown:
    """Give a part of the breakdown that names its unit."""
    return VatBreakdown(Decimal(base), Decimal(tax), "S", Decimal(20), exemption_reason=f"#{number}# motif")


def group(identifier: str, number: str, framework: str, seller: object, amount: str) -> Line:
    """Give the line of a unit."""
    objects = (Identifier(number, "AFL"), Identifier(framework, "AVV"))
    preceding = PrecedingInvoice("F1", date(2026, 1, 1))
    return Line(
        identifier=identifier, subtype="GROUP", invoiced_objects=objects, net_amount=Decimal(amount),
        total_vat=Decimal(amount) / 5, seller=seller, preceding_invoice=preceding,  # type: ignore[arg-type]
    )  # fmt: skip


def detail(identifier: str, parent: str, number: str, amount: str) -> Line:
    """Give a line of a unit that counts."""
    line = replace(sound().lines[0], identifier=identifier, parent_line=parent, subtype="DETAIL")
    return replace(line, invoiced_objects=(Identifier(number, "AFL"),), net_amount=Decimal(amount))


@pytest.mark.parametrize("amount", ["40.00", "-40.00"])
def test_what_the_buyer_sells(amount: str) -> None:
    """Of a document that sets off, what the buyer sells is its sale to the seller, above zero however it is written."""
    sale, reverse = flux1.units(two_sided(amount))
    assert (sale.seller_siren, sale.buyer_siren, sale.totals.total_vat) == ("100000009", "200000008", Decimal(20))
    assert (reverse.seller_siren, reverse.buyer_siren) == ("200000008", "100000009")
    assert (reverse.number, reverse.business_process) == ("R-1", "B1")
    assert (reverse.totals.total_without_vat, reverse.totals.total_vat) == (Decimal(40), Decimal(8))
    assert [(each.taxable_amount, each.exemption_reason) for each in reverse.vat_breakdown] == [(Decimal(40), "motif")]
    assert [line.identifier for line in reverse.lines] == ["4"]
    assert reverse.lines[0].net_amount == Decimal(40)
    assert reverse.preceding_invoices == (PrecedingInvoice("F1", date(2026, 1, 1)),)


def test_an_ordinary_invoice_is_one() -> None:
    """An invoice of one seller, groups of lines or not, is left as it is."""
    assert flux1.units(sound()) == (sound(),)


def test_preceding_number_of_its_own_day() -> None:
    """A preceding number is shortened as on its own day, not as on that of the invoice that names it."""
    before, after = "A" * 30, "B" * 30
    named = (PrecedingInvoice(before, date(2026, 12, 31)), PrecedingInvoice(after, date(2027, 1, 1)))
    correction = replace(sound(), number="C" * 30, issue_date=date(2027, 1, 5), preceding_invoices=named)
    data = flux1.regulated(correction, profile=flux1.Profile.BASE, on=date(2027, 1, 5))
    assert data.number == "C" * 30
    assert [each.number for each in data.preceding_invoices] == ["T" + "A" * 19, "B" * 30]
