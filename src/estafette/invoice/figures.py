"""A figure of an invoice, explained: the term, its formula in words, what it was computed from, and what it comes to.

The formulas are those of EN 16931-1 (annex A of its calculations: BR-CO-10 to BR-CO-17) in our own words, French first.
"""

from decimal import Decimal

import msgspec

from estafette.invoice.terms import TERMS
from estafette.values.money import plain

FORMULAS = {
    "BT-137": (
        "quantité (BT-129) × prix net (BT-146) ÷ quantité de base (BT-149), arrondi",
        "quantity (BT-129) × net price (BT-146) ÷ base quantity (BT-149), rounded",
    ),
    "BT-136": (
        "assiette (BT-137) × pourcentage (BT-138) ÷ 100, arrondi",
        "base (BT-137) × percentage (BT-138) ÷ 100, rounded",
    ),
    "BT-141": (
        "assiette (BT-142) × pourcentage (BT-143) ÷ 100, arrondi",
        "base (BT-142) × percentage (BT-143) ÷ 100, rounded",
    ),
    "BT-92": (
        "assiette (BT-93) × pourcentage (BT-94) ÷ 100, arrondi",
        "base (BT-93) × percentage (BT-94) ÷ 100, rounded",
    ),
    "BT-99": (
        "assiette (BT-100) × pourcentage (BT-101) ÷ 100, arrondi",
        "base (BT-100) × percentage (BT-101) ÷ 100, rounded",
    ),
    "BT-93": (
        "somme des montants nets (BT-131) des lignes de même catégorie et de même taux de TVA",
        "sum of the net amounts (BT-131) of the lines of the same VAT category and rate",
    ),
    "BT-146": ("prix brut (BT-148) − rabais (BT-147)", "gross price (BT-148) − discount (BT-147)"),
    "BT-131": (
        "quantité (BT-129) × prix net (BT-146) ÷ quantité de base (BT-149) − remises (BT-136) + charges (BT-141), "
        "arrondi une fois",
        "quantity (BT-129) × net price (BT-146) ÷ base quantity (BT-149) − allowances (BT-136) + charges (BT-141), "
        "rounded once",
    ),
    "BT-106": ("somme des montants nets de ligne (BT-131)", "sum of the line net amounts (BT-131)"),
    "BT-107": ("somme des remises de document (BT-92)", "sum of the document allowances (BT-92)"),
    "BT-108": ("somme des charges de document (BT-99)", "sum of the document charges (BT-99)"),
    "BT-109": (
        "lignes (BT-106) − remises (BT-107) + charges (BT-108)",
        "lines (BT-106) − allowances (BT-107) + charges (BT-108)",
    ),
    "BT-110": ("somme des TVA par taux (BT-117)", "sum of the VAT of each rate (BT-117)"),
    "BT-111": ("TVA (BT-110) × taux de change (BT-167), arrondi", "VAT (BT-110) × exchange rate (BT-167), rounded"),
    "BT-112": ("total hors TVA (BT-109) + TVA (BT-110)", "total without VAT (BT-109) + VAT (BT-110)"),
    "BT-115": (
        "total avec TVA (BT-112) − déjà payé (BT-113) + arrondi (BT-114)",
        "total with VAT (BT-112) − already paid (BT-113) + rounding (BT-114)",
    ),
    "BT-116": (
        "lignes (BT-131) − remises (BT-92) + charges (BT-99) de cette catégorie et de ce taux",
        "lines (BT-131) − allowances (BT-92) + charges (BT-99) of this category and rate",
    ),
    "BT-117": (
        "base (BT-116) × taux (BT-119) ÷ 100, arrondi une fois par taux",
        "base (BT-116) × rate (BT-119) ÷ 100, rounded once per rate",
    ),
}
"""The formula of each term that is computed, in French and in English."""
FORMULAS["BT-100"] = FORMULAS["BT-93"]
FORMULAS["BT-142"] = FORMULAS["BT-137"]
_GROUP_LINE = (
    "somme des montants nets (BT-131) des sous-lignes directes",
    "sum of the net amounts (BT-131) of its direct sub-lines",
)
GROUP_LINE = "BT-131 of a GROUP"
FORMULAS[GROUP_LINE] = _GROUP_LINE
"""A line that groups others says what they come to (BR-FREXT-08)."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A term that is computed: what its formula gives, and what the draft said when that is something else."""

    term: str
    path: str
    """Where it stands in the model: `lines[0].net_amount`."""
    rule: str = ""
    """The key of its formula, where the term alone does not tell it."""
    operands: tuple[tuple[str, Decimal], ...] = ()
    """What the formula was applied to: each term with its value, repeated terms as often as they occur."""
    missing: tuple[str, ...] = ()
    """The terms without which nothing can be computed."""
    value: Decimal | None = None
    """What the formula gives, or None."""
    stated: Decimal | None = None
    """What the draft says instead, which the invoice keeps."""

    @property
    def formula_fr(self) -> str:
        """The formula in words, in French."""
        return FORMULAS[self.rule or self.term][0]

    @property
    def formula_en(self) -> str:
        """The formula in words, in English."""
        return FORMULAS[self.rule or self.term][1]

    @property
    def is_contradicted(self) -> bool:
        """Whether the draft says another value than the formula gives."""
        return self.stated is not None

    def text(self, language: str = "fr") -> str:
        """Say the figure in one line: term, place, value, formula, operands, and what is wrong with it."""
        french = language == "fr"
        name, formula = (
            (TERMS[self.term].name_fr, self.formula_fr) if french else (TERMS[self.term].name_en, self.formula_en)
        )
        head = f"{self.term} {name} ({self.path})"
        if self.value is None:
            lacking = ", ".join(self.missing) or ("un nombre d'une taille permise" if french else "a number in bounds")
            return f"{head} ? {formula} ; {'manque' if french else 'missing'} : {lacking}"
        seen = ", ".join(f"{term} {plain(value)}" for term, value in self.operands)
        line = f"{head} = {plain(self.value)} : {formula} [{seen}]"
        if self.stated is None:
            return line
        return f"{line} ⚠ {'le brouillon dit' if french else 'the draft says'} {plain(self.stated)}"
