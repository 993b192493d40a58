"""Truth and comparison of items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from estafette.rules.semantics.base import DynamicError, Untyped
from estafette.rules.semantics.casts import float_of, to_boolean, to_double
from estafette.rules.tree import Node


def truth(value: Any) -> bool:
    """The effective boolean value of a sequence or an item."""
    if isinstance(value, (list, tuple)):
        if not value:
            return False
        if isinstance(value[0], Node):
            return True
        if len(value) > 1:
            raise DynamicError("several values have no truth")
        value = value[0]
    if isinstance(value, float):
        return value == value and value != 0  # noqa: PLR0124 - NaN differs from itself
    return bool(value)


def equal(left: Any, right: Any) -> bool:
    """Compare optional items of one type with =."""
    return left is not None and right is not None and left == right


def differ(left: Any, right: Any) -> bool:
    """Compare optional items of one type with !=."""
    return left is not None and right is not None and left != right


def less(left: Any, right: Any) -> bool:
    """Compare optional items of one type with <."""
    return left is not None and right is not None and left < right


def at_most(left: Any, right: Any) -> bool:
    """Compare optional items of one type with <=."""
    return left is not None and right is not None and left <= right


def some_equal(left: Iterable[Any], right: Sequence[Any]) -> bool:
    """Say whether some pair is equal."""
    return any(a == b for a in left for b in right)


def some_differ(left: Iterable[Any], right: Sequence[Any]) -> bool:
    """Say whether some pair differs."""
    return any(a != b for a in left for b in right)


def some_less(left: Iterable[Any], right: Sequence[Any]) -> bool:
    """Say whether some pair is in strict order."""
    return any(a < b for a in left for b in right)


def some_at_most(left: Iterable[Any], right: Sequence[Any]) -> bool:
    """Say whether some pair is in order."""
    return any(a <= b for a in left for b in right)


def value_compare(operator: str, left: Any, right: Any) -> bool | None:
    """Compare optional items of one type with eq, ne, lt or le; None when either is missing."""
    if left is None or right is None:
        return None
    match operator:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "lt":
            return bool(left < right)
    return bool(left <= right)


def items_compare(operator: str, left: Sequence[Any], right: Sequence[Any]) -> bool:
    """General comparison of sequences whose types are known only now; operator is =, !=, < or <=."""
    return any(_pair(operator, a, b) for a in left for b in right)


def _pair(operator: str, left: Any, right: Any) -> bool:
    left, right = _alike(left, right), _alike(right, left)
    if isinstance(left, str) != isinstance(right, str):
        raise DynamicError("a text is compared with a number")
    if isinstance(left, float) or isinstance(right, float):
        left, right = float_of(left), float_of(right)
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
    return bool(left <= right)


def _alike(value: Any, other: Any) -> Any:
    """Cast an untyped value to the type of what it is compared with."""
    if isinstance(value, Untyped) and not isinstance(other, str):
        return to_boolean(value) if isinstance(other, bool) else to_double(value)
    return value


def untyped(values: Iterable[str]) -> list[Untyped]:
    """Mark values as untyped."""
    return [Untyped(value) for value in values]


def atoms(items: Iterable[Any]) -> list[Any]:
    """Atomize a sequence of anything."""
    return [Untyped(item.value) if isinstance(item, Node) else item for item in items]
