"""What generated code may call: the semantics of XPath 2 over the compact tree, no more.

Values are: nodes; `str` for strings and untyped values (told apart when compiling; `Untyped` where only the run can
tell); `int` and `Decimal` for integers and decimals, exact; `float` for doubles; `bool`; a count of minutes for dates.
A sequence is a list; an optional item is the item or None. Source: W3C XPath 2.0 and Functions and Operators.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

from estafette.rules.regex import replacement, translated
from estafette.rules.tree import NOTHING, Leaf, Node, Top, attributes, below, children, source, texts, top_of

EXACT = Context(prec=400, Emax=100_000, Emin=-100_000)
"""Decimal arithmetic without rounding: amounts of a real document never come near 400 digits."""

EIGHTEEN = Decimal("1e-18")
EMPTY: tuple[Any, ...] = ()
DECIMAL = re.compile(r"[ \t\r\n]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*")
DOUBLE = re.compile(r"[ \t\r\n]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\r\n]*")
INTEGER = re.compile(r"[ \t\r\n]*([+-]?[0-9]+)[ \t\r\n]*")
DATE = re.compile(r"[ \t\r\n]*([0-9]{4})-([0-9]{2})-([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?[ \t\r\n]*")
SPECIAL = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
DIGITS_MAX = 10_000
"""Characters of a number; a longer one is refused as malformed (our bound, conversions are quadratic)."""


class DynamicError(Exception):
    """The official sheet would stop here: a value is not of the form, or not of the number, that it supposes."""


class Untyped(str):
    """A value taken from a node, where only the run can tell it from a string."""

    __slots__ = ()


# -- numbers and dates read from text ---------------------------------------------------------------------------------


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
    try:
        if found is None:
            raise ValueError
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


# -- how many ---------------------------------------------------------------------------------------------------------


def only(items: Sequence[Any]) -> Any:
    """Return the one item of a sequence or None; several are an error of the sheet."""
    if not items:
        return None
    if len(items) > 1:
        raise DynamicError("one value expected, several found")
    return items[0]


def lone(node: Node, name: str) -> str | None:
    """Return the value of the one child of that name, or None; several are an error of the sheet."""
    found = node.kids.get(name)
    if found is None:
        return None
    if len(found) > 1:
        raise DynamicError("one value expected, several found")
    return found[0].value


def present(item: Any) -> Any:
    """Return an item that the sheet requires."""
    if item is None:
        raise DynamicError("a value is missing")
    return item


def listed(item: Any) -> Sequence[Any]:
    """Turn an optional item into a sequence."""
    return EMPTY if item is None else (item,)


def node_listed(node: Node) -> Sequence[Node]:
    """Turn an optional node into a sequence."""
    return (node,) if node else EMPTY


def first(nodes: Sequence[Node]) -> Node:
    """Return the first node, or the one that is nothing."""
    return nodes[0] if nodes else NOTHING


def later(value: Callable[[], Any]) -> Callable[[], Any]:
    """Compute a value when it is first asked for, once."""
    kept: list[Any] = []

    def get() -> Any:
        if not kept:
            kept.append(value())
        return kept[0]

    return get


# -- nodes ------------------------------------------------------------------------------------------------------------


def order(node: Node) -> float:
    """The place of a node in the document."""
    return node.order


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """Return distinct nodes in document order."""
    return sorted(dict.fromkeys(nodes), key=order)


def distinct(nodes: Iterable[Node]) -> list[Node]:
    """Return nodes once each, as they come."""
    return list(dict.fromkeys(nodes))


def union(left: Sequence[Node], right: Sequence[Node]) -> Sequence[Node]:
    """Nodes of either side, each of which comes in order."""
    if not left or not right:
        return left or right
    return in_order([*left, *right])


def intersect(left: Iterable[Node], right: Iterable[Node]) -> list[Node]:
    """Nodes of both sides."""
    kept = set(right)
    return in_order(node for node in left if node in kept)


def excepted(left: Iterable[Node], right: Iterable[Node]) -> list[Node]:
    """Nodes of the left side only."""
    gone = set(right)
    return in_order(node for node in left if node not in gone)


def is_named(node: Node, name: str) -> bool:
    """Say whether an element passes a name test."""
    if isinstance(node, Top) or not node:
        return name == "node()" and bool(node)
    if isinstance(node, Leaf):
        return name == "node()" or (name == "text()" and not node.key.startswith("@"))
    if name in {"*", "node()"} or node.tag == name:
        return True
    if name.startswith("*:"):
        return node.shape.local == name[2:]
    return name.endswith("}*") and node.tag.startswith(name[:-1])


def kids(node: Node, name: str) -> list[Node]:
    """Return the children that pass a wildcard test, in document order."""
    if name == "text()":
        return texts(node)
    if name == "node()":
        return sorted([*children(node), *texts(node)], key=order)
    return [child for child in children(node) if is_named(child, name)]


def tagged(top: Top, name: str) -> list[Node]:
    """Return the elements of a name anywhere in the document, in its order."""
    found = top.tagged.get(name)
    if found is None:
        lists = [nodes for shape, nodes in top.nodes.items() if shape.tag == name and shape.parent is not None]
        found = lists[0] if len(lists) == 1 else sorted((node for nodes in lists for node in nodes), key=order)
        top.tagged[name] = found
    return found


def attributed(top: Top, name: str) -> list[Node]:
    """Return the attributes of a name anywhere in the document, in its order."""
    mark = "@" + name
    owners = [
        nodes for shape in top.nodes if shape.tag == mark and shape.parent for nodes in (top.nodes[shape.parent],)
    ]
    found = [leaf(node, name) for nodes in owners for node in nodes if name in node.attrs]
    return found if len(owners) < 2 else sorted(found, key=order)


def descendants(node: Node, name: str) -> list[Node]:
    """Return the descendants that pass a name test, in document order."""
    if isinstance(node, Top):
        if name[0] != "*" and name[-1] not in "*)":
            return tagged(node, name)
        everything = sorted((item for nodes in node.nodes.values() for item in nodes if item.order), key=order)
        if name == "text()":
            return [text for item in everything for text in texts(item)]
        return everything if name == "*" else [item for item in everything if is_named(item, name)]
    if name == "text()":
        return in_order(text for item in (node, *below(node)) for text in texts(item))
    return [item for item in below(node) if is_named(item, name)]


def descendants_or_self(node: Node, name: str) -> list[Node]:
    """Return the node and its descendants that pass a name test."""
    return [node, *descendants(node, name)] if is_named(node, name) else descendants(node, name)


def named_parent(node: Node, name: str) -> Node:
    """Return the parent if it passes the name test, else the one that is nothing."""
    return node.parent if is_named(node.parent, name) else NOTHING


def ancestors(node: Node, name: str) -> list[Node]:
    """Return the ancestors that pass a name test, the nearest first."""
    found = []
    node = node.parent
    while node:
        if is_named(node, name):
            found.append(node)
        node = node.parent
    return found


def ancestors_or_self(node: Node, name: str) -> list[Node]:
    """Return the node and its ancestors that pass a name test, the nearest first."""
    return [node, *ancestors(node, name)] if is_named(node, name) else ancestors(node, name)


def preceding_siblings(node: Node, name: str) -> list[Node]:
    """Return the brothers before a node, the nearest first."""
    brothers = [] if isinstance(node, Leaf) else children(node.parent)
    return [item for item in reversed(brothers) if item.order < node.order and is_named(item, name)]


def following_siblings(node: Node, name: str) -> list[Node]:
    """Return the brothers after a node."""
    brothers = [] if isinstance(node, Leaf) else children(node.parent)
    return [item for item in brothers if item.order > node.order and is_named(item, name)]


def preceding(node: Node, name: str) -> list[Node]:
    """Return the nodes before a node that are not its ancestors, the nearest first."""
    above = set(ancestors(node, "node()"))
    everything = descendants(top_of(node), name)
    return [item for item in reversed(everything) if item.order < node.order and item not in above]


def following(node: Node, name: str) -> list[Node]:
    """Return the nodes after a node that are not its descendants."""
    under = set(below(node))
    return [item for item in descendants(top_of(node), name) if item.order > node.order and item not in under]


def leaf(node: Node, name: str) -> Leaf:
    """Return an attribute as a node."""
    return Leaf(node, "@" + name, node.attrs[name], 0.1)


def attributes_like(node: Node, name: str) -> list[Node]:
    """Return the attributes that pass a wildcard test."""
    return [item for item in attributes(node) if name in {"*", "node()"} or is_named_leaf(item, name)]


def is_named_leaf(item: Node, name: str) -> bool:
    """Say whether an attribute passes a name test."""
    own = item.shape.tag
    return own == name or (name.startswith("*:") and item.shape.local == name[2:])


def place(node: Node, name: str) -> tuple[int, int]:
    """Return the position of an element among the brothers that pass the test, and their number."""
    brothers = [item for item in children(node.parent) if is_named(item, name)]
    return next(i for i, item in enumerate(brothers, 1) if item is node), len(brothers)


def select(items: Sequence[Any], condition: Callable[[Any, int, int], Any]) -> list[Any]:
    """Keep the items for which a condition on item, position and size holds; a number is a position."""
    size = len(items)
    kept = []
    for position, item in enumerate(items, 1):
        held = condition(item, position, size)
        if held is True or (held is not False and held is not None and _selects(held, position)):
            kept.append(item)
    return kept


def _selects(held: Any, position: int) -> bool:
    if isinstance(held, (list, tuple)) and len(held) == 1 and not isinstance(held[0], Node):
        held = held[0]
    if isinstance(held, (int, float, Decimal)) and not isinstance(held, bool):
        return held == position
    return truth(held)


def name_of(node: Node) -> str:
    """Return the name as the document writes it, with its prefix."""
    if isinstance(node, Leaf):
        return "" if node.key.startswith("text()") else node.shape.local
    if isinstance(node, Top) or not node:
        return ""
    prefix = source(node).prefix
    return f"{prefix}:{node.shape.local}" if prefix else node.shape.local


def local_name(node: Node) -> str:
    """Return the local part of the name."""
    return "" if isinstance(node, Top) or (isinstance(node, Leaf) and node.key[0] != "@") else node.shape.local


def namespace(node: Node) -> str:
    """Return the namespace of the name."""
    return node.tag[1:].partition("}")[0] if node.tag.startswith("{") else ""


def index(nodes: Iterable[Node], key: Callable[[Node], Sequence[Any]]) -> dict[Any, list[Node]]:
    """Group nodes by each of the values of a key."""
    found: dict[Any, list[Node]] = {}
    for node in nodes:
        values = key(node)
        for value in values if len(values) < 2 else set(values):
            found.setdefault(value, []).append(node)
    return found


def chosen(indexed: dict[Any, list[Node]], values: Sequence[Any]) -> Sequence[Node]:
    """Return the nodes whose key is one of the values, in document order."""
    if len(values) == 1:
        return indexed.get(values[0], EMPTY)
    return in_order(node for value in values for node in indexed.get(value, EMPTY))


# -- truth and comparison ---------------------------------------------------------------------------------------------


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


# -- arithmetic -------------------------------------------------------------------------------------------------------


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


def any_arithmetic(operator: str, left: Any, right: Any) -> Any:
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


# -- texts ------------------------------------------------------------------------------------------------------------


@lru_cache(8192)
def trimmed(text: str) -> str:
    """normalize-space()."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(piece for piece in re.split("[ \t\r\n]+", text) if piece)


def text_of(value: Any) -> str:
    """Cast an atomic value to xs:string; nothing gives the empty string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, float):
        return _double_text(value)
    return str(value)


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e6:
        return _decimal_text(Decimal(repr(value)))
    mantissa, _, exponent = repr(Decimal(repr(value)).normalize()).partition("E")
    del mantissa, exponent
    digits = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits.digits))
    power = int(digits.exponent) + len(figures) - 1
    return f"{'-' if digits.sign else ''}{figures[0]}.{figures[1:] or '0'}E{power}"


def item_text(value: Any) -> str:
    """Return an argument that must be a string, or nothing."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DynamicError("a text is expected")
    return value


def joined(values: Iterable[Any], separator: str) -> str:
    """string-join()."""
    return separator.join([text_of(value) for value in values])


def substring(text: str, start: Any, length: Any = None) -> str:
    """Part of a text, positions from 1, halves rounded."""
    begin = rounded(start)
    if isinstance(begin, float) and math.isnan(begin):
        return ""
    if length is None:
        return text[_bounded(begin - 1, len(text)) :]
    end = begin + rounded(length)
    if isinstance(end, float) and math.isnan(end):
        return ""
    return text[_bounded(begin - 1, len(text)) : _bounded(end - 1, len(text))]


def _bounded(position: Any, size: int) -> int:
    if position <= 0:
        return 0
    return size if position >= size else int(position)


def in_list(text: str, codes: frozenset[str], source: str) -> bool:
    """Look for ` code ` in a text of codes between spaces, by a set where the code is one word."""
    if text and " " not in text:
        return text in codes
    return f" {text} " in source


def translate(text: str, old: str, new: str) -> str:
    """Replace characters one for one; those without counterpart go."""
    table: dict[int, str | None] = {}
    for position, character in enumerate(old):
        table.setdefault(ord(character), new[position] if position < len(new) else None)
    return text.translate(table)


def before(text: str, mark: str) -> str:
    """substring-before()."""
    head, found, _ = text.partition(mark) if mark else ("", "", "")
    return head if found else ""


def after(text: str, mark: str) -> str:
    """substring-after()."""
    if not mark:
        return text
    return text.partition(mark)[2]


@lru_cache(512)
def expression(pattern: str, flags: str = "") -> re.Pattern[str]:
    """Compile a regular expression of XPath."""
    try:
        return translated(pattern, flags)
    except (ValueError, re.error, OverflowError, RecursionError) as error:
        raise DynamicError(f"regular expression {pattern[:60]!r}: {error}") from error


def matches(text: str, pattern: str, flags: str = "") -> bool:
    """matches()."""
    return expression(pattern, flags).search(text) is not None


def replace(text: str, pattern: str, by: str, flags: str = "") -> str:
    """replace()."""
    compiled = expression(pattern, flags)
    if compiled.match(""):
        raise DynamicError("the regular expression matches the empty text")
    return compiled.sub(replacement(by, compiled.groups), text)


def tokenize(text: str, pattern: str | None = None, flags: str = "") -> list[str]:
    """tokenize()."""
    if pattern is None:
        return trimmed(text).split(" ") if trimmed(text) else []
    if not text:
        return []
    compiled = expression(pattern, flags)
    if compiled.match(""):
        raise DynamicError("the regular expression matches the empty text")
    pieces, position = [], 0
    for found in compiled.finditer(text):
        pieces.append(text[position : found.start()])
        position = found.end()
    return [*pieces, text[position:]]


def distinct_values(values: Iterable[Any]) -> list[Any]:
    """distinct-values(), in order of first appearance."""
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault(("t", str(value)) if isinstance(value, str) else ("n", value), value)
    return list(kept.values())


def integers(low: int | None, high: int | None) -> Sequence[int]:
    """The whole numbers from one to another."""
    if low is None or high is None:
        return EMPTY
    if high - low > 1_000_000:
        raise DynamicError("a range of more than a million numbers")
    return range(low, high + 1)


def positions(values: Sequence[Any], wanted: Any) -> list[int]:
    """index-of()."""
    return [position for position, value in enumerate(values, 1) if value == wanted]


def subsequence(items: Sequence[Any], start: Any, length: Any = None) -> Sequence[Any]:
    """subsequence()."""
    begin = rounded(start)
    end = math.inf if length is None else begin + rounded(length)
    return [item for position, item in enumerate(items, 1) if begin <= position < end]
