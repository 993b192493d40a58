"""Which values must be in a document for a path to select something: `[normalize-space(cbc:ID) = 'AE']` needs an AE.

A key is ("val", name, conditions, text): some element of that name has that value, spaces apart, or one of the
conditions is broken, under which nothing before the comparison can fail: ("one", name), no element has two children of
that name; ("boolean", name), every element of that name holds a boolean. Without such a value, and with the conditions,
the comparison is false and the sheet cannot stop: skipping it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from estafette.rules.compiler.syntax import (
    Call,
    Context,
    Each,
    Expression,
    Filter,
    Literal,
    Operation,
    Path,
    Root,
    Sequence,
    Step,
    Union,
    Variable,
    may_count,
)

Key = tuple[Any, ...]
Conditions = frozenset[tuple[str, str]]
NOTHING: Conditions = frozenset()
TEXTUAL = {"normalize-space", "upper-case", "lower-case", "string"}
DEPTH_MAX = 10


def selecting_keys(path: Path, variables: Mapping[str, Expression]) -> list[tuple[Key, ...]]:
    """Return groups of keys: with every value of one group absent, the path selects nothing."""
    groups: list[tuple[Key, ...]] = []
    conditions = _safe_start(path.start, variables)
    if conditions is None:
        return []
    for step in path.steps:
        if not isinstance(step, Step):
            break
        for predicate in step.predicates:
            safe = _safe_predicate(predicate, variables)
            if safe is None:
                return groups
            conditions |= safe
            groups += _keys(predicate, step, conditions)
    return groups


def compared_keys(operation: Operation, variables: Mapping[str, Expression]) -> tuple[Key, ...]:
    """Return the keys of values without which a comparison with texts is false; nothing when it is none."""
    texts = _texts(operation.right) if operation.operator == "=" else ()
    if not texts:
        return ()
    left, depth = operation.left, 0
    while isinstance(left, Variable) and left.name in variables and depth < DEPTH_MAX:
        left, depth = variables[left.name], depth + 1
    name, conditions = _last_name(left), _safe_text(left, variables)
    if not name or conditions is None:
        return ()
    return tuple(_key(name, conditions, text) for text in texts)


def widened(keys: list[Key]) -> list[Key]:
    """Return keys once each, those of one value with the conditions of all of them."""
    conditions: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for key in keys:
        if key[0] == "val":
            conditions.setdefault((key[1], key[3]), set()).update(key[2])
    wide = (_key(key[1], frozenset(conditions[key[1], key[3]]), key[3]) if key[0] == "val" else key for key in keys)
    return list(dict.fromkeys(wide))


def all_gone(keys: Iterable[Key], gone: Iterable[Key]) -> bool:
    """Say whether each of these values is absent, under conditions that are all asked for."""
    return all(
        any(
            other[:2] == key[:2] and other[3] == key[3] and set(key[2]) <= set(other[2])
            for other in gone
            if other[0] == "val"
        )
        for key in keys
    )


def _keys(predicate: Expression, step: Step, conditions: Conditions) -> list[tuple[Key, ...]]:
    if not isinstance(predicate, Operation):
        return []
    if predicate.operator == "and":
        return _keys(predicate.left, step, conditions) + _keys(predicate.right, step, conditions)
    texts = _texts(predicate.right) if predicate.operator == "=" else ()
    name = _last_name(predicate.left, step)
    return [tuple(_key(name, conditions, text) for text in texts)] if texts and name else []


def _key(name: str, conditions: Conditions, text: str) -> Key:
    return ("val", name, tuple(sorted(conditions)), text)


def _texts(expression: Expression) -> tuple[str, ...]:
    """Return the constant texts of an expression that is nothing else, each without spaces around it, none empty."""
    items = expression.items if isinstance(expression, Sequence) else (expression,)
    texts = [item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)]
    plain = all(text and text.isascii() and text == " ".join(text.split()) for text in texts)
    return tuple(texts) if plain and len(texts) == len(items) else ()


def _last_name(expression: Expression, step: Step | None = None) -> str:
    """Return the name of the elements whose value an expression gives, spaces apart; empty when it is not that."""
    match expression:
        case Context() if step is not None:
            return _element(step)
        case Call("normalize-space" | "string", ()) if step is not None:
            return _element(step)
        case Call("normalize-space" | "string", (operand,)):
            return _last_name(operand, step)
        case Path(Context() | Root(), steps):
            last = steps[-1]
            return _element(last) if isinstance(last, Step) else _last_name(last.expression)
    return ""


def _element(step: Step) -> str:
    plain = step.axis in {"child", "descendant"} and "*" not in step.name and not step.name.endswith("()")
    return step.name if plain else ""


def _safe_start(start: Expression, variables: Mapping[str, Expression]) -> Conditions | None:
    """Return the conditions under which what a path starts from can be had without failing."""
    match start:
        case Context() | Root():
            return NOTHING
        case Union("|", left, right):
            return _both(_safe_start(left, variables), _safe_start(right, variables))
        case Filter(base, predicates):
            found = _safe_start(base, variables)
            for predicate in predicates:
                found = _both(found, _safe_predicate(predicate, variables))
            return found
        case Path(inner, steps):
            return _both(_safe_start(inner, variables), _safe_steps(steps, variables))
    return None


def _safe_predicate(predicate: Expression, variables: Mapping[str, Expression]) -> Conditions | None:
    return None if may_count(predicate) else _safe(predicate, variables)


def _safe(  # noqa: PLR0911 - one branch a kind
    predicate: Expression, variables: Mapping[str, Expression]
) -> Conditions | None:
    """Return the conditions under which a predicate cannot fail, or None when it always may."""
    match predicate:
        case Operation("and" | "or", left, right):
            return _both(_safe(left, variables), _safe(right, variables))
        case Operation("=" | "!=", left, right) if _texts(right):
            return _safe_text(left, variables)
        case Operation("=", Path(Context(), (Step("child", name, ()),)), Call("true" | "false", ())):
            return frozenset({("boolean", name)})
        case Operation("=" | "!=", left, right):
            return _both(_safe_text(left, variables), _safe_text(right, variables))
        case Call("not", (operand,)):
            return _safe(operand, variables)
        case Call("exists", (Path() as operand,)):
            return _safe_text(operand, variables)
        case Path():
            return _safe_text(predicate, variables)
    return None


def _safe_text(  # noqa: PLR0911 - one branch a kind
    expression: Expression, variables: Mapping[str, Expression]
) -> Conditions | None:
    """Return the conditions under which the texts of an expression can be had without failing."""
    match expression:
        case Context():
            return NOTHING
        case Variable(name) if name in variables and not isinstance(variables[name], Variable):
            return _safe_text(variables[name], {})
        case Call(name, ()) if name in TEXTUAL:
            return NOTHING
        case Call(name, (Path(Context(), (Step("child", child, ()),)),)) if name in TEXTUAL:
            return frozenset({("one", child)})
        case Call(name, (Context() | Call() as operand,)) if name in TEXTUAL:
            return _safe_text(operand, variables)
        case Path(Context() | Root(), steps):
            return _safe_steps(steps, variables)
    return None


def _safe_steps(steps: tuple[Step | Each, ...], variables: Mapping[str, Expression]) -> Conditions | None:
    found: Conditions | None = NOTHING
    for step in steps:
        if isinstance(step, Each):
            found = _both(found, None if step.predicates else _safe_text(step.expression, variables))
            continue
        for predicate in step.predicates:
            found = _both(found, _safe_predicate(predicate, variables))
    return found


def _both(left: Conditions | None, right: Conditions | None) -> Conditions | None:
    return None if left is None or right is None else left | right
