"""UBL 2.1: two documents, Invoice and CreditNote, and legal mentions written inside the text of notes.

Sources: OASIS UBL 2.1; XP Z12-012 for the notes, `#CODE#text`, of which several may follow each other in one element.
"""

import re
from collections.abc import Iterator

INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CREDIT_NOTE = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"

NAMESPACES = (
    ("cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"),
    ("cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"),
)
"""The prefixes of the paths of the table."""

VERSION = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}UBLVersionID"
"""Says of the syntax what its namespace says already: no term, and nothing lost without it."""

_MENTION = re.compile(r"#([A-Z]{3})#")


def mentions(text: str) -> Iterator[tuple[str | None, str]]:
    """Give the subject code and the text of each mention of a note.

    >>> list(mentions("#PMT#40 euros#PMD#trois fois le taux")), list(mentions("##libre")), list(mentions("libre #1"))
    ([('PMT', '40 euros'), ('PMD', 'trois fois le taux')], [(None, 'libre')], [(None, 'libre #1')])
    """
    first, *pairs = _MENTION.split(text)
    if first.strip():
        yield None, first.removeprefix("##").strip()
    for code, content in zip(pairs[::2], pairs[1::2], strict=True):
        yield code, content.strip().removesuffix("#").strip()


def mention(code: str | None, text: str) -> str:
    """Write a mention as a note of UBL.

    >>> mention("PMT", "40 euros"), mention(None, "#1 des ventes")
    ('#PMT#40 euros', '###1 des ventes')
    """
    if code:
        return f"#{code}#{text}"
    return f"##{text}" if text.startswith("#") else text
