"""How many items a sequence has, where the sheet wants one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from estafette.rules.semantics.base import EMPTY, DynamicError
from estafette.rules.tree import NOTHING, Node


def only(items: Sequence[Any]) -> Any:
    """Return the one item of a sequence or None; several are an error of the sheet."""
    if not items:
        return None
    if len(items) > 1:
        raise DynamicError("one value expected, several found")
    return items[0]


def lone(node: Node, name: str) -> str | None:
    """Return the value of the one child of that name, or None; several are an error of the sheet."""
    found = node.kids.get(name)
    if found is None:
        return None
    if len(found) > 1:
        raise DynamicError("one value expected, several found")
    return found[0].value


def when(function: Callable[[Any], Any], item: Any) -> Any:
    """Apply a function to an optional item."""
    return None if item is None else function(item)


def present(item: Any) -> Any:
    """Return an item that the sheet requires."""
    if item is None:
        raise DynamicError("a value is missing")
    return item


def listed(item: Any) -> Sequence[Any]:
    """Turn an optional item into a sequence."""
    return EMPTY if item is None else (item,)


def node_listed(node: Node) -> Sequence[Node]:
    """Turn an optional node into a sequence."""
    return (node,) if node else EMPTY


def first(nodes: Sequence[Node]) -> Node:
    """Return the first node, or the one that is nothing."""
    return nodes[0] if nodes else NOTHING


def later(value: Callable[[], Any]) -> Callable[[], Any]:
    """Compute a value when it is first asked for, once."""
    kept: list[Any] = []

    def get() -> Any:
        if not kept:
            kept.append(value())
        return kept[0]

    return get
