"""Each term that an invoice can say, alone or with others, written then read says the same in both syntaxes."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estafette import formats
from estafette.formats import writing
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice
from estafette.invoice.terms import TABLE, TERMS, Term

VALUES: dict[str, Any] = {
    "text": "Un mot, deux <mots> & trois",
    "code": "XYZ",
    "vat_point": "35",
    "identifier": {"value": "A1", "scheme": "0088"},
    "date": date(2026, 2, 28),
    "binary": b"\x00%PDF",
    **dict.fromkeys(("amount", "amount_in_bt6", "price", "quantity", "percentage", "rate"), Decimal("-12.340")),
}
"""A value of each type of the table."""
IBAN = "FR7630006000011234567890189"
BASE = {"BT-1": "F1", "BT-5": "EUR", "BT-6": "USD", "BT-81": "30", "BT-84": IBAN, "BT-118": "S"}
"""What paths may speak of, and what the standard wants beside some terms, is said by every invoice here."""
VALUED = tuple(term for term in TABLE if not term.is_group and term.id not in BASE)


def saying(values: Iterable[tuple[Term, Any]]) -> Invoice:
    """Give the invoice that says these values, each group of theirs occurring once."""
    bag: dict[str, Any] = {}
    for term, value in [*((TERMS[term], value) for term, value in BASE.items()), *values]:
        _bag_of(bag, term.group)[term.field] = (value,) if term.is_repeated else value
    return msgspec.convert(bag, Invoice, builtin_types=(bytes,))


def _bag_of(bag: dict[str, Any], group: str) -> dict[str, Any]:
    if not group:
        return bag
    term = TERMS[group]
    above = _bag_of(bag, term.group)
    if not term.field:
        return above
    if term.is_repeated:
        return above.setdefault(term.field, [{}])[0]  # type: ignore[no-any-return]
    return above.setdefault(term.field, {})  # type: ignore[no-any-return]


def round_trip(invoice: Invoice, syntax: Syntax) -> Invoice:
    """Write an invoice, and read what was written."""
    return formats.read(writing.write(invoice, syntax))


@pytest.mark.parametrize("syntax", [Syntax.UBL, Syntax.CII])
@pytest.mark.parametrize("kind", ["380", "381"])
@pytest.mark.parametrize("term", VALUED, ids=lambda term: term.id)
def test_each_term_alone(term: Term, kind: str, syntax: Syntax) -> None:
    """Every term of the table is written and read in both directions, on an invoice and on a credit note."""
    value = kind if term.id == "BT-3" else VALUES[term.type]
    said = [] if term.id == "BT-3" else [(TERMS["BT-3"], kind)]
    invoice = saying([*said, (term, value)])
    if term in writing.losses(invoice, syntax):
        assert (term.id, syntax) == ("EXT-FR-FE-184", Syntax.UBL)
    else:
        assert round_trip(invoice, syntax) == invoice


@pytest.mark.parametrize("account", [IBAN, "12345-678"])
def test_accounts(account: str) -> None:
    """An IBAN and an account of another kind have each their place in CII."""
    invoice = saying([(TERMS["BT-84"], account)])
    written = writing.write(invoice, Syntax.CII).decode()
    assert ("IBANID" in written) is account.startswith("FR")
    assert formats.read(written.encode()) == invoice


@settings(max_examples=150, deadline=None, derandomize=True)
@given(terms=st.sets(st.sampled_from(VALUED), max_size=40))
def test_terms_together(terms: set[Term]) -> None:
    """Any terms together go from UBL to CII and back, but for the one that UBL has no place for."""
    values = [(term, VALUES[term.type]) for term in VALUED if term in terms and term.id != "EXT-FR-FE-184"]
    invoice = saying(values)
    assert round_trip(round_trip(invoice, Syntax.CII), Syntax.UBL) == invoice


@settings(max_examples=100, deadline=None, derandomize=True)
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1))
@pytest.mark.parametrize("syntax", [Syntax.UBL, Syntax.CII])
def test_any_text(syntax: Syntax, text: str) -> None:
    """A text of any characters, markup and mathematics included, is read as it was written."""
    invoice = saying([(TERMS["BT-27"], text)])
    assert round_trip(invoice, syntax) == invoice


@settings(max_examples=100, deadline=None, derandomize=True)
@given(number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
@pytest.mark.parametrize("syntax", [Syntax.UBL, Syntax.CII])
def test_any_number(syntax: Syntax, number: Decimal) -> None:
    """A number keeps its value, whatever its exponent, as long as its digits are within the bound."""
    number = round(number, 12)
    invoice = saying([(TERMS["BT-106"], number)])
    assert round_trip(invoice, syntax).totals == invoice.totals
