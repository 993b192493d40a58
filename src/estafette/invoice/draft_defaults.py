"""What a draft leaves unsaid and French law or practice says: each default with its source, told to the writer."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec


class Default(msgspec.Struct, frozen=True):
    """A term that was filled in, with what, and why."""

    term: str
    value: str
    why_fr: str
    why_en: str
    source: str

    def text(self, language: str = "fr") -> str:
        """Say it in one line."""
        return f"{self.term} = {self.value} : {self.why_fr if language == 'fr' else self.why_en} ({self.source})"


EN16931 = "urn:cen.eu:en16931:2017"
EXTENDED = f"{EN16931}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"
PROFILES = {"en16931": EN16931, "extended": EXTENDED}
"""BT-24 by the name that a draft gives."""

MENTIONS = (
    (
        "PMT",
        "Tout retard de paiement rend exigible une indemnité forfaitaire de 40 euros pour frais de recouvrement.",
        "C. com., art. L441-10, II et D441-5",
    ),
    (
        "PMD",
        "Toute somme payée en retard porte des pénalités, au taux de refinancement de la Banque centrale européenne "
        "majoré de dix points.",
        "C. com., art. L441-10, II",
    ),
    ("AAB", "Aucun escompte n'est accordé en cas de paiement anticipé.", "C. com., art. L441-9, I"),
)
"""The mentions that every invoice has (BR-FR-05), when the parties agreed on nothing else."""

DUE = timedelta(days=30)
"""The term of payment where none is agreed (C. com., art. L441-10, I)."""

NATURES = {"goods": "B", "services": "S", "both": "M"}
"""The letter of the billing framework (BT-23) by the nature of what is sold."""

UNITS = {
    "unit": "C62", "unité": "C62", "piece": "H87", "pièce": "H87", "hour": "HUR", "heure": "HUR", "h": "HUR",
    "day": "DAY", "jour": "DAY", "month": "MON", "mois": "MON", "year": "ANN", "an": "ANN", "kg": "KGM", "g": "GRM",
    "tonne": "TNE", "m": "MTR", "km": "KMT", "m2": "MTK", "m²": "MTK", "m3": "MTQ", "m³": "MTQ", "litre": "LTR",
    "kwh": "KWH", "forfait": "LS", "lump sum": "LS",
}  # fmt: skip
"""Words for the usual units of UN/ECE recommendation 20, in French and in English, in the singular."""

CATEGORIES = {
    "VATEX-EU-AE": "AE", "VATEX-FR-AE": "AE", "VATEX-EU-IC": "K", "VATEX-EU-G": "G", "VATEX-EU-O": "O",
}  # fmt: skip
"""The VATEX codes that mean another category than exemption (E): rules BR-AE-10, BR-IC-10, BR-G-10, BR-O-10."""

REASONS = {
    "AE": ("VATEX-EU-AE", "Autoliquidation : la TVA est due par le preneur."),
    "K": ("VATEX-EU-IC", "Livraison intracommunautaire exonérée de TVA."),
    "G": ("VATEX-EU-G", "Exportation exonérée de TVA."),
    "O": ("VATEX-EU-O", "Opération hors du champ de la TVA."),
}
"""The reason that a category has, code (BT-121) and text (BT-120), where the draft gives none."""

FRANCHISE = "VATEX-FR-FRANCHISE", "TVA non applicable, article 293 B du CGI."
"""The mention of a seller who is not liable (CGI, art. 293 E)."""


def due_date(issued: date) -> date:
    """Give the day of payment where nothing is agreed.

    >>> due_date(date(2026, 9, 1))
    datetime.date(2026, 10, 1)
    """
    return issued + DUE


def reason_text(code: str) -> str | None:
    """Give the text of an exemption code that has one of ours.

    >>> reason_text("VATEX-FR-FRANCHISE")
    'TVA non applicable, article 293 B du CGI.'
    """
    return {**dict(REASONS.values()), FRANCHISE[0]: FRANCHISE[1]}.get(code)


def category_of(rate: Decimal | None, exemption: str | None) -> str | None:
    """Give the VAT category that a rate or a reason of exemption implies; None where they do not tell.

    >>> category_of(Decimal(20), None), category_of(None, "VATEX-FR-AE"), category_of(Decimal(0), None)
    ('S', 'AE', None)
    """
    if rate:
        return "S"
    return CATEGORIES.get(exemption, "E") if exemption else None
