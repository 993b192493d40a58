"""Arithmetic: exact on decimals, halves up, as Saxon does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from estafette.rules.semantics.base import EIGHTEEN, EXACT, DynamicError, Untyped
from estafette.rules.semantics.casts import float_of, to_double


def add(left: Any, right: Any) -> Any:
    """Add optional numbers of one type."""
    return None if left is None or right is None else left + right


def subtract(left: Any, right: Any) -> Any:
    """Subtract optional numbers of one type."""
    return None if left is None or right is None else left - right


def multiply(left: Any, right: Any) -> Any:
    """Multiply optional numbers of one type."""
    return None if left is None or right is None else left * right


def divide(left: Any, right: Any) -> Any:
    """Divide exact numbers to 18 decimals or as many as they have, halves down, as Saxon does."""
    if left is None or right is None:
        return None
    if left.__class__ is int and right.__class__ is int and right and not left % right:
        return Decimal(left // right)
    left, right = Decimal(left), Decimal(right)
    if not right:
        raise DynamicError("division by zero")
    places = max(18, -int(left.as_tuple().exponent), -int(right.as_tuple().exponent))
    quotient = EXACT.divide(left, right)
    if -int(quotient.as_tuple().exponent) <= places:
        return quotient
    return quotient.quantize(Decimal(1).scaleb(-places), ROUND_HALF_DOWN, EXACT)


def shifted(value: Any, places: int) -> Any:
    """Divide a whole number by a power of ten: what `divide` gives, at once."""
    return None if value is None else Decimal(value).scaleb(places)


def scaled(value: Any, places: int) -> Any:
    """Divide by a power of ten: what `divide` gives, faster where 18 decimals are enough."""
    if value is None:
        return None
    quotient = Decimal(value).scaleb(places)
    return quotient if quotient == quotient.quantize(EIGHTEEN, ROUND_HALF_DOWN) else divide(value, 10**-places)


def divide_doubles(left: float | None, right: float | None) -> float | None:
    """Divide doubles."""
    if left is None or right is None:
        return None
    if right == 0:
        if left == 0 or math.isnan(left):
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def whole_divide(left: Any, right: Any) -> int | None:
    """Divide to an integer, towards zero."""
    if left is None or right is None:
        return None
    if right == 0:
        raise DynamicError("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return int(left / right)


def modulo(left: Any, right: Any) -> Any:
    """The rest of a division, with the sign of the dividend."""
    if left is None or right is None:
        return None
    if isinstance(left, float) or isinstance(right, float):
        return math.fmod(left, right) if right else math.nan
    if right == 0:
        raise DynamicError("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return EXACT.remainder(Decimal(left), Decimal(right))


def negate(value: Any) -> Any:
    """Unary minus."""
    return None if value is None else -value


def any_arithmetic(operator: str, left: Any, right: Any) -> Any:  # noqa: PLR0911 - one branch a kind
    """Arithmetic on optional items whose types are known only now."""
    if left is None or right is None:
        return None
    left = to_double(left) if isinstance(left, Untyped) else left
    right = to_double(right) if isinstance(right, Untyped) else right
    if isinstance(left, (str, bool)) or isinstance(right, (str, bool)):
        raise DynamicError("arithmetic on what is no number")
    doubles = isinstance(left, float) or isinstance(right, float)
    if doubles:
        left, right = float_of(left), float_of(right)
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "div":
            return divide_doubles(left, right) if doubles else divide(left, right)
        case "idiv":
            return whole_divide(left, right)
    return modulo(left, right)


def rounded(value: Any, digits: int = 0) -> Any:
    """Round to the nearest, halves towards plus infinity."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return _rounded_double(value, digits)
    way = ROUND_HALF_DOWN if value.is_signed() else ROUND_HALF_UP
    if not digits:
        return value.to_integral_value(way)
    return value.quantize(Decimal(1).scaleb(-digits), way, EXACT)


def _rounded_double(value: float, digits: int) -> float:
    if not math.isfinite(value):
        return value
    if digits:
        return float(rounded(Decimal(value), digits))
    floor = math.floor(value)
    result = float(floor + 1 if value - floor >= 0.5 else floor)
    return -0.0 if result == 0 and math.copysign(1, value) < 0 else result


def floor(value: Any) -> Any:
    """The greatest whole number that is not greater."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(math.floor(value)) if math.isfinite(value) else value
    return value.to_integral_value(ROUND_FLOOR)


def ceiling(value: Any) -> Any:
    """The smallest whole number that is not smaller."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(math.ceil(value)) if math.isfinite(value) else value
    return value.to_integral_value(ROUND_CEILING)


def absolute(value: Any) -> Any:
    """The absolute value of an optional number."""
    return None if value is None else abs(value)


def sum_doubles(values: Iterable[float]) -> float:
    """Sum doubles one after the other, as Saxon does (Python's own sum compensates)."""
    total = 0.0
    for value in values:
        total += value
    return total


def sum_items(values: Iterable[Any]) -> Any:
    """Sum items whose types are known only now."""
    total: Any = 0
    for value in values:
        total = any_arithmetic("+", total, value)
    return total


def extreme(values: Sequence[Any], greatest: bool) -> Any:
    """The minimum or maximum, untyped values being doubles."""
    numbers = [to_double(value) if isinstance(value, Untyped) else value for value in values]
    if not numbers:
        return None
    if any(isinstance(value, float) for value in numbers):
        numbers = [float_of(value) for value in numbers]
        if any(math.isnan(value) for value in numbers):
            return math.nan
    return max(numbers) if greatest else min(numbers)
