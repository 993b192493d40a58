"""Two invoices compared by business term, whatever the syntaxes they came in.

What repeats is paired by what names it (the identifier of a line, the subject of a note, the category and rate of a VAT
group) where that names one occurrence on each side, and by its order otherwise. Numbers are compared as numbers: 20 and
20.00 say the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from estafette.invoice.model import (
    Identifier,
    Invoice,
    ItemAttribute,
    Line,
    Note,
    PrecedingInvoice,
    SupportingDocument,
    VatBreakdown,
)
from estafette.invoice.terms import Term, members
from estafette.invoice.walk import is_empty
from estafette.values.money import plain

_NAMES: dict[type[Any], tuple[str, ...]] = {
    Line: ("identifier",),
    Note: ("subject_code",),
    Identifier: ("scheme",),
    PrecedingInvoice: ("number",),
    VatBreakdown: ("category", "rate", "exemption_code"),
    SupportingDocument: ("reference",),
    ItemAttribute: ("name", "code"),
}
"""What names an occurrence of each group that repeats, where something does."""


class Difference(msgspec.Struct, frozen=True):
    """A business term that two invoices say otherwise; a side that does not say it has None."""

    term: str
    name_en: str
    name_fr: str
    place: str
    """A path in the model, with the name of each occurrence: `lines[2].price.net`."""
    first: str | None
    second: str | None


def differences(first: Invoice, second: Invoice) -> tuple[Difference, ...]:
    """Give each term that two invoices do not say alike, in the order of the table.

    >>> [(each.term, each.first, each.second) for each in differences(Invoice(number="F1"), Invoice(number="F2"))]
    [('BT-1', 'F1', 'F2')]
    """
    return tuple(_between("", first, second, ""))


def _between(group: str, first: Any, second: Any, place: str) -> Iterator[Difference]:
    for term in members(group):
        one, other = (_field(record, term) for record in (first, second))
        here = place if not term.field else f"{place}.{term.field}" if place else term.field
        if _same(one, other):
            continue
        if not isinstance(one, tuple) and not isinstance(other, tuple):
            yield from _one(term, one, other, here)
            continue
        for name, left, right in _pairs(one or (), other or ()):
            yield from _one(term, left, right, f"{here}[{name}]")


def _one(term: Term, first: Any, second: Any, place: str) -> Iterator[Difference]:
    if _same(first, second):
        return
    if term.is_group:
        yield from _between(term.id, first, second, place)
    else:
        yield Difference(term.id, term.name_en, term.name_fr, place, text_of(first), text_of(second))


def _field(record: Any, term: Term) -> Any:
    if record is None or not term.field:
        return record
    return getattr(record, term.field)


def _same(first: Any, second: Any) -> bool:
    return first == second or (is_empty(first) and is_empty(second))


def _pairs(first: Sequence[Any], second: Sequence[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Pair what repeats, by name where each name is one occurrence's on each side, by order otherwise."""
    left, right = ([_name(each) for each in side] for side in (first, second))
    if any(number > 1 for names in (left, right) for number in Counter(names).values()):
        left, right = ([str(at) for at in range(len(side))] for side in (first, second))
    theirs = dict(zip(right, second, strict=True))
    ours = dict(zip(left, first, strict=True))
    for name in dict.fromkeys((*left, *right)):
        yield name, ours.get(name), theirs.get(name)


def _name(record: Any) -> str:
    values = (getattr(record, field) for field in _NAMES.get(type(record), ()))
    return " ".join(text for value in values if (text := text_of(_shortest(value))) is not None)


def _shortest(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value


def text_of(value: Any) -> str | None:
    """Write a value of the model for a person: None for what is not said.

    >>> text_of(Decimal("1E+2")), text_of(Identifier("732829320", "0002")), text_of(b"abc"), text_of(None)
    ('100', '732829320 (0002)', '3 bytes, sha256:ba7816bf8f01', None)
    """
    if is_empty(value):
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Identifier):
        return f"{value.value} ({value.scheme})" if value.scheme else value.value
    if isinstance(value, bytes):
        return f"{len(value)} bytes, sha256:{sha256(value).hexdigest()[:12]}"
    return str(value)


def said_values(invoice: Invoice) -> Iterator[tuple[Term, str, Any]]:
    """Give each value that an invoice says, with its term and its path in the model, in the order of the table.

    >>> [(term.id, path, value) for term, path, value in said_values(Invoice(notes=(Note("Merci", "AAI"),)))]
    [('BT-21', 'notes[0].subject_code', 'AAI'), ('BT-22', 'notes[0].text', 'Merci')]
    """
    return _values("", invoice, "")


def _values(group: str, record: Any, place: str) -> Iterator[tuple[Term, str, Any]]:
    for term in members(group):
        value = _field(record, term)
        here = place if not term.field else f"{place}.{term.field}" if place else term.field
        if is_empty(value):
            continue
        several = isinstance(value, tuple)
        for at, each in enumerate(value if several else (value,)):
            path = f"{here}[{at}]" if several else here
            if term.is_group:
                yield from _values(term.id, each, path)
            else:
                yield term, path, each
