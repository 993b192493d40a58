"""From one syntax to another, saying for each business term what became of it: kept, moved or lost, and why.

What the model does not hold stays in the original, and is told as lost. What a syntax wants otherwise is told as moved:
the name of the profile, a note without a text. Source: formats of the minimum base, external specifications v3.2.
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from estafette.formats import writing
from estafette.formats.reading import read
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice, Line, Note
from estafette.invoice.walk import said

EN16931 = "urn:cen.eu:en16931:2017"
EXTENDED_CTC_FR = f"{EN16931}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"
FACTURX_EXTENDED = f"{EN16931}#conformant#urn:factur-x.eu:1p0:extended"
"""The profiles of the minimum base, as BT-24 names them."""

_KNOWN_IN_CII = frozenset(
    {
        "",
        EN16931,
        EXTENDED_CTC_FR,
        FACTURX_EXTENDED,
        f"{EN16931}#compliant#urn:factur-x.eu:1p0:basic",
        "urn:factur-x.eu:1p0:basicwl",
        "urn:factur-x.eu:1p0:minimum",
    }
)
"""What the official sheets of CII admit in BT-24; those of UBL judge any other name as the core profile."""


class Fate(StrEnum):
    """What became of a term."""

    KEPT = "kept"
    MOVED = "moved"
    LOST = "lost"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one term: its id (or a path, where the source had no term), and why it is not kept."""

    term: str
    fate: Fate
    why_fr: str = ""
    why_en: str = ""
    value: str = ""


class Conversion(msgspec.Struct, frozen=True):
    """A document made from another, and what became of each term of the first."""

    document: bytes
    outcomes: tuple[Outcome, ...]

    def of(self, fate: Fate) -> tuple[Outcome, ...]:
        """Give the outcomes of one fate."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate is fate)


def convert(data: bytes, to: Syntax) -> Conversion:
    """Give the document in UBL or CII that says what a UBL, CII or Factur-X says, with the account of its terms.

    Raises: Unreadable, when the source is no invoice; ValueError for a target that is neither UBL nor CII.
    """
    if to not in {Syntax.UBL, Syntax.CII}:
        raise ValueError(f"an invoice is converted to UBL or CII, not to {to}")
    invoice = read(data)
    adapted, told = _adapted(invoice, to)
    return Conversion(writing.write(adapted, to), (*_kept(adapted, told), *told, *_unread(invoice)))


def _kept(invoice: Invoice, told: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    already = {outcome.term for outcome in told}
    return tuple(Outcome(term.id, Fate.KEPT) for term in said(invoice) if term.id not in already)


def _unread(invoice: Invoice) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(unread.term or unread.path, Fate.LOST, unread.why_fr, unread.why_en, unread.value)
        for unread in invoice.unread
    )


def _adapted(invoice: Invoice, to: Syntax) -> tuple[Invoice, tuple[Outcome, ...]]:
    """Give what of the invoice the syntax can say, and tell what is not as it was."""
    told = [
        Outcome(term.id, Fate.LOST, f"{to} n'a pas de place pour ce terme.", f"{to} has no place for this term.")
        for term in writing.losses(invoice, to)
    ]
    profile = _profile(invoice.specification_identifier, to)
    if profile != invoice.specification_identifier:
        told.append(_moved("BT-24", f"Profil {profile} en {to}.", f"Profile {profile} in {to}."))
    notes = tuple(map(_with_text, invoice.notes))
    if notes != invoice.notes:
        told.append(_moved("BT-22", "Note sans texte, écrite « - ».", "Note without a text, written “-”."))
    lines = invoice.lines if to is Syntax.CII else tuple(map(_without_lone_vat_point, invoice.lines))
    if lines != invoice.lines:
        why = "UBL veut une période (BG-26) autour du code.", "UBL wants a period (BG-26) around the code."
        told.append(Outcome("EXT-FR-FE-180", Fate.LOST, *why))
    return replace(invoice, specification_identifier=profile, notes=notes, lines=lines), tuple(told)


def _moved(term: str, why_fr: str, why_en: str) -> Outcome:
    return Outcome(term, Fate.MOVED, why_fr, why_en)


def _profile(identifier: str, to: Syntax) -> str:
    """Give the name that a profile has in a syntax: what CII does not know was judged as the core profile."""
    if to is Syntax.UBL and identifier == FACTURX_EXTENDED:
        return EXTENDED_CTC_FR
    if to is Syntax.CII and identifier not in _KNOWN_IN_CII:
        return EN16931
    return identifier


def _with_text(note: Note) -> Note:
    return note if note.text else replace(note, text="-")


def _without_lone_vat_point(line: Line) -> Line:
    return replace(line, vat_point_code=None) if line.vat_point_code and line.period is None else line
