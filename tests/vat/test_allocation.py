"""On which line an event goes, for the seller and the buyer, and what no line can take."""

from datetime import date
from decimal import Decimal

import pytest
from tests.vat.examples import BUYER, SELLER, invoice, part

from estafette.vat.facts import Document
from estafette.vat.forms import FORMS, Column, NoForm, form_of
from estafette.vat.rates import RATES, Territory, UnknownRate, line_of
from estafette.vat.returns import Month, Return, fill

MARCH_1 = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("rate", "country", "line"),
    [
        ("20", "FR", "08"), ("5.5", "FR", "09"), ("10", "FR", "9B"), ("2.1", "FR", "T6"), ("13", "FR", "P2"),
        ("8.5", "GP", "10"), ("8.5", "FR", "10"), ("2.1", "RE", "11"), ("1.75", "MQ", "T1"), ("1.05", "FR", "T2"),
        ("20", "GP", "08"), ("0.9", "FR", "T5"), ("19.6", "FR", "13"), ("7", "FR", "13"), ("20.6", "FR", "13"),
    ],
)  # fmt: skip
def test_a_rate_goes_to_its_line(rate: str, country: str, line: str) -> None:
    """The seller's base and tax go to the line of the rate and territory, and the base to A1."""
    seller = filled(SELLER, invoice("F", MARCH_1, parts=(part(rate, "1000"),), seller_country=country))
    assert seller.cell("A1").amount == 1000
    assert seller.cell(line, Column.BASE).amount == 1000


@pytest.mark.parametrize(
    ("category", "code", "line"),
    [("AE", None, "E2"), ("E", "VATEX-EU-132-1G", "E2"), ("G", None, "E1"), ("K", None, "F2"), ("S", None, "E2")],
)
def test_an_operation_without_vat_goes_to_its_line_for_the_seller(category: str, code: str | None, line: str) -> None:
    """Only the base is declared, and nothing is due."""
    seller = filled(SELLER, invoice("F", MARCH_1, parts=(part("0", "1000", category=category, code=code),)))
    assert [(cell.line, cell.amount) for cell in seller.cells] == [(line, 1000)]


@pytest.mark.parametrize(("category", "code"), [("Z", None), ("O", None), ("E", "VATEX-FR-FRANCHISE")])
def test_what_is_on_no_return_fills_nothing(category: str, code: str | None) -> None:
    """Franchise and out-of-scope operations leave no cell and no residual."""
    seller = filled(SELLER, invoice("F", MARCH_1, parts=(part("0", "1000", category=category, code=code),)))
    assert (seller.cells, seller.residuals) == ((), ())


@pytest.mark.parametrize("code", ["VATEX-EU-D", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J", "VATEX-FR-CNWVAT"])
def test_what_cannot_be_known_is_a_residual_with_its_reason(code: str) -> None:
    """The margin is not on the invoice: no cell is guessed, the invoice is named in both languages."""
    document = invoice("F", MARCH_1, parts=(part("0", "1000", category="E", code=code),))
    seller = filled(SELLER, document)
    [residual] = seller.residuals
    assert seller.cells == ()
    assert (residual.document, residual.amount) == (document.key, 1000)
    assert residual.reason.fr and residual.reason.en


def test_a_foreign_currency_is_a_residual() -> None:
    """Bases in dollars never reach a cell in euros."""
    seller = filled(SELLER, invoice("F", MARCH_1, currency="USD"))
    assert seller.cells == ()
    assert "USD" in seller.residuals[0].reason.fr


def test_a_mixed_invoice_is_a_residual_for_what_is_not_paid() -> None:
    """Without payment the whole of M1 is to confirm, in the month of its issue."""
    seller = filled(SELLER, invoice("F", MARCH_1, process="M1"))
    assert [residual.amount for residual in seller.residuals] == [1200]


def test_a_purchase_under_reverse_charge_is_owed_and_deducted_at_the_presumed_rate() -> None:
    """A2 1000, 08 1000/200 and 20 200, each marked presumed with its reason."""
    buyer = filled(BUYER, invoice("F", MARCH_1, parts=(part("0", "1000", category="AE"),)))
    assert (buyer.cell("A2").amount, buyer.cell("08", Column.TAX).amount, buyer.cell("20").amount) == (1000, 200, 200)
    assert all(evidence.presumed for cell in buyer.cells for evidence in cell.evidence)
    assert (buyer.cell("16").amount, buyer.cell("23").amount, buyer.cell("28").amount) == (200, 200, 0)


def test_a_purchase_free_of_vat_goes_to_f6() -> None:
    """VATEX-FR-CGI275 is the buyer's line F6."""
    document = invoice("F", MARCH_1, parts=(part("0", "1000", category="E", code="VATEX-FR-CGI275"),))
    assert [(cell.line, cell.amount) for cell in filled(BUYER, document).cells] == [("F6", 1000)]


def test_vat_already_reported_is_deducted_by_the_buyer_and_not_counted_for_the_seller() -> None:
    """B7: nothing for the seller, line 20 for the buyer."""
    document = invoice("F", MARCH_1, process="B7")
    assert filled(SELLER, document).cells == ()
    assert filled(BUYER, document).cell("20").amount == 200


def test_a_vat_group_declares_for_its_member() -> None:
    """The member's invoice is on the return of the group, not on its own."""
    document = invoice("F", MARCH_1, vat_group="300000007")
    assert filled(SELLER, document).cells == ()
    assert filled("300000007", document).cell("A1").amount == 1000


def test_sales_to_monaco_are_also_a_memo() -> None:
    """Line 18 repeats their VAT and is not added to the total."""
    seller = filled(SELLER, invoice("F", MARCH_1, buyer_country="MC"))
    assert (seller.cell("18").amount, seller.cell("16").amount) == (200, 200)


def test_a_negative_net_of_untaxed_operations_moves_to_f8() -> None:
    """A credit note alone on exports shows as a positive regularisation."""
    credit = invoice("C", MARCH_1, kind="381", parts=(part("0", "300", category="G"),), of=["OLD"])
    assert [(cell.line, cell.amount) for cell in filled(SELLER, credit).cells] == [("F8", 300)]


def test_each_cell_is_rounded_once_half_up() -> None:
    """Three invoices of 0.50 make 1.50, hence 2, not three times 1; totals add rounded cells."""
    documents = [invoice(f"F{n}", MARCH_1, parts=(part("20", "0.50"),)) for n in range(3)]
    seller = filled(SELLER, *documents)
    assert (seller.cell("A1").amount, seller.cell("A1").exact) == (2, Decimal("1.50"))
    assert (seller.cell("08", Column.TAX).amount, seller.cell("16").amount) == (0, 0)


def test_a_rate_that_no_line_declares_is_refused_by_name() -> None:
    """21 % is not French; a rate is not declared before its date."""
    with pytest.raises(UnknownRate, match="21 %"):
        line_of(Decimal(21), territory=Territory.CONTINENT, on=MARCH_1)
    with pytest.raises(UnknownRate):
        line_of(Decimal(20), territory=Territory.CONTINENT, on=date(2013, 12, 31))
    assert filled(SELLER, invoice("F", MARCH_1, parts=(part("21", "10"),))).residuals


def test_corsica_has_its_own_lines() -> None:
    """10, 2.1 and 13 % in Corsica are not those of the continent."""
    lines = [line_of(Decimal(rate), territory=Territory.CORSICA, on=MARCH_1) for rate in ("10", "2.1", "13", "0.9")]
    assert lines == ["T3", "T4", "TC", "T5"]


def test_every_line_of_the_tables_is_on_the_form_once() -> None:
    """Rates name lines of the form; codes and EDI codes are unique."""
    for form in FORMS:
        codes = [line.code for line in form.lines]
        edi = [code for line in form.lines for code in line.edi]
        assert len(codes) == len(set(codes)) and len(edi) == len(set(edi))
        assert {rate.line for rate in RATES} <= set(codes)


def test_a_month_without_a_form_is_said() -> None:
    """Before the first version of the table there is no return to fill."""
    with pytest.raises(NoForm, match="2023-12"):
        form_of(date(2023, 12, 1))


def filled(siren: str, *documents: Document) -> Return:
    """Fill the return of this company for March."""
    return fill(documents, [], siren=siren, month=Month(2026, 3), as_of=date(2026, 4, 11))
