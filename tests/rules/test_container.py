"""Factur-X: the embedded invoice judged by its profile, and the PDF around it."""

import io
import zlib

import pikepdf
import pytest

from estafette.rules import check
from estafette.simulation.cii import cii
from estafette.simulation.invoices import invoice

CII = cii(invoice(4, lines=2, credit=False))
BASIC = cii(invoice(4, lines=2, credit=False), "BASIC")


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">'
    "<fx:ConformanceLevel>{}</fx:ConformanceLevel></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def facturx(
    xml: bytes = CII, *, name: str = "factur-x.xml", relationship: str = "/Alternative", level: str = "EN 16931"
) -> bytes:
    """A PDF of one page that embeds an invoice."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    stream = pikepdf.Stream(pdf, b"")
    stream.write(zlib.compress(xml), filter=pikepdf.Name("/FlateDecode"))
    spec = pikepdf.Dictionary(
        Type=pikepdf.Name("/Filespec"), F=name, UF=name, EF=pikepdf.Dictionary(F=pdf.make_indirect(stream))
    )
    if relationship:
        spec["/AFRelationship"] = pikepdf.Name(relationship)
    indirect = pdf.make_indirect(spec)
    pdf.Root["/Names"] = pikepdf.Dictionary(
        EmbeddedFiles=pikepdf.Dictionary(Names=pikepdf.Array([pikepdf.String(name), indirect]))
    )
    xmp = XMP.format(level).encode()
    pdf.Root["/Metadata"] = pdf.make_stream(xmp)
    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


def test_a_good_facturx_is_accepted() -> None:
    """The invoice is judged as the same XML alone would be."""
    verdict = check(facturx())
    assert verdict.accepted, verdict.findings
    assert (verdict.syntax, verdict.profile, verdict.packs) == ("CII", "EN16931", check(CII).packs)
    assert check(facturx(BASIC, level="BASIC")).profile == "BASIC"


@pytest.mark.parametrize(
    ("made", "identifier"),
    [
        ({"relationship": "/Unspecified"}, "EST-PDF-RELATIONSHIP"),
        ({"relationship": ""}, "EST-PDF-RELATIONSHIP"),
        ({"level": "BASIC"}, "EST-PDF-PROFILE"),
        ({"level": ""}, "EST-PDF-PROFILE"),
        ({"name": "invoice.xml"}, "EST-PDF-ATTACHMENT"),
        ({"xml": b"not XML"}, "EST-XML"),
    ],
)
def test_what_is_wrong_around_the_invoice_is_said(made: dict[str, str], identifier: str) -> None:
    """Relationship, profile in the XMP, presence: each has its own finding, fatal."""
    verdict = check(facturx(**made))  # type: ignore[arg-type]
    assert identifier in verdict.fatal


def test_an_older_name_is_a_warning() -> None:
    """An invoice embedded under a name of ZUGFeRD is judged, with a warning."""
    assert check(facturx(name="ZUGFeRD-invoice.xml")).warning == {"EST-PDF-NAME"}


def test_a_small_pdf_cannot_become_a_big_invoice() -> None:
    """An embedded file that inflates past the limit of a file is refused with memory bounded."""
    assert "EST-LIMIT" in check(facturx(b"<a>" + b" " * (101 * 1024 * 1024) + b"</a>")).fatal


def test_a_pdf_without_invoice_is_refused() -> None:
    """A plain PDF has no invoice to judge."""
    pdf = pikepdf.new()
    pdf.add_blank_page()
    buffer = io.BytesIO()
    pdf.save(buffer)
    assert check(buffer.getvalue()).fatal == {"EST-PDF-ATTACHMENT"}
