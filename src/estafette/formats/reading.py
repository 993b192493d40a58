"""From a tree to an invoice, in one walk: the table of terms, folded into a tree of steps, is followed along.

Theory of operation. `_plant` turns the paths of one syntax into nodes: what an element may hold, keyed by tag, guarded
by tests. `_walk` goes down the document with the nodes that the current element answers to; a leaf puts its value into
a bag (a dictionary shaped like the model), a repeated group opens a bag of its own. What no node answers to is listed
as unread, with its place, never dropped in silence. The cost is that of the document, not of the table.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from lxml import etree

from estafette.formats import cii, paths, ubl, values
from estafette.formats.facturx import extract
from estafette.formats.xml import OTHER_KIND, Syntax, Unreadable, is_pdf, parse, syntax_of
from estafette.invoice.model import Invoice, Unread
from estafette.invoice.terms import TERMS, Term, members
from estafette.values import limits

NAMESPACES = {Syntax.UBL: ubl.NAMESPACES, Syntax.CII: cii.NAMESPACES}
_VARIABLES = ("BT-1", "BT-5", "BT-6", "BT-81")
NO_VARIABLES: paths.Variables = {}
_SILENT_ATTRIBUTES = frozenset({"format", "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"})
_Bag = dict[str, Any]
Keep = Callable[[Term], bool]


class _Slot(msgspec.Struct):
    """Where the value of a term goes in a bag, and how it is read."""

    term: str
    keys: tuple[str, ...]
    field: str
    read: values.Reader


class _Opening(msgspec.Struct):
    """A repeated group: where its bags are listed, and what its elements hold."""

    keys: tuple[str, ...]
    field: str
    node: "_Node"


class _Node(msgspec.Struct):
    """What is known of an element that answers to a step of the table."""

    branches: dict[str, list[tuple[tuple[paths.Test, ...], "_Node"]]] = {}
    slots: list[_Slot] = []
    attributes: dict[str, list[_Slot]] = {}
    tested: set[str] = set()
    openings: list[_Opening] = []
    mentions: list[tuple[tuple[str, ...], str]] = []

    def down(self, tag: str, tests: tuple[paths.Test, ...] = ()) -> "_Node":
        """Give the node of a child element, made the first time."""
        branches = self.branches.setdefault(tag, [])
        for known, node in branches:
            if known == tests:
                return node
        branches.append((tests, node := _Node()))
        for test in tests:
            node._expect(test)
        return node

    def _expect(self, test: paths.Test) -> None:
        place = self
        for tag in test.tags:
            place = place.down(tag)
        if test.attribute:
            place.tested.add(test.attribute)


def everything(_: Term) -> bool:
    """Keep every term."""
    return True


def read(data: bytes) -> Invoice:
    """Read an invoice in UBL (Invoice or CreditNote), CII or Factur-X; what has no term is in `Invoice.unread`.

    Raises: Unreadable, when the bytes are not such a document, with the code of the field.
    """
    if is_pdf(data):
        _, data = extract(data)
    return read_parsed(parse(data))


def read_parsed(tree: etree._ElementTree) -> Invoice:
    """Read an invoice from its tree; raises Unreadable as `read` does."""
    syntax = syntax_of(tree)
    if syntax not in {Syntax.UBL, Syntax.CII}:
        raise Unreadable(
            OTHER_KIND,
            f"Le document n'est pas une facture UBL ou CII : sa racine est {tree.getroot().tag}.",
            f"The document is no invoice in UBL or CII: its root is {tree.getroot().tag}.",
            where="/",
        )
    return read_tree(tree, syntax)


def read_tree(
    tree: etree._ElementTree, syntax: Syntax, *, keep: Keep = everything, variables: paths.Variables = NO_VARIABLES
) -> Invoice:
    """Give the invoice that a tree of UBL or CII says, and what it says besides.

    `keep`, a function of a module, narrows the terms that are read; the others are then unread. `variables` are the
    values of terms that paths speak of, where the document does not say them.
    """
    root = tree.getroot()
    walk = _Walk(tree, {**variables, **_variables(root, syntax)})
    bag: _Bag = {}
    walk.down(root, [(_planted(syntax, keep), bag)])
    bag["unread"] = walk.unread
    return msgspec.convert(bag, Invoice, builtin_types=(bytes,))


def value_of(root: etree._Element, term: str, syntax: Syntax) -> str | None:
    """Give the text of a term that stands once in a document, without reading the rest of it."""
    for path in paths.parse(getattr(TERMS[term], syntax.value.lower()), NAMESPACES[syntax]):
        here: list[etree._Element] = [root]
        for step in _whole(TERMS[term], path, syntax):
            here = [child for parent in here for child in parent.iterchildren(step.tag)][:1]
        for element in here:
            return (element.text or "").strip()
    return None


def _whole(term: Term, path: paths.Path, syntax: Syntax) -> tuple[paths.Step, ...]:
    if not term.group:
        return path.steps
    group = TERMS[term.group]
    above = paths.parse(getattr(group, syntax.value.lower()), NAMESPACES[syntax])[0]
    return _whole(group, above, syntax) + path.steps


def _variables(root: etree._Element, syntax: Syntax) -> paths.Variables:
    return {term: value for term in _VARIABLES if (value := value_of(root, term, syntax)) is not None}


@cache
def _planted(syntax: Syntax, keep: Keep) -> _Node:
    root = _Node()
    root.down(ubl.VERSION)
    _Planting(syntax, keep).group(root, "", ())
    return root


class _Planting:
    """The folding of the table, for one syntax and the terms that are kept."""

    def __init__(self, syntax: Syntax, keep: Keep) -> None:
        self.syntax = syntax
        self.keep = keep

    def group(self, node: _Node, group: str, keys: tuple[str, ...]) -> None:
        """Plant the terms of a group under the node of its element."""
        for term in filter(self.keep, members(group)):
            for path in paths.parse(getattr(term, self.syntax.value.lower()), NAMESPACES[self.syntax]):
                self._path(node, term, path, keys)

    def _path(self, node: _Node, term: Term, path: paths.Path, keys: tuple[str, ...]) -> None:
        for step in path.steps:
            node = node.down(step.tag, step.tests)
        here = (*keys, term.field) if term.field else keys
        if term.is_group and path.steps and path.steps[-1].mark == "#":
            node.mentions.append((keys, term.field))
        elif term.is_group and term.is_repeated:
            node.openings.append(_Opening(keys, term.field, inner := _Node()))
            self.group(inner, term.id, ())
        elif term.is_group:
            self.group(node, term.id, here)
        elif term.type == "identifier" and term.is_repeated:
            node.openings.append(_Opening(keys, term.field, inner := _Node()))
            _plant_identifier(inner, term, ())
        elif term.type == "identifier":
            _plant_identifier(node, term, here)
        else:
            slot = _Slot(term.id, keys, term.field, values.READERS[self.syntax.value][term.type])
            (node.attributes.setdefault(path.attribute, []) if path.attribute else node.slots).append(slot)


def _plant_identifier(node: _Node, term: Term, keys: tuple[str, ...]) -> None:
    node.slots.append(_Slot(term.id, keys, "value", str))
    node.attributes.setdefault("schemeID", []).append(_Slot(term.id, keys, "scheme", str))


class _Walk:
    """One reading of one document: its variables, and what was left unread so far."""

    def __init__(self, tree: etree._ElementTree, variables: paths.Variables) -> None:
        self.tree = tree
        self.variables = variables
        self.unread: list[Unread] = []

    def down(self, element: etree._Element, answering: list[tuple[_Node, _Bag]]) -> None:
        """Read the children of an element for every node that the element answers to."""
        for child in element:
            active = [
                (below, bag)
                for node, bag in answering
                for tests, below in node.branches.get(child.tag, ())
                if not tests or self._pass(child, tests)
            ]
            if active:
                self._enter(child, active)
            else:
                known = any(child.tag in node.branches for node, _ in answering)
                self._leave_unread(child, child.text, "unfit" if known else "unknown")

    def _pass(self, element: etree._Element, tests: tuple[paths.Test, ...]) -> bool:
        return all(test.holds(element, self.variables) for test in tests)

    def _enter(self, element: etree._Element, active: list[tuple[_Node, _Bag]]) -> None:
        opened = [(node, bag) for node, bag in active if node.openings]
        for node, bag in opened:
            for opening in node.openings:
                inner: _Bag = {}
                _bag_at(bag, opening.keys).setdefault(opening.field, []).append(inner)
                active.append((opening.node, inner))
        text = element.text
        for node, bag in active:
            for slot in node.slots:
                self._put(bag, slot, element, text)
            for keys, field in node.mentions:
                notes = _bag_at(bag, keys).setdefault(field, [])
                notes.extend({"subject_code": code, "text": said} for code, said in ubl.mentions(text or ""))
        if element.attrib:
            self._attributes(element, active)
        if len(element):
            self.down(element, active)

    def _attributes(self, element: etree._Element, active: list[tuple[_Node, _Bag]]) -> None:
        for name, value in element.attrib.items():
            known = name in _SILENT_ATTRIBUTES or (name == "currencyID" and value == self.variables.get("BT-5"))
            for node, bag in active:
                for slot in node.attributes.get(str(name), ()):
                    self._put(bag, slot, element, str(value))
                    known = True
                known = known or name in node.tested
            if not known:
                self._leave_unread(element, str(value), "unknown", attribute=str(name))

    def _put(self, bag: _Bag, slot: _Slot, element: etree._Element, text: str | None) -> None:
        text = (text or "").strip()
        if not text:
            return
        try:
            value = slot.read(text)
        except ValueError:
            self._leave_unread(element, text, "malformed", term=slot.term)
            return
        place = _bag_at(bag, slot.keys)
        if place.setdefault(slot.field, value) != value:
            self._leave_unread(element, text, "second", term=slot.term)

    def _leave_unread(
        self, element: etree._Element, value: str | None, kind: str, *, term: str | None = None, attribute: str = ""
    ) -> None:
        if len(self.unread) < limits.UNREAD_MAX:
            place = self.tree.getpath(element) + (f"/@{attribute}" if attribute else "")
            self.unread.append(Unread(path=place, kind=kind, value=(value or "").strip()[:200], term=term))


def _bag_at(bag: _Bag, keys: tuple[str, ...]) -> _Bag:
    for key in keys:
        bag = bag.setdefault(key, {})
    return bag
