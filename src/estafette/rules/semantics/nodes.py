"""Axes, name tests, sets and indexes of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from estafette.rules.semantics.base import EMPTY
from estafette.rules.semantics.comparison import truth
from estafette.rules.tree import (
    NOTHING,
    Leaf,
    Node,
    Top,
    attributes,
    below,
    children,
    shapes_named,
    source,
    texts,
    top_of,
)


def order(node: Node) -> float:
    """The place of a node in the document."""
    return node.order


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """Return distinct nodes in document order."""
    return sorted(dict.fromkeys(nodes), key=order)


def distinct(nodes: Iterable[Node]) -> list[Node]:
    """Return nodes once each, as they come."""
    return list(dict.fromkeys(nodes))


def union(left: Sequence[Node], right: Sequence[Node]) -> Sequence[Node]:
    """Nodes of either side, each of which comes in order."""
    if not left or not right:
        return left or right
    return in_order([*left, *right])


def intersect(left: Iterable[Node], right: Iterable[Node]) -> list[Node]:
    """Nodes of both sides."""
    kept = set(right)
    return in_order(node for node in left if node in kept)


def excepted(left: Iterable[Node], right: Iterable[Node]) -> list[Node]:
    """Nodes of the left side only."""
    gone = set(right)
    return in_order(node for node in left if node not in gone)


def is_named(node: Node, name: str) -> bool:
    """Say whether an element passes a name test."""
    if isinstance(node, Top) or not node:
        return name == "node()" and bool(node)
    if isinstance(node, Leaf):
        return name == "node()" or (name == "text()" and not node.key.startswith("@"))
    if name in {"*", "node()"} or node.tag == name:
        return True
    if name.startswith("*:"):
        return node.shape.local == name[2:]
    return name.endswith("}*") and node.tag.startswith(name[:-1])


def kids(node: Node, name: str) -> list[Node]:
    """Return the children that pass a wildcard test, in document order."""
    if name == "text()":
        return texts(node)
    if name == "node()":
        return sorted([*children(node), *texts(node)], key=order)
    return [child for child in children(node) if is_named(child, name)]


def tagged(top: Top, name: str) -> list[Node]:
    """Return the elements of a name anywhere in the document, in its order."""
    found = top.tagged.get(name)
    if found is None:
        lists = [top.nodes[shape] for shape in shapes_named(top, name) if shape.parent is not None]
        found = lists[0] if len(lists) == 1 else sorted((node for nodes in lists for node in nodes), key=order)
        top.tagged[name] = found
    return found


def attributed(top: Top, name: str) -> list[Node]:
    """Return the attributes of a name anywhere in the document, in its order."""
    owners = [top.nodes[shape.parent] for shape in shapes_named(top, f"@{name}") if shape.parent is not None]
    found: list[Node] = [leaf(node, name) for nodes in owners for node in nodes if name in node.attrs]
    return found if len(owners) < 2 else sorted(found, key=order)


def descendants(node: Node, name: str) -> list[Node]:
    """Return the descendants that pass a name test, in document order."""
    if isinstance(node, Top):
        if name[0] != "*" and name[-1] not in "*)":
            return tagged(node, name)
        everything = sorted((item for nodes in node.nodes.values() for item in nodes if item.order), key=order)
        if name == "text()":
            return [text for item in everything for text in texts(item)]
        return everything if name == "*" else [item for item in everything if is_named(item, name)]
    if name == "text()":
        return in_order(text for item in (node, *below(node)) for text in texts(item))
    return [item for item in below(node) if is_named(item, name)]


def descendants_or_self(node: Node, name: str) -> list[Node]:
    """Return the node and its descendants that pass a name test."""
    return [node, *descendants(node, name)] if is_named(node, name) else descendants(node, name)


def named_parent(node: Node, name: str) -> Node:
    """Return the parent if it passes the name test, else the one that is nothing."""
    return node.parent if is_named(node.parent, name) else NOTHING


def ancestors(node: Node, name: str) -> list[Node]:
    """Return the ancestors that pass a name test, the nearest first."""
    found = []
    node = node.parent
    while node:
        if is_named(node, name):
            found.append(node)
        node = node.parent
    return found


def ancestors_or_self(node: Node, name: str) -> list[Node]:
    """Return the node and its ancestors that pass a name test, the nearest first."""
    return [node, *ancestors(node, name)] if is_named(node, name) else ancestors(node, name)


def preceding_siblings(node: Node, name: str) -> list[Node]:
    """Return the brothers before a node, the nearest first."""
    brothers = [] if isinstance(node, Leaf) else children(node.parent)
    return [item for item in reversed(brothers) if item.order < node.order and is_named(item, name)]


def following_siblings(node: Node, name: str) -> list[Node]:
    """Return the brothers after a node."""
    brothers = [] if isinstance(node, Leaf) else children(node.parent)
    return [item for item in brothers if item.order > node.order and is_named(item, name)]


def preceding(node: Node, name: str) -> list[Node]:
    """Return the nodes before a node that are not its ancestors, the nearest first."""
    above = set(ancestors(node, "node()"))
    everything = descendants(top_of(node), name)
    return [item for item in reversed(everything) if item.order < node.order and item not in above]


def following(node: Node, name: str) -> list[Node]:
    """Return the nodes after a node that are not its descendants."""
    under = set(below(node))
    return [item for item in descendants(top_of(node), name) if item.order > node.order and item not in under]


def leaf(node: Node, name: str) -> Leaf:
    """Return an attribute as a node."""
    return Leaf(node, "@" + name, node.attrs[name], 0.1)


def attributes_like(node: Node, name: str) -> list[Node]:
    """Return the attributes that pass a wildcard test."""
    return [item for item in attributes(node) if name in {"*", "node()"} or is_named_leaf(item, name)]


def is_named_leaf(item: Node, name: str) -> bool:
    """Say whether an attribute passes a name test."""
    own = item.shape.tag
    return own == name or (name.startswith("*:") and item.shape.local == name[2:])


def place(node: Node, name: str) -> tuple[int, int]:
    """Return the position of an element among the brothers that pass the test, and their number."""
    brothers = [item for item in children(node.parent) if is_named(item, name)]
    return next(i for i, item in enumerate(brothers, 1) if item is node), len(brothers)


def select(items: Sequence[Any], condition: Callable[[Any, int, int], Any]) -> list[Any]:
    """Keep the items for which a condition on item, position and size holds; a number is a position."""
    size = len(items)
    kept = []
    for position, item in enumerate(items, 1):
        held = condition(item, position, size)
        if held is True or (held is not False and held is not None and _selects(held, position)):
            kept.append(item)
    return kept


def _selects(held: Any, position: int) -> bool:
    if isinstance(held, (list, tuple)) and len(held) == 1 and not isinstance(held[0], Node):
        held = held[0]
    if isinstance(held, (int, float, Decimal)) and not isinstance(held, bool):
        return held == position
    return truth(held)


def name_of(node: Node) -> str:
    """Return the name as the document writes it, with its prefix."""
    if isinstance(node, Leaf):
        return "" if node.key.startswith("text()") else node.shape.local
    if isinstance(node, Top) or not node:
        return ""
    prefix = source(node).prefix
    return f"{prefix}:{node.shape.local}" if prefix else node.shape.local


def local_name(node: Node) -> str:
    """Return the local part of the name."""
    return "" if isinstance(node, Top) or (isinstance(node, Leaf) and node.key[0] != "@") else node.shape.local


def namespace(node: Node) -> str:
    """Return the namespace of the name."""
    return node.tag[1:].partition("}")[0] if node.tag.startswith("{") else ""


def index(nodes: Iterable[Node], key: Callable[[Node], Sequence[Any]]) -> dict[Any, list[Node]]:
    """Group nodes by each of the values of a key."""
    found: dict[Any, list[Node]] = {}
    for node in nodes:
        values = key(node)
        for value in values if len(values) < 2 else set(values):
            found.setdefault(value, []).append(node)
    return found


def chosen(indexed: dict[Any, list[Node]], values: Sequence[Any]) -> Sequence[Node]:
    """Return the nodes whose key is one of the values, in document order."""
    if len(values) == 1:
        return indexed.get(values[0], EMPTY)
    return in_order(node for value in values for node in indexed.get(value, EMPTY))
