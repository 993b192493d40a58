"""Which way a document goes: e-invoiced (Flow 1), reported (10.1, 10.3), or neither; and why, rule by rule.

What the depositor says comes first (processing rule of the API, note BAR, note ADN); else the parties decide: where
they are, and whether they are taxable. One operation goes one way: what is e-invoiced is never reported too.

Source: CGI art. 289 bis (e-invoicing), 290 (transactions), 256 C (VAT group), 291 (imports); XP Z12-013 §5.2.4;
BR-FR-20.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from estafette.formats.flux10 import Role
from estafette.invoice.model import Invoice, Party
from estafette.reporting.territories import UNION, country_of, is_in_france


class Treatment(StrEnum):
    """What becomes of a document."""

    E_INVOICED = "e-invoiced"
    INTERNATIONAL = "10.1"
    CONSUMER = "10.3"
    NOTHING = "nothing"
    ARCHIVED = "archived"

    @property
    def is_reported(self) -> bool:
        """Whether Flow 10 carries it."""
        return self in {Treatment.INTERNATIONAL, Treatment.CONSUMER}


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that decided: its source, the terms looked at, what follows, in French and in English."""

    rule: str
    terms: tuple[str, ...]
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a document, as whose report, and the reasons in the order they were found."""

    treatment: Treatment
    reasons: tuple[Reason, ...]
    role: Role = Role.SELLER

    @property
    def fr(self) -> str:
        """The reasons in French, each with its rule and its terms."""
        return " ".join(_told(reason, reason.fr) for reason in self.reasons)

    @property
    def en(self) -> str:
        """The reasons in English, each with its rule and its terms."""
        return " ".join(_told(reason, reason.en) for reason in self.reasons)


def _told(reason: Reason, text: str) -> str:
    return f"{text} ({', '.join((reason.rule, *reason.terms))})"


ASKED = {
    "B2B": Treatment.E_INVOICED,
    "B2G": Treatment.E_INVOICED,
    "B2BInt": Treatment.INTERNATIONAL,
    "B2GInt": Treatment.INTERNATIONAL,
    "B2C": Treatment.CONSUMER,
    "OutOfScope": Treatment.NOTHING,
    "B2GOutOfScope": Treatment.NOTHING,
    "ArchiveOnly": Treatment.ARCHIVED,
}
"""Processing rules of XP Z12-013 §3.6."""

NOTED = {
    "B2B": Treatment.E_INVOICED,
    "B2BINT": Treatment.INTERNATIONAL,
    "B2C": Treatment.CONSUMER,
    "B2CINT": Treatment.CONSUMER,
    "OUTOFSCOPE": Treatment.NOTHING,
    "ARCHIVEONLY": Treatment.ARCHIVED,
}
"""Texts of the note BAR (BR-FR-20)."""

_SAID = {
    Treatment.E_INVOICED: ("facturation électronique", "e-invoicing"),
    Treatment.INTERNATIONAL: ("opération internationale, à déclarer (10.1)", "international, to be reported (10.1)"),
    Treatment.CONSUMER: (
        "opération avec un non-assujetti, à déclarer (10.3)",
        "with a non-taxable person, to be reported (10.3)",
    ),
    Treatment.NOTHING: ("hors réforme, rien à déclarer", "outside the reform, nothing to report"),
    Treatment.ARCHIVED: ("archivage seulement, rien à déclarer", "archive only, nothing to report"),
}


def decide(document: Invoice, *, asked: str | None = None) -> Decision:
    """Return which way the document goes; `asked` is the processing rule of the deposit, if one was given."""
    said = next(_said(document, asked), None)
    if said is None:
        return next(_computed(document))
    treatment, reason = said
    if treatment is Treatment.INTERNATIONAL:
        return Decision(treatment, (reason, *_doubts(document)), _role(document))
    return Decision(treatment, (reason,))


def _said(document: Invoice, asked: str | None) -> Iterator[tuple[Treatment, Reason]]:
    """Give what the depositor says: the deposit itself, then the note BAR, then the note ADN."""
    if asked in ASKED:
        yield _because(ASKED[asked], "XP Z12-013 §5.2.4", (), f"processingRule = {asked}")
    noted = document.processing_rule
    if noted in NOTED:
        yield _because(NOTED[noted], "BR-FR-20", ("BT-21", "BT-22"), f"BAR = {noted}")
    if document.mention("ADN") == "B2G":
        yield _because(Treatment.E_INVOICED, "XP Z12-013 §5.2.4", ("BT-21", "BT-22"), "ADN = B2G")


def _because(treatment: Treatment, rule: str, terms: tuple[str, ...], said: str) -> tuple[Treatment, Reason]:
    fr, en = _SAID[treatment]
    return treatment, Reason(rule, terms, f"{said} : {fr}.", f"{said}: {en}.")


def _doubts(document: Invoice) -> Iterator[Reason]:
    """Give what contradicts an operation said to be international."""
    if is_in_france(document.seller) and is_in_france(document.buyer):
        yield Reason(
            "CGI 290",
            ("BT-40", "BT-55"),
            "Vendeur et acheteur sont pourtant en France : à vérifier.",
            "Yet seller and buyer are both in France: to be checked.",
        )


def _role(document: Invoice) -> Role:
    return Role.SELLER if is_in_france(document.seller) else Role.BUYER


# ---------------------------------------------------------------------------------------- nothing was said: computed


def _computed(document: Invoice) -> Iterator[Decision]:
    """Give what the parties decide, the first rule that applies first."""
    seller_here, buyer_here = is_in_france(document.seller), is_in_france(document.buyer)
    yield from _within_a_group(document)
    if seller_here and buyer_here:
        yield from _domestic(document)
    if seller_here and not buyer_here:
        yield _sold_abroad(document)
    if buyer_here:
        yield _bought_abroad(document)
    countries = f"{country_of(document.seller)} → {country_of(document.buyer)}"
    yield _decision(
        Treatment.NOTHING,
        "CGI 290",
        ("BT-40", "BT-55"),
        f"Ni vendeur ni acheteur en France ({countries}) : rien à déclarer.",
        f"Neither seller nor buyer in France ({countries}): nothing to report.",
    )


def _within_a_group(document: Invoice) -> Iterator[Decision]:
    group = document.seller.identifier("0231")
    if group and group == document.buyer.identifier("0231"):
        yield _decision(
            Treatment.NOTHING,
            "CGI 256 C",
            ("BT-29", "BT-46"),
            f"Vendeur et acheteur sont du même assujetti unique ({group}) : opération interne.",
            f"Seller and buyer are of one VAT group ({group}): an internal operation.",
        )


def _domestic(document: Invoice) -> Iterator[Decision]:
    if not is_taxable(document.buyer):
        yield _decision(
            Treatment.CONSUMER,
            "CGI 290",
            ("BT-47", "BT-48"),
            "L'acheteur n'a ni SIREN ni numéro de TVA : non-assujetti, à déclarer (10.3).",
            "The buyer has neither a SIREN nor a VAT number: not taxable, to be reported (10.3).",
        )
    if not is_taxable(document.seller):
        yield _decision(
            Treatment.NOTHING,
            "CGI 289 bis",
            ("BT-30", "BT-31"),
            "Le vendeur n'a ni SIREN ni numéro de TVA : non-assujetti, hors réforme.",
            "The seller has neither a SIREN nor a VAT number: not taxable, outside the reform.",
        )
    yield _decision(
        Treatment.E_INVOICED,
        "CGI 289 bis",
        ("BT-30", "BT-47"),
        "Vendeur et acheteur assujettis, établis en France : facturation électronique.",
        "Seller and buyer taxable and established in France: e-invoicing.",
    )


def _sold_abroad(document: Invoice) -> Decision:
    country = country_of(document.buyer)
    if is_taxable(document.buyer):
        return _decision(
            Treatment.INTERNATIONAL,
            "CGI 290",
            ("BT-47", "BT-48", "BT-55"),
            f"Acheteur assujetti hors de France ({country}) : à déclarer facture par facture (10.1).",
            f"Taxable buyer outside France ({country}): to be reported invoice by invoice (10.1).",
        )
    return _decision(
        Treatment.CONSUMER,
        "CGI 290",
        ("BT-47", "BT-48", "BT-55"),
        f"Acheteur non assujetti hors de France ({country}) : à déclarer (10.3).",
        f"Non-taxable buyer outside France ({country}): to be reported (10.3).",
    )


def _bought_abroad(document: Invoice) -> Decision:
    country = country_of(document.seller)
    if document.business_process[:1] == "B" and country not in UNION:
        return _decision(
            Treatment.NOTHING,
            "CGI 291",
            ("BT-23", "BT-40"),
            f"Importation de biens ({country}) : la douane la connaît, rien à déclarer.",
            f"Import of goods ({country}): customs know of it, nothing to report.",
        )
    return _decision(
        Treatment.INTERNATIONAL,
        "CGI 290",
        ("BT-40", "BT-47"),
        f"Achat à un vendeur établi hors de France ({country}) : l'acheteur le déclare (10.1).",
        f"Bought from a seller established outside France ({country}): the buyer reports it (10.1).",
        Role.BUYER,
    )


def _decision(  # noqa: PLR0917 - one sentence in two languages
    treatment: Treatment, rule: str, terms: tuple[str, ...], fr: str, en: str, role: Role = Role.SELLER
) -> Decision:
    return Decision(treatment, (Reason(rule, terms, fr, en),), role)


def absent_from_directory(decision: Decision) -> Decision:
    """Return the decision once the directory does not know the customer: reported as sold to a non-taxable person.

    Source: external specifications v3.2, §2.3.3.
    """
    reason = Reason(
        "DSE §2.3.3",
        ("BT-49",),
        "Le client n'est pas dans l'annuaire : opération à déclarer comme une vente à un non-assujetti (10.3).",
        "The customer is not in the directory: to be e-reported as a sale to a non-taxable person (10.3).",
    )
    return Decision(Treatment.CONSUMER, (reason,), decision.role)


def is_taxable(party: Party) -> bool:
    """Tell whether a party shows that it is a taxable person: a legal identifier or a VAT number."""
    return bool(party.legal_registration_identifier or party.vat_identifier or party.tax_registration_identifier)
