"""The one table of terms: what each business term is called, where it stands, in the model, in UBL and in CII.

`terms.txt` is the table; this module reads it. Readers, writers, places of errors, documentation and the regulatory
data all derive from it: no other module knows a path. A path is kept here as text; `formats.paths` gives it meaning.
"""

import re
from functools import cache
from importlib.resources import files

import msgspec

_COLUMNS = 10
_MACRO = re.compile(r"%([A-Z]+)")


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table: a business term (BT-, EXT-FR-FE-) or a group of terms (BG-, and ids ending in -00)."""

    id: str
    group: str
    """The id of the group it stands in; empty for the invoice itself."""
    field: str
    """Its name in the model; empty for a group whose terms belong to the object of its own group."""
    type: str
    cardinality: str
    flux1: str
    """B when the regulatory data hold it from the start, F from the target phase only, empty when they never do."""
    ubl: str
    cii: str
    name_en: str
    name_fr: str

    @property
    def is_group(self) -> bool:
        """Whether the row groups other terms."""
        return self.type[0].isupper()

    @property
    def is_repeated(self) -> bool:
        """Whether it may occur several times in its group."""
        return self.cardinality.endswith("n")

    @property
    def is_extension(self) -> bool:
        """Whether the term belongs to the French extension, not to EN 16931-1:2017."""
        return self.id.startswith("EXT-FR-FE-") or self.id in _ADOPTED_EARLY


_ADOPTED_EARLY = frozenset({"BT-167", "BT-173", "BT-174", "BT-175", "BT-176", "BT-177", "BT-193"})
"""Terms of the revision of EN 16931 that the extension already has (EXTENDED-CTC-FR 1.4.0)."""


def _read_table(text: str) -> tuple[Term, ...]:
    macros: dict[str, str] = {}
    terms = []
    for line in text.splitlines():
        if line.startswith("%"):
            name, _, path = line[1:].partition(" = ")
            macros[name] = path
        elif line and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) != _COLUMNS:
                raise ValueError(f"terms.txt: not {_COLUMNS} cells: {line}")
            cells[7] = _MACRO.sub(lambda macro: macros[macro[1]], cells[7])
            terms.append(Term(**dict(zip(Term.__struct_fields__, cells, strict=True))))
    return tuple(terms)


TABLE = _read_table(files(__package__).joinpath("terms.txt").read_text(encoding="utf-8"))
"""Every term, in the order of the standard, groups before what they hold."""

TERMS = {term.id: term for term in TABLE}
"""Every term by its id."""


@cache
def members(group: str) -> tuple[Term, ...]:
    """Give the terms that stand directly in a group (empty: in the invoice itself).

    >>> [term.id for term in members("BG-3")]
    ['BT-25', 'EXT-FR-FE-02', 'BT-26']
    """
    return tuple(term for term in TABLE if term.group == group)
