"""What an expression depends on: its context, its variables, the document; and how far above its context it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from estafette.rules.compiler.syntax import (
    Call,
    Context,
    Each,
    Expression,
    Filter,
    For,
    Literal,
    Path,
    Quantified,
    Root,
    Sequence,
    Step,
    Union,
    Variable,
    parts,
)

UP = Step("parent", "node()")
FAR = 10_000


@dataclass(frozen=True, slots=True)
class Needs:
    """`lift`: how many parents above the context every use of the context goes, when it is used."""

    context: bool = False
    position: bool = False
    root: bool = False
    resource: bool = False
    lift: int = FAR
    variables: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.context or other.context,
            self.position or other.position,
            self.root or other.root,
            self.resource or other.resource,
            min(self.lift, other.lift),
            self.variables | other.variables,
            self.functions | other.functions,
        )


NOTHING_NEEDED = Needs()
_CACHE: dict[int, tuple[Any, Needs]] = {}


def needs(expression: Any) -> Needs:
    """Return what an expression depends on, outside itself."""
    known = _CACHE.get(id(expression))
    if known is not None and known[0] is expression:
        return known[1]
    found = _needs(expression)
    if len(_CACHE) > 200_000:
        _CACHE.clear()
    _CACHE[id(expression)] = (expression, found)
    return found


def _needs(expression: Any) -> Needs:  # noqa: PLR0911 - one branch a kind
    match expression:
        case Context():
            return Needs(context=True, lift=0)
        case Root():
            return Needs(root=True)
        case Variable(name):
            return Needs(variables=frozenset({name}))
        case Call("position" | "last"):
            return Needs(position=True)
        case Call("doc"):
            return Needs(resource=True)
        case Call("index", (base, key)):
            return needs(base) | _inside((key,))
        case Call(name, arguments):
            implied = Needs(context=True, lift=0) if not arguments and name in IMPLICIT else NOTHING_NEEDED
            own = Needs(functions=frozenset({name})) if name.startswith("{") else NOTHING_NEEDED
            return _all(arguments) | implied | own
        case Path(start, steps):
            return _path(start, steps)
        case Filter(base, predicates):
            return needs(base) | _inside(predicates)
        case For(bindings, body, _) | Quantified(_, bindings, body):
            return _bound(bindings, body)
    return _all(parts(expression))


IMPLICIT = {
    "string",
    "normalize-space",
    "string-length",
    "number",
    "name",
    "local-name",
    "namespace-uri",
    "data",
    "root",
    "node-name",
}


def _all(expressions: Any) -> Needs:
    found = NOTHING_NEEDED
    for expression in expressions:
        found |= needs(expression)
    return found


def _path(start: Expression, steps: tuple[Step | Each, ...]) -> Needs:
    own = needs(start)
    if isinstance(start, Context):
        lift = 0
        while lift < len(steps) and steps[lift] == UP:
            lift += 1
        own = Needs(context=True, lift=lift)
    inner = NOTHING_NEEDED
    for step in steps:
        inner |= _inside(parts(step))
    return own | inner


def _inside(expressions: Any) -> Needs:
    """Return what expressions with a focus of their own need from outside it."""
    found = _all(expressions)
    return Needs(False, False, found.root, found.resource, FAR, found.variables, found.functions)


def _bound(bindings: tuple[tuple[str, Expression], ...], body: Expression) -> Needs:
    found = NOTHING_NEEDED
    names: set[str] = set()
    for name, value in bindings:
        one = needs(value)
        found |= Needs(
            one.context, one.position, one.root, one.resource, one.lift, one.variables - names, one.functions
        )
        names.add(name)
    one = needs(body)
    return found | Needs(
        one.context, one.position, one.root, one.resource, one.lift, one.variables - names, one.functions
    )


def lowered(expression: Any, lift: int) -> Any:  # noqa: PLR0911 - one branch a kind
    """Write an expression as seen from the ancestor `lift` levels above its context."""
    match expression:
        case Path(Context(), steps):
            rest = steps[lift:]
            return Path(Context(), rest) if rest else Context()
        case Path(start, steps):
            return Path(lowered(start, lift), steps)
        case Filter(base, predicates):
            return Filter(lowered(base, lift), predicates)
        case Step() | Each():
            return expression
        case Union(operator, left, right):
            return Union(operator, lowered(left, lift), lowered(right, lift))
        case Call("index", (base, key)):
            return Call("index", (lowered(base, lift), key))
        case Call(name, arguments):
            return Call(name, tuple(lowered(argument, lift) for argument in arguments))
        case Sequence(items):
            return Sequence(tuple(lowered(item, lift) for item in items))
        case For(bindings, body, single):
            lowered_bindings = tuple((name, lowered(value, lift)) for name, value in bindings)
            return For(lowered_bindings, lowered(body, lift), single)
        case Quantified(every, bindings, body):
            lowered_bindings = tuple((name, lowered(value, lift)) for name, value in bindings)
            return Quantified(every, lowered_bindings, lowered(body, lift))
    if not parts(expression):
        return expression
    fields = expression.__dataclass_fields__
    return type(expression)(
        *(
            lowered(child, lift) if hasattr(child, "__dataclass_fields__") else child
            for child in (getattr(expression, name) for name in fields)
        )
    )


def heavy(expression: Expression) -> bool:
    """Say whether an expression is worth computing once: it walks nodes, and gives more than a constant."""
    if isinstance(expression, (Literal, Variable, Context, Root)):
        return False
    return _walks(expression)


def _walks(expression: Any) -> bool:
    if isinstance(expression, Path):
        steps = [step for step in expression.steps if step != UP]
        return len(steps) > 0 and (len(steps) > 1 or isinstance(expression.start, Root) or bool(parts(steps[0])))
    return any(_walks(part) for part in parts(expression))
