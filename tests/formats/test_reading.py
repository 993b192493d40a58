"""What an invoice says is read, whatever its syntax, and what has no term is listed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from estafette import formats
from estafette.formats.xml import Unreadable
from estafette.invoice.model import Identifier, Note, PrecedingInvoice
from estafette.values import limits

UBL = """<{kind} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{kind}-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">{content}</{kind}>"""


def ubl(content: str, kind: str = "Invoice") -> formats.Invoice:
    """Read a document of UBL with this content."""
    return formats.read(UBL.format(kind=kind, content=content).encode())


def test_every_official_invoice_is_read(official: Path) -> None:
    """Each official document, accepted or not, is read: its seller, totals and breakdown are there."""
    invoice = formats.read(official.read_bytes())
    assert invoice.seller.name
    assert invoice.totals.total_without_vat is not None
    assert invoice.vat_breakdown


def test_accepted_invoices_leave_no_term_behind(accepted: Path) -> None:
    """In an accepted document, only second contact names and second base quantities stay unread."""
    unread = formats.read(accepted.read_bytes()).unread
    assert {each.path.rpartition(":")[2].partition("[")[0] for each in unread} <= {"DepartmentName", "BasisQuantity"}


def test_twins_say_the_same(corpus: Path) -> None:
    """The UBL and CII twins of the first use case are one invoice, but for how they name contacts."""
    folder = corpus / "xp-z12-014/UC1"
    twins = [
        formats.read((folder / f"UC1_F202500003_00-INV_20250701_{name}.xml").read_bytes()) for name in ("UBL", "CII")
    ]
    one, other = (
        replace(twin, unread=(), seller=replace(twin.seller, contact=None), buyer=replace(twin.buyer, contact=None))
        for twin in twins
    )
    assert one == other


def test_facturx_is_its_cii(corpus: Path) -> None:
    """A Factur-X reads as the CII that it embeds."""
    data = (corpus / "xp-z12-014/UC1/UC1_F202500003_00-INV_20250701.pdf").read_bytes()
    assert formats.read(data) == formats.read(formats.extract(data)[1])


def test_what_an_official_invoice_says(corpus: Path) -> None:
    """The terms of the first use case stand where the platform looks for them."""
    invoice = formats.read((corpus / "xp-z12-014/UC1/UC1_F202500003_00-INV_20250701_UBL.xml").read_bytes())
    assert (invoice.number, invoice.issue_date, invoice.type_code) == ("F202500003", date(2025, 7, 1), "380")
    assert (invoice.seller_siren, invoice.buyer_siren) == ("100000009", "200000008")
    assert invoice.addressee is not None
    assert invoice.addressee.value.startswith("200000008")
    assert invoice.mention("PMT")
    assert not (invoice.is_credit_note or invoice.is_self_billed or invoice.is_deposit)


def test_mentions_of_ubl() -> None:
    """Legal mentions are taken out of notes, several in one note too, and a free note stays whole."""
    invoice = ubl("<cbc:Note>#PMT#40 euros#BAR#B2B</cbc:Note><cbc:Note>Merci #1</cbc:Note>")
    assert invoice.notes == (Note("40 euros", "PMT"), Note("B2B", "BAR"), Note("Merci #1"))
    assert invoice.processing_rule == "B2B"


def test_credit_note() -> None:
    """A credit note has its own names in UBL for its type and lines."""
    invoice = ubl(
        "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"
        "<cac:PaymentMeans><cbc:PaymentDueDate>2026-09-30</cbc:PaymentDueDate></cac:PaymentMeans>"
        "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F1</cbc:ID></cac:InvoiceDocumentReference>"
        "</cac:BillingReference>"
        '<cac:CreditNoteLine><cbc:CreditedQuantity unitCode="C62">2</cbc:CreditedQuantity></cac:CreditNoteLine>',
        kind="CreditNote",
    )
    assert invoice.is_credit_note
    assert invoice.due_date == date(2026, 9, 30)
    assert invoice.preceding_invoices == (PrecedingInvoice("F1"),)
    assert (invoice.lines[0].quantity, invoice.lines[0].unit_code) == (Decimal(2), "C62")


def test_self_billed_goes_to_its_seller() -> None:
    """A self-billed invoice is routed to the seller's address, any other to the buyer's."""
    parties = (
        "<cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID='0225'>100000009</cbc:EndpointID></cac:Party>"
        "</cac:AccountingSupplierParty>"
        "<cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID='0225'>200000008</cbc:EndpointID></cac:Party>"
        "</cac:AccountingCustomerParty>"
    )
    normal = ubl("<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>" + parties)
    billed = ubl("<cbc:InvoiceTypeCode>389</cbc:InvoiceTypeCode>" + parties)
    assert normal.addressee == Identifier("200000008", "0225")
    assert billed.addressee == Identifier("100000009", "0225")


def test_vat_totals_in_two_currencies() -> None:
    """The VAT total in the invoice currency and that in the accounting currency are told apart by their currency."""
    invoice = ubl(
        "<cbc:DocumentCurrencyCode>USD</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>EUR</cbc:TaxCurrencyCode>"
        "<cac:TaxTotal><cbc:TaxAmount currencyID='EUR'>18</cbc:TaxAmount></cac:TaxTotal>"
        "<cac:TaxTotal><cbc:TaxAmount currencyID='USD'>20</cbc:TaxAmount></cac:TaxTotal>"
    )
    assert (invoice.totals.total_vat, invoice.totals.total_vat_in_accounting_currency) == (Decimal(20), Decimal(18))
    assert invoice.unread == ()


@pytest.mark.parametrize(
    ("content", "value", "kind"),
    [
        ("<cbc:IssueDate>2026-02-31</cbc:IssueDate>", "2026-02-31", "malformed"),
        ("<cbc:IssueDate>20260201</cbc:IssueDate>", "20260201", "malformed"),
        ("<cbc:ID>A</cbc:ID><cbc:ID>B</cbc:ID>", "B", "second"),
        ("<cac:TaxTotal><cbc:TaxAmount currencyID='XXX'>1</cbc:TaxAmount></cac:TaxTotal>", "", "unfit"),
        ("<cbc:Colour>red</cbc:Colour>", "red", "unknown"),
        ("<cbc:ID languageID='fr'>A</cbc:ID>", "fr", "unknown"),
        (
            "<cac:LegalMonetaryTotal><cbc:PayableAmount>1,5</cbc:PayableAmount></cac:LegalMonetaryTotal>",
            "1,5",
            "malformed",
        ),
    ],
)
def test_unread_is_listed(content: str, value: str, kind: str) -> None:
    """What has no term, or no value that its term can hold, is listed with its place, its value and the reason."""
    (unread,) = ubl(content).unread
    assert unread.value == value
    assert unread.kind == kind
    assert unread.why_fr
    assert unread.why_en
    assert unread.path.startswith("/")


def test_unread_at_the_limit_and_past_it() -> None:
    """Unread elements are listed up to the bound."""
    assert len(ubl("<cbc:Colour/>" * limits.UNREAD_MAX).unread) == limits.UNREAD_MAX
    assert len(ubl("<cbc:Colour/>" * (limits.UNREAD_MAX + 1)).unread) == limits.UNREAD_MAX


@pytest.mark.parametrize("data", [b"<Report/>", b"<a/>", b"<Invoice/>"])
def test_xml_of_another_kind(data: bytes) -> None:
    """XML that is no invoice is refused as a file of another kind."""
    with pytest.raises(Unreadable) as caught:
        formats.read(data)
    assert caught.value.code == "IRR_TYPE_F"
