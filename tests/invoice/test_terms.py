"""The table of terms is whole, and agrees with the model word for word."""

import re
import typing

import msgspec
import pytest

from estafette.formats import cii, paths, ubl
from estafette.invoice import model
from estafette.invoice.terms import TABLE, TERMS, Term, members

LENDS = {"BG-2", "BG-30", "EXT-FR-FE-BG-11"}
"""Groups that have no object of their own: their terms are fields of the group above."""
OTHERS = {"Invoice": {"unread"}}
"""Fields that are no term."""


def fields_of(group: str) -> dict[str, Term]:
    """Give the fields that a group's object has, those that lending groups bring included."""
    found = {}
    for term in members(group):
        found |= {term.field: term} if term.field else fields_of(term.id)
    return found


def test_every_term_of_the_standard_is_there() -> None:
    """EN 16931-1 numbers BT-1 to BT-165 (BT-4 was never used) and BG-1 to BG-32, and none is missing."""
    assert [number for number in range(1, 166) if number != 4 and f"BT-{number}" not in TERMS] == []
    assert [number for number in range(1, 33) if f"BG-{number}" not in TERMS] == []


def test_every_group_of_the_extension_is_there() -> None:
    """The extension's groups EXT-FR-FE-BG-01 to BG-13 are all in the table."""
    assert [number for number in range(1, 14) if f"EXT-FR-FE-BG-{number:02}" not in TERMS] == []


def test_ids_are_unique() -> None:
    """A term has one row."""
    assert len(TERMS) == len(TABLE)


def test_groups_come_before_what_they_hold() -> None:
    """The group of each term is in the table, above it."""
    seen = {""}
    for term in TABLE:
        assert term.group in seen, term.id
        seen.add(term.id)


@pytest.mark.parametrize("term", [term for term in TABLE if term.is_group], ids=lambda term: term.id)
def test_group_and_class_agree(term: Term) -> None:
    """Each term of a group is a field of the group's class, with the shape that its cardinality asks."""
    if term.id in LENDS:
        return
    shapes = typing.get_type_hints(getattr(model, term.type))
    for name, held in fields_of(term.id).items():
        assert name in shapes, f"{held.id}: {term.type} has no {name}"
        assert held.is_repeated == (typing.get_origin(shapes[name]) is tuple), held.id


def test_invoice_and_table_agree() -> None:
    """The fields of the invoice are its terms, no more, no less."""
    assert set(fields_of("")) | OTHERS["Invoice"] == set(model.Invoice.__struct_fields__)


@pytest.mark.parametrize(
    "record", [record for record in vars(model).values() if isinstance(record, msgspec.StructMeta)], ids=str
)
def test_no_field_without_a_term(record: type[msgspec.Struct]) -> None:
    """Every field of every record is a term somewhere in the table."""
    known = {name for term in TABLE if term.type == record.__name__ for name in fields_of(term.id)}
    known |= {"value", "scheme"} if record is model.Identifier else set()
    known |= {"path", "kind", "value", "term"} if record is model.Unread else set()
    known |= set(fields_of("")) | OTHERS["Invoice"] if record is model.Invoice else set()
    assert set(record.__struct_fields__) == known


@pytest.mark.parametrize("term", TABLE, ids=lambda term: term.id)
def test_paths_can_be_read(term: Term) -> None:
    """Each path of each syntax is in the language of paths, and a term without path in a syntax says so with a dash."""
    for cell, namespaces in ((term.ubl, ubl.NAMESPACES), (term.cii, cii.NAMESPACES)):
        found = paths.parse(cell, namespaces)
        assert found or cell == "-" or cell.startswith("#"), cell


@pytest.mark.parametrize("term", TABLE, ids=lambda term: term.id)
def test_names_in_two_languages(term: Term) -> None:
    """Each term has an English and a French name, and a cardinality of the standard's four."""
    assert term.name_en
    assert term.name_fr
    assert term.cardinality in {"0..1", "1..1", "0..n", "1..n"}
    assert term.flux1 in {"", "B", "F"}
    assert re.fullmatch(r"(BT|BG|EXT-FR-FE|EXT-FR-FE-BG)-\d+(-\d+)?", term.id)
