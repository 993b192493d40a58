"""Which assertions to run on a document: worked out from the names that it holds, once per set of names.

Documents of one software hold the same names, so the plan is most often already there, and running a pack costs only
the assertions that could speak. A rule takes an element unless an earlier rule of its pattern took it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from estafette.rules.semantics import leaf
from estafette.rules.tree import NO_ATTRIBUTES, NO_KIDS, NOTHING, Node, Shape, Top

PLANS_MAX = 200
"""Sets of names whose plan is kept, for each pack (our bound)."""

Test = Callable[[Node, Top], Any]
Signature = frozenset[Shape]


@dataclass(frozen=True, slots=True)
class Assertion:
    """One assertion ready to run: it speaks when its test comes out as `report`."""

    id: str
    flag: str
    report: bool
    guard: Any
    test: Test
    message: tuple[tuple[Any, bool], ...]
    source: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way for a rule to match."""

    links: tuple[tuple[str, str], ...]
    anchored: bool
    by_shape: Test | None
    by_node: Test | None


@dataclass(frozen=True, slots=True)
class Rule:
    """The ways that a rule matches and what it asserts."""

    ways: tuple[Way, ...]
    assertions: tuple[Assertion, ...]


Due = tuple[tuple[Test, bool, Assertion], ...]
Choice = tuple[tuple[Test, ...], Due]


@dataclass(frozen=True, slots=True)
class Plan:
    """`plain`: what to run on every node of a shape; `chosen`: where a test on the node decides which rule it is."""

    plain: tuple[tuple[Shape, Due], ...]
    chosen: tuple[tuple[Shape, tuple[Choice, ...]], ...]


class Planner:
    """The rules of one pack, and the plans made so far."""

    def __init__(self, tables: Iterable[Any], functions: dict[str, Any]) -> None:
        self.patterns = [[_rule(rule, functions) for rule in pattern] for pattern in tables]
        self.plans: dict[Signature, Plan] = {}
        self.matching: dict[Shape, list[list[tuple[Rule, tuple[Test, ...]]]]] = {}

    def plan(self, signature: Signature) -> Plan:
        """Return what to run on a document that holds those shapes."""
        plan = self.plans.get(signature)
        if plan is None:
            if len(self.plans) >= PLANS_MAX:
                self.plans.clear()
                self.matching.clear()
            plan = self.plans[signature] = self._plan(signature)
        return plan

    def _plan(self, signature: Signature) -> Plan:
        names = {shape.tag for shape in signature}
        plain: list[tuple[Shape, Due]] = []
        chosen: list[tuple[Shape, tuple[Choice, ...]]] = []
        for shape in signature:
            always: list[tuple[Test, bool, Assertion]] = []
            for chain in self._chains(shape):
                choices = [(tests, _due(rule, shape, signature, names)) for rule, tests in chain]
                while choices and not choices[-1][1]:
                    choices.pop()
                if len(choices) == 1 and not choices[0][0]:
                    always.extend(choices[0][1])
                elif choices:
                    chosen.append((shape, tuple(choices)))
            if always:
                plain.append((shape, tuple(always)))
        return Plan(tuple(plain), tuple(chosen))

    def _chains(self, shape: Shape) -> list[list[tuple[Rule, tuple[Test, ...]]]]:
        """Return, for each pattern, the rules that may take the nodes of a shape, in order, with what decides."""
        chains = self.matching.get(shape)
        if chains is None:
            found = (_chain(pattern, shape) for pattern in self.patterns)
            chains = self.matching[shape] = [chain for chain in found if chain]
        return chains


def _rule(table: Any, functions: dict[str, Any]) -> Rule:
    ways, assertions, _ = table
    return Rule(
        tuple(
            Way(links, anchored, functions.get(by_shape), functions.get(by_node))
            for links, anchored, by_shape, by_node in ways
        ),
        tuple(
            Assertion(
                identifier,
                flag,
                report,
                guard,
                functions[test],
                tuple((functions[piece] if called else piece, called) for piece, called in message),
                source,
            )
            for identifier, flag, report, guard, test, message, source in assertions
        ),
    )


def _chain(pattern: list[Rule], shape: Shape) -> list[tuple[Rule, tuple[Test, ...]]]:
    chain: list[tuple[Rule, tuple[Test, ...]]] = []
    for rule in pattern:
        ways = [way for way in rule.ways if _fits(way, shape)]
        if not ways:
            continue
        tests = tuple(way.by_node for way in ways if way.by_node is not None)
        if len(tests) < len(ways):
            chain.append((rule, ()))
            break
        chain.append((rule, tests))
    return chain


def _fits(way: Way, shape: Shape) -> bool:
    if not matches(shape, way.links, way.anchored):
        return False
    return way.by_shape is None or bool(way.by_shape(_skeleton(shape), NOTHING))  # type: ignore[arg-type]


def matches(shape: Shape, links: tuple[tuple[str, str], ...], anchored: bool) -> bool:
    """Say whether a chain of names fits a way, predicates apart."""
    if not links:
        return shape.parent is None
    return _links(shape, links, 0, anchored)


def _links(shape: Shape, links: tuple[tuple[str, str], ...], at: int, anchored: bool) -> bool:
    name, link = links[at]
    if not _named(shape, name):
        return False
    above = shape.parent
    if above is None:
        return False
    if at == len(links) - 1:
        return not anchored or link == "descendant" or above.parent is None
    if link == "child":
        return _links(above, links, at + 1, anchored)
    while above is not None:
        if _links(above, links, at + 1, anchored):
            return True
        above = above.parent
    return False


def _named(shape: Shape, name: str) -> bool:
    tag = shape.tag
    if tag == name:
        return True
    if shape.parent is None or tag.startswith("@") != name.startswith("@"):
        return False
    tag, name = tag.removeprefix("@"), name.removeprefix("@")
    if name == "*":
        return True
    if name.startswith("*:"):
        return tag.rpartition("}")[2] == name[2:]
    return name.endswith("}*") and tag.startswith(name[:-1])


def _skeleton(shape: Shape) -> Node:
    """Return a node that has the names of a shape and nothing else."""
    node = Node()
    node.shape = shape
    node.parent = NOTHING if shape.parent is None else _skeleton(shape.parent)
    node.kids = NO_KIDS
    node.attrs = NO_ATTRIBUTES
    node.value = ""
    node.order = 0
    return node


def _due(rule: Rule, shape: Shape, signature: Signature, names: set[str]) -> Due:
    return tuple(
        (assertion.test, assertion.report, assertion)
        for assertion in rule.assertions
        if _may_speak(assertion.guard, shape, signature, names)
    )


def _may_speak(guard: Any, shape: Shape, signature: Signature, names: set[str]) -> bool:
    if guard is None:
        return True
    how, keys = guard
    there = (_is_there(key, shape, signature, names) for key in keys)
    return all(there) if how == "all" else any(there)


def _is_there(key: Any, shape: Shape, signature: Signature, names: set[str]) -> bool:
    kind = key[0]
    if kind == "any":
        return key[1] in names
    at: Shape | None = shape
    if kind == "rel":
        for _ in range(key[1]):
            at = at.parent if at is not None else None
    else:
        while at is not None and at.parent is not None:
            at = at.parent
    for name in key[-1]:
        if at is None:
            return False
        at = at.attributes.get(name[1:]) if name.startswith("@") else at.kids.get(name)
    return at is not None and at in signature


def nodes_of(top: Top, shape: Shape) -> list[Node]:
    """Return the nodes of a shape: elements, or the attributes of those of the shape above."""
    if shape.tag.startswith("@") and shape.parent is not None:
        name = shape.tag[1:]
        return [leaf(node, name) for node in top.nodes[shape.parent] if name in node.attrs]
    return top.nodes[shape]
