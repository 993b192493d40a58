"""The use cases of XP Z12-014, annex A, as documents: what each changes in a plain invoice, what then is to be seen.

`CASES` is the table: the number of the case, its name, the documents that it makes and, for each, what is expected. A
case that has no document of its own says where it is proved instead (`elsewhere`). The annex gives no files for these
cases: the documents are ours, after the published fields (BT, EXT-FR-FE) of each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec.structs import replace
from tests.platform.world import SELLER, UNREACHABLE, party, service

from estafette.formats import read
from estafette.invoice.building import complete
from estafette.invoice.model import (
    Address,
    CreditTransfer,
    Delivery,
    Identifier,
    Invoice,
    ItemAttribute,
    Line,
    Note,
    Party,
    PaymentCard,
    PaymentInstructions,
    Period,
    PrecedingInvoice,
    SupportingDocument,
    Totals,
)

EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"
FACTOR, AGENT, PAYER = "500000005", "600000004", "700000003"
DAY = date(2026, 9, 14)

Change = Callable[[Invoice], Invoice]


@dataclass(frozen=True)
class Seen:
    """What is seen once a document is deposited. `told`: data and statuses at the administration; `collected`: the same
    after the seller says it is paid (None: it is not said); `blocks`: of e-reporting; `standing`: at the sender's."""

    told: str = "F1 200"
    buyer: str = "202 203"
    collected: str | None = "F1 200 212"
    blocks: tuple[str, ...] = ()
    standing: str = "live"


@dataclass(frozen=True)
class Case:
    """A case: its number, its names, its documents in order, or the test that proves it; neither where none is sent."""

    number: str
    fr: str
    en: str
    documents: tuple[tuple[Change, Seen], ...] = ()
    elsewhere: str = ""


STANDARD = Seen()
ON_INVOICING = Seen(collected="F1 200")
"""VAT is due when invoicing: the State is not told of collections."""
UNNUMBERED = Seen(told="200", collected="200")
"""A party has no VAT number: the portal rejects the data (G2.33)."""


def plain(invoice: Invoice) -> Invoice:
    """Change nothing."""
    return invoice


def completed(invoice: Invoice) -> Invoice:
    """Compute totals and breakdown anew; what is said paid stays, and what is paid for nothing is nothing."""
    paid = invoice.totals.paid_amount
    return complete(replace(invoice, totals=Totals(paid_amount=paid), vat_breakdown=())).invoice


def noted(invoice: Invoice, text: str, code: str) -> tuple[Note, ...]:
    """Return the notes of an invoice, one more among them; a treatment (BAR) replaces."""
    kept = tuple(note for note in invoice.notes if note.subject_code != code)
    return (*kept, Note(text, code))


def paid(invoice: Invoice, *, means: str = "30", **terms: Any) -> Invoice:
    """Return the invoice already paid in full (frameworks 2 and 7)."""
    whole = completed(invoice)
    totals = Totals(paid_amount=whole.totals.total_with_vat)
    payment = replace(whole.payment or PaymentInstructions(), means_code=means, **terms)
    process = whole.business_process[0] + ("7" if whole.business_process.endswith("7") else "2")
    return completed(replace(whole, totals=totals, payment=payment, business_process=process, due_date=DAY))


def third_party(siren: str, name: str) -> Party:
    """Return a third party as it is named on an invoice."""
    return Party(
        name=name,
        legal_registration_identifier=Identifier(siren, "0002"),
        electronic_address=Identifier(siren, "0225"),
        postal_address=Address(city="Lyon", post_code="69001", country_code="FR"),
    )


def lines(invoice: Invoice, *more: Line, **terms: Any) -> tuple[Line, ...]:
    """Return the lines of an invoice with these terms, and more."""
    return (*(replace(line, **terms) for line in invoice.lines), *more)


def line_of(invoice: Invoice, identifier: str, net: str, **terms: Any) -> Line:
    """Return one more line like the first, of this amount."""
    value = Decimal(net)
    model = invoice.lines[0]
    priced = {"quantity": Decimal(1), "unit_code": "C62", "net_amount": value, "price": replace(model.price, net=value)}
    return replace(model, identifier=identifier, **{**priced, **terms})


def zero_rated(category: str, code: str, reason: str, **terms: Any) -> Change:
    """Return what puts every line under a category without VAT."""

    def change(invoice: Invoice) -> Invoice:
        rate = None if category == "O" else Decimal(0)
        said = {"vat_category": category, "vat_rate": rate, "vat_exemption_code": code, "vat_exemption_reason": reason}
        bare = {name: said[name] for name in ("vat_category", "vat_rate")}
        done = completed(replace(invoice, lines=lines(invoice, **bare), **terms))
        parts = tuple(
            replace(part, exemption_code=code, exemption_reason=reason) if part.category == category else part
            for part in done.vat_breakdown
        )
        return replace(done, vat_breakdown=parts)

    return change


def also(*changes: Change) -> Change:
    """Return what makes these changes one after the other."""

    def change(invoice: Invoice) -> Invoice:
        for each in changes:
            invoice = each(invoice)
        return invoice

    return change


# ----------------------------------------------------------------------------------------------- what each case changes


def several_orders(invoice: Invoice) -> Invoice:
    """Case 1: each line has its order, its despatch advice and its place of delivery."""
    place = Delivery(name="Entrepôt", actual_delivery_date=DAY, postal_address=Address(city="Brest", country_code="FR"))
    placed = tuple(
        replace(line, order_reference=f"PO{rank}", delivery=place) for rank, line in enumerate(invoice.lines, 1)
    )
    return replace(invoice, specification_identifier=EXTENDED, lines=placed)


def to_be_paid_by(invoice: Invoice) -> Invoice:
    """Case 3: somebody else pays, known when invoicing."""
    notes = noted(invoice, "Facture à payer par le centre de paiement du groupe.", "PAI")
    return replace(
        invoice, specification_identifier=EXTENDED, payer=third_party(PAYER, "Centre de paiement"), notes=notes
    )


def paid_in_part(invoice: Invoice) -> Invoice:
    """Case 4: an insurer bears a part of the price."""
    notes = noted(invoice, "Part prise en charge par l'assureur : 1 000,00 EUR.", "PAI")
    bearing = {"payer": third_party(PAYER, "Assureur"), "notes": notes, "specification_identifier": EXTENDED}
    return completed(replace(invoice, totals=Totals(paid_amount=Decimal(1000)), **bearing))


def of_an_employee(invoice: Invoice) -> Invoice:
    """Case 5: an employee paid by card, the invoice is the company's."""
    card = PaymentCard(number="497010XXXXXX1234")
    return replace(paid(invoice, means="48", card=card), invoiced_objects=(Identifier("M-4512", "AHK"),))


def by_card(invoice: Invoice) -> Invoice:
    """Case 7: a purchasing card."""
    return paid(invoice, means="48", card=PaymentCard(number="XXXXXXXXXXXX1234"))


def factored(invoice: Invoice) -> Invoice:
    """Case 8: the factor is paid, and the subrogation is written."""
    payee = replace(third_party(FACTOR, "Factor"), role_code="DL", electronic_address=None, postal_address=Address())
    account = PaymentInstructions(means_code="30", credit_transfers=(CreditTransfer("FR7610057190010000000000102"),))
    notes = noted(invoice, "Créance cédée à Factor, seul habilité à recevoir le paiement.", "ACC")
    return replace(
        invoice, type_code="393", payee=payee, payment=account, notes=notes, specification_identifier=EXTENDED
    )


def distributed(invoice: Invoice) -> Invoice:
    """Case 9: a distributor is paid, without factoring."""
    payee = replace(third_party(AGENT, "Distributeur"), electronic_address=None, postal_address=Address())
    return replace(
        invoice, payee=payee, buyer_agent=third_party(AGENT, "Distributeur"), specification_identifier=EXTENDED
    )


def addressed_to(invoice: Invoice) -> Invoice:
    """Case 11: a shared service centre treats the buyer's invoices."""
    return replace(invoice, invoicee=third_party(AGENT, "Centre de services"), specification_identifier=EXTENDED)


def subcontracted(invoice: Invoice) -> Invoice:
    """Case 13, first invoice: the subcontractor's, under reverse charge, paid by the final buyer."""
    notes = noted(invoice, "Paiement direct par le maître d'ouvrage.", "PAI")
    payer = third_party(PAYER, "Maître d'ouvrage")
    terms = {"business_process": "S5", "payer": payer, "notes": notes, "project_reference": "CHANTIER-7"}
    return zero_rated("AE", "VATEX-FR-AE", "Autoliquidation", specification_identifier=EXTENDED, **terms)(invoice)


def of_the_main_contractor(invoice: Invoice) -> Invoice:
    """Case 13, second invoice: the main contractor's, less what is paid to the subcontractor."""
    return completed(replace(invoice, totals=Totals(paid_amount=Decimal(500)), specification_identifier=EXTENDED))


def cocontracted(invoice: Invoice) -> Invoice:
    """Case 14: a member of a group, whose head joins the summary."""
    summary = SupportingDocument(
        reference="RECAP-1", description="RECAPITULATIF_COTRAITANCE", content=b"%PDF-1.4\n%%EOF\n",
        mime_code="application/pdf", filename="recapitulatif.pdf",
    )  # fmt: skip
    head = replace(third_party(AGENT, "Mandataire"), contact=None)
    terms = {"business_process": "S6", "seller_agent": head, "supporting_documents": (summary,)}
    return replace(invoice, specification_identifier=EXTENDED, buyer_reference="CHANTIER-7", **terms)


def ordered_by(invoice: Invoice) -> Invoice:
    """Case 15: an agency orders for the buyer."""
    ordering = {"buyer_agent": third_party(AGENT, "Agence média"), "purchase_order_reference": "PO-77"}
    return replace(invoice, specification_identifier=EXTENDED, **ordering)


def with_disbursements(invoice: Invoice) -> Invoice:
    """Case 16: fees, and what was disbursed in the client's name, outside VAT."""
    reason = "Débours, article 267 II-2 du CGI"
    spent = line_of(invoice, "9", "300", vat_category="O", vat_rate=None, vat_exemption_code="VATEX-EU-O",
                    vat_exemption_reason=reason)  # fmt: skip
    done = completed(replace(invoice, lines=(*invoice.lines, spent), specification_identifier=EXTENDED))
    parts = tuple(
        replace(part, exemption_code="VATEX-EU-O", exemption_reason=reason) if part.category == "O" else part
        for part in done.vat_breakdown
    )
    return replace(done, vat_breakdown=parts)


def by_a_marketplace(invoice: Invoice) -> Invoice:
    """Case 17a: paid through a marketplace."""
    return paid(invoice, means="57")


def drawn_up_by(invoice: Invoice) -> Invoice:
    """Cases 17b and 19a: drawn up by another in the seller's name."""
    notes = noted(invoice, "Facture établie au nom et pour le compte du vendeur.", "DCL")
    drawing = {"invoicer": third_party(AGENT, "Mandataire de facturation"), "notes": notes}
    return replace(invoice, specification_identifier=EXTENDED, **drawing)


def on_account(invoice: Invoice) -> Invoice:
    """Case 20: a payment on account of goods; VAT falls due when it is cashed, for goods too."""
    return completed(replace(invoice, type_code="386", business_process="B1", lines=invoice.lines[:1]))


def final(invoice: Invoice) -> Invoice:
    """Case 21: the final invoice, which takes off what was invoiced on account."""
    before = PrecedingInvoice(number="ACOMPTE-1", issue_date=date(2026, 8, 1), type_code="386")
    taken = line_of(invoice, "9", "500", quantity=Decimal(-1), net_amount=Decimal(-500))
    terms = {"business_process": "S4", "preceding_invoices": (before,)}
    return completed(replace(invoice, lines=(*invoice.lines, taken), **terms))


def on_debits(invoice: Invoice) -> Invoice:
    """VAT due when invoicing, by option."""
    return replace(invoice, vat_point_code="3")


def retained(invoice: Invoice) -> Invoice:
    """Case 26: a retention money, written, that takes nothing off."""
    notes = noted(invoice, "Retenue de garantie de 5 % payable à la levée des réserves.", "ABU")
    return replace(invoice, notes=notes, payment_terms="5 % à la levée des réserves")


def for_a_period(invoice: Invoice) -> Invoice:
    """Cases 27 and 32: a period of a subscription."""
    return replace(invoice, invoicing_period=Period(date(2026, 8, 1), date(2026, 8, 31)))


def reported_before(invoice: Invoice) -> Invoice:
    """Cases 28, 30 and 42: reported as a sale to a consumer first, then invoiced."""
    return paid(replace(invoice, business_process="S7"), means="54")


def mixed(invoice: Invoice) -> Invoice:
    """Case 31: goods and services."""
    goods = line_of(invoice, "9", "250", quantity=Decimal(5), price=replace(invoice.lines[0].price, net=Decimal(50)))
    return completed(replace(invoice, business_process="M1", lines=(*invoice.lines, goods)))


def confidential(invoice: Invoice) -> Invoice:
    """Case 36: generic designations; the real ones are between the parties."""
    shown = tuple(replace(line, item=replace(line.item, name="Prestation", attributes=(ItemAttribute("ref", "A"),)))
                  for line in invoice.lines)  # fmt: skip
    return replace(invoice, lines=shown)


def same_company(invoice: Invoice) -> Invoice:
    """Case 37: the manager of an undisclosed partnership invoices its own share: seller and buyer are one SIREN."""
    return replace(invoice, buyer=replace(party(SELLER), electronic_address=invoice.seller.electronic_address))


def grouped(invoice: Invoice) -> Invoice:
    """Case 38: a group line, and its details."""
    group = line_of(invoice, "G", "2000", subtype="GROUP", vat_category=None, vat_rate=None)
    details = tuple(replace(line, parent_line="G", subtype="DETAIL") for line in invoice.lines)
    return replace(invoice, specification_identifier=EXTENDED, lines=(group, *details))


def netted(invoice: Invoice) -> Invoice:
    """Case 40: set off against another invoice, each in full."""
    return replace(invoice, payment=PaymentInstructions(means_code="97"))


def bartered(invoice: Invoice) -> Invoice:
    """Case 41: the price without VAT is set off in kind."""
    notes = noted(invoice, "Montant hors taxes compensé en nature.", "PAI")
    return completed(replace(invoice, totals=Totals(paid_amount=Decimal(2000)), notes=notes))


def to_a_person(invoice: Invoice) -> Invoice:
    """Cases 6, 27, 28, 32: sold to someone who is not taxable."""
    return replace(invoice, notes=noted(invoice, "B2C", "BAR"))


def abroad(invoice: Invoice) -> Invoice:
    """Case 43: a service to a German company, under reverse charge."""
    buyer = replace(
        invoice.buyer,
        legal_registration_identifier=Identifier("DE123456789", "0223"),
        vat_identifier="DE123456789",
        electronic_address=Identifier("DE123456789", "9930"),
        identifiers=(),
        postal_address=Address(line_one="1", city="Bonn", post_code="53111", country_code="DE"),
    )
    notes = noted(invoice, "B2BINT", "BAR")
    return zero_rated("AE", "VATEX-EU-AE", "Autoliquidation", buyer=buyer, notes=notes)(invoice)


def overseas(invoice: Invoice) -> Invoice:
    """Case 44: sold in La Réunion, at the rate there."""
    address = Address(line_one="1 rue du Port", city="Saint-Denis", post_code="97400", country_code="RE")
    seller = replace(invoice.seller, postal_address=address)
    return completed(replace(invoice, seller=seller, lines=lines(invoice, vat_rate=Decimal("8.5"))))


def of_margin(invoice: Invoice) -> Invoice:
    """Case 33: the margin scheme of travel agencies: no VAT is shown."""
    return zero_rated("E", "VATEX-EU-D", "Régime particulier — agences de voyages")(invoice)


def written(number: str, change: Change) -> Invoice:
    """Return the sample invoice of a service, under this number, as the case changes it."""
    return change(read(service(number)))


def by_the_buyer(invoice: Invoice) -> Invoice:
    """Case 23: the buyer of a small producer's goods draws up the invoice, without VAT."""
    reason = "TVA non applicable, article 293 B du CGI"
    return zero_rated("E", "VATEX-FR-FRANCHISE", reason, type_code="389", business_process="B1")(invoice)


def by_the_buyer_of_one_without_a_number(invoice: Invoice) -> Invoice:
    """Case 23: the producer has no VAT number; its SIREN stands in the place of another tax number (BT-32)."""
    document = by_the_buyer(invoice)
    seller = replace(document.seller, vat_identifier=None, tax_registration_identifier=document.seller.siren)
    return replace(document, seller=seller)


def unreachable(invoice: Invoice) -> Invoice:
    """Case 0c: the buyer has chosen no platform."""
    return replace(invoice, buyer=party(UNREACHABLE))


REPORTED = Seen(told="", buyer="", collected=None, standing="reportable", blocks=("10.3",))

CASES = (
    Case("0a", "Cas nominal", "Nominal", ((plain, STANDARD),)),
    Case("0b", "Rejet à l'émission", "Rejected at issue",
         elsewhere="tests/platform/test_issue.py::test_rejected_by_the_rules"),
    Case("0c", "Non transmise", "Not transmitted",
         ((unreachable, Seen(buyer="", standing="undelivered")),)),
    Case("0d", "Rejet en réception", "Rejected at reception", elsewhere="tests/platform/test_use_cases.py"),
    Case("0e", "Refus", "Refusal", elsewhere="tests/platform/test_use_cases.py"),
    Case("0f", "Litige puis avoir", "Dispute, then credit note", elsewhere="tests/platform/test_use_cases.py"),
    Case("0g", "Litige puis rectificative", "Dispute, then corrective invoice",
         elsewhere="tests/platform/test_use_cases.py"),
    Case("1", "Multi-commande, multi-livraison", "Several orders and deliveries", ((several_orders, STANDARD),)),
    Case("2", "Déjà payée", "Already paid", ((paid, STANDARD),)),
    Case("3", "À payer par un tiers connu", "To be paid by a known third party", ((to_be_paid_by, STANDARD),)),
    Case("4", "Prise en charge partielle par un tiers", "Paid in part by a third party", ((paid_in_part, STANDARD),)),
    Case("5", "Frais d'un collaborateur, facture à l'entreprise", "Employee's expense, company's invoice",
         ((of_an_employee, STANDARD),)),
    Case("6", "Frais d'un collaborateur, sans facture", "Employee's expense, no invoice",
         ((to_a_person, REPORTED),)),
    Case("7", "Carte d'achat", "Purchasing card", ((by_card, STANDARD),)),
    Case("8", "Affacturage connu à la facturation", "Factoring known when invoicing", ((factored, STANDARD),)),
    Case("9", "Distributeur ou dépositaire", "Distributor or depositary", ((distributed, STANDARD),)),
    Case("10", "Bénéficiaire inconnu à la création", "Payee unknown at creation",
         elsewhere="tests/platform/test_third_parties.py::test_factored"),
    Case("11", "Traitée par un tiers pour l'acheteur", "Treated by a third party for the buyer",
         ((addressed_to, STANDARD),)),
    Case("12", "Intermédiaire transparent de l'acheteur", "Transparent intermediary of the buyer",
         ((addressed_to, STANDARD), (plain, STANDARD))),
    Case("13", "Sous-traitance avec paiement direct", "Subcontracting with direct payment",
         ((subcontracted, STANDARD), (of_the_main_contractor, STANDARD))),
    Case("14", "Co-traitance", "Co-contracting", ((cocontracted, STANDARD),)),
    Case("15", "Commande par un tiers", "Ordered by a third party", ((ordered_by, STANDARD),)),
    Case("16", "Débours", "Disbursements", ((with_disbursements, STANDARD),)),
    Case("17a", "Intermédiaire de paiement", "Payment intermediary",
         ((by_a_marketplace, STANDARD), (paid, STANDARD))),
    Case("17b", "Intermédiaire de paiement et mandat", "Payment intermediary that also invoices",
         ((also(by_a_marketplace, drawn_up_by), STANDARD),)),
    Case("18", "Notes de débit", "Debit notes",
         elsewhere="tests/platform/test_cases.py::test_a_debit_note_is_not_a_document_of_the_reform"),
    Case("19a", "Mandat de facturation", "Invoicing under mandate", ((drawn_up_by, STANDARD),)),
    Case("19b", "Auto-facturation", "Self-billing", elsewhere="tests/platform/test_issue.py::test_self_billed"),
    Case("20", "Acompte", "Payment on account", ((on_account, STANDARD),)),
    Case("21", "Facture définitive après acompte", "Final invoice after payment on account", ((final, STANDARD),)),
    Case("22a", "Escompte, TVA à l'encaissement", "Discount, VAT on collection", ((plain, STANDARD),)),
    Case("22b", "Escompte, TVA sur les débits", "Discount, VAT on debits", ((on_debits, ON_INVOICING),)),
    Case("23", "Particulier producteur, franchise", "Small producer, exempt",
         ((by_the_buyer, ON_INVOICING), (by_the_buyer_of_one_without_a_number, UNNUMBERED))),
    Case("24", "Arrhes", "Earnest money", elsewhere=""),
    Case("25", "Bons cadeaux", "Vouchers", ((plain, STANDARD), (to_a_person, REPORTED))),
    Case("26", "Retenue de garantie", "Retention money", ((retained, STANDARD),)),
    Case("27", "Péages", "Tolls", ((for_a_period, STANDARD), (also(for_a_period, to_a_person), REPORTED))),
    Case("28", "Notes de restaurant", "Restaurant bills", ((to_a_person, REPORTED), (reported_before, ON_INVOICING))),
    Case("29", "Assujetti unique", "VAT group",
         elsewhere="tests/reporting/test_decision.py::test_the_parties_decide"),
    Case("30", "TVA déjà collectée", "VAT reported before", ((reported_before, ON_INVOICING),)),
    Case("31", "Facture mixte", "Goods and services", ((mixed, STANDARD),)),
    Case("32", "Mensualisation", "Monthly instalments", ((for_a_period, STANDARD),)),
    Case("33", "Régime de la marge", "Margin scheme", ((of_margin, STANDARD),)),
    Case("34", "Encaissement partiel et annulation", "Partial collection, and taken back",
         elsewhere="tests/platform/test_payments.py::test_collections_fit_or_not"),
    Case("35", "Droits d'auteur", "Authors' rights",
         elsewhere="tests/platform/test_reporting.py::test_a_company_from_its_sales_to_the_administration"),
    Case("36", "Secret professionnel", "Professional secrecy", ((confidential, STANDARD),)),
    Case("37", "Société en participation", "Undisclosed partnership", ((same_company, STANDARD),)),
    Case("38", "Sous-lignes", "Sub-lines", ((grouped, STANDARD),)),
    Case("39", "Multi-vendeurs", "Several sellers",
         elsewhere="tests/platform/test_units.py::test_multi_vendor_document"),
    Case("40", "Compensation", "Netting", ((netted, STANDARD), (netted, STANDARD))),
    Case("41", "Barter", "Barter", ((bartered, STANDARD),)),
    Case("42", "Détaxe", "Tax-free sales", ((reported_before, ON_INVOICING),)),
    Case("43", "International", "International",
         ((abroad, Seen(told="", buyer="", collected=None, standing="reportable", blocks=("10.1",))),)),
    Case("44", "Outre-mer", "Overseas", ((overseas, STANDARD),)),
)  # fmt: skip
"""Every case, in the order of the annex."""
