"""What the guards of a pack ask of the values of a document: which are there, and which conditions are broken.

See `compiler.values` for the keys. The facts are few, and the same for most documents of one software: category S is
there, AE is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from estafette.rules.semantics import trimmed
from estafette.rules.tree import Node, Top, shapes_named

Facts = frozenset[tuple[str, str]]
"""(name, text): an element of that name has that value; (condition, name): that condition is broken."""

BOOLEANS = {"true", "false", "1", "0"}


class Watched:
    """The values and the conditions that some guards of a pack name."""

    def __init__(self, guards: Iterable[Any]) -> None:
        keys = [key for needed in guards if needed is not None for key in needed[1] if key[0] == "val"]
        self.conditions = {condition for key in keys for condition in key[2]}
        texts: dict[str, set[str]] = {}
        for _, name, _, text in keys:
            texts.setdefault(name, set()).add(text)
        self.facts = {name: {text: (name, text) for text in wanted} for name, wanted in texts.items()}

    def facts_of(self, top: Top) -> Facts:
        """Return which of the watched values a document holds and which of the conditions it breaks."""
        held: set[tuple[str, str]] = set()
        for name, wanted in self.facts.items():
            for shape in shapes_named(top, name):
                for node in top.nodes[shape]:
                    value = node.value
                    fact = wanted.get(value) or wanted.get(trimmed(value))
                    if fact is not None:
                        held.add(fact)
        for condition in self.conditions:
            kind, name = condition
            for shape in shapes_named(top, name):
                if _broken(kind, top.nodes[shape]):
                    held.add(condition)
        return frozenset(held)


def _broken(kind: str, nodes: list[Node]) -> bool:
    """Say whether nodes of one shape break a condition: brothers stand side by side among them."""
    if kind == "one":
        return len(nodes) > 1 and any(a.parent is b.parent for a, b in pairwise(nodes))
    return any(trimmed(node.value) not in BOOLEANS for node in nodes)
