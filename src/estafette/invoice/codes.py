"""The code lists that decide: invoice types, billing frameworks, VAT categories and rates, exemption codes.

Sources: external specifications v3.2, annex 7 v1.9 (rules G1.01, G1.02, G1.24, G1.60, G2.31, G2.32) and the rules
BR-FR of the French Flux 2 (BR-FR-04, BR-FR-08, BR-FR-16). Each list is in force since 2026-09-01 unless it says so.
"""

from decimal import Decimal

import msgspec


class InvoiceType(msgspec.Struct, frozen=True):
    """A type of invoice (BT-3, UNTDID 1001 as France narrows it)."""

    code: str
    name_fr: str
    family: str
    """`invoice`, `deposit`, `corrective` or `credit note`."""
    self_billed: bool = False
    factored: bool = False
    on_deposit: bool = False
    at_portal: bool = True
    """Whether the portal accepts the type in the regulatory data (G1.01)."""


INVOICE_TYPES = (
    InvoiceType("380", "Facture commerciale", "invoice"),
    InvoiceType("389", "Facture auto-facturée", "invoice", self_billed=True),
    InvoiceType("393", "Facture affacturée", "invoice", factored=True),
    InvoiceType("501", "Facture auto-facturée affacturée", "invoice", self_billed=True, factored=True),
    InvoiceType("386", "Facture d'acompte", "deposit", on_deposit=True),
    InvoiceType("500", "Facture d'acompte auto-facturée", "deposit", self_billed=True, on_deposit=True),
    InvoiceType("384", "Facture rectificative", "corrective"),
    InvoiceType("471", "Facture rectificative auto-facturée", "corrective", self_billed=True),
    InvoiceType("472", "Facture rectificative affacturée", "corrective", factored=True),
    InvoiceType("473", "Facture rectificative auto-facturée affacturée", "corrective", self_billed=True, factored=True),
    InvoiceType("381", "Avoir", "credit note"),
    InvoiceType("261", "Avoir auto-facturé", "credit note", self_billed=True),
    InvoiceType("262", "Avoir remise globale", "credit note", at_portal=False),
    InvoiceType("396", "Avoir affacturé", "credit note", factored=True),
    InvoiceType("502", "Avoir auto-facturé affacturé", "credit note", self_billed=True, factored=True),
    InvoiceType("503", "Avoir de facture d'acompte", "credit note", on_deposit=True),
)

CREDIT_NOTES = frozenset(each.code for each in INVOICE_TYPES if each.family == "credit note")
CORRECTIVES = frozenset(each.code for each in INVOICE_TYPES if each.family == "corrective")
SELF_BILLED = frozenset(each.code for each in INVOICE_TYPES if each.self_billed)
DEPOSITS = frozenset(each.code for each in INVOICE_TYPES if each.on_deposit)


class Framework(msgspec.Struct, frozen=True):
    """A billing framework (BT-23): its letter says goods (B), services (S) or both (M), its digit the case."""

    digit: str
    letters: str
    name_fr: str
    at_portal: bool
    """Whether the portal accepts it in the regulatory data (G1.02)."""


FRAMEWORKS = (
    Framework("1", "BSM", "dépôt d'une facture", at_portal=True),
    Framework("2", "BSM", "facture déjà payée", at_portal=True),
    Framework("3", "S", "facture d'un sous-traitant à paiement direct", at_portal=False),
    Framework("4", "BSM", "facture définitive après acompte", at_portal=True),
    Framework("5", "S", "dépôt par un sous-traitant", at_portal=True),
    Framework("6", "S", "dépôt par un cotraitant", at_portal=True),
    Framework("7", "BS", "facture dont la TVA est déjà déclarée", at_portal=True),
    Framework("8", "BSM", "facture multi-vendeurs", at_portal=False),
    Framework("9", "BSM", "autofacture bidirectionnelle", at_portal=False),
)

FRAMEWORK_CODES = frozenset(letter + each.digit for each in FRAMEWORKS for letter in each.letters)
PORTAL_FRAMEWORK_CODES = frozenset(
    letter + each.digit for each in FRAMEWORKS if each.at_portal for letter in each.letters
)
MULTI_SELLER_FRAMEWORKS = frozenset({"B8", "S8", "M8"})
"""An invoice under one of these holds those of several sellers (EXTENDED-CTC-FR only; rules BR-FR-MV)."""

SEVERAL_INVOICES_FRAMEWORKS = MULTI_SELLER_FRAMEWORKS | {"B9", "S9", "M9"}
"""Frameworks of a document that is several invoices for the State: of several sellers, or of two that set off."""

PORTAL_TYPE_CODES = frozenset(each.code for each in INVOICE_TYPES if each.at_portal)

VAT_POINT_CII = {"3": "5", "35": "29", "432": "72"}
"""BT-8: the codes of UBL (UNTDID 2005) and those of CII (UNTDID 2475) for the same moment (P1.11)."""

VAT_ON_DEBITS = "3"
"""BT-8 of a seller who opted to owe the VAT on services when invoicing (CGI art. 269, 2, c)."""

VAT_CATEGORIES = frozenset({"S", "E", "AE", "K", "G", "O", "Z"})
"""BT-118 and its likes (G2.31): L and M, of the Canaries and of Ceuta and Melilla, are refused."""

_RATES = "0, 0.9, 1.05, 1.75, 2.1, 5.5, 7, 8.5, 9.2, 9.6, 10, 13, 19.6, 20, 20.6"
VAT_RATES = frozenset(Decimal(rate) for rate in _RATES.split(", "))
"""The rates that France has or had (G1.24, BR-FR-16)."""

_ARTICLES = "-1, -2, -3, -4, -5, -7, -8, A, B, C-1, C-2, C-3, D-1, D-1BIS, D-2, D-3, D-4, E-1, E-2"
OUT_OF_SCOPE_EXEMPTIONS = frozenset(f"VATEX-FR-CGI261{article}" for article in _ARTICLES.split(", "))
"""Exemptions of CGI art. 261 that keep an operation out of e-invoicing (G2.32; CGI art. 289 bis, I)."""

DOMESTIC_COUNTRIES = frozenset({"GP", "MQ", "RE"})
"""Overseas departments with a country code of their own where French VAT applies (XP Z12-014 V1.4, case 44)."""
