"""Numbers, dates and foreign text as people read them, in French and in English.

Spaces inside a figure do not break. Nothing is lost: a number keeps all its digits, and a character that no page can
show, or that would turn the order of the others, is written by its number.
"""

import re
from datetime import date, datetime
from decimal import Decimal

from estafette.values.moments import PARIS
from estafette.values.money import minor_digits

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNSHOWN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Controls, marks that turn the direction of reading, halves of characters, private and unassigned ones."""


def amount(value: Decimal | None, currency: str = "EUR", language: str = "fr") -> str:
    """Write an amount with its currency, to the coin at least.

    >>> amount(Decimal("1234.5")), amount(Decimal("1234.5"), "JPY", "en")
    ('1\\u202f234,50\\xa0EUR', '1,234.5\\xa0JPY')
    """
    return "" if value is None else f"{number(value, minor_digits(currency), language)}\u00a0{currency}".rstrip()


def number(value: Decimal | None, digits: int = 0, language: str = "fr") -> str:
    """Write a number without losing a digit nor adding zeros, past `digits` of them after the point."""
    if value is None:
        return ""
    held = -int(value.normalize().as_tuple().exponent)
    written = f"{value:,.{max(held, digits)}f}"
    return written if language == "en" else written.replace(",", "\u202f").replace(".", ",")


def day(value: date | None, language: str = "fr") -> str:
    """Write a date day first: `02/01/2026` in French, `2 Jan 2026` in English."""
    if value is None:
        return ""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}" if language == "en" else value.strftime("%d/%m/%Y")


def moment(value: datetime | None, language: str = "fr") -> str:
    """Write an instant in French legal time, to the second."""
    if value is None:
        return ""
    here = value.astimezone(PARIS)
    return f"{day(here, language)} {here:%H:%M:%S}"


def size(count: int, language: str = "fr") -> str:
    """Write how long a file is.

    >>> size(900), size(2_500_000, "en")
    ('900\\xa0o', '2.5\\xa0MB')
    """
    unit = "o" if language == "fr" else "B"
    for prefix, one in (("M", 1_000_000), ("k", 1_000)):
        if count >= one:
            return f"{number(round(Decimal(count) / one, 1), 0, language)}\u00a0{prefix}{unit}"
    return f"{count}\u00a0{unit}"


def shown(text: str) -> str:
    """Give a text with what no page can show written by its number.

    >>> shown("a\\x00b\\u202ec")
    'a[U+0000]b[U+202E]c'
    """
    return _UNSHOWN.sub(lambda found: written(found[0]), text)


def written(characters: str) -> str:
    """Write characters by their numbers.

    >>> written("漢")
    '[U+6F22]'
    """
    return "".join(f"[U+{ord(one):04X}]" for one in characters)
