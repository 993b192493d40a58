"""XPath expressions as a small tree of our own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


class UnsupportedError(Exception):
    """An expression uses what the compiler does not know; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, an integer, a decimal or a double."""

    value: str | int | Decimal | float


@dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a variable, by expanded name."""

    name: str


@dataclass(frozen=True, slots=True)
class Context:
    """The context item."""


@dataclass(frozen=True, slots=True)
class Root:
    """The document node of the context."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step along an axis; `name` is an expanded name, `*`, `{ns}*`, `*:local`, `text()` or `node()`."""

    axis: str
    name: str
    predicates: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    """A step that is any expression, evaluated for each node before it."""

    expression: Expression
    predicates: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """Steps one after the other from a start."""

    start: Expression
    steps: tuple[Step | Each, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A sequence filtered as a whole."""

    base: Expression
    predicates: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """Nodes of several expressions, once each, in document order; `operator` is |, intersect or except."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operator."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `name` is local for the functions of XPath, `xs:type` for casts, expanded for the others."""

    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """The items of several expressions, one after the other."""

    items: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """A conditional."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class For:
    """For (or let, when `single`) each binding in turn, the result of the body."""

    bindings: tuple[tuple[str, Expression], ...]
    body: Expression
    single: bool = False


@dataclass(frozen=True, slots=True)
class Quantified:
    """`every` or `some` binding satisfies the body."""

    every: bool
    bindings: tuple[tuple[str, Expression], ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class Castable:
    """Whether a value can be cast to the type; `optional` when the empty sequence can."""

    operand: Expression
    type: str
    optional: bool


Expression = (
    Literal
    | Variable
    | Context
    | Root
    | Path
    | Filter
    | Union
    | Operation
    | Negate
    | Call
    | Sequence
    | If
    | For
    | Quantified
    | Castable
)


def may_count(predicate: Expression) -> bool:
    """Say whether a predicate may select by position rather than by truth."""
    if isinstance(predicate, Literal):
        return not isinstance(predicate.value, str)
    if isinstance(predicate, Operation) and predicate.operator in {"+", "-", "*", "div", "idiv", "mod", "to"}:
        return True
    if isinstance(predicate, Call) and predicate.name in {"not", "exists", "empty", "true", "false"}:
        return uses_position(predicate)
    if isinstance(predicate, (Variable, If, For, Negate)):
        return True
    if isinstance(predicate, Call) and predicate.name in NUMERIC_CALLS:
        return True
    return uses_position(predicate)


NUMERIC_CALLS = {"last", "position", "number", "count", "sum", "round", "string-length", "xs:decimal", "xs:integer"}


def uses_position(expression: Any) -> bool:
    """Say whether position() or last() of the current focus is asked for."""
    if isinstance(expression, Call) and expression.name in {"position", "last"}:
        return True
    if isinstance(expression, Path):
        return uses_position(expression.start)
    if isinstance(expression, Filter):
        return uses_position(expression.base)
    return any(uses_position(part) for part in parts(expression))


def parts(expression: Any) -> tuple[Any, ...]:  # noqa: PLR0911 - one branch a kind
    """Return the expressions directly inside an expression, a step or an each."""
    match expression:
        case Path(start, steps):
            return (start, *steps)
        case Step(_, _, predicates):
            return predicates
        case Each(inner, predicates) | Filter(inner, predicates):
            return (inner, *predicates)
        case Union(_, left, right) | Operation(_, left, right):
            return (left, right)
        case Negate(operand) | Castable(operand, _, _):
            return (operand,)
        case Call(_, arguments):
            return arguments
        case Sequence(items):
            return items
        case If(condition, then, otherwise):
            return (condition, then, otherwise)
        case For(bindings, body, _) | Quantified(_, bindings, body):
            return (*(value for _, value in bindings), body)
    return ()
