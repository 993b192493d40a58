"""Invoices made from another: valid under the official rules, and exactly opposite to what they correct."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tests.invoice.drafting import DAY, bare, drafts, exemption, line

from estafette.formats import Syntax, read, write
from estafette.invoice import Invoice, complete
from estafette.invoice.correction import (
    CORRECTIVE_OF,
    CREDIT_NOTE_OF,
    after_deposits,
    corrective_of,
    credit_note_of,
    deposit_of,
)
from estafette.invoice.draft_defaults import EXTENDED
from estafette.invoice.mistakes import Mistaken
from estafette.invoice.model import AllowanceCharge, PrecedingInvoice, Totals
from estafette.rules import check

D = Decimal
LATER = DAY + timedelta(days=10)
ISSUED = {"number": "A2026-1", "issue_date": LATER}
SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def whole(**changes: object) -> Invoice:
    """Give a completed invoice of two lines at two rates, with an allowance on the first rate."""
    allowance = AllowanceCharge(percentage=D(10), vat_category="S", vat_rate=D(20), reason="Fidélité")
    drawn = (line(1, "4", "25"), line(2, "3", "10", "10"))
    return complete(bare(**{"lines": drawn, "allowances": (allowance,), **changes})).invoice


def accepted(invoice: Invoice) -> None:
    """Fail unless the official rules accept the invoice in both syntaxes."""
    for syntax in (Syntax.UBL, Syntax.CII):
        verdict = check(write(invoice, syntax))
        assert (verdict.schema, verdict.fatal) == ((), frozenset()), syntax


@pytest.mark.parametrize(("original", "expected"), CREDIT_NOTE_OF.items())
def test_a_credit_note_of_each_type(original: str, expected: str) -> None:
    """Each type of invoice has the credit note of its family, which names it with its date and is accepted."""
    invoice = whole(type_code=original, preceding_invoices=(PrecedingInvoice("F0", DAY),))
    note = credit_note_of(invoice, **ISSUED)
    assert note.type_code == expected
    assert note.preceding_invoices == (PrecedingInvoice(invoice.number, DAY),)
    assert (note.totals, note.vat_breakdown) == (invoice.totals, invoice.vat_breakdown)
    accepted(note)


@pytest.mark.parametrize(("original", "expected"), CORRECTIVE_OF.items())
def test_a_corrective_invoice_of_each_type(original: str, expected: str) -> None:
    """Each type of invoice has the corrective one of its family, which names the original alone and is accepted."""
    invoice = whole(type_code=original, preceding_invoices=(PrecedingInvoice("F0", DAY),))
    corrective = corrective_of(invoice, **ISSUED)
    assert corrective.type_code == expected
    assert corrective.preceding_invoices == (PrecedingInvoice(invoice.number, DAY),)
    assert corrective.totals == invoice.totals
    accepted(corrective)


def test_a_credit_note_of_some_lines() -> None:
    """A part of a line is credited with its part of the allowance of its rate, and of no other rate."""
    note = credit_note_of(whole(), **ISSUED, lines={"1": D(1)})
    assert [(each.identifier, each.quantity, each.net_amount) for each in note.lines] == [("1", D(1), D("25.00"))]
    assert [level.amount for level in note.allowances] == [D("2.50")]
    assert [(row.rate, row.taxable_amount, row.tax_amount) for row in note.vat_breakdown] == [
        (D(20), D("22.50"), D("4.50"))
    ]
    assert note.totals.amount_due == D("27.00")
    accepted(note)


def test_a_credit_note_of_every_line_is_that_of_the_whole() -> None:
    """Crediting each line in full comes to what crediting the invoice comes to."""
    invoice = whole()
    parts = credit_note_of(invoice, **ISSUED, lines={"1": None, "2": D(3)})
    assert parts == credit_note_of(invoice, **ISSUED)


@SOME
@given(drafts())
def test_whatever_was_invoiced_can_be_credited(draft: Invoice) -> None:
    """The credit note of any completed draft is accepted, whole or of its first line alone."""
    invoice = complete(draft).invoice
    accepted(credit_note_of(invoice, **ISSUED))
    if invoice.lines[0].quantity:
        accepted(credit_note_of(invoice, **ISSUED, lines={"1": None}))


def test_what_was_paid_is_owed_back() -> None:
    """The credit note of a paid invoice is an ordinary one: all of its amount is owed to the buyer."""
    total = whole().totals.total_with_vat
    invoice = whole(business_process="S2", totals=Totals(paid_amount=total), due_date=DAY)
    assert invoice.totals.amount_due == 0
    note = credit_note_of(invoice, **ISSUED)
    assert (note.business_process, note.totals.paid_amount, note.totals.amount_due) == ("S1", None, total)
    accepted(note)


def test_a_corrective_invoice_says_what_changes() -> None:
    """Changed lines are computed anew, and the due date that has passed moves to the day of issue."""
    invoice = whole(due_date=DAY)
    corrective = corrective_of(invoice, **ISSUED, lines=(replace(invoice.lines[0], quantity=D(8)),), allowances=())
    assert corrective.totals.total_without_vat == D(200)
    assert [row.taxable_amount for row in corrective.vat_breakdown] == [D(200)]
    assert corrective.due_date == LATER
    accepted(corrective)
    assert complete(corrective).contradictions == ()


def test_a_paid_invoice_keeps_its_day_of_payment() -> None:
    """The corrective of an invoice already paid keeps the date of payment as its due date (BR-FR-CO-09)."""
    total = whole().totals.total_with_vat
    invoice = whole(business_process="S2", totals=Totals(paid_amount=total), due_date=DAY)
    corrective = corrective_of(invoice, **ISSUED)
    assert corrective.due_date == DAY
    accepted(corrective)


def test_deposit_then_final() -> None:
    """A deposit of 30 % and the final invoice come to the price, VAT by rate included, each accepted."""
    order = whole()
    deposit = deposit_of(order, number="AC-1", issue_date=DAY, percentage=D(30))
    assert (deposit.type_code, deposit.business_process, deposit.totals.total_without_vat) == ("386", "S1", D("36.00"))
    accepted(deposit)
    final = after_deposits(order, [deposit])
    assert (final.type_code, final.business_process) == ("380", "S4")
    assert final.preceding_invoices == (PrecedingInvoice("AC-1", DAY),)
    assert final.totals.paid_amount is None
    accepted(final)
    for ours, first, last in zip(order.vat_breakdown, deposit.vat_breakdown, final.vat_breakdown, strict=True):
        assert (first.taxable_amount or 0) + (last.taxable_amount or 0) == ours.taxable_amount


def test_a_deposit_of_what_is_exempt() -> None:
    """A deposit on an exempt operation keeps the reason, and so does the final invoice."""
    order = complete(bare(lines=(line(rate="0", vat_category="E"),), vat_breakdown=(exemption(),))).invoice
    deposit = deposit_of(order, number="AC-1", issue_date=DAY, percentage=D(50))
    assert deposit.vat_breakdown[0].exemption_code == exemption().exemption_code
    accepted(deposit)
    accepted(after_deposits(bare(lines=(line(1, "1", "9"), *order.lines[:0])), [deposit]))


def test_a_deposit_of_what_is_exempt_for_two_reasons() -> None:
    """In the extension each reason has its part of the deposit, and of what is left after it."""
    codes = ("VATEX-FR-CGI261-4", "VATEX-FR-FRANCHISE")
    lines = tuple(line(at, rate="0", vat_category="E", vat_exemption_code=code) for at, code in enumerate(codes, 1))
    order = complete(bare(specification_identifier=EXTENDED, lines=lines)).invoice
    deposit = deposit_of(order, number="AC-1", issue_date=DAY, percentage=D(50))
    final = after_deposits(order, [deposit])
    for invoice in (deposit, final):
        assert [(row.exemption_code, row.taxable_amount) for row in invoice.vat_breakdown] == [
            (code, D(50)) for code in codes
        ]
        accepted(invoice)


@pytest.mark.parametrize(
    ("asked", "terms"),
    [
        (lambda: credit_note_of(whole(type_code="381"), **ISSUED), ["BT-3"]),
        (lambda: corrective_of(whole(type_code="386"), **ISSUED), ["BT-3"]),
        (lambda: credit_note_of(whole(), number="F2026-77", issue_date=date(2026, 1, 1)), ["BT-1", "BT-2"]),
        (lambda: credit_note_of(whole(), **ISSUED, lines={"9": None, "1": D(5)}), ["BT-126", "BT-129"]),
        (lambda: credit_note_of(whole(), **ISSUED, lines={"2": D(-1)}), ["BT-129"]),
        (lambda: credit_note_of(whole(), **ISSUED, lines={}), [None]),
        (lambda: credit_note_of(whole(business_process="S8"), **ISSUED), ["BT-23"]),
        (lambda: corrective_of(whole(business_process="B9", type_code="389"), **ISSUED), ["BT-23"]),
        (lambda: deposit_of(whole(), **ISSUED, percentage=D(101)), [None]),
        (lambda: deposit_of(whole(type_code="381"), **ISSUED, percentage=D(10)), ["BT-3"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(asked: object, terms: list[str | None]) -> None:
    """What cannot be credited or corrected is refused with every reason at once, in both languages."""
    with pytest.raises(Mistaken) as refused:
        asked()  # type: ignore[operator]
    assert [mistake.term for mistake in refused.value.mistakes] == terms
    assert all(mistake.text("fr") != mistake.text("en") for mistake in refused.value.mistakes)


def test_the_type_of_what_precedes_is_told_in_the_extension() -> None:
    """Under the extended profile the reference says the type of the original (EXT-FR-FE-02)."""
    note = credit_note_of(whole(specification_identifier=EXTENDED), **ISSUED)
    assert note.preceding_invoices[0].type_code == "380"
    accepted(note)


def official(corpus: Path) -> list[tuple[Invoice, Syntax]]:
    """Give each official invoice that the official rules accept, with the syntax it came in."""
    verdicts = [json.loads(each) for each in (corpus / "expected.jsonl").read_text().splitlines()]
    return [
        (read((corpus / each["file"]).read_bytes()), Syntax(each["syntax"]))
        for each in verdicts
        if each["syntax"] in {"UBL", "CII"} and not (each["xsd"] or each["fatal"] or each.get("crash"))
    ]


def test_official_invoices_add_up(corpus: Path) -> None:
    """No official invoice that is accepted contradicts a formula, and every figure of it can be computed."""
    completions = [complete(invoice) for invoice, _ in official(corpus)]
    assert completions
    assert [each.text("en") for completion in completions for each in completion.contradictions + completion.gaps] == []


def test_official_invoices_can_be_corrected(corpus: Path) -> None:
    """Each official invoice of one seller has a credit note and a corrective invoice, accepted in its syntax."""
    made = []
    for invoice, syntax in official(corpus):
        for follow, types in ((credit_note_of, CREDIT_NOTE_OF), (corrective_of, CORRECTIVE_OF)):
            if invoice.type_code in types and invoice.business_process[1:] not in {"8", "9"} and invoice.issue_date:
                made.append(follow(invoice, number="A2026-1", issue_date=invoice.issue_date))
                verdict = check(write(made[-1], syntax))
                assert (verdict.schema, verdict.fatal) == ((), frozenset()), invoice.number
    assert len(made) > 20
