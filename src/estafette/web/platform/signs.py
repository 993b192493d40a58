"""How a state is shown: in which words, French and English, and in which tone (good, bad, wait or none).

The words of statuses, reasons, requested actions and data are those of the life cycle; only what no table of the field
names is named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from estafette.formats.status_message import Role
from estafette.invoice.codes import FRAMEWORKS, INVOICE_TYPES
from estafette.invoice.terms import TERMS
from estafette.lifecycle.contents import CHARACTERISTICS, REQUESTED_ACTIONS
from estafette.lifecycle.reasons import ALIASES, REASONS
from estafette.lifecycle.statuses import STATUSES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sign:
    """Words and tone. `code` is what the field writes, empty where it writes nothing."""

    fr: str
    en: str
    tone: str = ""
    code: str = ""


TONES = {
    **dict.fromkeys(("200", "201", "202", "203", "204", "205", "209", "211", "212", "214"), "good"),
    **dict.fromkeys(("206", "207", "208"), "wait"),
    **dict.fromkeys(("210", "213", "221", "501"), "bad"),
}
STANDINGS = {
    "undelivered": Sign("Déposée, non transmise", "Submitted, not transmitted", "wait"),
    "archived": Sign("Archivée", "Archived"),
    "reportable": Sign("À déclarer (e-reporting)", "To be e-reported", "wait"),
}
NOTHING_OWED = Sign("—", "—")
DECLARED = {
    "waiting": Sign("À transmettre", "To be sent", "wait"),
    "packed": Sign("Transmis", "Sent", "wait"),
    "receivable": Sign("Recevable", "Receivable", "good"),
    "accepted": Sign("Acceptée", "Accepted", "good"),
    "rejected": Sign("Rejetée", "Rejected", "bad"),
    "irreceivable": Sign("Irrecevable", "Irreceivable", "bad"),
}
"""What became of what the State is owed, the first of these that any part of it has being told of the whole."""
ORDER = ("irreceivable", "rejected", "waiting", "packed", "accepted", "receivable")

ROLES = {
    Role.SELLER: Sign("le vendeur", "the seller"),
    Role.BUYER: Sign("l'acheteur", "the buyer"),
    Role.BUYER_AGENT: Sign("l'agent de l'acheteur", "the buyer's agent"),
    Role.SELLER_AGENT: Sign("l'agent du vendeur", "the seller's agent"),
    Role.FACTOR: Sign("l'affactureur", "the factor"),
    Role.PAYEE: Sign("le bénéficiaire", "the payee"),
    Role.PAYER: Sign("le payeur", "the payer"),
    Role.INVOICER: Sign("le facturant", "the invoicer"),
    Role.INVOICEE: Sign("le facturé", "the invoicee"),
    Role.PORTAL: Sign("le portail public", "the public portal"),
}
OUR_PLATFORM = Sign("votre plateforme", "your platform")
FAMILIES_EN = {
    "invoice": "Invoice",
    "deposit": "Deposit invoice",
    "corrective": "Corrective invoice",
    "credit note": "Credit note",
}

UNITS = {
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

VAT_CATEGORIES = {
    "S": ("Taux normal ou réduit", "Standard or reduced rate"),
    "Z": ("Taux zéro", "Zero rate"),
    "E": ("Exonérée", "Exempt"),
    "AE": ("Autoliquidation", "Reverse charge"),
    "K": ("Livraison intracommunautaire", "Intra-Community supply"),
    "G": ("Exportation", "Export"),
    "O": ("Hors champ de la TVA", "Outside the scope of VAT"),
}
"""VAT categories (UNTDID 5305 as France narrows it, G2.31)."""

MENTIONS = {
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
}
"""Subjects of notes (BT-21, UNTDID 4451) that French invoices have."""

PAYMENT_MEANS = {
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

VAT_POINTS = {
    "3": ("Date de la facture (débits)", "Invoice date (debits)"),
    "35": ("Date de livraison", "Delivery date"),
    "432": ("Date de paiement (encaissements)", "Payment date (collection)"),
}
"""When VAT falls due (BT-8, UNTDID 2005)."""

NATURES = {"B": ("Biens", "Goods"), "S": ("Services", "Services"), "M": ("Biens et services", "Goods and services")}
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


def of_framework(code: str) -> Sign:
    """Return how a billing framework (BT-23) is shown."""
    known = next((each for each in FRAMEWORKS if each.digit == code[1:] and code[:1] in each.letters), None)
    if known is None:
        return Sign(code, code)
    nature_fr, nature_en = NATURES[code[0]]
    return Sign(f"{nature_fr} : {known.name_fr}", f"{nature_en}: {FRAMEWORKS_EN[known.digit]}", code=code)


def of_comment(event: Row) -> Sign:
    """Return the comment of a status; a platform's is in both languages, line by line, a party's in its own."""
    text = event["comment"] or ""
    if event["emitter_role"] not in ("", Role.PLATFORM):
        return Sign(text, text)
    lines = [of_both(line) for line in text.splitlines()]
    return Sign("\n".join(line.fr for line in lines), "\n".join(line.en for line in lines))


def of_code(table: Mapping[str, tuple[str, str]], code: str | None) -> Sign:
    """Return how a code of one of these tables is shown; one that is not in it is shown as it is."""
    return Sign(*table.get(code or "", (code or "", code or "")), code=code or "")


def of_both(text: str) -> Sign:
    """Return a text kept as `français / English`, each apart; a text in one language stands for both."""
    parts = text.split(" / ")
    return Sign(parts[0], parts[1]) if len(parts) == 2 else Sign(text, text)


def of_status(code: str) -> Sign:
    """Return how a status is shown; one that no table knows is shown by its code."""
    status = STATUSES.get(code)
    fr, en = (status.label, status.name) if status else (code, code)
    return Sign(fr, en, TONES.get(code, ""), code)


def of_invoice(row: Row) -> Sign:
    """Return where an invoice of a list stands: its latest status, unless it stands apart."""
    standing, status = row["standing"], row["status"]
    if standing in STANDINGS and status in (None, "200"):
        return STANDINGS[standing]
    return of_status(status or "")


def of_declared(states: str | None) -> Sign:
    """Return what the administration has of an invoice, from the states of all that is owed of it (comma-separated)."""
    held = set((states or "").split(","))
    return next((DECLARED[state] for state in ORDER if state in held), NOTHING_OWED)


def of_declaration(row: Row) -> Sign:
    """Return what became of one thing owed; a receivable status is accepted, since the portal only tells rejections."""
    state = row["state"]
    return DECLARED["accepted" if state == "receivable" and row["status"] else state]


def of_flow(row: Row) -> Sign:
    """Return how a deposit stands: being judged, taken, or irreceivable."""
    return {
        "Pending": Sign("En cours de contrôle", "Being checked", "wait"),
        "Ok": Sign("Pris en compte", "Taken", "good"),
        "Error": Sign("Irrecevable", "Irreceivable", "bad"),
    }[row["acknowledgement"]]


def of_emitter(event: Row, row: Row) -> Sign:
    """Return who set a status: a party by its name, a platform by whose it is."""
    role = event["emitter_role"]
    if role in (Role.SELLER, Role.BUYER):
        name = row["seller_name"] if role == Role.SELLER else row["buyer_name"]
        return Sign(f"{name} ({ROLES[role].fr})", f"{name} ({ROLES[role].en})")
    if role in ROLES:
        return ROLES[role]
    if not event["received"]:
        return OUR_PLATFORM
    if row["side"] == "issued":
        return Sign("la plateforme du client", "the customer's platform")
    return Sign("la plateforme du fournisseur", "the supplier's platform")


def of_reason(code: str) -> Sign:
    """Return how a reason is shown; one that no table knows is shown by its code."""
    reason = REASONS.get(ALIASES.get(code, code))
    return Sign(reason.label, reason.name, code=code) if reason else Sign(code, code)


def of_action(code: str) -> Sign:
    """Return how a requested action is shown."""
    return Sign(*REQUESTED_ACTIONS.get(code, (code, code)), code=code)


def of_characteristic(code: str) -> Sign:
    """Return how a datum of a status is shown."""
    return Sign(*CHARACTERISTICS.get(code, (code, code)), code=code)


def of_type(code: str) -> Sign:
    """Return how a type of invoice (BT-3) is shown."""
    known = next((each for each in INVOICE_TYPES if each.code == code), None)
    return Sign(known.name_fr, FAMILIES_EN[known.family], code=code) if known else Sign("Facture", "Invoice", code=code)


def of_terms(text: str) -> list[Sign]:
    """Return the business terms that a fault names, each with its name; what is not a term (a path) as it is."""
    parts = [part.strip() for part in text.split(",")] if text else []
    return [term(part) for part in parts if part]


def term(text: str) -> Sign:
    """Return the name of a business term; what is not one is shown as it is."""
    known = TERMS.get(text)
    return Sign(known.name_fr, known.name_en, code=known.id) if known else Sign(text, text)
