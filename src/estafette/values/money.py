"""Exact amounts: decimals as documents write them, and rounding half up as the standard rounds.

No binary float comes in: `decimal(0.1)` is a type error, not a surprise. A number is bounded in length, because one
of a million digits is an attack, not an amount.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal

import iso4217

from estafette.values.limits import NUMBER_CHARACTERS_MAX

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_EXACT = Context(prec=2 * NUMBER_CHARACTERS_MAX, rounding=ROUND_HALF_UP)


def decimal(text: str) -> Decimal:
    """Read a number of the XML Schema type `decimal`: no exponent, no comma, no space inside; ValueError otherwise.

    >>> decimal("1234.50"), decimal(" -0.1 ")
    (Decimal('1234.50'), Decimal('-0.1'))
    >>> decimal("1e3")
    Traceback (most recent call last):
    ValueError: not a decimal number: '1e3'
    """
    number = text.strip(" \t\r\n")
    if len(number) > NUMBER_CHARACTERS_MAX or not _DECIMAL.fullmatch(number):
        raise ValueError(f"not a decimal number: {number[:40]!r}")
    return Decimal(number)


def rounded(value: Decimal, *, digits: int = 2) -> Decimal:
    """Round half up, away from zero on both sides, to a number of digits after the point.

    >>> rounded(Decimal("2.345")), rounded(Decimal("-2.345")), rounded(Decimal("2.5"), digits=0)
    (Decimal('2.35'), Decimal('-2.35'), Decimal('3'))
    """
    return value.quantize(Decimal(1).scaleb(-digits), context=_EXACT)


def plain(value: Decimal) -> str:
    """Write a number without exponent and without losing a digit.

    >>> plain(Decimal("1E+3")), plain(Decimal("12.50")), plain(Decimal("-0"))
    ('1000', '12.50', '0')
    """
    return format(value if value else abs(value), "f")


def minor_digits(currency: str) -> int:
    """Give the digits after the point that a currency's coins allow; two for a code that ISO 4217 does not know.

    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("TND")
    (2, 0, 3)
    """
    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        return 2
    return 2 if exponent is None else int(exponent)
