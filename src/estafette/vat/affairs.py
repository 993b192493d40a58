"""Invoices that credit or replace one another, put together: an affair is settled as one story.

A reference is a number and, in the FULL profile only, a date: without it the year of the credit note is tried, then the
year before. A reference to an invoice that is not known is kept in mind, never a fault: official examples carry some.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

from estafette.vat.facts import CORRECTIVES, CREDIT_NOTES, Document, DocumentKey


@dataclass(frozen=True, slots=True)
class Member:
    """A document of an affair and the living invoices it credits or replaces; `orphan` when one is not known at all."""

    document: Document
    targets: tuple[DocumentKey, ...] = ()
    orphan: bool = False


def affairs(documents: Iterable[Document], ended: frozenset[DocumentKey]) -> list[list[Member]]:
    """Group the documents by what they refer to, each after those it refers to; those that ended are left out."""
    known = {document.key: document for document in documents}
    members = [_member(document, known, ended) for key, document in sorted(known.items()) if key not in ended]
    leader = {member.document.key: member.document.key for member in members}
    for member in members:
        for key in member.targets:
            leader[_first(leader, member.document.key)] = _first(leader, key)
    members.sort(key=lambda member: (_first(leader, member.document.key), member.document.key))
    groups = groupby(members, key=lambda member: _first(leader, member.document.key))
    return [_in_order(list(group)) for _, group in groups]


def _in_order(affair: list[Member]) -> list[Member]:
    """Put what is referred to first; in a circle nothing can be said to replace anything, and each is an orphan."""
    held = {member.document.key: member for member in affair}
    sorter = TopologicalSorter({key: member.targets for key, member in held.items()})
    try:
        return [held[key] for key in sorter.static_order()]
    except CycleError:
        return [Member(member.document, orphan=True) for member in affair]


def _member(document: Document, known: dict[DocumentKey, Document], ended: frozenset[DocumentKey]) -> Member:
    found = _found(document, known)
    return Member(document, tuple(key for key in found if key not in ended), len(found) < len(_references(document)))


def _references(document: Document) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the numbers referred to, with the years to look in. Other documents refer without any effect on VAT."""
    if document.type_code not in CREDIT_NOTES | CORRECTIVES:
        return ()
    year = document.issue_date.year
    return tuple(
        (preceding.number, (preceding.issue_date.year,) if preceding.issue_date else (year, year - 1))
        for preceding in document.preceding_invoices
    )


def _found(document: Document, known: dict[DocumentKey, Document]) -> list[DocumentKey]:
    found = []
    for number, years in _references(document):
        keys = (DocumentKey(document.seller, number, year) for year in years)
        found += [key for key in keys if key in known and key != document.key][:1]
    return found


def _first(leader: dict[DocumentKey, DocumentKey], key: DocumentKey) -> DocumentKey:
    """Return the document that stands for the whole affair."""
    while leader[key] != key:
        leader[key] = leader[leader[key]]  # halve the way for those who come next
        key = leader[key]
    return key
