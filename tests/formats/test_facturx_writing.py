"""An invoice is put into a PDF by adding only; what PDF/A-3 and Factur-X do not allow is found, each thing by name."""

import tracemalloc
import zlib
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import facturx as peer
import pikepdf
import pytest
import typst
from msgspec.structs import replace
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from estafette import readable
from estafette.formats import facturx, facturx_writing, pdf_conformity
from estafette.formats.conversion import EN16931, EXTENDED_CTC_FR, FACTURX_EXTENDED
from estafette.formats.reading import read
from estafette.formats.writing import write
from estafette.formats.xml import Syntax, Unreadable
from estafette.formats.xmp import Packet
from estafette.simulation import samples
from estafette.values import limits

DAY = date(2026, 9, 1)
UBL, CII = (samples.load(name, number="F2026-0001", issue_date=DAY) for name in ("service", "service-cii"))
FX = readable.facturx(CII)
PAGE = typst.compile(b'#set text(lang: "fr")\nUne page, une police embarqu\xc3\xa9e.')


def altered(change: Callable[[Pdf], Any], data: bytes = FX, **options: Any) -> bytes:
    """Give a PDF changed by hand."""
    with pikepdf.open(BytesIO(data)) as document:
        change(document)
        document.save(out := BytesIO(), **options)
    return out.getvalue()


def rules(data: bytes) -> set[str]:
    """Name what is wrong in a PDF."""
    return {finding.rule for finding in pdf_conformity.check(data)}


def profile_of(data: bytes) -> tuple[str | None, str | None]:
    """Give the level that the metadata announce, and the profile of the invoice."""
    with pikepdf.open(BytesIO(data)) as document:
        packet = pdf_conformity.packet(document)
        assert packet is not None
        return packet.get("fx:ConformanceLevel"), read(data).specification_identifier


def helvetica() -> bytes:
    """Give a PDF of one page in a font that it does not embed."""
    document = pikepdf.new()
    document.add_blank_page()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    document.pages[0].obj.Resources = Dictionary(Font=Dictionary(F1=font))
    document.pages[0].obj.Contents = document.make_stream(b"BT /F1 12 Tf 60 700 Td (Facture) Tj ET")
    document.save(out := BytesIO())
    return out.getvalue()


def contents(data: bytes) -> list[bytes]:
    """Give what the pages of a PDF draw, as it is kept in the file."""
    with pikepdf.open(BytesIO(data)) as document:
        return [page.obj.Contents.read_raw_bytes() for page in document.pages]


def test_what_we_write_is_as_required() -> None:
    """Our Factur-X, on the readable form, has nothing wrong, and embeds the CII byte for byte, the same each time."""
    assert pdf_conformity.check(FX) == ()
    assert facturx.extract(FX) == ("factur-x.xml", CII)
    assert readable.facturx(CII) == FX


def test_a_peer_reads_what_we_write() -> None:
    """The open-source library of the field takes the invoice out, valid under the schema of its level."""
    name, xml = peer.get_xml_from_pdf(FX, check_xsd=True)
    assert (name, xml) == ("factur-x.xml", CII)


@pytest.mark.parametrize("profile", pdf_conformity.LEVELS)
def test_every_profile(profile: str) -> None:
    """Each profile of Factur-X is announced by its level, with the relation that suits it."""
    made = readable.facturx(replace(read(CII), specification_identifier=profile))
    assert profile_of(made) == (pdf_conformity.LEVELS[profile], profile)
    assert rules(made) == set()
    asked = readable.facturx(CII, profile=profile)
    assert profile_of(asked) == (pdf_conformity.LEVELS[profile], profile)


def test_what_is_no_cii_of_factur_x_is_written_anew() -> None:
    """A UBL is converted, EXTENDED-CTC-FR becomes EXTENDED, in a document as in the model; all else stands."""
    converted = readable.facturx(UBL)
    assert read(converted) == read(UBL)
    extended = replace(read(CII), specification_identifier=EXTENDED_CTC_FR)
    for source in (extended, write(extended, Syntax.CII)):
        made = readable.facturx(source)
        assert profile_of(made) == ("EXTENDED", FACTURX_EXTENDED)
        assert replace(read(made), specification_identifier=EXTENDED_CTC_FR) == extended


def test_a_profile_that_is_none() -> None:
    """A profile that is none of Factur-X is refused, and those that are named."""
    with pytest.raises(Unreadable, match="choose among") as caught:
        readable.facturx(replace(read(CII), specification_identifier="urn:other"))
    assert caught.value.where == "BT-24"


def test_the_sender_s_page_is_kept() -> None:
    """What the sender's pages draw is as it was; a PDF that only lacks what can be added becomes PDF/A-3."""
    made = facturx_writing.write(CII, pdf=PAGE)
    assert contents(made) == contents(PAGE)
    assert pdf_conformity.check(made) == ()
    assert {"EST-PDF-PART", "EST-PDF-INTENT", "EST-PDF-ATTACHMENT"} <= rules(PAGE)


def test_what_prevents_is_said_and_not_hidden() -> None:
    """A PDF whose font is not embedded embeds its invoice, but does not declare PDF/A-3, and the font is named."""
    made = facturx_writing.write(CII, pdf=helvetica())
    assert facturx.extract(made) == ("factur-x.xml", CII)
    assert contents(made) == contents(helvetica())
    found = pdf_conformity.check(made)
    assert [(finding.rule, finding.seen) for finding in found] == [
        ("EST-PDF-PART", "None"),
        ("EST-PDF-FONT", "/Helvetica"),
    ]
    assert all(finding.fr != finding.en for finding in found)


def test_what_the_sender_attached_is_kept() -> None:
    """Files, metadata and intents that the PDF has already stay beside what is added."""

    def with_more(document: Pdf) -> None:
        facturx_writing.attach(document, facturx_writing.Attachment("notes.txt", b"n", "text/plain"))
        packet = Packet()
        packet.add({"pdfaid:part": "3", "pdfaid:conformance": "A"})
        packet.add_title("Le titre du vendeur")
        packet.declare_facturx()
        document.Root.Metadata = document.make_stream(bytes(packet))
        document.Root.OutputIntents = Array([Dictionary(Type=Name.OutputIntent, S=Name("/GTS_PDFX"))])

    made = facturx_writing.write(CII, pdf=altered(with_more, PAGE))
    assert pdf_conformity.check(made) == ()
    with pikepdf.open(BytesIO(made)) as document:
        assert set(document.attachments) == {"notes.txt", "factur-x.xml"}
        assert len(document.Root.OutputIntents) == 2
        packet = pdf_conformity.packet(document)
    assert packet is not None
    assert packet.get("pdfaid:conformance") == "A"
    assert b"Le titre du vendeur" in bytes(packet)
    assert bytes(packet).count(b"Factur-X PDFA Extension Schema") == 1


def _signed(document: Pdf) -> None:
    document.Root.AcroForm = Dictionary(Fields=Array(), SigFlags=3)


@pytest.mark.parametrize(("pdf", "why"), [
    (FX, "embeds an invoice already"),
    (altered(_signed, PAGE), "signed"),
    (altered(lambda _: None, PAGE, encryption=pikepdf.Encryption(owner="o", user="")), "encrypted"),
    (altered(lambda _: None, PAGE, encryption=pikepdf.Encryption(owner="o", user="u")), "encrypted"),
    (b"%PDF-1.7 and nothing", "broken"),
], ids=["an invoice", "a signature", "a permission", "a password", "no PDF"])  # fmt: skip
def test_a_pdf_that_takes_nothing(pdf: bytes, why: str) -> None:
    """A PDF that embeds an invoice, is signed, encrypted or broken is refused with the reason."""
    with pytest.raises(Unreadable, match=why):
        facturx_writing.write(CII, pdf=pdf)


def _metadata(change: Callable[[Packet], None]) -> Callable[[Pdf], None]:
    def apply(document: Pdf) -> None:
        packet = pdf_conformity.packet(document)
        assert packet is not None
        change(packet)
        document.Root.Metadata = document.make_stream(bytes(packet))

    return apply


def _specification(document: Pdf) -> Any:
    return document.Root.AF[0]


def _without_schema(document: Pdf) -> None:
    data = document.Root.Metadata.read_bytes()
    document.Root.Metadata = document.make_stream(data.replace(b">urn:factur-x:pdfa", b">urn:other:pdfa"))


def _filtered(document: Pdf) -> None:
    document.Root.Other = Stream(document, b"x", {"/F": String("other.bin")})


def _deep(document: Pdf) -> None:
    held = Array()
    for _ in range(pdf_conformity.DEPTH_MAX + 2):
        held = Array([held])
    document.Root.Other = held


def _action(**fields: Any) -> Callable[[Pdf], None]:
    return lambda document: document.Root.__setitem__("/OpenAction", Dictionary(**fields))


CHANGES: dict[str, Callable[[Pdf], Any]] = {
    "EST-PDF-PART": _metadata(lambda packet: packet.add({"pdfaid:part": "2"})),
    "EST-PDF-XMP": lambda document: document.Root.__delitem__("/Metadata"),
    "EST-PDF-INTENT": lambda document: document.Root.__delitem__("/OutputIntents"),
    "EST-PDF-FONT": lambda document: document.Root.__setitem__(
        "/Other", Array([Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Arial)])
    ),
    "EST-PDF-ACTION": _action(S=Name.JavaScript, JS=String("app.alert(1)")),
    "EST-PDF-ANNOTATION": lambda document: document.pages[0].obj.__setitem__(
        "/Annots", Array([Dictionary(Type=Name.Annot, Subtype=Name.Movie, Rect=Array([0, 0, 1, 1]))])
    ),
    "EST-PDF-FORM": lambda document: document.Root.__setitem__("/AcroForm", Dictionary(XFA=Array())),
    "EST-PDF-FILTER": _filtered,
    "EST-PDF-LIMIT": _deep,
    "EST-PDF-FILE": lambda document: _specification(document).__delitem__("/F"),
    "EST-PDF-ASSOCIATION": lambda document: document.Root.__delitem__("/AF"),
    "EST-PDF-TYPE": lambda document: _specification(document).EF.F.__delitem__("/Subtype"),
    "EST-PDF-DATE": lambda document: _specification(document).EF.F.Params.__delitem__("/ModDate"),
    "EST-PDF-ATTACHMENT": lambda document: _specification(document).EF.F.write(b"<no"),
    "EST-PDF-RELATIONSHIP": lambda document: _specification(document).__setitem__("/AFRelationship", Name.Supplement),
    "EST-PDF-SCHEMA": _without_schema,
    "EST-PDF-FACTURX": _metadata(lambda packet: packet.add({"fx:DocumentType": "ORDER"})),
    "EST-PDF-PROFILE": _metadata(lambda packet: packet.add({"fx:ConformanceLevel": "EXTENDED"})),
}
"""One change for each thing that may be wrong; encryption, the version and the identifier are written apart."""


@pytest.mark.parametrize("rule", CHANGES)
def test_each_defect_is_found_alone(rule: str) -> None:
    """What is made wrong is found, and nothing else."""
    assert rules(altered(CHANGES[rule])) == {rule}


def test_defects_of_the_file() -> None:
    """A version past 1.7, encryption and the want of an identifier are found."""
    assert rules(altered(lambda _: None, force_version="2.0")) == {"EST-PDF-VERSION"}
    assert "EST-PDF-ENCRYPTED" in rules(altered(lambda _: None, encryption=pikepdf.Encryption(owner="o", user="")))
    assert rules(FX.replace(b"/ID [", b"/Id [").replace(b"/ID[", b"/Id[")) == {"EST-PDF-ID"}
    apart = {"EST-PDF-VERSION", "EST-PDF-ENCRYPTED", "EST-PDF-ID"}
    assert set(CHANGES) | apart == set(pdf_conformity.RULES)


def test_script_anywhere() -> None:
    """A script is found in the table of names, in an annotation and behind an escaped name."""
    named = Dictionary(JavaScript=Dictionary(Names=Array()))
    assert "EST-PDF-ACTION" in rules(altered(lambda document: document.Root.__setitem__("/Names", named)))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 1, 1]),
                      A=Dictionary(S=Name("/Launch"), F=String("x.exe")))  # fmt: skip
    assert rules(altered(lambda document: document.pages[0].obj.__setitem__("/Annots", Array([link])))) == {
        "EST-PDF-ACTION"
    }


def test_two_invoices_are_one_too_many() -> None:
    """Two invoices, or one under an older name, are not one factur-x.xml."""
    second = facturx_writing.Attachment("zugferd-invoice.xml", CII, "text/xml", relationship="Alternative")
    assert rules(altered(lambda document: facturx_writing.attach(document, second))) == {"EST-PDF-ATTACHMENT"}


@pytest.mark.parametrize(("bomb", "most", "rule"), [
    ("metadata", pdf_conformity.METADATA_BYTES_MAX, "EST-PDF-XMP"),
    ("invoice", limits.FILE_BYTES_MAX, "EST-PDF-ATTACHMENT"),
])  # fmt: skip
def test_a_bomb_stays_small(bomb: str, most: int, rule: str) -> None:
    """Metadata or an invoice that swell past their limit are a finding, in a memory of a few times the limit."""
    packed = zlib.compress(b"\x00" * (limits.FILE_BYTES_MAX + 1))

    def planted(document: Pdf) -> None:
        if bomb == "metadata":
            document.Root.Metadata = Stream(document, packed, Filter=Name.FlateDecode)
        else:
            _specification(document).EF.F.write(packed, filter=Name.FlateDecode)

    data = altered(planted, stream_decode_level=pikepdf.StreamDecodeLevel.none, fix_metadata_version=False)
    assert len(data) < 500_000
    tracemalloc.start()
    found = rules(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {rule}
    assert peak < 3 * most


def test_metadata_are_bounded() -> None:
    """Metadata as long as the bound are read, longer ones are not, compressed or as they are."""
    with pikepdf.open(BytesIO(FX)) as document:
        held = document.Root.Metadata.read_bytes()
    for size, found in (
        (pdf_conformity.METADATA_BYTES_MAX, set()),
        (pdf_conformity.METADATA_BYTES_MAX + 1, {"EST-PDF-XMP"}),
    ):
        padded = held.replace(b"</rdf:RDF>", b"</rdf:RDF>" + b" " * (size - len(held)))
        for data, options in ((padded, {}), (zlib.compress(padded), {"Filter": Name.FlateDecode})):
            made = altered(
                lambda document, data=data, options=options: document.Root.__setitem__(
                    "/Metadata", Stream(document, data, **options)
                ),
                fix_metadata_version=False,
            )
            assert rules(made) == found


def test_objects_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with more objects than are looked at says so; with as many, it does not."""
    with pikepdf.open(BytesIO(FX)) as document:
        count = len(document.objects)
    monkeypatch.setattr(pdf_conformity, "OBJECTS_MAX", count)
    assert rules(FX) == set()
    monkeypatch.setattr(pdf_conformity, "OBJECTS_MAX", count - 1)
    assert "EST-PDF-LIMIT" in rules(FX)


def test_metadata_as_attributes() -> None:
    """Properties written as attributes of a description are read as those written as elements."""
    data = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="uuid:1" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    packet = Packet(data)
    assert packet.get("pdfaid:part") == "2"
    packet.add({"pdfaid:part": "3"})
    again = Packet(bytes(packet))
    assert again.get("pdfaid:part") == "3"
    assert bytes(again).count(b"pdfaid:part") == 2
    assert b'about="uuid:1"' in bytes(packet).partition(b"pdfaid:part")[0]


def test_metadata_that_are_none() -> None:
    """What is no RDF is told, and a PDF with such metadata gets new ones."""
    with pytest.raises(ValueError, match="no RDF"):
        Packet(b"<a/>")
    made = facturx_writing.write(CII, pdf=altered(
        lambda document: document.Root.__setitem__("/Metadata", document.make_stream(b"<a/>")), PAGE))  # fmt: skip
    assert rules(made) == set()


def test_official_papers(corpus: Path) -> None:
    """The official Factur-X have nothing wrong; their pages take our invoice and are declared as they were."""
    papers = sorted(corpus.rglob("*.pdf"))
    assert len(papers) >= 10
    for paper in papers:
        assert pdf_conformity.check(paper.read_bytes()) == (), paper.name
        assert profile_of(paper.read_bytes())[1] in {EN16931, FACTURX_EXTENDED}
