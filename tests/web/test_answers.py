"""What the forms of an invoice start with, and what is read from them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from estafette.invoice.model import Invoice, Totals, VatBreakdown
from estafette.lifecycle import STATUSES
from estafette.lifecycle.reasons import reasons_of
from estafette.lifecycle.statuses import Status
from estafette.web.platform.answers import VERBS, Unclear, forms, read, remaining

CENTS = st.decimals(min_value=0, max_value=1_000_000, places=2)


@dataclass
class View:
    """An invoice as its tenant sees it, with nothing behind."""

    row: dict[str, Any]
    invoice: Invoice
    events: list[dict[str, Any]] = field(default_factory=list)
    possible: tuple[Status, ...] = ()


def an_invoice(*parts: tuple[str, str, str], due: str, type_code: str = "380") -> Invoice:
    """Return an invoice of these (rate, base, tax), with this much due."""
    breakdown = tuple(
        VatBreakdown(rate=Decimal(rate), taxable_amount=Decimal(base), tax_amount=Decimal(tax))
        for rate, base, tax in parts
    )
    return Invoice(type_code=type_code, vat_breakdown=breakdown, totals=Totals(amount_due=Decimal(due)))


def collected(amount: str, rate: str) -> dict[str, Any]:
    """Return a collection as the life cycle keeps it."""
    datum = {"type": "MEN", "amount": amount, "rate": rate, "currency": "EUR"}
    return {"status": "212", "emitter_role": "SE", "characteristics": [datum]}


def a_view(side: str, *codes: str, invoice: Invoice | None = None) -> View:
    """Return the view of the seller or of the buyer, to whom these statuses are possible."""
    siren = {"issued": "1", "received": "2"}[side]
    row = {"siren": siren, "seller_siren": "1", "buyer_siren": "2", "side": side, "peer": "0005", "matricule": "0003"}
    row["standing"] = "live"
    held = invoice or an_invoice(("20", "100", "20"), due="120")
    return View(row, held, possible=tuple(STATUSES[code] for code in codes))


def test_what_remains_by_rate() -> None:
    """What remains at a rate is what is owed there less what was collected there; rates are compared as numbers."""
    document = an_invoice(("20.00", "1000", "200"), ("10", "100", "10"), due="1310")
    events = [collected("1000.00", "20"), collected("10", "10.0"), collected("-50", "20")]
    assert remaining(document, events) == {Decimal(20): Decimal(250), Decimal(10): Decimal(100)}


def test_a_credit_note_is_collected_negative() -> None:
    """A credit note of 110 is settled by a collection of −110."""
    assert remaining(an_invoice(("10", "100", "10"), due="110", type_code="381"), []) == {Decimal(10): Decimal(-110)}


def test_all_of_an_invoice_already_paid_is_collected() -> None:
    """Of framework 2 the whole is to be declared as collected; reported, it was declared with the invoice."""
    document = replace(an_invoice(("20", "100", "20"), due="0"), business_process="S2")
    assert remaining(document, []) == {Decimal(20): Decimal(120)}
    assert remaining(document, [], reported=True) == {Decimal(20): Decimal(0)}


@given(bases=st.lists(CENTS, min_size=1, max_size=4), share=st.integers(min_value=0, max_value=100))
def test_what_was_paid_before_is_taken_off_to_the_cent(bases: list[Decimal], share: int) -> None:
    """Whatever was already paid, what remains over all rates is exactly what is due, each in cents."""
    total = sum(bases, Decimal(0))
    due = (total * share / 100).quantize(Decimal("0.01"))
    parts = [(str(rate), str(base), "0") for rate, base in enumerate(bases)]
    left = remaining(an_invoice(*parts, due=str(due)), [])
    assert sum(left.values()) == (due if total else 0)
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in left.values())


def test_forms_only_for_what_a_form_can_say() -> None:
    """Statuses that ask for bank details have no form."""
    found = [form.status.code for form in forms(a_view("issued", "212", "225", "227", "228"))]  # type: ignore[arg-type]
    assert found == ["212"]


@pytest.mark.parametrize(("side", "type_code", "offered"), [
    ("issued", "380", False),
    ("received", "380", True),
    ("issued", "381", True),
    ("received", "381", False),
])  # fmt: skip
def test_who_pays_may_say_it_pays(side: str, type_code: str, offered: bool) -> None:
    """A payment is reported by the buyer of an invoice and by the seller of a credit note."""
    view = a_view(side, "211", invoice=an_invoice(("20", "100", "20"), due="120", type_code=type_code))
    assert bool(forms(view)) == offered  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "first", "last"), [((), "204", "211"), (("204",), "205", "204"), (("204", "205"), "211", "205")]
)
def test_the_most_useful_form_comes_first(said: tuple[str, ...], first: str, last: str) -> None:
    """An answer first, then the payment; what was said already comes last."""
    view = a_view("received", "204", "205", "210", "211")
    view.events = [{"status": code, "emitter_role": "BY", "characteristics": []} for code in said]
    order = [form.status.code for form in forms(view)]  # type: ignore[arg-type]
    assert (order[0], order[-1]) == (first, last)


def test_a_payment_wholly_told_comes_last() -> None:
    """With nothing left to collect, collecting is the last of what is offered."""
    view = a_view("issued", "212", "220")
    view.events = [collected("120", "20")]
    assert [form.status.code for form in forms(view)] == ["220", "212"]  # type: ignore[arg-type]


def test_the_reasons_of_a_public_refusal() -> None:
    """What Chorus Pro receives is refused for reasons of the public sector, what a company receives is not."""
    view = a_view("received", "210")
    [private] = forms(view)  # type: ignore[arg-type]
    view.row["matricule"] = "9999"
    [public] = forms(view)  # type: ignore[arg-type]
    assert [reason.code for reason in public.reasons] == [reason.code for reason in reasons_of("210", b2g=True)]
    assert not {reason.code for reason in public.reasons} <= {reason.code for reason in private.reasons}


def test_every_form_has_its_words() -> None:
    """Every status with a form is a treatment status of the life cycle, with a verb and a meaning in both languages."""
    for code, signs in VERBS.items():
        assert STATUSES[code].phase == "23"
        assert all(sign.fr and sign.en for sign in signs)


@pytest.mark.parametrize(("typed", "read_as"), [
    ("1234,50", "1234.50"),
    ("1 234.5", "1234.5"),
    ("1\u202f234,50", "1234.50"),
    ("-12", "-12"),
    ("\u2212110,00", "-110.00"),
    ("2400.00", "2400.00"),
])  # fmt: skip
def test_amounts_as_people_type_them(typed: str, read_as: str) -> None:
    """A comma or a point, spaces of any kind between thousands, a sign."""
    said = read({"ours": "0", "status": "212", "rate-0": "20", "amount-0": typed}, a_view("issued"))  # type: ignore[arg-type]
    assert said.amounts == ((Decimal(20), Decimal(read_as)),)


@pytest.mark.parametrize("typed", ["1,200", "1.200", "2,400.00", "1.234.567,89", "-1,234"])
def test_amounts_that_may_be_read_in_two_ways(typed: str) -> None:
    """A sign that may part thousands or cents is refused, and both languages say how to write it."""
    with pytest.raises(Unclear) as refused:
        read({"ours": "0", "status": "212", "rate-0": "20", "amount-0": typed}, a_view("issued"))  # type: ignore[arg-type]
    assert "ambigu" in refused.value.fr and "Ambiguous" in refused.value.en
    assert "1234,50" in refused.value.fr and "1234.50" in refused.value.en


@pytest.mark.parametrize("typed", ["1e9", "12,3,4", "NaN", "∞", "9" * 60, "12 34", "1.2345", ".", "1."])
def test_amounts_that_are_none(typed: str) -> None:
    """What is not an amount is refused in both languages, shown back and cut short."""
    with pytest.raises(Unclear) as refused:
        read({"ours": "0", "status": "212", "rate-0": "20", "amount-0": typed}, a_view("issued"))  # type: ignore[arg-type]
    assert typed[:40] in refused.value.fr
    assert len(refused.value.en) < 120


def test_what_is_left_blank_is_not_said() -> None:
    """Blank amounts, reasons and comments are absent, not empty."""
    sent = {"ours": "0", "status": "205", "reason": "", "action": "", "comment": "  ", "amount-0": " "}
    said = read(sent, a_view("received"))  # type: ignore[arg-type]
    assert (said.reason, said.action, said.comment, said.amounts) == (None, None, None, ())
