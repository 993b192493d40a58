"""Comparisons and arithmetic, written for the types at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from estafette.rules.compiler.code import NUMERIC, TEXTUAL, Code, as_list, atomized, optional
from estafette.rules.compiler.syntax import UnsupportedError

if TYPE_CHECKING:
    from estafette.rules.compiler.emit import Emitter

GENERAL = {"=", "!=", "<", "<=", ">", ">="}
VALUE = {"eq", "ne", "lt", "le", "gt", "ge"}
ARITHMETIC = {"+", "-", "*", "div", "idiv", "mod"}
MIRROR = {">": "<", ">=": "<=", "gt": "lt", "ge": "le"}
ONE = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", "eq": "==", "ne": "!=", "lt": "<", "le": "<="}
OPTIONAL = {"=": "equal", "!=": "differ", "<": "less", "<=": "at_most"}
MANY = {"=": "some_equal", "!=": "some_differ", "<": "some_less", "<=": "some_at_most"}
POWERS = {"10": -1, "100": -2, "1000": -3, "10000": -4}
CASTS = {"dec": "decimal_of", "dbl": "double_of", "int": "integer_of", "bool": "boolean_of", "date": "date_of"}
TEXT_CASTS = {"dec": "to_decimal", "dbl": "to_double", "int": "to_integer", "bool": "to_boolean", "date": "to_date"}


def cast(kind: str, code: Code) -> Code:
    """Cast an atomic value, absent staying absent."""
    if code.kind == kind or (kind == "dec" and code.kind == "int") or kind == "item":
        return Code(code.source, kind, code.many)
    if kind == "str":
        if code.kind == "untyped":
            return Code(code.source, "str", code.many)
        function = "text_of"
    else:
        function = TEXT_CASTS[kind] if code.kind in TEXTUAL else CASTS[kind]
    if code.many == "one":
        return Code(f"{function}({code.source})", kind)
    if code.many == "opt":
        return Code(f"when({function}, {code.source})", kind, "opt")
    return Code(f"[{function}(x) for x in {as_list(code)}]", kind, "many")


def _comparable(left: Code, right: Code) -> tuple[Code, Code] | None:
    """Return both sides as values of one type, or None when only the run can tell the types."""
    kinds = {left.kind, right.kind}
    if "item" in kinds:
        return None
    if kinds <= TEXTUAL:
        return left, right
    if kinds <= {"int", "dec"} or len(kinds) == 1:
        return left, right
    if kinds <= {"int", "dec", "dbl", "untyped"}:
        return cast("dbl", left), cast("dbl", right)
    kind = next(iter(kinds - {"untyped"}))
    if kind in {"bool", "date"} and kinds == {kind, "untyped"}:
        return cast(kind, left), cast(kind, right)
    return None


def general(emitter: Emitter, operator: str, left: Code, right: Code) -> Code:  # noqa: PLR0911 - one return a form
    """Write a general comparison: some item of one side with some item of the other."""
    if operator in MIRROR:
        operator, left, right = MIRROR[operator], right, left
    left, right = atomized(left), atomized(right)
    pair = _comparable(left, right)
    if pair is None:
        return Code(f"items_compare({operator!r}, {_items(left)}, {_items(right)})", "bool")
    left, right = pair
    if operator == "=" and left.constant and not right.constant:
        left, right = right, left
    if operator == "=" and right.constant and right.many == "many":
        name = emitter.constant_set(right.constant)
        if left.many == "many":
            return Code(f"(not {name}.isdisjoint({left.source}))", "bool")
        return Code(f"({left.source} in {name})", "bool")
    if left.many == right.many == "one":
        return Code(f"({left.source} {ONE[operator]} {right.source})", "bool")
    if "many" not in {left.many, right.many}:
        return Code(f"{OPTIONAL[operator]}({left.source}, {right.source})", "bool")
    if operator == "=" and left.many == "many" and right.many == "one" and left.kind != "dbl":
        return Code(f"({right.source} in {left.source})", "bool")
    return Code(f"{MANY[operator]}({as_list(left)}, {as_list(right)})", "bool")


def _items(code: Code) -> str:
    return f"untyped({as_list(code)})" if code.kind == "untyped" else as_list(code)


def single(operator: str, left: Code, right: Code) -> Code:
    """Write a value comparison, absent when either side is."""
    if operator in MIRROR:
        operator, left, right = MIRROR[operator], right, left
    left, right = _as_text(optional(left)), _as_text(optional(right))
    if "item" in {left.kind, right.kind} or not _same_family(left.kind, right.kind):
        source = f"items_compare({_general(operator)!r}, {as_list(left)}, {as_list(right)})"
        return Code(source, "bool")
    if left.kind == "dbl" or right.kind == "dbl":
        left, right = cast("dbl", left), cast("dbl", right)
    if left.many == right.many == "one":
        return Code(f"({left.source} {ONE[operator]} {right.source})", "bool")
    return Code(f"value_compare({operator!r}, {left.source}, {right.source})", "bool", "opt")


def _general(operator: str) -> str:
    return {"eq": "=", "ne": "!=", "lt": "<", "le": "<="}[operator]


def _as_text(code: Code) -> Code:
    return Code(code.source, "str", code.many) if code.kind == "untyped" else code


def _same_family(left: str, right: str) -> bool:
    return left == right or {left, right} <= NUMERIC or {left, right} <= TEXTUAL


def numeric(code: Code) -> Code:
    """Return an operand of arithmetic: the untyped becomes a double."""
    if code.kind == "untyped":
        return cast("dbl", code)
    if code.kind in NUMERIC or code.kind == "item":
        return code
    raise UnsupportedError(f"arithmetic on {code.kind}")


def arithmetic(operator: str, left: Code, right: Code) -> Code:
    """Write an arithmetic operation, absent when either side is."""
    left, right = optional(left), optional(right)
    if "item" in {left.kind, right.kind}:
        sides = [f"only({_items(side)})" if side.kind == "untyped" else side.source for side in (left, right)]
        return Code(f"any_arithmetic({operator!r}, {sides[0]}, {sides[1]})", "item", "opt")
    if left.kind == right.kind == "date" and operator == "-":
        raise UnsupportedError("arithmetic on dates")
    left, right = numeric(left), numeric(right)
    kind = _result(operator, left.kind, right.kind)
    if kind == "dbl" or "dbl" in {left.kind, right.kind}:
        left, right = cast("dbl", left), cast("dbl", right)
    many = "one" if left.many == right.many == "one" else "opt"
    if operator == "div" and right.source in POWERS and left.source.startswith("rounded(") and kind == "dec":
        return Code(f"shifted({left.source}, {POWERS[right.source]})", kind, many)
    if operator == "div" and right.source in POWERS and kind == "dec":
        return Code(f"scaled({left.source}, {POWERS[right.source]})", kind, many)
    if operator in {"+", "-", "*"} and many == "one":
        return Code(f"({left.source} {operator} {right.source})", kind)
    function = {"+": "add", "-": "subtract", "*": "multiply", "idiv": "whole_divide", "mod": "modulo"}.get(
        operator, "divide_doubles" if kind == "dbl" else "divide"
    )
    return Code(f"{function}({left.source}, {right.source})", kind, many)


def _result(operator: str, left: str, right: str) -> str:
    if operator == "idiv":
        return "int"
    if "dbl" in {left, right}:
        return "dbl"
    if operator == "div" or "dec" in {left, right}:
        return "dec"
    return "int"
