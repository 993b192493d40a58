"""From one syntax to another, saying for each business term what became of it: kept, moved or lost, and why.

What the model does not hold stays in the original, and is told as lost. What a syntax wants otherwise is told as moved:
the name of the profile, a note without a text. Source: formats of the minimum base, external specifications v3.2.
"""

from enum import StrEnum
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from estafette.formats import writing
from estafette.formats.reading import everything, read
from estafette.formats.xml import OTHER_KIND, TOO_BIG, Syntax, Unreadable
from estafette.invoice.codes import MULTI_SELLER_FRAMEWORKS
from estafette.invoice.model import Invoice, Line, Note
from estafette.invoice.terms import Term
from estafette.invoice.walk import said
from estafette.values import limits

EN16931 = "urn:cen.eu:en16931:2017"
EXTENDED_CTC_FR = f"{EN16931}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"
FACTURX_EXTENDED = f"{EN16931}#conformant#urn:factur-x.eu:1p0:extended"
"""The profiles of the minimum base, as BT-24 names them."""

PROFILES = {EN16931: "en16931", EXTENDED_CTC_FR: "extended-ctc-fr", FACTURX_EXTENDED: "extended"}
"""The profiles that an invoice can be converted to, and the short name of each."""

_TARGETS = frozenset({Syntax.UBL, Syntax.CII})

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
    ADDED = "added"


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
    source: str = ""
    """The SHA-256 of what it was made from, in hexadecimal: whoever keeps the original finds it by that."""

    def of(self, fate: Fate) -> tuple[Outcome, ...]:
        """Give the outcomes of one fate."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate is fate)


def convert(data: bytes, to: Syntax, *, profile: str | None = None) -> Conversion:
    """Give the document in UBL or CII that says what a UBL, CII or Factur-X says, with the account of its terms.

    Raises: Unreadable, when the source is no invoice, or the result over 100 MB; ValueError as `of_invoice` does.
    """
    if to not in _TARGETS:
        raise ValueError(f"an invoice is converted to UBL or CII, not to {to}")
    return referring(of_invoice(read(data), to, profile=profile), data)


def referring(made: Conversion, source: bytes) -> Conversion:
    """Give the conversion with the fingerprint of its source, which the reliable audit trail wants beside it."""
    return replace(made, source=sha256(source).hexdigest())


def of_invoice(invoice: Invoice, to: Syntax, *, profile: str | None = None) -> Conversion:
    """Give the document in UBL or CII that says an invoice, with the account of its terms.

    `profile` is a BT-24 of the minimum base to write it under; under EN 16931 the terms of the extension are lost, and
    the lines that only group or inform with them.
    Raises: Unreadable, when the result is over 100 MB, or several sellers would be narrowed to EN 16931; ValueError,
    for another profile, or no syntax of invoices.
    """
    if to not in _TARGETS:
        raise ValueError(f"an invoice is converted to UBL or CII, not to {to}")
    if profile not in {None, *PROFILES}:
        raise ValueError(f"a profile is one of {', '.join(PROFILES)}, not {profile}")
    narrowed, told_of_profile = _narrowed(invoice, profile)
    adapted, told = _adapted(narrowed, to)
    told = tuple({(one.term, one.fate): one for one in (*told, *told_of_profile)}.values())
    keep = _is_core if profile == EN16931 else everything
    document = bounded(writing.write(adapted, to, keep=keep))
    return Conversion(document, (*_kept(invoice, told), *told, *_unread(invoice)))


def bounded(document: bytes) -> bytes:
    """Give the document that was made, unless nobody could take it. Raises: Unreadable, when it is over 100 MB."""
    if len(document) > limits.FILE_BYTES_MAX:
        size, most = len(document), limits.FILE_BYTES_MAX
        raise Unreadable(
            TOO_BIG,
            f"Converti, le document aurait {size} octets ; la limite est {most} (100 Mo).",
            f"Converted, the document would have {size} bytes; the limit is {most} (100 MB).",
        )
    return document


def accounted(invoice: Invoice) -> tuple[Outcome, ...]:
    """Give what becomes of each term where the whole model is written: all is kept, what was not read is lost."""
    return (*_kept(invoice, ()), *_unread(invoice))


def _is_core(term: Term) -> bool:
    return not term.is_extension


def _narrowed(invoice: Invoice, profile: str | None) -> tuple[Invoice, tuple[Outcome, ...]]:
    """Give what of the invoice its new profile can say, and tell what is lost or renamed."""
    if profile is None:
        return invoice, ()
    if profile == EN16931 and invoice.business_process in MULTI_SELLER_FRAMEWORKS:
        fr = "Une facture multi-vendeurs en réunit plusieurs : EN 16931 n'en dit qu'une, gardez le profil étendu."
        en = "An invoice of several sellers is several invoices: EN 16931 says one only, keep the extended profile."
        raise Unreadable(OTHER_KIND, fr, en, where=f"BT-23 = {invoice.business_process}")
    is_other = profile != invoice.specification_identifier
    told = [_moved("BT-24", f"Profil {profile}.", f"Profile {profile}.")] if is_other else []
    if profile != EN16931:
        return replace(invoice, specification_identifier=profile), tuple(told)
    why = "EN 16931 n'a pas ce terme de l'extension.", "EN 16931 has no such term of the extension."
    told += [Outcome(term.id, Fate.LOST, *why) for term in said(invoice) if term.is_extension]
    lines = tuple(line for line in invoice.lines if line.counts)
    if lines != invoice.lines:
        fr = "Une ligne de groupe ou d'information n'a pas de place en EN 16931 : seules restent celles qui comptent."
        en = "A line that groups or informs has no place in EN 16931: only those that count are left."
        told.append(Outcome("BG-25", Fate.LOST, fr, en))
    return replace(invoice, specification_identifier=profile, lines=lines), tuple(told)


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
