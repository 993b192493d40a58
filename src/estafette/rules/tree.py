"""A document as a compact tree, built in one flat pass and shared by every pack that judges it.

Each element knows its *shape*: the chain of names from the root. Shapes are shared between documents, so what depends
on names alone (which rules match, which assertions can fire) is worked out once per shape and not once per element.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from sys import intern
from typing import Any

from lxml import etree

SHAPES_MAX = 20_000
"""Distinct chains of names kept; past it a hostile stream of invented names starts afresh (our bound)."""

SIGNATURES_MAX = 256
"""Sets of shapes whose index by name is kept (our bound)."""

_STRING = etree.XPath("string()")
NO_KIDS: dict[str, list[Node]] = {}
NO_ATTRIBUTES: dict[str, str] = {}


class Shape:
    """A chain of element names; `kids` and `attributes` continue it, `plans` is filled by the engine."""

    __slots__ = ("attributes", "kids", "local", "parent", "tag")

    def __init__(self, tag: str, parent: Shape | None) -> None:
        self.tag = intern(tag)
        self.local = tag.rpartition("}")[2]
        self.parent = parent
        self.kids: dict[str, Shape] = {}
        self.attributes: dict[str, Shape] = {}


class Node:
    """An element, or the document above it: name, value, children by name, attributes, order in the document.

    `value` is the text of all below it. It is kept for leaves, and worked out when first asked for elsewhere.
    """

    __slots__ = ("attrs", "kids", "order", "parent", "shape", "value")

    shape: Shape
    parent: Node
    kids: dict[str, list[Node]]
    attrs: dict[str, str]
    order: float
    value: str

    def __getattr__(self, name: str) -> str:
        if name != "value":
            raise AttributeError(name)
        self.value = value = str(_STRING(source(self)))
        return value

    @property
    def tag(self) -> str:
        """The expanded name."""
        return self.shape.tag


class Nothing(Node):
    """The parent of the document: no node, with nothing in it."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


NOTHING = Nothing()
NOTHING.shape = Shape("", None)
NOTHING.parent = NOTHING
NOTHING.kids = NO_KIDS
NOTHING.attrs = NO_ATTRIBUTES
NOTHING.order = -1
NOTHING.value = ""


class Leaf(Node):
    """An attribute or a text taken as a node of its own; equal to another of the same place."""

    __slots__ = ("key",)

    key: str

    def __init__(self, owner: Node, key: str, value: str, rank: float) -> None:
        self.key = key
        self.parent = owner
        self.value = value
        self.kids = NO_KIDS
        self.attrs = NO_ATTRIBUTES
        self.order = owner.order + rank
        self.shape = Shape(key.removeprefix("@"), owner.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and self.parent is other.parent and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.parent), self.key))


class Top(Node):
    """The document node, holding what was already computed for this document."""

    __slots__ = ("count", "elements", "inner", "memo", "nodes", "root", "signature", "tagged")

    def __init__(self, root: etree._Element, forest: Shape) -> None:
        self.root = root
        self.elements: list[etree._Element] | None = None
        self.nodes: dict[Shape, list[Node]] = {}
        self.memo: dict[Any, Any] = {}
        self.tagged: dict[str, list[Node]] = {}
        self.signature: frozenset[Shape] = frozenset()
        self.count = 0
        self.inner: list[Node] = []
        self.shape = forest
        self.parent = NOTHING
        self.attrs = NO_ATTRIBUTES
        self.order = 0
        self.kids = {}


def fell(top: Top) -> None:
    """Undo every link from above to below, so that the memory goes at once and not with the next collection."""
    for node in top.inner:
        node.kids.clear()
    for held in (top.kids, top.nodes, top.tagged, top.memo, top.inner):
        held.clear()


class Forest:
    """Where shapes grow: one for the process, replaced when it has grown too large."""

    def __init__(self) -> None:
        self.root = Shape("/", None)
        self.count = 0

    def renew(self) -> None:
        """Forget every shape: documents still being judged keep theirs."""
        self.root = Shape("/", None)
        self.count = 0


FOREST = Forest()


def plant(root: etree._Element, forest: Forest = FOREST) -> Top:  # noqa: PLR0912, PLR0915 - one flat pass
    """Build the tree of a parsed document: linear in its elements."""
    if forest.count > SHAPES_MAX:
        forest.renew()
    top = Top(root, forest.root)
    nodes: dict[Shape, list[Node]] = {forest.root: [top]}
    parent: Node = top
    kids = top.kids
    shapes = forest.root.kids
    inner: list[Node] = []
    left = 1
    order = 0
    above: list[tuple[Node, int]] = []
    new = Node.__new__
    for element in root.iter():
        if not left:
            while not left:
                parent, left = above.pop()
            kids = parent.kids
            shapes = parent.shape.kids
        left -= 1
        order += 1
        tag = element.tag
        shape = shapes.get(tag)
        if shape is None:
            if tag.__class__ is not str:
                continue
            shape = shapes.setdefault(tag, Shape(tag, parent.shape))
            forest.count += 1
        node = new(Node)
        node.shape = shape
        node.parent = parent
        node.order = order
        tag = shape.tag
        if tag in kids:
            kids[tag].append(node)
            nodes[shape].append(node)
        else:
            kids[tag] = [node]
            if shape in nodes:
                nodes[shape].append(node)
            else:
                nodes[shape] = [node]
        attributes = element.items()
        if attributes:
            node.attrs = dict(attributes)  # type: ignore[arg-type]
            known = shape.attributes
            for name in node.attrs:
                named = known.get(name)
                if named is None:
                    named = known.setdefault(name, Shape(f"@{name}", shape))
                    forest.count += 1
                if named not in nodes:
                    nodes[named] = []
        else:
            node.attrs = NO_ATTRIBUTES
        children = len(element)
        if children:
            above.append((parent, left))
            parent, left = node, children
            kids = node.kids = {}
            shapes = shape.kids
            inner.append(node)
        else:
            node.kids = NO_KIDS
            node.value = element.text or ""
    top.nodes = nodes
    top.inner = inner
    top.signature = _kept(frozenset(nodes))
    top.count = order + 1
    return top


def shapes_named(top: Top, tag: str) -> list[Shape]:
    """Return the shapes of the document that end with a name (`@name` for attributes)."""
    return _by_name(top.signature).get(tag, [])


@lru_cache(SIGNATURES_MAX)
def _by_name(signature: frozenset[Shape]) -> dict[str, list[Shape]]:
    named: dict[str, list[Shape]] = {}
    for shape in signature:
        named.setdefault(shape.tag, []).append(shape)
    return named


@lru_cache(SIGNATURES_MAX)
def _kept(signature: frozenset[Shape]) -> frozenset[Shape]:
    """Return the one object that stands for equal signatures: it is found again without comparing its shapes."""
    return signature


def top_of(node: Node) -> Top:
    """Return the document of a node."""
    while not isinstance(node, Top):
        node = node.parent
    return node


def source(node: Node) -> etree._Element:
    """Return the parsed element that a node stands for (the root element for the document)."""
    top = top_of(node)
    if node is top:
        return top.root
    if top.elements is None:
        top.elements = list(top.root.iter())
    while isinstance(node, Leaf):
        node = node.parent
    return top.elements[int(node.order) - 1]


def children(node: Node) -> list[Node]:
    """Return the child elements in the order of the document."""
    lists = list(node.kids.values())
    if len(lists) == 1:
        return lists[0]
    return sorted((child for same in lists for child in same), key=_order)


def _order(node: Node) -> float:
    return node.order


def below(node: Node) -> Iterator[Node]:
    """Walk the elements below a node, in the order of the document."""
    stack = [iter(children(node))]
    while stack:
        for child in stack[-1]:
            yield child
            if child.kids:
                stack.append(iter(children(child)))
                break
        else:
            stack.pop()


def texts(node: Node) -> list[Node]:
    """Return the text nodes of an element."""
    if isinstance(node, Leaf):
        return []
    if not node.kids and node.order:
        value = node.value
        return [Leaf(node, "text()", value, 0.5)] if value else []
    element = source(node)
    if isinstance(node, Top):
        return []
    pieces = [element.text, *(child.tail for child in element)]
    return [Leaf(node, f"text()[{i}]", str(text), 0.5 + i * 1e-6) for i, text in enumerate(pieces) if text]


def attributes(node: Node) -> list[Node]:
    """Return the attribute nodes of an element."""
    return [Leaf(node, "@" + name, value, 0.1 + i * 1e-6) for i, (name, value) in enumerate(node.attrs.items())]


def path_of(node: Node) -> str:
    """Write where a node is, with the prefixes of the document and positions among brothers of the same name."""
    if isinstance(node, Leaf):
        return f"{path_of(node.parent)}/{node.key}"
    if isinstance(node, Top) or not node:
        return ""
    brothers = node.parent.kids[node.tag]
    index = next(i for i, brother in enumerate(brothers) if brother is node) + 1
    prefix = source(node).prefix
    name = f"{prefix}:{node.shape.local}" if prefix else node.shape.local
    position = f"[{index}]" if len(brothers) > 1 else ""
    return f"{path_of(node.parent)}/{name}{position}"


def line_of(node: Node) -> int | None:
    """Return the source line of a node."""
    line = source(node).sourceline
    return line if isinstance(line, int) else None
