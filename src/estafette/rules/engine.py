"""A pack judging a document: its plan run over the tree, its findings made where an assertion speaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from decimal import localcontext
from functools import lru_cache
from pathlib import Path

from estafette.rules.catalogue import Pack
from estafette.rules.compiled import compiled, load
from estafette.rules.own import own_finding
from estafette.rules.plan import Assertion, Chains, Due, Plan, Planner, Switch, Tests, Todo, nodes_of
from estafette.rules.remedies import remedy
from estafette.rules.semantics import EXACT
from estafette.rules.tree import Node, Top, line_of, path_of
from estafette.rules.verdict import Finding, Severity
from estafette.values import limits

IDENTIFIER = re.compile(r"\[?((?:BR|CII|UBL|PEPPOL|FX|G)[A-Z0-9-]*-[A-Z0-9_./-]+|(?<=\[)[GPS][0-9]+\.[0-9]+)")
TERMS = re.compile(r"\b(?:BT|BG|MDT|MDG|TT|TG)-\d+(?:-\d+)?\b|\bEXT-FR-FE-(?:BG-)?\d+\b")
SAME_FINDING_MAX = 100
"""Occurrences of one identifier reported one by one; the sets of the verdict are whole all the same (our bound)."""

VALUE_CHARACTERS_MAX = 200


class Engine:
    """A compiled pack, ready to judge."""

    def __init__(self, pack: Pack, data: bytes, resource: Callable[[str], bytes]) -> None:
        code, tables = compiled(data)
        self.pack = pack
        self.planner = Planner(tables, load(code, resource))

    def judge(self, top: Top) -> list[Finding]:
        """Return what the pack says of a document, in no particular order."""
        report = _Report(self.pack, top)
        plan = self.planner.plan(top.signature, self.planner.watched.facts_of(top))
        if plan.most * top.count > limits.RULE_EVALUATIONS_MAX < (work := asked(plan, top)):
            return [own_finding("EST-LIMIT", value=f"{work} > {limits.RULE_EVALUATIONS_MAX}", path="/")]
        with localcontext(EXACT):
            for shape, (due, chains) in plan.plain:
                for node in top.nodes[shape] or nodes_of(top, shape):
                    _run(due, node, top, report)
                    if chains:
                        _choose(chains, node, top, report)
            for switch in plan.switches:
                for node in top.nodes[switch.shape] or nodes_of(top, switch.shape):
                    due, chains = _chosen(switch, node, top)
                    _run(due, node, top, report)
                    _choose(chains, node, top, report)
        return report.findings


def asked(plan: Plan, top: Top) -> int:
    """Return how many assertions and choices a plan asks of a document, at most."""
    plain = sum(len(top.nodes[shape]) * (len(due) + len(chains)) for shape, (due, chains) in plan.plain)
    return plain + sum(len(top.nodes[switch.shape]) * len(switch.several[1]) for switch in plan.switches)


def _chosen(switch: Switch, node: Node, top: Top) -> Todo:
    """Return what the value at a node leaves to run; where it cannot be had, everything is run and says so itself."""
    try:
        values = switch.key(node, top)
    except Exception:
        return switch.several
    if len(values) == 1:
        return switch.by_value.get(values[0], switch.otherwise)
    return switch.several if values else switch.otherwise


def _run(due: Due, node: Node, top: Top, report: _Report) -> None:
    """Ask a node each assertion that is due; report those that speak."""
    for test, speaks, assertion in due:
        try:
            if test(node, top):
                if speaks:
                    report.add(assertion, node)
            elif not speaks:
                report.add(assertion, node)
        except Exception as error:
            report.fail(assertion.id or assertion.source, node, error)


def _choose(chains: Chains, node: Node, top: Top, report: _Report) -> None:
    """Ask a node what the first rule of each chain that takes it asserts."""
    for chain in chains:
        for ways, then in chain:
            if not ways or _takes(ways, node, top):
                _run(then, node, top, report)
                break


def _takes(ways: Tests, node: Node, top: Top) -> bool:
    """Say whether a rule takes a node; a check that fails to run does not match (XSLT 3.0, 5.5.4)."""
    for tests in ways:
        try:
            for test in tests:
                if not test(node, top):
                    break
            else:
                return True
        except Exception:  # noqa: S112 - as above
            continue
    return False


class _Report:
    """The findings of one pack on one document."""

    def __init__(self, pack: Pack, top: Top) -> None:
        self.pack = pack
        self.top = top
        self.findings: list[Finding] = []
        self.seen: Counter[str] = Counter()

    def add(self, assertion: Assertion, node: Node) -> None:
        """Add what an assertion says of a node."""
        if assertion.id and self.seen[assertion.id] >= SAME_FINDING_MAX:
            return
        message = self._message(assertion, node)
        identifier = assertion.id or _identifier(message)
        self.seen[identifier] += 1
        if self.seen[identifier] > SAME_FINDING_MAX:
            return
        french, english = remedy(identifier)
        self.findings.append(
            Finding(
                id=identifier,
                severity=_severity(assertion.flag),
                terms=tuple(dict.fromkeys(TERMS.findall(f"{identifier} {message}"))),
                path=path_of(node) or "/",
                line=line_of(node),
                value=_seen(node),
                message=message,
                remedy_fr=french,
                remedy_en=english,
                pack=self.pack.coordinate,
            )
        )

    def fail(self, what: str, node: Node, error: Exception) -> None:
        """Add our own finding where the official sheet would have stopped."""
        self.seen["EST-SHEET"] += 1
        if self.seen["EST-SHEET"] <= SAME_FINDING_MAX:
            self.findings.append(
                own_finding("EST-SHEET", value=f"{what}: {error}", path=path_of(node) or "/", line=line_of(node))
            )

    def _message(self, assertion: Assertion, node: Node) -> str:
        pieces = []
        for piece, called in assertion.message:
            if not called:
                pieces.append(piece)
                continue
            try:
                pieces.append(piece(node, self.top))
            except Exception as error:
                self.fail(f"{assertion.id or assertion.source}, message", node, error)
                pieces.append("…")
        return " ".join("".join(pieces).split())


def _identifier(message: str) -> str:
    found = IDENTIFIER.search(message)
    return found[1] if found else "?"


def _severity(flag: str) -> Severity:
    return Severity.WARNING if flag.lower().startswith(("warn", "info")) else Severity.FATAL


def _seen(node: Node) -> str:
    """Return the value of a leaf, shortened; the value of a group would say nothing."""
    return "" if node.kids or not node.order else " ".join(node.value[:1000].split())[:VALUE_CHARACTERS_MAX]


@lru_cache(64)
def engine_of(pack: Pack) -> Engine:
    """Return the engine of a pack whose sheet is a file, with the code lists that stand beside it."""
    folder = pack.path.parent

    def resource(name: str) -> bytes:
        return (folder / Path(name).name).read_bytes()

    return Engine(pack, pack.path.read_bytes(), resource)
