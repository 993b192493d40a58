"""Completing a draft: right figures, each explained, and what the draft says left as it is."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.invoice.drafting import bare, drafts, line

from estafette.formats import Syntax, write
from estafette.invoice import complete
from estafette.invoice.draft_defaults import EXTENDED
from estafette.invoice.model import AllowanceCharge, Invoice, Item, Line, Price, Totals, VatBreakdown
from estafette.rules import check

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
D = Decimal
TENTH = AllowanceCharge(amount=D(2), base_amount=D(10), percentage=D(10), vat_category="S", vat_rate=D(20))


@MANY
@given(drafts())
def test_a_completed_draft_is_accepted(draft: Invoice) -> None:
    """The official rules accept a completed draft, in both syntaxes."""
    completion = complete(draft)
    assert completion.gaps == completion.contradictions == ()
    for syntax in (Syntax.UBL, Syntax.CII):
        verdict = check(write(completion.invoice, syntax))
        assert (verdict.schema, verdict.fatal) == ((), frozenset())


@MANY
@given(drafts(), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_no_total(draft: Invoice, chance: object) -> None:
    """Lines in another order give the same totals and the same VAT by category and rate."""
    shuffled = list(draft.lines)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = complete(draft).invoice, complete(replace(draft, lines=tuple(shuffled))).invoice
    assert before.totals == after.totals
    assert set(before.vat_breakdown) == set(after.vat_breakdown)


@MANY
@given(drafts())
def test_completing_twice_is_completing_once(draft: Invoice) -> None:
    """A completed invoice is left as it is, and contradicts nothing."""
    once = complete(draft)
    twice = complete(once.invoice)
    assert (twice.invoice, twice.contradictions) == (once.invoice, ())


def test_a_figure_says_where_it_comes_from() -> None:
    """A line amount names its operands and its formula in both languages."""
    (figure, *_) = complete(bare(lines=(line(quantity="3", price="33.335"),))).figures
    assert (figure.term, figure.path, figure.value) == ("BT-131", "lines[0].net_amount", D("100.01"))
    assert figure.operands == (("BT-129", D(3)), ("BT-146", D("33.335")))
    assert "quantité (BT-129) × prix net" in figure.text("fr")
    assert "quantity (BT-129) × net price" in figure.text("en")


def test_vat_is_rounded_once_per_rate() -> None:
    """Three lines of 0.33 at 20 % owe 0.20 of VAT together, not three times 0.07 (BR-CO-17)."""
    invoice = complete(bare(lines=tuple(line(number, "1", "0.33") for number in (1, 2, 3)))).invoice
    assert [(row.taxable_amount, row.tax_amount) for row in invoice.vat_breakdown] == [(D("0.99"), D("0.20"))]
    assert invoice.totals.total_with_vat == D("1.19")


@pytest.mark.parametrize(("currency", "net"), [("EUR", "33.34"), ("JPY", "33"), ("TND", "33.34")])
def test_amounts_have_the_digits_of_the_currency(currency: str, net: str) -> None:
    """An amount in yen has no digit after the point, and one in dinars no more than the standard allows: two."""
    invoice = complete(bare(currency=currency, lines=(line(quantity="1", price="33.3351"),))).invoice
    assert str(invoice.lines[0].net_amount) == net


def test_vat_in_the_accounting_currency() -> None:
    """An invoice in yen gives its VAT in euros (BT-111), from the rate that it says."""
    draft = bare(currency="JPY", vat_accounting_currency="EUR", exchange_rate=D("0.0061"), lines=(line(price="10000"),))
    assert complete(draft).invoice.totals.total_vat_in_accounting_currency == D("24.40")
    assert [gap.missing for gap in complete(replace(draft, exchange_rate=None)).gaps] == [("BT-167",)]


@pytest.mark.parametrize(
    ("draft", "term", "stated", "value"),
    [
        (bare(lines=(line(net_amount=D("99.99")),)), "BT-131", "99.99", "100.00"),
        (bare(lines=(line(),), totals=Totals(total_with_vat=D("121"))), "BT-112", "121", "120.00"),
        (
            bare(lines=(line(),), vat_breakdown=(VatBreakdown(category="S", rate=D(20), tax_amount=D("19")),)),
            "BT-117",
            "19",
            "20.00",
        ),
        (bare(lines=(line(price="8"),), charges=(TENTH,)), "BT-99", "2", "1.00"),
        (bare(lines=(line(), replace(line(2), price=Price(net=D(9), gross=D(10))))), "BT-146", "9", "10"),
    ],
)  # fmt: skip
def test_what_the_draft_says_stands(draft: Invoice, term: str, stated: str, value: str) -> None:
    """A figure that the draft says otherwise is kept, told, and what follows is computed from it."""
    completion = complete(draft)
    (figure,) = completion.contradictions
    assert (figure.term, figure.stated, figure.value) == (term, D(stated), D(value))
    assert stated in figure.text("fr")
    assert complete(completion.invoice).contradictions == (figure,)


def test_what_follows_a_contradiction_follows_the_draft() -> None:
    """A line amount that the draft says is the one that is added up."""
    invoice = complete(bare(lines=(line(net_amount=D("99.99")), line(2)))).invoice
    assert invoice.totals.sum_of_line_net_amounts == D("199.99")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"quantity": None}, "BT-129"),
        ({"price": Price()}, "BT-146"),
        ({"vat_rate": None}, "BT-119"),
        ({"allowances": (AllowanceCharge(reason="?"),)}, "BT-138"),
    ],
)
def test_what_is_missing_is_said(changes: dict[str, object], missing: str) -> None:
    """A figure without an operand is not computed, nor any that needs it: the operand is named."""
    completion = complete(bare(lines=(replace(line(), **changes), line(2))))
    assert missing in completion.gaps[0].missing
    assert missing in completion.gaps[0].text("en")
    assert completion.invoice.totals.amount_due is None


def test_numbers_out_of_bounds_are_said() -> None:
    """A product too long to be an amount is a gap, not an exception."""
    most = D("9" * 40)
    completion = complete(bare(lines=(line(quantity=str(most), price=str(most)),)))
    assert completion.gaps[0].term == "BT-131"
    assert "hors" not in completion.gaps[0].text("en")


def test_groups_and_headings() -> None:
    """A line that groups others comes to their sum, and only details enter the totals."""
    group = replace(line(1), subtype="GROUP", price=Price(), quantity=None)
    note = replace(line(4), subtype="INFORMATION", price=Price(), quantity=None, parent_line="1")
    details = tuple(replace(line(number), subtype="DETAIL", parent_line="1") for number in (2, 3))
    invoice = complete(bare(lines=(group, *details, note))).invoice
    assert [each.net_amount for each in invoice.lines] == [D(200), D(100), D(100), None]
    assert invoice.totals.sum_of_line_net_amounts == D(200)


def test_reasons_of_exemption_make_groups() -> None:
    """Lines of one category and rate with two reasons make two groups; a reason said in the breakdown is kept."""
    exempt = [
        line(number, rate="0", vat_category="E", vat_exemption_code=code)
        for number, code in ((1, "VATEX-FR-CGI261-4"), (2, "VATEX-FR-FRANCHISE"), (3, "VATEX-FR-CGI261-4"))
    ]
    said = VatBreakdown(
        category="E", rate=D(0), exemption_code="VATEX-FR-FRANCHISE", exemption_reason="Franchise en base"
    )
    rows = complete(bare(lines=tuple(exempt), vat_breakdown=(said,))).invoice.vat_breakdown
    assert [(row.exemption_code, row.exemption_reason, row.taxable_amount) for row in rows] == [
        ("VATEX-FR-FRANCHISE", "Franchise en base", D(100)),
        ("VATEX-FR-CGI261-4", None, D(200)),
    ]


def test_what_the_extension_adds_is_accepted() -> None:
    """Sub-lines and several reasons of exemption, completed, are accepted under the extended profile."""
    group = Line(identifier="1", subtype="GROUP", item=Item(name="Lot"))
    details = [replace(line(number), subtype="DETAIL", parent_line="1") for number in (2, 3)]
    exempt = [
        line(number, rate="0", vat_category="E", vat_exemption_code=code, vat_exemption_reason="Exonéré")
        for number, code in ((4, "VATEX-FR-CGI261-4"), (5, "VATEX-FR-FRANCHISE"))
    ]
    invoice = complete(bare(specification_identifier=EXTENDED, lines=(group, *details, *exempt))).invoice
    assert len(invoice.vat_breakdown) == 3
    for syntax in (Syntax.UBL, Syntax.CII):
        verdict = check(write(invoice, syntax))
        assert (verdict.profile, verdict.schema, verdict.fatal) == ("EXTENDED-CTC-FR", (), frozenset())


def test_an_invoice_without_lines() -> None:
    """Without lines the breakdown is the draft's, and the VAT is computed from it."""
    row = VatBreakdown(category="S", rate=D(20), taxable_amount=D(50))
    completion = complete(bare(vat_breakdown=(row,), totals=Totals(total_without_vat=D(50))))
    assert completion.invoice.totals.total_with_vat == D(60)
    assert completion.gaps == ()
