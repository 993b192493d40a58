"""Bytes and the model: reading and writing what the field exchanges.

Read first: `read` below, then `reading` (the walk), `paths` (the language of the table's paths) and `xml` (what is
refused before anything is read). `facturx` takes the invoice out of a PDF. No module here knows where a business term
stands: the table does, `estafette.invoice.terms`.

Deliberately absent: judging. An unknown code, a wrong sum, a missing number are read as they are; rules judge.
"""

from estafette.formats.facturx import extract
from estafette.formats.reading import read_tree
from estafette.formats.xml import OTHER_KIND, Syntax, Unreadable, parse, recognise
from estafette.invoice.model import Invoice

__all__ = ["Invoice", "Syntax", "Unreadable", "extract", "parse", "read", "recognise"]


def read(data: bytes) -> Invoice:
    """Read an invoice in UBL (Invoice or CreditNote), CII or Factur-X; what has no term is in `Invoice.unread`.

    Raises: Unreadable, when the bytes are not such a document, with the code of the field.
    """
    syntax = recognise(data)
    if syntax is Syntax.FACTURX:
        _, data = extract(data)
        syntax = recognise(data)
    tree = parse(data)
    if syntax not in {Syntax.UBL, Syntax.CII}:
        raise Unreadable(
            OTHER_KIND,
            f"Le document n'est pas une facture UBL ou CII : sa racine est {tree.getroot().tag}.",
            f"The document is no invoice in UBL or CII: its root is {tree.getroot().tag}.",
            where="/",
        )
    return read_tree(tree, syntax)
