"""Paths and predicates, written as nested loops over the children by name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from estafette.rules.compiler.analysis import heavy, needs
from estafette.rules.compiler.code import TEXTUAL, Code, Scope, as_list, atomized, ordered, truth, value
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
    Step,
    UnsupportedError,
    Variable,
    may_count,
)
from estafette.rules.compiler.xpath import ANYWHERE

if TYPE_CHECKING:
    from estafette.rules.compiler.emit import Emitter

HELPERS = {
    "descendant": "descendants",
    "descendant-or-self": "descendants_or_self",
    "ancestor": "ancestors",
    "ancestor-or-self": "ancestors_or_self",
    "preceding": "preceding",
    "following": "following",
    "preceding-sibling": "preceding_siblings",
    "following-sibling": "following_siblings",
}


@dataclass(slots=True)
class _Walk:
    """A path being written: the node reached, and the loops that reach it."""

    emitter: Emitter
    scope: Scope
    node: str
    single: bool = True
    loops: list[str] = field(default_factory=list)
    ordered: bool = True
    unique: bool = True
    flat: bool = True

    def code(self) -> Code:
        """Return the nodes reached."""
        if self.single:
            return Code(self.node, "node", "opt" if self.node.endswith((".parent", ")")) else "one")
        source = f"[{self.node} {' '.join(self.loops)}]"
        if len(self.loops) == 1 and (simple := self.loops[0].removeprefix(f"for {self.node} in ")) != self.loops[0]:
            source = simple
        return Code(
            source,
            "node",
            "many",
            self.ordered,
            self.unique,
            self.flat,
            loops=tuple(self.loops),
            item=self.node,
        )

    def restart(self, code: Code) -> None:
        """Continue from nodes made otherwise."""
        self.node = self.emitter.fresh()
        self.loops = [f"for {self.node} in {as_list(code)}"]
        self.single = False
        self.ordered, self.unique, self.flat = code.ordered, code.unique, code.flat

    def settle(self) -> None:
        """Put the nodes reached in order, each once, before what depends on it."""
        if not self.single and not (self.ordered and self.unique):
            self.restart(ordered(self.code()))


def path(emitter: Emitter, expression: Path, scope: Scope) -> Code:
    """Write a path."""
    indexed = _indexed(emitter, expression, scope)
    if indexed is not None:
        return indexed
    everywhere = _attributes_anywhere(expression)
    if everywhere is not None:
        return everywhere
    walk = _start(emitter, expression.start, scope)
    last = len(expression.steps) - 1
    for i, step in enumerate(expression.steps):
        if isinstance(step, Each):
            made = _each(walk, step, final=i == last)
            if made is not None:
                return made
        elif step.axis == "attribute":
            if i == last and not step.predicates and step.name not in {"*", "node()"}:
                return _attribute(walk, step.name)
            _attributes(walk, step)
        else:
            _step(walk, step)
    return _finished(walk, expression)


def _attributes_anywhere(expression: Path) -> Code | None:
    """Write `//@name`."""
    if isinstance(expression.start, Root) and len(expression.steps) == 2 and expression.steps[0] == ANYWHERE:
        step = expression.steps[1]
        if isinstance(step, Step) and step.axis == "attribute" and not step.predicates and step.name[0] != "*":
            return Code(f"attributed(D, {step.name!r})", "node", "many")
    return None


def _finished(walk: _Walk, expression: Path) -> Code:
    """Return the nodes, with the shorter ways to their value and existence where the path is one child."""
    code = walk.code()
    step = expression.steps[-1]
    if len(walk.loops) == 1 and step == Step("child", "*"):
        owner = walk.loops[0].partition(" in children(")[2][:-1]
        return replace(code, exists=f"{owner}.kids")
    if len(walk.loops) == 1 and isinstance(step, Step) and step.axis == "child" and not step.predicates:
        owner = walk.loops[0].partition(" in ")[2].partition(".kids.get(")[0]
        if walk.loops[0].endswith(f".kids.get({step.name!r}, EMPTY)") and " " not in owner:
            return Code(
                code.source,
                "node",
                "many",
                loops=code.loops,
                item=code.item,
                exists=f"({step.name!r} in {owner}.kids)",
                lone=f"lone({owner}, {step.name!r})",
            )
    return code


def _start(emitter: Emitter, start: Expression, scope: Scope) -> _Walk:
    if isinstance(start, Context) and scope.kind != "node":
        raise UnsupportedError("a step from a value that is no node")
    code = emitter.emit(start, scope)
    if code.kind not in {"node", "item"}:
        raise UnsupportedError("a step from a value that is no node")
    walk = _Walk(emitter, scope, code.source)
    if code.many != "one":
        walk.restart(Code(f"in_order({as_list(code)})", "node", "many", flat=False) if code.raw else code)
    return walk


def _step(walk: _Walk, step: Step) -> None:
    if step.axis == "self":
        _self(walk, step)
        return
    if step.axis == "parent":
        _parent(walk, step)
        return
    if step.axis == "child":
        source = _children(walk.node, step.name)
        walk.ordered = walk.ordered and walk.flat
    else:
        helper = HELPERS.get(step.axis)
        if helper is None:
            raise UnsupportedError(f"axis {step.axis}")
        source = f"{helper}({walk.node}, {step.name!r})"
        forward = step.axis.startswith("descendant")
        walk.unique = walk.unique and (walk.single or (forward and walk.flat))
        walk.ordered = forward and walk.ordered and (walk.single or walk.flat)
        walk.flat = False
    _loop(walk, source, step.predicates)


def _children(node: str, name: str) -> str:
    if name in {"*", "text()", "node()"} or name.startswith("*:") or name.endswith("}*"):
        return f"children({node})" if name == "*" else f"kids({node}, {name!r})"
    return f"{node}.kids.get({name!r}, EMPTY)"


def _loop(walk: _Walk, source: str, predicates: tuple[Expression, ...]) -> None:
    """Add a loop over the nodes of a step, kept by its predicates."""
    conditions: list[str] = []
    item = walk.emitter.fresh()
    for predicate in predicates:
        if may_count(predicate):
            if conditions:
                source = f"[{item} for {item} in {source} if {' if '.join(conditions)}]"
                conditions = []
            source = _positional(walk.emitter, source, predicate, walk.scope)
        else:
            conditions.append(truth(walk.emitter.emit(predicate, walk.scope.focus(item))))
    walk.loops.append(f"for {item} in {source}")
    walk.loops += [f"if {condition}" for condition in conditions]
    walk.node = item
    walk.single = False


def _positional(emitter: Emitter, source: str, predicate: Expression, scope: Scope, kind: str = "node") -> str:
    if isinstance(predicate, Literal) and isinstance(predicate.value, int):
        return f"{source}[{predicate.value - 1}:{predicate.value}]" if predicate.value > 0 else "EMPTY"
    if predicate == Call("last"):
        return f"{source}[-1:]"
    item, position, size = emitter.fresh(), emitter.fresh(), emitter.fresh()
    code = emitter.emit(predicate, scope.focus(item, kind, position, size))
    return f"select({source}, lambda {item}, {position}, {size}: {value(code)})"


def _self(walk: _Walk, step: Step) -> None:
    if walk.single:
        walk.restart(Code(f"({walk.node},)", "node", "many"))
    if step.name not in {"node()"}:
        walk.loops.append(f"if is_named({walk.node}, {step.name!r})")
    for predicate in step.predicates:
        walk.loops.append(f"if {truth(walk.emitter.emit(predicate, walk.scope.focus(walk.node)))}")


def _parent(walk: _Walk, step: Step) -> None:
    above = f"{walk.node}.parent" if step.name == "node()" else f"named_parent({walk.node}, {step.name!r})"
    if walk.single and not step.predicates:
        walk.node = above
        return
    if walk.single:
        walk.restart(Code(f"node_listed({above})", "node", "many"))
    else:
        code = walk.code()
        item = walk.emitter.fresh()
        parent = above.replace(walk.node, item, 1)
        source = f"distinct([y for {item} in {code.source} for y in node_listed({parent})])"
        walk.restart(Code(source, "node", "many", ordered=False, flat=False))
    for predicate in step.predicates:
        walk.loops.append(f"if {truth(walk.emitter.emit(predicate, walk.scope.focus(walk.node)))}")


def _attribute(walk: _Walk, name: str) -> Code:
    """Write an attribute at the end of a path: most often only its value, or whether it is there, is needed."""
    node = walk.node
    if walk.single:
        return Code(
            f"([leaf({node}, {name!r})] if {name!r} in {node}.attrs else EMPTY)",
            "node",
            "many",
            atoms=(f"{node}.attrs.get({name!r})", "opt"),
            exists=f"({name!r} in {node}.attrs)",
        )
    loops = f"{' '.join(walk.loops)} if {name!r} in {node}.attrs"
    return Code(
        f"[leaf({node}, {name!r}) {loops}]",
        "node",
        "many",
        walk.ordered,
        walk.unique,
        atoms=(f"[{node}.attrs[{name!r}] {loops}]", "many"),
    )


def _attributes(walk: _Walk, step: Step) -> None:
    _loop(walk, f"attributes_like({walk.node}, {step.name!r})", step.predicates)


def _each(walk: _Walk, step: Each, *, final: bool) -> Code | None:
    """Evaluate an expression for each node reached; nodes go on, values end the path."""
    walk.settle()
    if walk.single:
        code = walk.emitter.emit(step.expression, walk.scope.focus(walk.node))
        guarded = walk.code()
        if guarded.many == "opt":
            walk.restart(guarded)
            code = walk.emitter.emit(step.expression, walk.scope.focus(walk.node))
    else:
        code = walk.emitter.emit(step.expression, walk.scope.focus(walk.node))
    if code.kind == "node":
        _each_node(walk, code, step)
        return None
    if not final:
        raise UnsupportedError("a step after a value that is no node")
    code = _predicated(walk.emitter, code, step.predicates, walk.scope)
    if walk.single:
        return code
    kind = "bool" if code.kind == "truth" else code.kind
    if code.many == "one":
        return Code(f"[{value(code)} {' '.join(walk.loops)}]", kind, "many")
    item = walk.emitter.fresh()
    return Code(f"[{item} {' '.join(walk.loops)} for {item} in {as_list(code)}]", kind, "many")


def _each_node(walk: _Walk, code: Code, step: Each) -> None:
    many = not walk.single
    _loop(walk, as_list(ordered(code) if step.predicates else code), step.predicates)
    walk.ordered = code.ordered and not many
    walk.unique = code.unique and not many
    walk.flat = code.flat and not many


def filtered(emitter: Emitter, expression: Filter, scope: Scope) -> Code:
    """Write a sequence filtered as a whole."""
    indexed = _indexed(emitter, expression, scope)
    if indexed is not None:
        return indexed
    code = emitter.emit(expression.base, scope)
    if code.kind == "node":
        code = ordered(code) if any(may_count(predicate) for predicate in expression.predicates) else code
    return _predicated(emitter, code, expression.predicates, scope)


def _predicated(emitter: Emitter, code: Code, predicates: tuple[Expression, ...], scope: Scope) -> Code:
    for predicate in predicates:
        kind = "bool" if code.kind == "truth" else code.kind
        if kind == "item":
            raise UnsupportedError("a predicate on items of unknown type")
        if may_count(predicate):
            source = _positional(emitter, as_list(code), predicate, scope, kind)
        else:
            item = emitter.fresh()
            condition = truth(emitter.emit(predicate, scope.focus(item, kind)))
            source = f"[{item} for {item} in {as_list(code)} if {condition}]"
        code = Code(source, kind, "many", code.ordered, code.unique, code.flat)
    return code


# -- joins: [key = value from outside] over nodes that stay the same, found by an index and not by a scan ------------


def _indexed(emitter: Emitter, expression: Path | Filter, scope: Scope) -> Code | None:
    """Write the first predicate that compares a key of the node with a value from outside as a look-up."""
    for base, predicates, rest in _cuts(expression):
        if any(may_count(predicate) for predicate in predicates):
            continue
        for constant in (False, True):
            for i, predicate in enumerate(predicates):
                sides = _join(predicate, constant=constant)
                if sides is None:
                    continue
                others = predicates[:i] + predicates[i + 1 :]
                fixed = tuple(other for other in others if _is_fixed(emitter, other) and not constant)
                kept = tuple(other for other in others if other not in fixed)
                whole = _kept(base, fixed)
                if _stable(emitter, whole, scope):
                    code = _look_up(emitter, whole, sides, kept, rest, scope)
                    if code is not None:
                        return code
    return None


def _kept(base: Expression, predicates: tuple[Expression, ...]) -> Expression:
    """Return the nodes of a base that fixed predicates keep."""
    if not predicates:
        return base
    if isinstance(base, Path) and isinstance(base.steps[-1], Step):
        last = base.steps[-1]
        return Path(base.start, (*base.steps[:-1], Step(last.axis, last.name, (*last.predicates, *predicates))))
    return Filter(base, predicates)


def _is_fixed(emitter: Emitter, predicate: Expression) -> bool:
    return not needs(predicate).variables - emitter.globals.keys()


def _cuts(expression: Path | Filter) -> list[tuple[Expression, tuple[Expression, ...], tuple[Step | Each, ...]]]:
    if isinstance(expression, Filter):
        return [(expression.base, expression.predicates, ())]
    found: list[tuple[Expression, tuple[Expression, ...], tuple[Step | Each, ...]]] = []
    for i, step in enumerate(expression.steps):
        if isinstance(step, Step) and step.predicates and step.axis in {"child", "descendant"}:
            bare = Path(expression.start, (*expression.steps[:i], Step(step.axis, step.name)))
            found.append((bare, step.predicates, expression.steps[i + 1 :]))
    if isinstance(expression.start, Filter):
        found.append((expression.start.base, expression.start.predicates, expression.steps))
    return found


def _join(predicate: Expression, *, constant: bool) -> tuple[Expression, Expression] | None:
    """Return the key and the outside value of an equality between them: a variable, or a constant text."""
    if not isinstance(predicate, Operation) or predicate.operator != "=":
        return None
    for key, outside in ((predicate.left, predicate.right), (predicate.right, predicate.left)):
        inner = needs(key)
        plain = inner.context and not inner.variables and not inner.root and not inner.resource and not inner.position
        if plain and _is_outside(outside, constant=constant):
            return key, outside
    return None


def _is_outside(outside: Expression, *, constant: bool) -> bool:
    if constant:
        return isinstance(outside, Literal) and isinstance(outside.value, str)
    if isinstance(outside, Path):
        return isinstance(outside.start, Variable) and not needs(outside).context
    return isinstance(outside, Variable)


def _stable(emitter: Emitter, base: Expression, scope: Scope) -> bool:
    """Say whether the nodes are the same for the whole document, or for an ancestor of the context."""
    need = needs(base)
    if need.variables - emitter.globals.keys() or need.position or not heavy(base):
        return False
    return not need.context or (bool(need.lift) and scope.kind == "node" and bool(scope.node))


def _look_up(  # noqa: PLR0917 - the parts of one cut
    emitter: Emitter,
    base: Expression,
    sides: tuple[Expression, Expression],
    others: tuple[Expression, ...],
    rest: tuple[Step | Each, ...],
    scope: Scope,
) -> Code | None:
    key, outside = sides
    outer = atomized(emitter.emit(outside, scope))
    inner = atomized(emitter.emit(key, Scope(node="x")))
    exact = {"int", "dec"}
    if not ({outer.kind, inner.kind} <= TEXTUAL or (outer.kind in exact and inner.kind in exact)):
        return None
    table = emitter.emit(Call("index", (base, key)), scope)
    code = Code(f"chosen({table.source}, {as_list(outer)})", "node", "many", flat=False)
    code = _predicated(emitter, code, others, scope)
    if not rest:
        return code
    name = emitter.fresh("y")
    inner_scope = scope.bind(name, code)
    return path(emitter, Path(Variable(name), rest), inner_scope)
