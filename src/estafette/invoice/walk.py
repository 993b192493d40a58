"""What an invoice says: its terms, walked in the order of the table."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from estafette.invoice.model import Invoice
from estafette.invoice.terms import Term, members

_NOTHING: tuple[object, ...] = ((), "")


def is_empty(value: object) -> bool:
    """Tell whether a value of the model says nothing.

    >>> is_empty(None), is_empty(()), is_empty(0)
    (True, True, False)
    """
    if isinstance(value, msgspec.Struct):
        return bool(value == _blank(type(value)))
    return value is None or value in _NOTHING


@cache
def _blank(kind: type[msgspec.Struct]) -> msgspec.Struct:
    return kind()


def said(invoice: Invoice) -> tuple[Term, ...]:
    """Give each term that an invoice says, once, groups included.

    >>> [term.id for term in said(Invoice(number="F1", currency="EUR"))]
    ['BT-1', 'BT-5']
    """
    return tuple(dict.fromkeys(_said("", invoice)))


def _said(group: str, record: Any) -> Iterator[Term]:
    for term in members(group):
        value = getattr(record, term.field) if term.field else record
        if is_empty(value):
            continue
        if not term.is_group:
            yield term
            continue
        below = [each for one in (value if isinstance(value, tuple) else (value,)) for each in _said(term.id, one)]
        if below:
            yield term
            yield from below
