"""The readable form as a PDF/A-3b: fonts embedded, tagged, the same bytes for the same invoice.

Typst lays the sheet out; the sheet comes to it as data, never as markup. Files are attached afterwards, as PDF/A-3
wants them. A character that no font at hand has is written by its number, since PDF/A admits no missing glyph.
"""

import re
from collections.abc import Sequence
from importlib.resources import files
from io import BytesIO
from threading import Lock

import msgspec
import pikepdf
import typst

from estafette.formats import facturx_writing
from estafette.formats.facturx_writing import UNDATED, Attachment
from estafette.formats.xml import TOO_BIG, Unreadable
from estafette.invoice.model import Invoice
from estafette.lifecycle.guards import StatusEvent
from estafette.readable import typography
from estafette.readable.sheet import Sheet, sheet

LINES_MAX = 10_000
"""Lines set on paper, in about six seconds and 1.2 GB (our bound); the page and the terminal have none."""

_TEMPLATE = files(__package__).joinpath("sheet.typ").read_bytes()
_MISSING = re.compile(r'the text `"((?:\\.|[^"\\])*)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_LONG_WORD = re.compile(r"[^\s\u00a0\u202f]{33,}")
_WORD_PIECE = 4
_NARROW = frozenset({"identifier", "name", "quantity", "price", "vat", "net_amount"})
_LONG_IN_COLUMN = re.compile(r"[^\s]{13,}")
"""What is long in a column of a line is short elsewhere."""
_FIRST_RARE = "\u0250"
"""The letters before it are in every font: where one is missing together with a mark, it is the mark that is."""
_ROUNDS_MAX = 3
"""Times a page is set anew for want of glyphs; the compiler names all that are missing at once (our bound)."""

_compiler = typst.Compiler()
_one_at_a_time = Lock()
"""The compiler keeps what it has read between two documents, and takes one at a time."""


def pdf(
    invoice: Invoice,
    *,
    language: str = "fr",
    statuses: Sequence[StatusEvent] = (),
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """Give the PDF/A-3b that shows an invoice in French (`fr`) or English (`en`), with files attached to it.

    Raises: ValueError for another language; Unreadable, when there are more lines than `LINES_MAX`.
    """
    if len(invoice.lines) > LINES_MAX:
        raise Unreadable(
            TOO_BIG,
            f"Trop de lignes pour un PDF : {len(invoice.lines)}, la limite est {LINES_MAX}.",
            f"Too many lines for a PDF: {len(invoice.lines)}, the limit is {LINES_MAX}.",
            where="BG-25",
        )
    page = _set(invoice, sheet(invoice, language=language, statuses=statuses))
    if not attachments:
        return page
    with pikepdf.open(BytesIO(page)) as document:
        for attachment in attachments:
            facturx_writing.attach(document, attachment)
        return facturx_writing.saved(document)


def _set(invoice: Invoice, content: Sheet) -> bytes:
    day = invoice.issue_date or UNDATED
    data = msgspec.to_builtins(content) | {"day": [day.year, day.month, day.day]}
    text = msgspec.json.encode(_breakable(data)).decode()
    for _ in range(_ROUNDS_MAX):
        try:
            with _one_at_a_time:
                made = _compiler.compile(
                    input=_TEMPLATE, format="pdf", sys_inputs={"sheet": text}, pdf_standards="a-3b"
                )
        except typst.TypstError as error:
            missing = _missing(error.diagnostic)
            if not missing:
                raise
            text = text.translate({ord(one): typography.written(one) for one in missing})
        else:
            assert isinstance(made, bytes)  # noqa: S101 - one document, not a picture of each page
            return made
    raise AssertionError(f"no font for what is left of {missing}")


def _missing(diagnostic: str) -> set[str]:
    found = (_ESCAPED.sub(_unescaped, text) for text in _MISSING.findall(diagnostic))
    return {one for one in "".join(found) if one >= _FIRST_RARE}


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def _breakable(data: object, long: re.Pattern[str] = _LONG_WORD) -> object:
    """Let long words be broken where a line ends, since a column may be narrower than they are."""
    if isinstance(data, str):
        return long.sub(lambda word: _in_pieces(word[0]), data)
    if isinstance(data, dict):
        return {key: _breakable(held, _LONG_IN_COLUMN if key in _NARROW else long) for key, held in data.items()}
    return [_breakable(held, long) for held in data] if isinstance(data, list | tuple) else data


def _in_pieces(word: str) -> str:
    return "\u200b".join(word[place : place + _WORD_PIECE] for place in range(0, len(word), _WORD_PIECE))
