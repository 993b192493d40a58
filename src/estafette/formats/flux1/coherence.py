"""How the values of a file of regulatory data go together: sums, prices, periods, references, exemptions."""

from collections.abc import Iterator

from estafette.formats.flux1.checks import INCOHERENT, Rules, Subject
from estafette.formats.flux1.gatherings import TOLERANCE, apart, lines_refer, periods_of
from estafette.invoice import codes

RULES = Rules()


@RULES.check(
    "G1.60",
    "BT-3",
    "BT-23",
    reason=INCOHERENT,
    fr="Type et cadre incompatibles.",
    en="Type and framework do not go together.",
)
def deposit_is_not_final(subject: Subject) -> Iterator[str]:
    """A final invoice after deposit is no deposit invoice."""
    invoice = subject.invoice
    if invoice.is_deposit and invoice.business_process.endswith("4"):
        yield f"{invoice.type_code}, {invoice.business_process}"


@RULES.check("G1.12", "BT-111", reason=INCOHERENT, fr="TVA en euros absente.", en="VAT in euro missing.")
def vat_in_euro(subject: Subject) -> Iterator[str]:
    """An invoice in another currency says its VAT in euro."""
    invoice = subject.invoice
    if invoice.currency != "EUR" and invoice.totals.total_vat_in_accounting_currency is None:
        yield invoice.currency


@RULES.check(
    "G1.53",
    "BT-109",
    "BT-116",
    reason=INCOHERENT,
    fr="BT-109 n'est pas la somme des BT-116.",
    en="BT-109 is not the sum of BT-116.",
)
def sum_of_bases(subject: Subject) -> Iterator[str]:
    """The total without VAT is the sum of the bases."""
    bases = [part.taxable_amount for part in subject.invoice.vat_breakdown]
    yield from apart(subject.invoice.totals.total_without_vat, bases)


@RULES.check(
    "G1.53",
    "BT-110",
    "BT-117",
    reason=INCOHERENT,
    fr="BT-110 n'est pas la somme des BT-117.",
    en="BT-110 is not the sum of BT-117.",
)
def sum_of_taxes(subject: Subject) -> Iterator[str]:
    """The total VAT is the sum of the taxes, in the invoice currency (the portal's own sheet mixes currencies here)."""
    yield from apart(subject.invoice.totals.total_vat, [part.tax_amount for part in subject.invoice.vat_breakdown])


@RULES.check(
    "G1.55",
    "BT-146",
    "BT-147",
    "BT-148",
    reason=INCOHERENT,
    fr="Prix net différent du brut moins le rabais.",
    en="Net price is not gross less discount.",
)
def net_price(subject: Subject) -> Iterator[str]:
    """The net price is the gross price less the discount."""
    for line in subject.invoice.lines:
        price = line.price
        if price.net is None or price.gross is None:
            continue
        if abs(price.net - (price.gross - (price.discount or 0))) > TOLERANCE:
            yield f"{price.net} ≠ {price.gross} - {price.discount or 0}"


@RULES.check(
    "G6.25",
    "BT-73",
    "BT-74",
    "BT-134",
    "BT-135",
    reason=INCOHERENT,
    fr="La fin de période ne suit pas le début.",
    en="The period does not end after its start.",
)
def periods(subject: Subject) -> Iterator[str]:
    """A period ends after its start: strictly, as the portal's control has it; annex 7 (G6.20) would allow one day."""
    for period in periods_of(subject.invoice):
        if period.start and period.end and period.end <= period.start:
            yield f"{period.start} - {period.end}"


@RULES.check(
    "G1.31",
    "BG-3",
    "EXT-FR-FE-BG-06",
    reason=INCOHERENT,
    fr="Références aux factures antérieures.",
    en="References to preceding invoices.",
)
def references(subject: Subject) -> Iterator[str]:
    """A corrective invoice has one preceding invoice, a credit note at least one, or else each of its lines has one."""
    invoice = subject.invoice
    header, lines = invoice.preceding_invoices, lines_refer(invoice)
    if subject.is_full and header and any(line.preceding_invoice for line in invoice.lines):
        yield "BG-3 et EXT-FR-FE-BG-06"
    if invoice.is_corrective and not (len(header) == 1 or (not header and lines)):
        yield f"{invoice.type_code}, {len(header)}"
    if invoice.is_credit_note and not (header or lines):
        yield f"{invoice.type_code}, 0"
    if subject.is_full and (invoice.is_corrective or invoice.is_credit_note):
        yield from (each.number or "-" for each in header if each.issue_date is None)


@RULES.check(
    "G1.41",
    "BT-120",
    "BT-121",
    reason=INCOHERENT,
    fr="Exonération sans motif ou sans code.",
    en="Exemption without reason or code.",
)
def exemptions_are_explained(subject: Subject) -> Iterator[str]:
    """Where there is an exemption, one has its text and its code (corrective and small invoices are not set apart)."""
    exempt = [part for part in subject.invoice.vat_breakdown if part.category == "E"]
    if exempt and not any(part.exemption_reason and part.exemption_code for part in exempt):
        yield "E"


@RULES.check(
    "G1.47",
    "BT-31",
    "BT-63",
    reason=INCOHERENT,
    fr="Exonération sans numéro de TVA.",
    en="Exemption without VAT number.",
)
def exempt_seller_is_known(subject: Subject) -> Iterator[str]:
    """A seller who exempts has a VAT number, or its representative has."""
    invoice = subject.invoice
    representative = invoice.tax_representative
    known = invoice.seller.vat_identifier or (representative and representative.vat_identifier)
    if not known and any(part.category == "E" for part in invoice.vat_breakdown):
        yield "E"


@RULES.check(
    "G2.32",
    "BT-118",
    "BT-121",
    reason=INCOHERENT,
    fr="Opération hors facturation électronique.",
    en="Operation out of e-invoicing.",
)
def in_scope(subject: Subject) -> Iterator[str]:
    """An invoice with nothing but O, and E of the articles 261, is no business of this flow."""
    parts = subject.invoice.vat_breakdown
    listed = [part.exemption_code or "" for part in parts if part.exemption_code in codes.OUT_OF_SCOPE_EXEMPTIONS]
    if listed and all(part.category in {"O", "E"} for part in parts):
        yield listed[0]


@RULES.check(
    "G6.21",
    "BT-121",
    "BT-3",
    reason=INCOHERENT,
    fr="VATEX-FR-CNWVAT est réservé aux avoirs.",
    en="VATEX-FR-CNWVAT is for credit notes.",
)
def net_of_vat_credit_note(subject: Subject) -> Iterator[str]:
    """A credit note net of VAT is a credit note of types 261, 381 or 396."""
    invoice = subject.invoice
    net = any(part.exemption_code == "VATEX-FR-CNWVAT" for part in invoice.vat_breakdown)
    if net and invoice.type_code not in {"261", "381", "396"}:
        yield invoice.type_code
