"""A page of paper around an invoice: the smallest Factur-X that reads well, for tests and pilots.

It has the embedded file, its association and the metadata that Factur-X wants. It is no archive: its font is one that
readers bring, where PDF/A-3 wants it embedded.
"""

from io import BytesIO
from xml.sax.saxutils import escape

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf

from estafette.formats import read
from estafette.formats.facturx import NAMES
from estafette.invoice.model import Invoice

_LEVELS = {
    "urn:cen.eu:en16931:2017": "EN 16931",
    "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended": "EXTENDED",
    "urn:factur-x.eu:1p0:basicwl": "BASIC WL",
}
"""The conformance level in the metadata, by the profile that BT-24 names (Factur-X 1.09)."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{name}</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>{level}</fx:ConformanceLevel>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def facturx_from(xml: bytes) -> bytes:
    """Give a PDF of one page that shows the number, the parties and the totals of a CII, and embeds it as it is."""
    invoice = read(xml)
    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    document.pages[0].obj.Resources = _fonts()
    document.pages[0].obj.Contents = document.make_stream(_page(invoice))
    specification = pikepdf.AttachedFileSpec(document, xml, filename=NAMES[0], mime_type="text/xml")
    specification.obj.AFRelationship = Name.Data
    document.attachments[NAMES[0]] = specification
    document.Root.AF = Array([specification.obj])
    document.Root.Metadata = _metadata(document, invoice)
    document.save(out := BytesIO(), deterministic_id=True)
    return out.getvalue()


def _fonts() -> Dictionary:
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    return Dictionary(Font=Dictionary(F1=font))


def _metadata(document: Pdf, invoice: Invoice) -> pikepdf.Stream:
    level = _LEVELS.get(invoice.specification_identifier, "EN 16931")
    text = _XMP.format(title=escape(invoice.number), name=NAMES[0], level=level)
    stream = document.make_stream(text.encode())
    stream.Type, stream.Subtype = Name.Metadata, Name.XML
    return stream


def _page(invoice: Invoice) -> bytes:
    """Write the page: Helvetica, one line of text under the other, in the encoding of the font (Windows-1252)."""
    lines = b"\n".join(b"(%s) '" % _escaped(line) for line in _lines(invoice))
    return b"BT /F1 11 Tf 16 TL 60 790 Td\n" + lines + b"\nET"


def _escaped(line: str) -> bytes:
    encoded = line.encode("cp1252", "replace")
    return encoded.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _lines(invoice: Invoice) -> list[str]:
    totals = invoice.totals
    return [
        f"{'Avoir' if invoice.is_credit_note else 'Facture'} n° {invoice.number} du {invoice.issue_date}",
        "",
        f"Vendeur : {invoice.seller.name}, SIREN {invoice.seller_siren}",
        f"Acheteur : {invoice.buyer.name}, SIREN {invoice.buyer_siren}",
        "",
        *(f"{line.quantity} x {line.item.name} : {line.net_amount} {invoice.currency}" for line in invoice.lines),
        "",
        f"Total hors TVA : {totals.total_without_vat} {invoice.currency}",
        f"TVA : {totals.total_vat} {invoice.currency}",
        f"Total TVA comprise : {totals.total_with_vat} {invoice.currency}",
        f"À payer : {totals.amount_due} {invoice.currency}",
    ]
