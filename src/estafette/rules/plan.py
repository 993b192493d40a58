"""Which assertions to run on a document: worked out from the names that it holds, once per set of names.

Documents of one software hold the same names, so the plan is most often already there, and running a pack costs only
the assertions that could speak. A rule takes an element unless an earlier rule of its pattern took it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from estafette.rules.facts import Facts, Watched
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
class Check:
    """A condition on content: its test; the values that it compares with texts, if that is what it does; its guards."""

    test: Test
    key: Test | None
    texts: frozenset[str]
    to_hold: Any
    to_fail: Any


@dataclass(frozen=True, slots=True)
class Way:
    """One way for a rule to match."""

    links: tuple[tuple[str, str], ...]
    anchored: bool
    by_shape: Test | None
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The ways that a rule matches and what it asserts."""

    ways: tuple[Way, ...]
    assertions: tuple[Assertion, ...]


Due = tuple[tuple[Test, bool, Assertion], ...]
Checks = tuple[Check, ...]
Choice = tuple[tuple[Checks, ...], Due]
Chain = tuple[Choice, ...]
Tests = tuple[tuple[Test, ...], ...]
Chains = tuple[tuple[tuple[Tests, Due], ...], ...]
Todo = tuple[Due, Chains]
"""What runs always on a node, and chains of (tests of each way to match, what runs then), the first that matches."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What to run on the nodes of a shape, by the one value that most of its rules look at."""

    shape: Shape
    key: Test
    by_value: dict[str, Todo]
    otherwise: Todo
    several: Todo


@dataclass(frozen=True, slots=True)
class Plan:
    """`plain`: what to run on every node of a shape, and the chains of rules to choose from; `switches`: by value."""

    plain: tuple[tuple[Shape, Todo], ...]
    switches: tuple[Switch, ...]
    most: int
    """Assertions and choices asked of one node, at most."""


class Planner:
    """The rules of one pack, and the plans made so far."""

    def __init__(self, tables: Iterable[Any], functions: dict[str, Any]) -> None:
        self.patterns = [[_rule(rule, functions) for rule in pattern] for pattern in tables]
        self.watched = Watched(_guards(self.patterns))
        self.plans: dict[tuple[Signature, Facts | None], Plan] = {}
        self.matching: dict[Shape, list[list[tuple[Rule, list[Way]]]]] = {}

    def plan(self, signature: Signature, held: Facts | None = None) -> Plan:
        """Return what to run on a document that holds those shapes, and those values (None: any)."""
        known = (signature, held)
        plan = self.plans.get(known)
        if plan is None:
            if len(self.plans) >= PLANS_MAX:
                self.plans.clear()
                self.matching.clear()
            plan = self.plans[known] = self._plan(*known)
        return plan

    def _plan(self, signature: Signature, held: Facts | None) -> Plan:
        names = {shape.tag for shape in signature}
        plain: list[tuple[Shape, Todo]] = []
        switches: list[Switch] = []
        for shape in signature:
            place = (shape, signature, names, held)
            chains = [tuple(_choices(chain, place)) for chain in self._chains(shape)]
            due, left = _split(chains)
            key = _common_key(left)
            if key is not None:
                keyed = [chain for chain in left if _looks_at(chain, key)]
                left = [chain for chain in left if not _looks_at(chain, key)]
                switches.append(_switch(shape, key, keyed))
            if due or left:
                plain.append((shape, (due, _ready(left))))
        most = max([len(due) + len(left) for _, (due, left) in plain], default=0)
        most += max([len(switch.several[1]) for switch in switches], default=0)
        return Plan(tuple(plain), tuple(switches), most)

    def _chains(self, shape: Shape) -> list[list[tuple[Rule, list[Way]]]]:
        """Return, for each pattern, the rules that may take the nodes of a shape, in order."""
        chains = self.matching.get(shape)
        if chains is None:
            found = (_chain(pattern, shape) for pattern in self.patterns)
            chains = self.matching[shape] = [chain for chain in found if chain]
        return chains


def _guards(patterns: Iterable[Iterable[Rule]]) -> list[Any]:
    rules = [rule for pattern in patterns for rule in pattern]
    checks = [check for rule in rules for way in rule.ways for check in way.checks]
    guards = [assertion.guard for rule in rules for assertion in rule.assertions]
    return [*guards, *(check.to_hold for check in checks), *(check.to_fail for check in checks)]


def _rule(table: Any, functions: dict[str, Any]) -> Rule:
    ways, assertions, _ = table
    return Rule(
        tuple(
            Way(links, anchored, functions.get(by_shape), tuple(_check(check, functions) for check in checks))
            for links, anchored, by_shape, checks in ways
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


def _check(table: Any, functions: dict[str, Any]) -> Check:
    test, key, texts, to_hold, to_fail = table
    return Check(functions[test], functions.get(key), frozenset(texts), to_hold, to_fail)


def _chain(pattern: list[Rule], shape: Shape) -> list[tuple[Rule, list[Way]]]:
    chain: list[tuple[Rule, list[Way]]] = []
    for rule in pattern:
        ways = [way for way in rule.ways if _fits(way, shape)]
        if ways:
            chain.append((rule, ways))
        if any(not way.checks for way in ways):
            break
    return chain


Place = tuple[Shape, Signature, set[str], Facts | None]


def _choices(chain: list[tuple[Rule, list[Way]]], place: Place) -> list[Choice]:
    """Return the rules of a chain that can take a node of this document, with the checks that are not settled."""
    choices: list[Choice] = []
    for rule, ways in chain:
        open_ways = [checks for way in ways if (checks := _unsettled(way, place)) is not None]
        if not open_ways:
            continue
        always = any(not checks for checks in open_ways)
        choices.append((() if always else tuple(open_ways), _due(rule, place)))
        if always:
            break
    while choices and not choices[-1][1]:
        choices.pop()
    return choices


def _unsettled(way: Way, place: Place) -> Checks | None:
    """Return the checks that only the content decides, or None when one of them cannot hold."""
    if not all(_may_speak(check.to_hold, place) for check in way.checks):
        return None
    return tuple(check for check in way.checks if _may_speak(check.to_fail, place))


def _todo(chains: Iterable[Chain]) -> Todo:
    due, left = _split(chains)
    return due, _ready(left)


def _ready(chains: Iterable[Chain]) -> tuple[tuple[tuple[Tests, Due], ...], ...]:
    """Keep of the checks what is needed to run."""
    return tuple(
        tuple((tuple(tuple(check.test for check in checks) for checks in ways), due) for ways, due in chain)
        for chain in chains
    )


def _split(chains: Iterable[Chain]) -> tuple[Due, list[Chain]]:
    """Split chains into what runs always and what is chosen node by node."""
    due: list[tuple[Test, bool, Assertion]] = []
    left: list[Chain] = []
    for chain in chains:
        if chain and not chain[0][0]:
            due.extend(chain[0][1])
        elif chain:
            left.append(chain)
    return tuple(due), left


def _common_key(chains: Iterable[Chain]) -> Test | None:
    """Return the values that most checks of these chains look at, when at least two do."""
    counts = Counter(check.key for chain in chains for ways, _ in chain for checks in ways for check in checks)
    counts.pop(None, None)
    found = counts.most_common(1)
    return found[0][0] if found and found[0][1] > 1 else None


def _looks_at(chain: Chain, key: Test) -> bool:
    return any(check.key is key for ways, _ in chain for checks in ways for check in checks)


def _switch(shape: Shape, key: Test, chains: list[Chain]) -> Switch:
    texts = {
        text
        for chain in chains
        for ways, _ in chain
        for checks in ways
        for check in checks
        if check.key is key
        for text in check.texts
    }
    return Switch(
        shape,
        key,
        {text: _todo([_reduced(chain, key, text) for chain in chains]) for text in texts},
        _todo([_reduced(chain, key, None) for chain in chains]),
        ((), _ready(chains)),
    )


def _reduced(chain: Chain, key: Test, value: str | None) -> Chain:
    """Return a chain once the value of the key is known (None: none of the texts that it is compared with)."""
    reduced: list[Choice] = []
    for ways, due in chain:
        left = [
            tuple(check for check in checks if check.key is not key)
            for checks in ways
            if all(value in check.texts for check in checks if check.key is key)
        ]
        if ways and not left:
            continue
        always = not ways or any(not checks for checks in left)
        reduced.append((() if always else tuple(left), due))
        if always:
            break
    while reduced and not reduced[-1][1]:
        reduced.pop()
    return tuple(reduced)


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


def _due(rule: Rule, place: Place) -> Due:
    return tuple(
        (assertion.test, assertion.report, assertion)
        for assertion in rule.assertions
        if _may_speak(assertion.guard, place)
    )


def _may_speak(guard: Any, place: Place) -> bool:
    if guard is None:
        return True
    how, keys = guard
    there = (_is_there(key, place) for key in keys)
    return all(there) if how == "all" else any(there)


def _is_there(key: Any, place: Place) -> bool:
    shape, signature, names, held = place
    kind = key[0]
    at: Shape | None = shape
    if kind == "val":
        return held is None or (key[1], key[3]) in held or any(condition in held for condition in key[2])
    if kind == "any":
        return key[1] in names
    if kind == "anc":
        above = _ancestors(shape)
        return any(one.tag == key[1][0] and _below(one, key[1][1:], signature) for one in above)
    if kind == "rel":
        for _ in range(key[1]):
            at = at.parent if at is not None else None
    else:
        while at is not None and at.parent is not None:
            at = at.parent
    return at is not None and _below(at, key[-1], signature)


def _ancestors(shape: Shape) -> list[Shape]:
    found = []
    above = shape.parent
    while above is not None:
        found.append(above)
        above = above.parent
    return found


def _below(at: Shape, names: tuple[str, ...], signature: Signature) -> bool:
    if names == ("*",):
        return any(below in signature for below in at.kids.values())
    for name in names:
        below = at.attributes.get(name[1:]) if name.startswith("@") else at.kids.get(name)
        if below is None:
            return False
        at = below
    return at in signature


def nodes_of(top: Top, shape: Shape) -> list[Node]:
    """Return the nodes of a shape: elements, or the attributes of those of the shape above."""
    if shape.tag.startswith("@") and shape.parent is not None:
        name = shape.tag[1:]
        return [leaf(node, name) for node in top.nodes[shape.parent] if name in node.attrs]
    return top.nodes[shape]
