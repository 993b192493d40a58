"""A conversion is accepted where its source is, and tells what became of each term."""

from pathlib import Path

import pytest

from estafette import formats
from estafette.formats.conversion import EN16931, EXTENDED_CTC_FR, FACTURX_EXTENDED, Fate, convert
from estafette.formats.writing import write
from estafette.formats.xml import Syntax, Unreadable
from estafette.invoice.codes import MULTI_SELLER_FRAMEWORKS
from estafette.invoice.model import Invoice, Line, Note
from estafette.invoice.walk import said
from estafette.rules import check


@pytest.mark.parametrize("to", [Syntax.UBL, Syntax.CII])
def test_conversions_of_accepted_invoices_are_accepted(accepted: Path, to: Syntax) -> None:
    """Each accepted official invoice, converted to either syntax, is accepted by the official rules again."""
    data = accepted.read_bytes()
    conversion = convert(data, to)
    verdict = check(conversion.document)
    assert verdict.accepted, [finding.id for finding in verdict.findings]
    lost = {outcome.term for outcome in conversion.of(Fate.LOST) if not outcome.term.startswith("/")}
    assert lost <= {"EXT-FR-FE-184", "EXT-FR-FE-180", "BT-41", "BT-56", "BT-149"}


def test_a_facturx_is_converted(corpus: Path) -> None:
    """The invoice inside a PDF is converted like any CII."""
    pdf = (corpus / "xp-z12-014/UC1/UC1_F202500003_00-INV_20250701.pdf").read_bytes()
    one, other = convert(pdf, Syntax.UBL), convert(formats.extract(pdf)[1], Syntax.UBL)
    assert (one.document, one.outcomes) == (other.document, other.outcomes)
    assert one.source != other.source


def source(invoice: Invoice, syntax: Syntax = Syntax.CII) -> bytes:
    """Write the document to convert."""
    return write(invoice, syntax)


def test_terms_are_accounted_for() -> None:
    """What is kept is listed by term, and what UBL cannot say is told in two languages."""
    conversion = convert(source(Invoice(number="F1", lines=(Line(identifier="1", total_with_vat=12),))), Syntax.UBL)
    assert [outcome.term for outcome in conversion.of(Fate.KEPT)] == ["BT-1", "BG-25", "BT-126"]
    (lost,) = conversion.of(Fate.LOST)
    assert lost.term == "EXT-FR-FE-184"
    assert lost.why_fr
    assert lost.why_en


@pytest.mark.parametrize(
    ("identifier", "start", "to", "expected"),
    [
        (FACTURX_EXTENDED, Syntax.CII, Syntax.UBL, EXTENDED_CTC_FR),
        (f"{EN16931}#compliant#urn.cpro.gouv.fr:1p0:en16931-ctc-fr", Syntax.UBL, Syntax.CII, EN16931),
        (EXTENDED_CTC_FR, Syntax.UBL, Syntax.CII, EXTENDED_CTC_FR),
        (EN16931, Syntax.CII, Syntax.UBL, EN16931),
    ],
)
def test_profiles_have_their_name_in_each_syntax(identifier: str, start: Syntax, to: Syntax, expected: str) -> None:
    """A profile that has another name in the target is told as moved."""
    conversion = convert(source(Invoice(number="F1", specification_identifier=identifier), start), to)
    assert formats.read(conversion.document).specification_identifier == expected
    assert {outcome.term for outcome in conversion.of(Fate.MOVED)} == ({"BT-24"} if identifier != expected else set())


def test_a_note_without_a_text() -> None:
    """A mention whose text is empty keeps its subject, with a dash."""
    conversion = convert(source(Invoice(number="F1", notes=(Note("", "PMT"),)), Syntax.UBL), Syntax.CII)
    assert formats.read(conversion.document).notes == (Note("-", "PMT"),)
    assert [outcome.term for outcome in conversion.of(Fate.MOVED)] == ["BT-22"]


def test_what_has_no_term_is_told() -> None:
    """An element that no term knows is lost, and its place is said."""
    data = source(Invoice(number="F1"), Syntax.UBL).replace(b"</cbc:ID>", b"</cbc:ID><cbc:Colour>red</cbc:Colour>")
    (lost,) = convert(data, Syntax.CII).of(Fate.LOST)
    assert (lost.term, lost.value) == ("/*/cbc:Colour", "red")


def test_what_is_no_invoice_is_refused() -> None:
    """Other XML is Unreadable, and a target that is no syntax of invoices a ValueError."""
    with pytest.raises(Unreadable):
        convert(b"<Report/>", Syntax.UBL)
    with pytest.raises(ValueError, match="to UBL or CII"):
        convert(source(Invoice(number="F1")), Syntax.CDAR)


def test_accepted_invoices_are_accepted_in_the_core(accepted: Path) -> None:
    """An accepted invoice, under the extension or not, is accepted under EN 16931 too, or is of several sellers."""
    data = accepted.read_bytes()
    held = formats.read(data)
    for to in (Syntax.UBL, Syntax.CII):
        if held.business_process in MULTI_SELLER_FRAMEWORKS:
            with pytest.raises(Unreadable):
                convert(data, to, profile=EN16931)
            continue
        narrowed = convert(data, to, profile=EN16931)
        assert check(narrowed.document).accepted
        assert not any(term.is_extension for term in said(formats.read(narrowed.document)))
        lost = {outcome.term for outcome in narrowed.of(Fate.LOST)}
        assert {term.id for term in said(held) if term.is_extension} <= lost
