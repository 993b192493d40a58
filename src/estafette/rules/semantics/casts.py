"""Values read from text and cast to types: decimals exact, doubles where the sheet asks for them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from estafette.rules.semantics.base import DATE, DECIMAL, DIGITS_MAX, DOUBLE, INTEGER, SPECIAL, DynamicError


@lru_cache(8192)
def to_decimal(text: str) -> Decimal:
    """Cast a text to xs:decimal."""
    found = DECIMAL.fullmatch(text) if len(text) < DIGITS_MAX else None
    if found is None:
        raise DynamicError(f"{text[:60]!r} is not a decimal number")
    return Decimal(found[1])


@lru_cache(8192)
def to_double(text: str) -> float:
    """Cast a text to xs:double."""
    found = DOUBLE.fullmatch(text) if len(text) < DIGITS_MAX else None
    if found is not None:
        return float(found[1])
    special = SPECIAL.get(text.strip(" \t\r\n"))
    if special is None:
        raise DynamicError(f"{text[:60]!r} is not a number")
    return special


def to_integer(text: str) -> int:
    """Cast a text to xs:integer."""
    found = INTEGER.fullmatch(text) if len(text) < 4000 else None
    if found is None:
        raise DynamicError(f"{text[:60]!r} is not an integer")
    return int(found[1])


def to_boolean(text: str) -> bool:
    """Cast a text to xs:boolean."""
    match text.strip(" \t\r\n"):
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise DynamicError(f"{text[:60]!r} is neither true nor false")


@lru_cache(4096)
def to_date(text: str) -> int:
    """Cast a text to xs:date, as minutes since year 1 in UTC."""
    found = DATE.fullmatch(text)
    if found is None:
        raise DynamicError(f"{text[:60]!r} is not a date")
    try:
        day = datetime.date(int(found[1]), int(found[2]), int(found[3])).toordinal() * 1440
    except ValueError:
        raise DynamicError(f"{text[:60]!r} is not a date") from None
    zone = found[4]
    if zone in {None, "Z"}:
        return day
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return day + (-minutes if zone[0] == "+" else minutes)


def number(text: str | None) -> float:
    """The function number() on an untyped value: NaN where it is none."""
    if text is None:
        return math.nan
    try:
        return to_double(text)
    except DynamicError:
        return math.nan


def float_of(value: Any) -> float:
    """Promote a number to a double."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def decimal_of(value: Any) -> Any:
    """Cast an atomic value to xs:decimal."""
    if isinstance(value, str):
        return to_decimal(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DynamicError(f"{value} has no decimal value")
        return Decimal(value)
    return value


def double_of(value: Any) -> float:
    """Cast an atomic value to xs:double."""
    return to_double(value) if isinstance(value, str) else float_of(value)


def integer_of(value: Any) -> int:
    """Cast an atomic value to xs:integer."""
    if isinstance(value, str):
        return to_integer(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise DynamicError(f"{value} has no integer value")
    return int(value)


def boolean_of(value: Any) -> bool:
    """Cast an atomic value to xs:boolean."""
    if isinstance(value, str):
        return to_boolean(value)
    return bool(value) and value == value  # noqa: PLR0124 - NaN differs from itself


def date_of(value: Any) -> int:
    """Cast an atomic value to xs:date."""
    if isinstance(value, str):
        return to_date(value)
    if isinstance(value, int):
        return value
    raise DynamicError(f"{value!r} is not a date")


CASTS: dict[str, Callable[[Any], Any]] = {
    "dec": decimal_of,
    "dbl": double_of,
    "int": integer_of,
    "bool": boolean_of,
    "date": date_of,
}


def castable(kind: str, items: Sequence[Any], optional: bool) -> bool:
    """Say whether a sequence is one item that the cast accepts (or none, where that is allowed)."""
    if len(items) != 1:
        return not items and optional
    try:
        CASTS[kind](items[0])
    except (DynamicError, ArithmeticError, ValueError):
        return False
    return True
