"""The context of a rule: which elements it takes, by names alone where that is enough, else by a generated test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from estafette.rules.compiler.analysis import needs
from estafette.rules.compiler.code import TEXTUAL, Code, Scope, as_list, atomized, truth
from estafette.rules.compiler.guard import Guard, guard
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
    UnsupportedError,
    Variable,
    may_count,
    parts,
)

if TYPE_CHECKING:
    from estafette.rules.compiler.emit import Emitter

Link = tuple[str, str]
Check = tuple[str, str, tuple[str, ...], Guard | None, Guard | None]
UPWARD = {"self", "parent", "ancestor", "ancestor-or-self"}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to match: `links` from the node upwards, (name, child or descendant); `anchored` at the document.

    `by_shape` names a generated test that asks only for names. Each of `checks` asks for content: (name of its test,
    name of the function that gives the values it compares, texts it compares them with, what must be there for it to
    hold, what must be there for it to fail).
    """

    links: tuple[Link, ...]
    anchored: bool
    by_shape: str
    checks: tuple[Check, ...]


def alternatives(emitter: Emitter, context: Expression) -> list[Alternative]:
    """Read a context; raise `UnsupportedError` where it is no pattern."""
    if isinstance(context, Root):
        return [Alternative((), True, "", ())]
    return [_alternative(emitter, path) for path in _paths(context)]


def _paths(context: Expression) -> list[Path]:
    """Write a context as plain paths: unions, wherever they stand, are spread."""
    match context:
        case Union("|", left, right):
            return [*_paths(left), *_paths(right)]
        case Filter(base, predicates):
            return [_kept(path, predicates) for path in _paths(base)]
        case Path(start, steps) if isinstance(start, (Root, Context)):
            return _spread(start, steps)
        case Path(start, steps):
            return [made for path in _paths(start) for made in _spread(path.start, (*path.steps, *steps))]
    raise UnsupportedError("a context that is no path")


def _spread(start: Expression, steps: tuple[Step | Each, ...]) -> list[Path]:
    for i, step in enumerate(steps):
        if isinstance(step, Each):
            inner = [_kept(path, step.predicates) for path in _paths(step.expression)]
            if any(not isinstance(path.start, Context) for path in inner):
                raise UnsupportedError("a context with a step that is an expression")
            return [path for one in inner for path in _spread(start, (*steps[:i], *one.steps, *steps[i + 1 :]))]
    return [Path(start, steps)]


def _kept(path: Path, predicates: tuple[Expression, ...]) -> Path:
    """Add predicates to the last step of a path: the same where they do not count positions."""
    last = path.steps[-1]
    if not predicates:
        return path
    if not isinstance(last, Step) or any(
        may_count(predicate) and not isinstance(predicate, Variable) for predicate in predicates
    ):
        raise UnsupportedError("a context that counts positions in a union")
    return Path(path.start, (*path.steps[:-1], Step(last.axis, last.name, (*last.predicates, *predicates))))


def _alternative(emitter: Emitter, path: Path) -> Alternative:
    steps = _normalized(path.steps)
    links = []
    for step in reversed(steps):
        name = "@" + step.name if step.axis == "attribute" else step.name
        if name in {"text()", "node()"} or step.axis not in {"child", "descendant", "attribute"}:
            raise UnsupportedError(f"context step {step.axis}::{step.name}")
        links.append((name, "child" if step.axis == "attribute" else step.axis))
    shapes: list[tuple[int, Step, Expression]] = []
    checks: list[Check] = []
    for height, step in enumerate(reversed(steps)):
        for predicate in _conjuncts(step.predicates):
            if height == 0 and asks_names_only(predicate):
                shapes.append((height, step, predicate))
            else:
                checks.append(_check(emitter, links, (height, step, predicate)))
    anchored = isinstance(path.start, Root)
    return Alternative(tuple(links), anchored, _test(emitter, links, shapes), tuple(checks))


def _check(emitter: Emitter, links: list[Link], condition: tuple[int, Step, Expression]) -> Check:
    """Write one condition on content, with what is known of it before it runs."""
    height, _, predicate = condition
    test = _test(emitter, links, [condition])
    if any(link != "child" for _, link in links[:height]) or may_count(predicate):
        return (test, "", (), None, None)
    key, texts = _key(emitter, predicate) if height == 0 else ("", ())
    return (test, key, texts, _raised(guard(predicate, {}, True), height), _raised(guard(predicate, {}, False), height))


def _raised(needed: Guard | None, height: int) -> Guard | None:
    """Say from the node what is needed below one of its ancestors."""
    if needed is None or not height:
        return needed
    how, keys = needed
    if any(key[0] == "anc" for key in keys):
        return None
    return how, tuple(("rel", key[1] + height, key[2]) if key[0] == "rel" else key for key in keys)


def _key(emitter: Emitter, predicate: Expression) -> tuple[str, tuple[str, ...]]:
    """Write the values that a predicate compares with constant texts, or return nothing where it does not."""
    if not isinstance(predicate, Operation) or predicate.operator != "=":
        return "", ()
    texts = _constant_texts(predicate.right)
    need = needs(predicate.left)
    if not texts or not need.context or need.variables or need.position:
        return "", ()
    name = f"key {predicate.left!r}"
    if name not in emitter.made:
        code = atomized(emitter.emit(predicate.left, Scope(node="n", rule="n")))
        if code.kind not in TEXTUAL:
            return "", ()
        function = emitter.fresh("k")
        emitter.lines += [f"def {function}(n, D):", f"    return {as_list(code)}"]
        emitter.made[name] = Code(function, code.kind, "many")
    return emitter.made[name].source, texts


def _constant_texts(expression: Expression) -> tuple[str, ...]:
    items = expression.items if isinstance(expression, Sequence) else (expression,)
    texts = tuple(item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str))
    return texts if len(texts) == len(items) else ()


def _normalized(steps: tuple[Step | Each, ...]) -> list[Step]:
    """Write `descendant-or-self::node()/child::x` as `descendant::x`, which matches the same."""
    made: list[Step] = []
    below = False
    for step in steps:
        if not isinstance(step, Step):
            raise UnsupportedError("a context with a step that is an expression")
        if step == Step("descendant-or-self", "node()"):
            below = True
            continue
        axis = "descendant" if below and step.axis == "child" else step.axis
        if below and step.axis == "attribute":
            made.append(Step("descendant", "*"))
        made.append(Step(axis, step.name, step.predicates))
        below = False
    return made


def _conjuncts(predicates: tuple[Expression, ...]) -> list[Expression]:
    found: list[Expression] = []
    for predicate in predicates:
        if isinstance(predicate, Operation) and predicate.operator == "and":
            found += _conjuncts((predicate.left, predicate.right))
        else:
            found.append(predicate)
    return found


def asks_names_only(expression: Expression) -> bool:  # noqa: PLR0911 - one branch a kind
    """Say whether a predicate depends on the names of the element and its ancestors only."""
    match expression:
        case Operation("and" | "or", left, right):
            return asks_names_only(left) and asks_names_only(right)
        case Call("not" | "exists" | "empty", (operand,)):
            return asks_names_only(operand)
        case Call("true" | "false"):
            return True
        case Call("ends-with", (first, Literal(value))):
            return first in {Call("name"), Call("name", (Context(),)), Call("local-name")} and ":" not in str(value)
        case Operation("=" | "!=", Call("local-name", ()), Literal()):
            return True
        case Path(Context(), (Step(axis, _, ()),)):
            return axis in UPWARD
    return False


def _test(emitter: Emitter, links: list[Link], checks: list[tuple[int, Step, Expression]]) -> str:
    """Write the test of predicates on a node and its ancestors; return its name, empty when there is none."""
    if not checks:
        return ""
    highest = max(height for height, _, _ in checks)
    name = emitter.fresh("c")
    source = _conditions(emitter, checks, 0, highest, "n", links)
    emitter.lines += [f"def {name}(n, D):", f"    return {source}"]
    return name


def _conditions(  # noqa: PLR0917 - a recursion carries its state
    emitter: Emitter,
    checks: list[tuple[int, Step, Expression]],
    height: int,
    highest: int,
    node: str,
    links: list[Link],
) -> str:
    here = [_condition(emitter, step, predicate, node) for at, step, predicate in checks if at == height]
    if height < highest:
        name = links[height + 1][0]
        above = emitter.fresh()
        inner = _conditions(emitter, checks, height + 1, highest, above, links)
        if links[height][1] == "descendant":
            here.append(f"any({inner} for {above} in ancestors({node}, {name!r}))")
        else:
            here.append(f"any({inner} for {above} in node_listed(named_parent({node}, {name!r})))")
    return " and ".join(here) or "True"


def _condition(emitter: Emitter, step: Step, predicate: Expression, node: str) -> str:
    if not may_count(predicate):
        return truth(emitter.emit(predicate, Scope(node=node, rule=node)))
    if step.axis == "attribute":
        raise UnsupportedError("the position of an attribute")
    position, size, item = emitter.fresh(), emitter.fresh(), emitter.fresh()
    code = emitter.emit(predicate, Scope(node=item, rule=item, position=position, size=size))
    test = f"select(({node},), lambda {item}, a, b: truth_at({code.source}, {position}))"
    return f"any({test} for {position}, {size} in (place({node}, {step.name!r}),))"


__all__ = ["Alternative", "alternatives", "asks_names_only", "parts"]
