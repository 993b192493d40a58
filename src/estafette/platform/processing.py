"""The processing rule of a deposit (XP Z12-013 §5.2.4, table 2): given, said by the invoice, computed, or inadmissible.

The depositor may give it; the note BAR may not say otherwise. Not given, the note BAR says it, then the note ADN (a
sale to the public sector), then the parties. What nothing tells is not guessed: the deposit is inadmissible.
"""

from collections.abc import Callable
from dataclasses import dataclass

from estafette.invoice.model import Invoice
from estafette.platform.flows import Refusal
from estafette.reporting.decision import Treatment, decide
from estafette.reporting.territories import country_of

NOTED = {
    "B2B": "B2B",
    "B2BINT": "B2BInt",
    "B2C": "B2C",
    "B2CINT": "B2C",
    "OUTOFSCOPE": "OutOfScope",
    "ARCHIVEONLY": "ArchiveOnly",
}
"""Text of the note BAR (BT-22; BR-FR-20) to processing rule."""

TO_PUBLIC = {"B2B": "B2G", "B2BInt": "B2GInt", "OutOfScope": "B2GOutOfScope"}
"""The rule beside the note ADN that says B2G."""

OF_PARTIES = {
    Treatment.E_INVOICED: "B2B",
    Treatment.INTERNATIONAL: "B2BInt",
    Treatment.CONSUMER: "B2C",
    Treatment.NOTHING: "OutOfScope",
    Treatment.ARCHIVED: "ArchiveOnly",
}

PROFILES = (
    ("#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr", "Extended-CTC-FR"),
    ("urn:factur-x.eu:1p0:basic", "Basic"),
    ("urn:cen.eu:en16931:2017", "CIUS"),
)
"""How a specification identifier (BT-24) ends, to flow profile."""


@dataclass(frozen=True, slots=True)
class Determined:
    """The rule of a deposit, and whether the depositor gave it (`Input`) or not (`Computed`)."""

    rule: str
    source: str


def determine(
    document: Invoice, given: str | None = None, *, is_public: Callable[[str], bool] = lambda _siren: False
) -> Determined | Refusal:
    """Return the processing rule of an invoice, or why it is inadmissible. `is_public` tells a public body by SIREN."""
    noted = NOTED.get(document.processing_rule or "")
    if given is not None:
        return _contradiction(given, noted) or Determined(given, "Input")
    if noted is None and document.mention("ADN") == "B2G":
        return Determined("B2G", "Computed")
    if noted is not None:
        said_public = document.mention("ADN") == "B2G"
        return Determined(TO_PUBLIC.get(noted, noted) if said_public else noted, "Computed")
    if not (document.buyer.siren or document.buyer.vat_identifier or country_of(document.buyer)):
        return _refused(
            "processingRule absent, et rien dans la facture ne le dit : ni note BAR, ni note ADN, ni pays ou "
            "identifiant de l'acheteur ; donnez-le au dépôt.",
            "processingRule absent, and nothing in the invoice tells it: neither a note BAR, nor a note ADN, nor the "
            "buyer's country or identifier; give it with the deposit.",
        )
    rule = OF_PARTIES[decide(document).treatment]
    if rule == "B2B" and document.buyer.siren and is_public(document.buyer.siren):
        rule = "B2G"
    return Determined(rule, "Computed")


def _contradiction(given: str, noted: str | None) -> Refusal | None:
    """Tell how a given rule cannot be: it is no invoice's, or the note BAR says another."""
    if given == "NotApplicable":
        return _refused(
            "processingRule NotApplicable est pour les statuts et l'e-reporting, non pour une facture.",
            "processingRule NotApplicable is for statuses and e-reporting, not for an invoice.",
        )
    if noted is None or given in (noted, TO_PUBLIC.get(noted), "ArchiveOnly"):  # a copy to be kept says what it was
        return None
    return _refused(
        f"processingRule {given}, mais la note BAR de la facture (BT-22) dit {noted} : corrigez l'un ou l'autre.",
        f"processingRule {given}, but the note BAR of the invoice (BT-22) says {noted}: correct one or the other.",
    )


def _refused(fr: str, en: str) -> Refusal:
    return Refusal("OtherTechnicalError", f"AUTRE: {fr} / {en}", item="processingRule")


def profile_of(document: Invoice) -> str:
    """Return the flow profile that the specification identifier tells (BT-24), `Undefined` for any other."""
    identifier = document.specification_identifier
    return next((profile for ending, profile in PROFILES if identifier.endswith(ending)), "Undefined")
