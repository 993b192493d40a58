"""The words for codes, French then English, that no table of the field's own rooms has.

Invoice types and frameworks have their French words in `estafette.invoice.codes`, statuses theirs in the life cycle:
what is here completes them. A code that no table knows is shown as it is.
"""

from collections.abc import Mapping

from estafette.formats.status_message import Role
from estafette.invoice.codes import FRAMEWORKS, INVOICE_TYPES
from estafette.lifecycle.statuses import STATUSES

Words = tuple[str, str]
"""The same thing in French and in English."""

ROLES: Mapping[str, Words] = {
    Role.SELLER: ("le vendeur", "the seller"),
    Role.BUYER: ("l'acheteur", "the buyer"),
    Role.BUYER_AGENT: ("l'agent de l'acheteur", "the buyer's agent"),
    Role.SELLER_AGENT: ("l'agent du vendeur", "the seller's agent"),
    Role.FACTOR: ("l'affactureur", "the factor"),
    Role.PAYEE: ("le bénéficiaire", "the payee"),
    Role.PAYER: ("le payeur", "the payer"),
    Role.INVOICER: ("le facturant", "the invoicer"),
    Role.INVOICEE: ("le facturé", "the invoicee"),
    Role.PLATFORM: ("une plateforme", "a platform"),
    Role.PORTAL: ("le portail public", "the public portal"),
}
"""Who a party is (UNTDID 3035)."""

FAMILIES_EN = {
    "invoice": "Invoice",
    "deposit": "Deposit invoice",
    "corrective": "Corrective invoice",
    "credit note": "Credit note",
}

UNITS: Mapping[str, Words] = {
    "C62": ("unité(s)", "unit(s)"),
    "H87": ("pièce(s)", "piece(s)"),
    "EA": ("pièce(s)", "each"),
    "MIN": ("min", "min"),
    "HUR": ("h", "h"),
    "DAY": ("j", "d"),
    "WEE": ("sem.", "wk"),
    "MON": ("mois", "mo."),
    "ANN": ("an(s)", "yr"),
    "GRM": ("g", "g"),
    "KGM": ("kg", "kg"),
    "TNE": ("t", "t"),
    "MTR": ("m", "m"),
    "KMT": ("km", "km"),
    "MTK": ("m²", "m²"),
    "MTQ": ("m³", "m³"),
    "LTR": ("l", "l"),
    "KWH": ("kWh", "kWh"),
    "MWH": ("MWh", "MWh"),
    "LS": ("forfait", "lump sum"),
    "P1": ("%", "%"),
}
"""The units people meet (UN/ECE recommendation 20); any other is shown by its code."""

VAT_CATEGORIES: Mapping[str, Words] = {
    "S": ("Taux normal ou réduit", "Standard or reduced rate"),
    "Z": ("Taux zéro", "Zero rate"),
    "E": ("Exonérée", "Exempt"),
    "AE": ("Autoliquidation", "Reverse charge"),
    "K": ("Livraison intracommunautaire", "Intra-Community supply"),
    "G": ("Exportation", "Export"),
    "O": ("Hors champ de la TVA", "Outside the scope of VAT"),
}
"""VAT categories (UNTDID 5305 as France narrows it, G2.31)."""

MENTIONS: Mapping[str, Words] = {
    "PMD": ("Pénalités de retard", "Late payment penalties"),
    "PMT": ("Indemnité forfaitaire de recouvrement", "Fixed recovery charge"),
    "AAB": ("Escompte", "Early payment discount"),
    "ABL": ("Informations légales", "Legal information"),
    "REG": ("Information réglementaire", "Regulatory information"),
    "TXD": ("Régime de TVA", "VAT regime"),
    "BAR": ("Traitement demandé", "Treatment asked"),
    "CUS": ("Douane", "Customs"),
    "SUR": ("Remarque du vendeur", "Seller's remark"),
    "ACC": ("Subrogation (affacturage)", "Subrogation (factoring)"),
    "AAI": ("Information générale", "General information"),
    "BLU": ("Éco-contribution", "Eco-contribution"),
}
"""Subjects of notes (BT-21, UNTDID 4451) that French invoices have."""

PAYMENT_MEANS: Mapping[str, Words] = {
    "10": ("Espèces", "Cash"),
    "20": ("Chèque", "Cheque"),
    "30": ("Virement", "Credit transfer"),
    "42": ("Paiement sur compte bancaire", "Payment to bank account"),
    "48": ("Carte bancaire", "Bank card"),
    "49": ("Prélèvement", "Direct debit"),
    "57": ("Accord permanent", "Standing agreement"),
    "58": ("Virement SEPA", "SEPA credit transfer"),
    "59": ("Prélèvement SEPA", "SEPA direct debit"),
    "97": ("Compensation", "Clearing between partners"),
}
"""Means of payment (BT-81, UNTDID 4461) that French invoices have."""

VAT_POINTS: Mapping[str, Words] = {
    "3": ("Date de la facture (débits)", "Invoice date (debits)"),
    "35": ("Date de livraison", "Delivery date"),
    "432": ("Date de paiement (encaissements)", "Payment date (collection)"),
}
"""When VAT falls due (BT-8, UNTDID 2005)."""

NATURES: Mapping[str, Words] = {
    "B": ("Biens", "Goods"),
    "S": ("Services", "Services"),
    "M": ("Biens et services", "Goods and services"),
}
"""The letter of a billing framework (BT-23)."""

FRAMEWORKS_EN = {
    "1": "submission of an invoice",
    "2": "invoice already paid",
    "3": "subcontractor's invoice for direct payment",
    "4": "final invoice after a deposit",
    "5": "submission by a subcontractor",
    "6": "submission by a co-contractor",
    "7": "invoice whose VAT is already declared",
    "8": "invoice of several sellers",
    "9": "self-billing both ways",
}
"""The digit of a billing framework, in English; `estafette.invoice.codes` has the French."""

SUBTYPES: Mapping[str, Words] = {
    "GROUP": ("regroupement, ne compte pas", "group, does not count"),
    "INFORMATION": ("pour information, ne compte pas", "for information, does not count"),
    "DETAIL": ("détail", "detail"),
}
"""Kinds of sub-lines (EXT-FR-FE-163)."""

SCHEMES: Mapping[str, Words] = {
    "0002": ("SIREN", "SIREN"),
    "0009": ("SIRET", "SIRET"),
    "0060": ("DUNS", "DUNS"),
    "0088": ("GLN", "GLN"),
    "0160": ("GTIN", "GTIN"),
    "0224": ("code routage", "routing code"),
    "AFL": ("numéro de facture", "invoice number"),
    "AVV": ("cadre de facturation", "billing framework"),
}
"""Schemes of identifiers (ISO 6523, UNTDID 1153) that a reader knows by name; the electronic address has its own."""

UNSAID: Words = ("", "")


def type_words(code: str) -> Words:
    """Give the words for a type of invoice (BT-3)."""
    known = next((each for each in INVOICE_TYPES if each.code == code), None)
    return (known.name_fr, FAMILIES_EN[known.family]) if known else ("Facture", "Invoice")


def framework_words(code: str) -> Words:
    """Give the words for a billing framework (BT-23)."""
    known = next((each for each in FRAMEWORKS if each.digit == code[1:] and code[:1] in each.letters), None)
    if known is None:
        return UNSAID
    nature_fr, nature_en = NATURES[code[0]]
    return (f"{nature_fr} : {known.name_fr}", f"{nature_en}: {FRAMEWORKS_EN[known.digit]}")


def status_words(code: str) -> Words:
    """Give the words for a status; one that no table knows has its code only."""
    status = STATUSES.get(code)
    return (status.label, status.name) if status else (code, code)
