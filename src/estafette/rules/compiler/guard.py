"""When an assertion cannot speak: what must be in a document for its test to come out false.

A key names something that may be absent: ("rel", up, names) below the ancestor `up` levels above the context,
("abs", names) below the document, ("anc", names) an ancestor and what is below it, ("any", name) anywhere, ("val", …) a
value (see `values`); an attribute is a last name that begins with `@`. The test is worked out with that thing absent;
when it holds for sure, the assertion need not be run.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from estafette.rules.compiler.analysis import UP
from estafette.rules.compiler.syntax import (
    Call,
    Castable,
    Context,
    Each,
    Expression,
    Filter,
    For,
    If,
    Literal,
    Negate,
    Operation,
    Path,
    Quantified,
    Root,
    Sequence,
    Step,
    Union,
    Variable,
    parts,
)
from estafette.rules.compiler.values import all_gone, compared_keys, selecting_keys, widened

Key = tuple[Any, ...]
Guard = tuple[str, tuple[Key, ...]]
CANDIDATES_MAX = 40
DEPTH_MAX = 40


class _Absent:
    """The empty sequence."""


class _Unknown:
    """A value that the absence does not settle."""


ABSENT, UNKNOWN = _Absent(), _Unknown()


def guard(test: Expression, variables: Mapping[str, Expression], report: bool) -> Guard | None:
    """Return what an assertion needs in order to speak: ("all", keys), ("any", keys), or None when that is unknown."""
    keys = widened(_candidates(test, variables, 0))[:CANDIDATES_MAX]
    alone = tuple(key for key in keys if _silent(test, variables, report, frozenset({key})))
    if alone:
        return ("all", _longest(alone))
    if len(keys) > 1 and _silent(test, variables, report, frozenset(keys)):
        return ("any", _shortened(keys, test, variables, report))
    return None


def _silent(test: Expression, variables: Mapping[str, Expression], report: bool, gone: frozenset[Key]) -> bool:
    held = _truth(_Evaluation(variables, gone).value(test, 0))
    return held is not UNKNOWN and held is not report


def _longest(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Drop keys that begin another: the longer one asks for more."""
    return tuple(key for key in keys if not any(_begins(key, other) for other in keys))


def _begins(key: Key, other: Key) -> bool:
    names, longer = key[-1], other[-1]
    return (
        key[:-1] == other[:-1]
        and isinstance(names, tuple)
        and len(names) < len(longer)
        and longer[: len(names)] == names
    )


def _shortened(keys: list[Key], test: Expression, variables: Mapping[str, Expression], report: bool) -> tuple[Key, ...]:
    """Drop the keys without which absence still settles the test."""
    kept = list(keys)
    for key in sorted(keys, key=lambda key: (key[0] == "val", len(key[-1]))):
        rest = [other for other in kept if other != key]
        if rest and _silent(test, variables, report, frozenset(rest)):
            kept = rest
    return tuple(kept)


def _candidates(expression: Any, variables: Mapping[str, Expression], depth: int) -> list[Key]:
    if depth > DEPTH_MAX:
        return []
    found: list[Key] = []
    match expression:
        case Path(Union("|", left, right), steps) if _plain(left) and _plain(right):
            sides = _continued(left, steps), _continued(right, steps)
            return [key for side in sides for key in _candidates(side, variables, depth + 1)]
        case Path():
            found += path_keys(expression)
            found += [key for keys in selecting_keys(expression, variables) for key in keys]
            if not isinstance(expression.start, (Context, Root)):
                found += _candidates(expression.start, variables, depth + 1)
            return found
        case Variable(name) if name in variables:
            return _candidates(variables[name], variables, depth + 1)
        case Filter(base, _):
            return _candidates(base, variables, depth + 1)
    if isinstance(expression, Operation):
        found += compared_keys(expression, variables)
    for part in parts(expression):
        found += _candidates(part, variables, depth + 1)
    return found


def _plain(expression: Expression) -> bool:
    if isinstance(expression, Union):
        return _plain(expression.left) and _plain(expression.right)
    return isinstance(expression, Path)


def _continued(expression: Expression, steps: tuple[Step | Each, ...]) -> Expression:
    """Write what follows a union after each of its sides: the same nodes."""
    if isinstance(expression, Union):
        return Union("|", _continued(expression.left, steps), _continued(expression.right, steps))
    if isinstance(expression, Path):
        return Path(expression.start, (*expression.steps, *steps))
    return expression


def path_keys(path: Path) -> list[Key]:
    """Return the keys whose absence makes a path empty, the longest last."""
    steps = list(path.steps)
    up = 0
    if isinstance(path.start, Context):
        first = steps[0]
        if isinstance(first, Step) and first.axis == "ancestor" and (names := _names([_as_child(first), *steps[1:]])):
            return [("anc", tuple(names[:i])) for i in range(1, len(names) + 1)]
        while up < len(steps) and steps[up] == UP:
            up += 1
        if steps[up:] == [Step("child", "*")]:
            return [("rel", up, ("*",))]
        names = _names(steps[up:])
        if names:
            return [("rel", up, tuple(names[:i])) for i in range(1, len(names) + 1)]
    if isinstance(path.start, Root):
        names = _names(steps)
        if names:
            return [("abs", tuple(names[:i])) for i in range(1, len(names) + 1)]
        named = [_name(step, {"child", "descendant", "attribute"}) for step in steps]
        return [("any", name) for name in named if name]
    return []


def _as_child(step: Step) -> Step:
    return Step("child", step.name)


def _names(steps: list[Step | Each]) -> list[str]:
    names = []
    for step in steps:
        name = _name(step, {"child", "attribute"})
        if not name:
            break
        names.append(name)
    return names


def _name(step: Step | Each, axes: set[str]) -> str:
    if not isinstance(step, Step) or step.axis not in axes:
        return ""
    if step.name in {"*", "node()", "text()"} or step.name.startswith("*:") or step.name.endswith("}*"):
        return ""
    return "@" + step.name if step.axis == "attribute" else step.name


def _truth(value: Any) -> Any:
    if value is ABSENT:
        return False
    if value is UNKNOWN:
        return UNKNOWN
    return bool(value)


class _Evaluation:
    """Works out an expression with some things absent."""

    def __init__(self, variables: Mapping[str, Expression], gone: frozenset[Key]) -> None:
        self.variables = variables
        self.gone = gone

    def value(self, expression: Expression, depth: int) -> Any:  # noqa: PLR0911, PLR0912 - one branch a kind
        """Return the value, or UNKNOWN."""
        if depth > DEPTH_MAX:
            return UNKNOWN
        below = depth + 1
        match expression:
            case Literal(value):
                return value
            case Variable(name):
                return self.value(self.variables[name], below) if name in self.variables else UNKNOWN
            case Path(Union("|", left, right), steps) if _plain(left) and _plain(right):
                return self.value(Union("|", _continued(left, steps), _continued(right, steps)), below)
            case Path():
                return self._path(expression, below)
            case Filter(base, _):
                return ABSENT if self.value(base, below) is ABSENT else UNKNOWN
            case Union("|", left, right):
                both = self.value(left, below), self.value(right, below)
                return ABSENT if both == (ABSENT, ABSENT) else UNKNOWN
            case Sequence(items):
                return ABSENT if all(self.value(item, below) is ABSENT for item in items) else UNKNOWN
            case Negate(operand):
                return ABSENT if self.value(operand, below) is ABSENT else UNKNOWN
            case If(condition, then, otherwise):
                held = _truth(self.value(condition, below))
                return UNKNOWN if held is UNKNOWN else self.value(then if held else otherwise, below)
            case Quantified(every, bindings, _):
                return every if self._some_absent(bindings, below) else UNKNOWN
            case For(bindings, _, False):
                return ABSENT if self._some_absent(bindings, below) else UNKNOWN
            case Operation():
                return self._operation(expression, below)
            case Call(name, arguments):
                return self._call(name, arguments, below)
        return UNKNOWN

    def _some_absent(self, bindings: tuple[tuple[str, Expression], ...], depth: int) -> bool:
        return self.value(bindings[0][1], depth) is ABSENT

    def _path(self, path: Path, depth: int) -> Any:
        if any(key in self.gone for key in path_keys(path)):
            return ABSENT
        if any(all_gone(keys, self.gone) for keys in selecting_keys(path, self.variables)):
            return ABSENT
        if not isinstance(path.start, (Context, Root)) and self.value(path.start, depth) is ABSENT:
            return ABSENT
        return UNKNOWN

    def _operation(self, operation: Operation, depth: int) -> Any:  # noqa: PLR0911 - one branch a case
        operator = operation.operator
        left, right = self.value(operation.left, depth), self.value(operation.right, depth)
        if operator in {"and", "or"}:
            return self._logic(operation, _truth(left), _truth(right))
        if ABSENT in (left, right):
            return False if operator in COMPARISONS else ABSENT
        keys = compared_keys(operation, self.variables)
        if keys and all_gone(keys, self.gone):
            return False
        if operator == "+" and isinstance(left, int) and isinstance(right, int):
            return left + right
        if UNKNOWN in (left, right) or operator not in COMPARISONS:
            return UNKNOWN
        if isinstance(left, str) != isinstance(right, str) or isinstance(left, bool) != isinstance(right, bool):
            return UNKNOWN
        return _compared(COMPARISONS[operator], left, right)

    def _logic(self, operation: Operation, left: Any, right: Any) -> Any:
        decisive = operation.operator == "or"
        if left is decisive:
            return decisive
        if right is decisive:
            return UNKNOWN if left is UNKNOWN and may_fail(operation.left) else decisive
        if UNKNOWN in (left, right):
            return UNKNOWN
        return not decisive

    def _call(self, name: str, arguments: tuple[Expression, ...], depth: int) -> Any:
        values = [self.value(argument, depth) for argument in arguments]
        if name in {"true", "false"}:
            return name == "true"
        if name in {"not", "boolean", "exists", "empty"} and values:
            held = _truth(values[0])
            if name in {"exists", "empty"}:
                held = False if values[0] is ABSENT else UNKNOWN
            return UNKNOWN if held is UNKNOWN else held is (name in {"boolean", "exists"})
        if values and values[0] is ABSENT and name in WHEN_ABSENT:
            return WHEN_ABSENT[name]
        if values and isinstance(values[0], str):
            return _text_call(name, values)
        return UNKNOWN


COMPARISONS = {
    "=": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}
WHEN_ABSENT: dict[str, Any] = {
    "count": 0,
    "string": "",
    "normalize-space": "",
    "string-length": 0,
    "upper-case": "",
    "lower-case": "",
    "substring": "",
    "substring-after": "",
    "substring-before": "",
    "translate": "",
    "string-join": "",
    "xs:decimal": ABSENT,
    "xs:integer": ABSENT,
    "xs:double": ABSENT,
    "xs:date": ABSENT,
    "abs": ABSENT,
    "round": ABSENT,
    "distinct-values": ABSENT,
    "data": ABSENT,
    "tokenize": ABSENT,
}


def _compared(operator: str, left: Any, right: Any) -> bool:
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
    return bool(left >= right)


def _text_call(name: str, values: list[Any]) -> Any:
    text = values[0]
    match name:
        case "string-length":
            return len(text)
        case "string" | "xs:string":
            return text
        case "normalize-space" | "upper-case" | "lower-case" if not text:
            return ""
        case "substring" | "substring-after" | "substring-before" if not text:
            return ""
    return UNKNOWN


def may_fail(expression: Any) -> bool:
    """Say whether working out an expression could stop the official sheet."""
    match expression:
        case Operation(operator, left, right):
            if operator not in {"and", "or", "=", "!=", "|"}:
                return True
            if operator in {"=", "!="} and not (_texts_only(left) and _texts_only(right)):
                return True
        case Call(name, arguments):
            if name not in {"not", "exists", "empty", "count", "true", "false", "boolean"}:
                return not (name in {"normalize-space", "string-length", "upper-case"} and _single(arguments))
        case Variable() | For() | Negate() | Castable() | Each():
            return True
    return any(may_fail(part) for part in parts(expression))


def _single(arguments: tuple[Expression, ...]) -> bool:
    return all(isinstance(argument, Context) for argument in arguments)


def _texts_only(expression: Expression) -> bool:
    match expression:
        case Literal(value):
            return isinstance(value, str)
        case Sequence(items):
            return all(_texts_only(item) for item in items)
        case Path() | Context() | Union() | Filter():
            return True
        case Call(name, _):
            return name in {"normalize-space", "upper-case", "string"}
    return False


__all__ = ["Decimal", "Guard", "Key", "guard", "path_keys"]
