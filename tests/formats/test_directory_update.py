"""Updates of the directory (F13): what the State's schema takes is read, what it refuses is not."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from estafette.formats.directory_entries import DirectoryLine, RoutingCode
from estafette.formats.directory_update import Update, read_update, write_update
from estafette.formats.xml import Unreadable

SCHEMA = Path(__file__).parents[2] / (
    "../shared/schemas/dgfip-v3.2/0-Annuaire/actualisation/Annuaire_Actualisation_F12-F13.xsd"
)
SIRET = "10000000900017"
UPDATE = Update(
    (RoutingCode(siret=SIRET, code="A", name="Achats", line_1="1 quai", city="Nantes", country="FR"),),
    (
        DirectoryLine(siren="100000009", matricule="0003", start=date(2027, 1, 1), end=date(2027, 2, 1)),
        DirectoryLine(siren="100000009", siret=SIRET, routing_code="A", matricule="0003", start=date(2027, 1, 1)),
        DirectoryLine(siren="100000009", suffix="B", matricule="0003", start=date(2027, 1, 1), nature="M"),
    ),
)
TEXTS = ("", " ", "A", "0003", "20270231", "20271301", "123456789", "12345678900001", "É", "x" * 101, " 0003 ")
TAGS = ("Nature", "Suffixe", "DateFin", "IdLinSIRET", "IdPlateforme", "Autre", "CodePays", "Nom")


@cache
def schema() -> etree.XMLSchema:
    """The State's schema of updates."""
    return etree.XMLSchema(etree.parse(SCHEMA))


def mutated(data: st.DataObject) -> etree._Element:
    """Give an update with one thing changed: a text, an element gone, twice, moved, another, an attribute."""
    root = etree.fromstring(write_update(UPDATE))
    elements = [element for element in root.iter() if element is not root]
    element = data.draw(st.sampled_from(elements))
    parent = element.getparent()
    assert parent is not None
    change = data.draw(st.sampled_from(["text", "gone", "twice", "last", "tag", "attribute", "bare", "added"]))
    if change == "text":
        element.text = data.draw(st.sampled_from(TEXTS))
    elif change == "gone":
        parent.remove(element)
    elif change == "twice":
        parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
    elif change == "last":
        parent.append(element)
    elif change == "tag":
        element.tag = data.draw(st.sampled_from(TAGS))
    elif change == "attribute":
        element.set(data.draw(st.sampled_from(["qualifiant", "autre"])), data.draw(st.sampled_from(TEXTS)))
    elif change == "bare":
        element.attrib.clear()
    else:
        etree.SubElement(element, data.draw(st.sampled_from(TAGS))).text = data.draw(st.sampled_from(TEXTS))
    return root


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_read_as_the_schema_has_it(data: st.DataObject) -> None:
    """One thing changed in a good update: it is read when the schema takes it, and only then."""
    if not SCHEMA.exists():
        pytest.skip("the schemas of the State are not beside the project")
    root = mutated(data)
    is_taken = schema().validate(root) and any(len(block) for block in root)
    try:
        read_update(etree.tostring(root))
    except Unreadable as unreadable:
        assert not is_taken, unreadable
        assert unreadable.reason_fr != unreadable.reason_en
    else:
        assert is_taken, schema().error_log


def test_what_is_written_is_read() -> None:
    """An update comes back whole, and the schema takes it."""
    data = write_update(UPDATE)
    assert read_update(data).update() == UPDATE
    if SCHEMA.exists():
        schema().assertValid(etree.fromstring(data))


def test_values_are_kept_as_they_came() -> None:
    """A day that is none and a qualifier of another kind are the rules' matter, not the reader's."""
    data = write_update(UPDATE).replace(b"20270201", b"20270231").replace(b'"0224"', b'"0088"')
    asked = read_update(data)
    assert asked.lines[0].end == "20270231"
    assert asked.lines[1].routing_scheme == "0088"
    assert asked.codes[0].code.scheme == "0088"
    with pytest.raises(ValueError, match="day"):
        asked.update()
