"""The readable form of an invoice (lisible): what a person reads, in HTML and in PDF, in French or English.

Read first: `sheet`, which says what is shown, where, in which words; then `page` (HTML), `paper` (PDF) and `summary`
(plain text), which only lay a sheet out, `documents`, from a file to its readable form or its Factur-X, and `forms`,
from any form to any other. `terms` writes a value of any business term, `words` has the words for codes, `typography`
writes numbers and dates.

Every term that an invoice says is shown, codes in words where there are some. One is not: the content of an attached
file (BT-125), whose name, kind and size are listed. What a document said besides (`Invoice.unread`) closes the sheet.

Deliberately absent: judging, computing, hiding. A wrong total is shown as it stands.
"""

from estafette.readable.documents import facturx, view
from estafette.readable.page import html
from estafette.readable.paper import pdf
from estafette.readable.sheet import LANGUAGES, sheet
from estafette.readable.summary import text

__all__ = ["LANGUAGES", "facturx", "html", "pdf", "sheet", "text", "view"]
