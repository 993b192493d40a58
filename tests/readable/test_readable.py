"""A reader sees all that an invoice says, as text, in both languages, on a page, on paper and on a terminal."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.formats.test_round_trip import saying
from tests.readable.conftest import TERMS_SAID, expected, squeezed, text_of_html, text_of_pdf

from estafette import readable
from estafette.formats import pdf_conformity
from estafette.formats.facturx_writing import Attachment
from estafette.formats.reading import read
from estafette.formats.xml import Unreadable
from estafette.invoice.model import Invoice, Item, Line, Note, Party, SupportingDocument, Unread
from estafette.invoice.terms import Term
from estafette.lifecycle.guards import StatusEvent
from estafette.readable import paper, typography, words
from estafette.readable.sheet import DEPTH_MAX
from estafette.simulation import samples

LEFT_OUT = {"BT-125"}
"""The content of an attached file: a reader opens the file; its name, kind and size are shown."""
HOSTILE = (
    '<script>alert(1)</script> #panic() $x$ @b *c* _d_ \\u{41} "e" `f` /* g */ // h <label> & \u202egnp.exe\x07\x1b[2J'
)


def sample(name: str = "service") -> Invoice:
    """Give a sample invoice."""
    return read(samples.load(name, number="F2026-0001", issue_date=date(2026, 9, 12), due_date=date(2026, 10, 12)))


def pages(data: bytes) -> int:
    """Count the pages of a PDF."""
    with pikepdf.open(BytesIO(data)) as document:
        return len(document.pages)


@pytest.mark.parametrize("language", readable.LANGUAGES)
def test_every_term_is_shown(whole: Invoice, language: str) -> None:
    """Each term of the table is read on the page, on paper and on the terminal, in both languages, but one."""
    shown = {
        "html": text_of_html(readable.html(whole, language=language)),
        "pdf": text_of_pdf(readable.pdf(whole, language=language)),
        "text": squeezed(readable.text(whole, language=language)),
    }
    for form, said in shown.items():
        unseen = {term.id for term in TERMS_SAID for part in expected(term, language) if squeezed(part) not in said}
        assert unseen == LEFT_OUT, form


@pytest.mark.parametrize("term", TERMS_SAID, ids=lambda term: term.id)
def test_each_term_alone_is_shown(term: Term) -> None:
    """A term that stands alone is shown on a sheet that says little else, whatever its group lacks."""
    value = {"identifier": {"value": "X9Y8"}, "date": date(2031, 5, 7), "binary": b"x"}.get(
        term.type, "X9Y8" if term.type in {"text", "code", "account", "vat_point"} else Decimal("98.76")
    )
    said = squeezed(readable.html(saying([(term, value)])))
    seen = {"date": "07/05/2031", "binary": "1o"}.get(term.type, "98,76" if isinstance(value, Decimal) else "X9Y8")
    assert seen in said


@pytest.mark.parametrize("language", readable.LANGUAGES)
@pytest.mark.parametrize("name", samples.NAMES)
def test_a_short_invoice_is_one_page_of_archive(name: str, language: str) -> None:
    """A short invoice is one page, a PDF/A-3 in its language, tagged, titled, the same bytes each time."""
    invoice = sample(name)
    made = readable.pdf(invoice, language=language)
    assert pages(made) == 1
    assert made == readable.pdf(invoice, language=language)
    assert {finding.rule for finding in pdf_conformity.check(made)} == {"EST-PDF-ATTACHMENT"}
    with pikepdf.open(BytesIO(made)) as document:
        assert str(document.Root.Lang) == language
        assert bool(document.Root.MarkInfo.Marked)
        assert str(document.docinfo.Title).endswith("F2026-0001")


def test_what_is_said_in_an_invoice_is_text() -> None:
    """Markup, code of the typesetter and marks that turn the reading are shown as text, on every form."""
    invoice = Invoice(
        number="F1", seller=Party(name=HOSTILE), notes=(Note(HOSTILE),), lines=(Line(item=Item(HOSTILE)),)
    )
    seen = squeezed(typography.shown(HOSTILE))
    web = readable.html(invoice)
    assert "<script" not in web
    assert text_of_html(web).count(seen) == 4
    assert text_of_pdf(readable.pdf(invoice)).count(seen) == 4
    terminal = readable.text(invoice)
    assert seen in squeezed(terminal)
    assert not set(terminal) & set("\x07\x1b\u202e")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(text=st.text(max_size=60))
def test_any_text_is_set(text: str) -> None:
    """Any text whatsoever gives a PDF/A: what no font has is written by its number."""
    made = readable.pdf(Invoice(number="F1", seller=Party(name=text)))
    assert {finding.rule for finding in pdf_conformity.check(made)} == {"EST-PDF-ATTACHMENT"}


def test_a_character_without_a_glyph_is_written_by_its_number() -> None:
    """A character that no font has is written by its number, the others around it as they are."""
    said = text_of_pdf(readable.pdf(Invoice(number="F1", seller=Party(name="Société \U0001f9ff\U00013000 & fils"))))
    assert "Société[U+1F9FF][U+13000]&fils" in said


def test_long_words_stay_in_their_columns() -> None:
    """Long words without a space break at the end of lines: nothing is written past the margin of the page."""
    long = "W" * 300
    line = Line(identifier=long, unit_code=long, quantity=Decimal(1), vat_category=long, item=Item(long, long))
    made = readable.pdf(Invoice(number=long, seller=Party(name=long), lines=(line,)))
    assert text_of_pdf(made).count(long) >= 5


def test_a_long_invoice_goes_on() -> None:
    """Five hundred lines take several pages, each headed by the names of its columns and numbered."""
    line = Line(quantity=Decimal(1), net_amount=Decimal(10), item=Item(name="Vis"))
    lines = tuple(replace(line, identifier=str(number)) for number in range(1, 501))
    made = readable.pdf(Invoice(number="F1", lines=lines))
    count = pages(made)
    said = text_of_pdf(made)
    assert count > 5
    assert said.count("Désignation") == count
    assert f"page{count}/{count}" in said
    assert readable.html(Invoice(lines=lines)).count("<strong>Vis</strong>") == 500


def test_lines_on_paper_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paper has as many lines as its bound, and one more is refused with its number; the page has no bound."""
    monkeypatch.setattr(paper, "LINES_MAX", 3)
    lines = tuple(Line(identifier=str(number)) for number in range(4))
    assert pages(readable.pdf(Invoice(lines=lines[:3]))) == 1
    with pytest.raises(Unreadable, match="Too many lines for a PDF: 4"):
        readable.pdf(Invoice(lines=lines))
    assert readable.html(Invoice(lines=lines))


def test_lines_under_lines() -> None:
    """A sub-line stands under its own, at most so deep; one that names itself or nobody stands at the margin."""
    chain = [Line(identifier=str(n), parent_line=str(n - 1) if n > 1 else None) for n in range(1, 15)]
    odd = [Line(identifier="a", parent_line="a"), Line(identifier="b", parent_line="z")]
    depths = [row.depth for row in readable.sheet(Invoice(lines=(*chain, *odd))).lines]
    assert depths == [min(n, DEPTH_MAX) for n in range(14)] + [0, 0]


def test_a_group_is_told_from_what_counts() -> None:
    """A line that enters no total is told apart, in words and in colour."""
    row = readable.sheet(Invoice(lines=(Line(identifier="1", subtype="GROUP"),))).lines[0]
    assert not row.counts
    assert "regroupement, ne compte pas (GROUP)" in [entry.text for entry in row.entries]


def test_the_life_cycle_is_shown_when_given() -> None:
    """Statuses are told in words, in the time of Paris, with who set them; without any there is no such table."""
    events: Sequence[StatusEvent] = (
        StatusEvent("200", datetime(2026, 9, 12, 8, tzinfo=UTC), "WK"),
        StatusEvent("299", datetime(2026, 9, 13, 8, tzinfo=UTC), "XX"),
    )
    for language, first in (("fr", "Déposée (200)"), ("en", "Submitted (200)")):
        said = readable.html(sample(), language=language, statuses=events)
        assert first in said
        assert "299" in said
        assert "10:00:00" in said
        assert "XX" in said
    assert "Cycle de vie" not in readable.html(sample())


def test_attachments_are_listed_not_shown() -> None:
    """A joined document is listed with its name, its kind, its size and where it is."""
    held = SupportingDocument("A1", "BON_LIVRAISON", "https://example.org/a", b"x" * 1500, "application/pdf", "bl.pdf")
    said = readable.text(Invoice(supporting_documents=(held,)))
    assert "A1 · BON_LIVRAISON · bl.pdf · application/pdf · 1,5\u00a0ko · https://example.org/a" in said


def test_what_the_model_has_no_place_for_is_shown() -> None:
    """What the document said besides closes the sheet, under the name of its element."""
    unread = (Unread("/a/ram:DepartmentName", "unknown", "Achats"), Unread("/a/ram:Empty", "unknown"))
    assert "DepartmentName: Achats" in readable.text(Invoice(unread=unread))
    assert "Empty" not in readable.text(Invoice(unread=unread))


def test_files_are_attached_as_the_archive_wants() -> None:
    """Attached files come out byte for byte, associated, typed and dated."""
    attachment = Attachment("été.csv", b"a;b", "text/csv", modified=date(2026, 9, 1))
    made = readable.pdf(sample(), attachments=[attachment, Attachment("b.png", b"b", "image/png")])
    assert {finding.rule for finding in pdf_conformity.check(made)} == {"EST-PDF-ATTACHMENT"}
    with pikepdf.open(BytesIO(made)) as document:
        assert document.attachments["été.csv"].get_file().read_bytes() == b"a;b"
        assert len(document.Root.AF) == 2


def test_a_language_that_is_not_written() -> None:
    """Another language is refused by every form."""
    for form in (readable.html, readable.pdf, readable.text):
        with pytest.raises(ValueError, match="'de'"):
            form(Invoice(), language="de")  # type: ignore[operator]


def test_official_invoices(official: Path) -> None:
    """Every official invoice is laid out; whatever it says besides its terms is shown too."""
    try:
        invoice = read(official.read_bytes())
    except Unreadable:
        return
    said = text_of_html(readable.html(invoice))
    assert squeezed(typography.shown(invoice.number)) in said
    assert all(squeezed(typography.shown(unread.value)) in said for unread in invoice.unread)
    assert pages(readable.pdf(invoice, language="en")) >= 1


def test_the_view_of_a_pdf_is_itself() -> None:
    """A Factur-X is read by its sender's own page; what is no invoice has no view."""
    assert readable.view(b"%PDF-1.7 as it came") == b"%PDF-1.7 as it came"
    with pytest.raises(Unreadable):
        readable.view(b"<n/>")


@pytest.mark.parametrize(("code", "fr", "en"), [
    ("380", "Facture commerciale", "Invoice"),
    ("381", "Avoir", "Credit note"),
    ("999", "Facture", "Invoice"),
])  # fmt: skip
def test_the_title_is_the_type(code: str, fr: str, en: str) -> None:
    """The sheet is titled by the type of the invoice; an unknown type is an invoice, its code being shown."""
    assert words.type_words(code) == (fr, en)
    assert code in readable.html(Invoice(type_code=code))


def test_a_defect_of_the_page_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the typesetter that is no missing glyph is raised, not turned into a page."""
    monkeypatch.setattr(paper, "_TEMPLATE", b"#nothing")
    with pytest.raises(RuntimeError, match="nothing"):
        readable.pdf(Invoice())


def test_an_empty_invoice_is_an_empty_sheet() -> None:
    """An invoice that says nothing still has its forms: a title, two parties without a name, one page."""
    assert "<h1>Facture </h1>" in readable.html(Invoice())
    assert pages(readable.pdf(Invoice())) == 1
    assert readable.text(Invoice()).startswith("Facture\n")
