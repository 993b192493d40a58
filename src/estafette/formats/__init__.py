"""Bytes and the model: reading and writing what the field exchanges.

Read first: `reading` (`read`, and the walk behind it), `writing`, then `paths` (the language of the table's paths) and
`xml` (what is refused before anything is read). `facturx` takes the invoice out of a PDF, `conversion` tells what
became of each term from one syntax to another, `json_form` is the model in JSON, `flux1` the regulatory data. No module
here knows where a business term stands: the table does, `estafette.invoice.terms`.

Deliberately absent: judging. An unknown code, a wrong sum, a missing number are read as they are; rules judge.
"""

from estafette.formats.conversion import convert
from estafette.formats.facturx import extract
from estafette.formats.reading import read, read_parsed
from estafette.formats.writing import write
from estafette.formats.xml import Syntax, Unreadable, parse, recognise
from estafette.invoice.model import Invoice

__all__ = [
    "Invoice",
    "Syntax",
    "Unreadable",
    "convert",
    "extract",
    "parse",
    "read",
    "read_parsed",
    "recognise",
    "write",
]
