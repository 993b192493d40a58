"""From an invoice to a document: the table of terms followed the other way, each element put where the schema wants it.

Theory of operation. Each term that has a value is written along its path from its group's element: a step that is
there already (and passes its tests) is taken, a missing one is made, in the order of the schema, with what its tests
ask for. A repeated group makes its repeated step anew each time. Nothing here names an element.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from lxml import etree
from stdnum import iban

from estafette.formats import cii, order, paths, ubl, values
from estafette.formats.reading import NAMESPACES, Keep, everything
from estafette.formats.xml import Syntax
from estafette.invoice.model import Identifier, Invoice, Note
from estafette.invoice.terms import TABLE, TERMS, Term, members
from estafette.invoice.walk import is_empty, said

_DATES = frozenset({"DateTimeString", "DateString"})
_MONEY = frozenset({"amount", "amount_in_bt6", "price"})


def write(invoice: Invoice, syntax: Syntax, *, keep: Keep = everything) -> bytes:
    """Give the document of UBL (Invoice or CreditNote, by its type) or CII that says the invoice, in UTF-8.

    `keep` narrows the terms that are written, for the regulatory data. A term without a place in the syntax is left
    out: see `losses`.
    """
    root = _root(invoice, syntax)
    writing = _Writing(syntax, _variables(invoice, keep), keep)
    if syntax is Syntax.CII:
        writing.parts(root)
    writing.group("", invoice, root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _root(invoice: Invoice, syntax: Syntax) -> etree._Element:
    namespaces = dict(NAMESPACES[syntax])
    if syntax is Syntax.CII:
        return etree.Element(cii.ROOT, nsmap=namespaces)
    namespace, name = (ubl.CREDIT_NOTE, "CreditNote") if invoice.is_credit_note else (ubl.INVOICE, "Invoice")
    prefixes: dict[Any, str] = {None: namespace, **namespaces}
    return etree.Element(f"{{{namespace}}}{name}", nsmap=prefixes)


def _variables(invoice: Invoice, keep: Keep) -> paths.Variables:
    values_ = {
        "BT-1": invoice.number,
        "BT-5": invoice.currency,
        "BT-6": invoice.vat_accounting_currency,
        "BT-81": invoice.payment.means_code if invoice.payment else None,
    }
    # BT-6 names the currency of BT-111: it is known even where it is not written.
    return {term: value for term, value in values_.items() if value and (keep(TERMS[term]) or term == "BT-6")}


@cache
def _terms(syntax: Syntax, keep: Keep) -> dict[str, tuple[Term, ...]]:
    """Give the terms kept of each group: those inside elements of another come last."""

    def is_shared(term: Term) -> bool:
        return any(step.mark == "+" for path in _paths(term, syntax) for step in path.steps)

    groups = ("", *(term.id for term in TABLE if term.is_group))
    kept = {group: filter(keep, members(group)) for group in groups}
    return {group: tuple(sorted(terms, key=is_shared)) for group, terms in kept.items()}


def _paths(term: Term, syntax: Syntax) -> tuple[paths.Path, ...]:
    return paths.parse(getattr(term, syntax.value.lower()), NAMESPACES[syntax])


@cache
def _possible(term: Term, syntax: Syntax, tag: str) -> tuple[paths.Path, ...]:
    """Give the paths of a term that the schema has under an element of this name."""
    rank = order.children(syntax)
    return tuple(path for path in _paths(term, syntax) if _exists(path, tag, rank))


def _exists(path: paths.Path, here: str, rank: order.Children) -> bool:
    for step in path.steps:
        if here in rank and step.tag not in rank[here]:
            return False
        here = step.tag
    return True


class _Writing:
    """One writing of one document."""

    def __init__(self, syntax: Syntax, variables: paths.Variables, keep: Keep) -> None:
        self.syntax = syntax
        self.variables = variables
        self.rank = order.children(syntax)
        self.writers = values.WRITERS[syntax.value]
        self.terms = _terms(syntax, keep)
        self.made: dict[tuple[etree._Element, str], list[etree._Element]] = {}
        """The children that an element was given, by their names: looked for in the tree they cost far more."""

    def parts(self, root: etree._Element) -> None:
        """Write what every document of CII has."""
        transaction = self._make(root, cii.TRANSACTION)
        for part in cii.PARTS:
            self._make(transaction, part)

    def group(self, group: str, record: Any, element: etree._Element) -> None:
        """Write the terms of a group."""
        for term in self.terms[group]:
            if self._says(term, record):
                self._term(term, getattr(record, term.field) if term.field else record, element)

    def _says(self, term: Term, record: Any) -> bool:
        """Tell whether a term that is kept, or something kept in a group, has a value."""
        value = getattr(record, term.field) if term.field else record
        if is_empty(value):
            return False
        if not term.is_group or isinstance(value, tuple):
            return True
        return any(self._says(member, value) for member in self.terms[term.id])

    def _term(self, term: Term, value: Any, element: etree._Element) -> None:
        path = self._chosen(term, value, element)
        if path is None:
            return
        if isinstance(value, tuple):
            for each in value:
                self._one(term, each, path, self._made(element, path, anew=True))
        else:
            for place in self._places(element, path):
                self._one(term, value, path, place)

    def _one(self, term: Term, value: Any, path: paths.Path, place: etree._Element) -> None:
        if isinstance(value, Note) and path.steps[-1].mark == "#":
            place.text = ubl.mention(value.subject_code, value.text)
        elif isinstance(value, Identifier) and not term.is_group:
            place.text = value.value
            if value.scheme:
                place.set("schemeID", value.scheme)
        elif term.is_group:
            self.group(term.id, value, place)
        else:
            self._value(term, self.writers[term.type](value), path, place)

    def _value(self, term: Term, text: str, path: paths.Path, place: etree._Element) -> None:
        if path.attribute:
            place.set(path.attribute, text)
            return
        place.text = text
        if self.syntax is Syntax.CII and etree.QName(place).localname in _DATES:
            place.set("format", cii.DAY_FORMAT)
        if self.syntax is Syntax.UBL and term.type in _MONEY:
            place.set("currencyID", self.variables.get("BT-6" if term.type == "amount_in_bt6" else "BT-5", ""))

    def _chosen(self, term: Term, value: Any, element: etree._Element) -> paths.Path | None:
        """Choose among the places of a term the one that the schema has here and that suits the value."""
        possible = _possible(term, self.syntax, element.tag)
        if len(possible) < 2:
            return possible[0] if possible else None
        first_of_all = value[0] if isinstance(value, tuple) else value
        if term.type == "account":
            return possible[0 if iban.is_valid(value) else 1]
        if isinstance(first_of_all, Identifier) and not isinstance(value, tuple):
            return possible[0 if value.scheme else 1]
        return possible[0]

    def _places(self, element: etree._Element, path: paths.Path) -> Iterable[etree._Element]:
        """Give the element of a path, made where it is missing; one in each occurrence of a step marked `+`."""
        here = [element]
        for step in path.steps:
            if step.mark == "+":
                here = [child for parent in here for child in self.made.get((parent, step.tag), ())]
            else:
                here = [self._step(parent, step) for parent in here]
        return here

    def _made(self, element: etree._Element, path: paths.Path, *, anew: bool) -> etree._Element:
        marks = [step.mark for step in path.steps]
        repeated = marks.index("*") if "*" in marks else len(marks) - 1
        for place, step in enumerate(path.steps):
            element = self._step(element, step, anew=anew and place == repeated)
        return element

    def _step(self, parent: etree._Element, step: paths.Step, *, anew: bool = False) -> etree._Element:
        # Made anew without anything to select, it is none of those there: no need to look at thousands of lines.
        if not anew or any(not test.operator for test in step.tests):
            for child in self.made.get((parent, step.tag), ()):
                if self._serves(child, step, anew=anew):
                    return child
        made = self._make(parent, step.tag)
        for test in step.tests:
            self._fill(made, test)
        return made

    def _make(self, parent: etree._Element, tag: str) -> etree._Element:
        made = _make(parent, tag, self.rank)
        self.made.setdefault((parent, tag), []).append(made)
        return made

    def _serves(self, child: etree._Element, step: paths.Step, *, anew: bool) -> bool:
        """Tell whether an element can be the step; when it is made anew, one that lacks what the step selects can."""
        if not step.tests:
            return True
        selecting = [test for test in step.tests if not test.operator]
        return all(test.holds(child, self.variables) for test in step.tests if test.operator) and not any(
            test.holds(child, self.variables) for test in selecting if anew
        )

    def _fill(self, element: etree._Element, test: paths.Test) -> None:
        words = [word for word in test.wanted(self.variables) if word]
        if not test.is_written or not words:
            return
        for tag in test.tags:
            child = element.find(tag)
            element = self._make(element, tag) if child is None else child
        if test.attribute:
            element.set(test.attribute, words[0])
        else:
            element.text = element.text or words[0]


def _make(parent: etree._Element, tag: str, rank: order.Children) -> etree._Element:
    """Make a child where the schema wants it: after its equals, before those of higher rank."""
    ranks = rank.get(parent.tag, {})
    mine = ranks.get(tag, len(ranks))
    last = parent[-1] if len(parent) else None
    if last is None or ranks.get(last.tag, len(ranks)) <= mine:
        return etree.SubElement(parent, tag)
    made = etree.Element(tag)
    for sibling in parent.iterchildren(reversed=True):
        if ranks.get(sibling.tag, len(ranks)) <= mine:
            sibling.addnext(made)
            return made
    parent.insert(0, made)
    return made


def losses(invoice: Invoice, syntax: Syntax) -> tuple[Term, ...]:
    """Give each term that the invoice says and that the syntax has no place for."""
    return tuple(term for term in said(invoice) if getattr(term, syntax.value.lower()) == "-")
