"""What a status must carry: reasons, comment, amounts; and the lists of what it may ask for and tell.

Source: BR-FR-CDV-14, 15, CL-09 to CL-11 (FNFE-MPE 1.4.0.04); G7.08, G7.12, G7.25, G7.45, P1.15 to P1.18 and G1.24
(external specifications v3.2, annex 7).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from estafette.formats.status_message import Characteristic, Detail, Note
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.reasons import fits, reason_label, reasons_of
from estafette.lifecycle.statuses import STATUSES

REQUESTED_ACTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "NOA": ("Aucune action attendue", "No action"),
        "PIN": ("Fournir des informations complémentaires", "Supply additional information"),
        "NIN": ("Émettre une facture rectificative", "Issue a corrective invoice"),
        "CNF": ("Émettre un avoir total", "Issue a full credit note"),
        "CNP": ("Émettre un avoir partiel", "Issue a partial credit note"),
        "CNA": ("Rembourser le montant", "Refund the amount"),
        "OTH": ("Autre action, à préciser", "Other, to be explained"),
    }
)
"""What one asks the other to do (MDT-121, CL-10): French label, English one."""

CHARACTERISTICS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "MEN": ("Montant encaissé TTC", "Amount collected, VAT included"),
        "MPA": ("Montant payé", "Amount paid"),
        "RAP": ("Reste à payer", "Remaining to pay"),
        "ESC": ("Escompte", "Discount for early payment"),
        "RAB": ("Rabais", "Rebate"),
        "REM": ("Remise", "Discount"),
        "MAP": ("Montant approuvé HT", "Amount approved, VAT excluded"),
        "MAPTTC": ("Montant approuvé TTC", "Amount approved, VAT included"),
        "MNA": ("Montant non approuvé HT", "Amount not approved, VAT excluded"),
        "MNATTC": ("Montant non approuvé TTC", "Amount not approved, VAT included"),
        "CBB": ("Nouvelles coordonnées bancaires du bénéficiaire", "New bank details of the payee"),
        "DIV": ("Donnée erronée de la facture", "Wrong datum of the invoice"),
        "DVA": ("Donnée attendue", "Expected datum"),
        "MAJ": ("Donnée à prendre à la place de celle de la facture", "Datum to use instead"),
    }
)
"""What a datum of a status is (MDT-207, CL-11): French label, English one."""

PORTAL_CHARACTERISTICS = frozenset({"RAP", "ESC", "RAB", "REM", "MPA", "MEN"})
"""The only data that the portal takes (G7.12)."""

VAT_RATES = frozenset(
    Decimal(rate)
    for rate in ("0", "0.9", "1.05", "1.75", "2.1", "5.5", "7", "8.5", "9.2", "9.6", "10", "13", "19.6", "20", "20.6")
)
"""Rates that a collection may name, by value (G1.24; annex 7 V1.9, 2026-04-30)."""


def incomplete(status: str, details: Sequence[Detail], *, b2g: bool = False) -> Refusal | None:
    """Tell what a status lacks or should not carry, or nothing when its details suit it.

    The first fault found is told: reason missing (G7.08, CDV-15), reason of another status (CL-09), comment missing
    (G7.25), unknown action (CL-10) or datum (CL-11), amounts of a collection (CDV-14, P1.15, P1.17, P1.18).
    """
    for judge in (_reasons, _comment, _lists, _collection):
        refusal = judge(status, details, b2g)
        if refusal is not None:
            return refusal
    return None


def commented(
    status: str, details: Sequence[Detail], *, credit_note: str = "", labelled: bool = False
) -> tuple[Detail, ...]:
    """Give the details with the comment that the portal asks for (G7.25, P1.17), where what it says is already known.

    `credit_note`: the number, when the status is about one: what is collected of it is negative by nature and needs no
    other cause. `labelled`: the reason stands for its comment, in the words of the message (MDT-114) or in ours:
    between platforms nothing asks a refusal for more, and the published examples have no more.
    """
    known = STATUSES.get(status)
    is_asked = known is not None and known.needs_comment and labelled
    text = f"Avoir {credit_note}" if credit_note and status == "212" else ""
    if _has_comment(details) or not (is_asked or text):
        return tuple(details)
    return tuple(
        replace(detail, notes=(Note(text or detail.reason or reason_label(detail.reason_code)),))
        if text or detail.reason_code
        else detail
        for detail in details
    )


def _reasons(status: str, details: Sequence[Detail], b2g: bool) -> Refusal | None:
    codes = [detail.reason_code for detail in details if detail.reason_code]
    known = STATUSES.get(status)
    allowed = ", ".join(reason.code for reason in reasons_of(status, b2g=b2g))
    if known and known.needs_reason and not codes:
        return Refusal(
            "REJ_RG",
            "G7.08",
            f"Le statut {status} demande un motif, parmi : {allowed}.",
            f"Status {status} asks for a reason, one of: {allowed}.",
            ("MDT-113",),
        )
    wrong = [code for code in codes if not fits(code, status, b2g=b2g)]
    if wrong:
        return Refusal(
            "REJ_RG",
            "BR-FR-CDV-CL-09",
            f"Le motif {wrong[0]} ne convient pas au statut {status} ; conviennent : {allowed or 'les motifs connus'}.",
            f"Reason {wrong[0]} does not suit status {status}; these do: {allowed or 'the known ones'}.",
            ("MDT-113",),
        )
    return None


def _comment(status: str, details: Sequence[Detail], _b2g: bool) -> Refusal | None:
    known = STATUSES.get(status)
    if known is None or not known.needs_comment or _has_comment(details):
        return None
    return Refusal(
        "REJ_RG",
        "G7.25",
        f"Le statut {status} demande un commentaire.",
        f"Status {status} asks for a comment.",
        ("MDT-126",),
    )


def _lists(_status: str, details: Sequence[Detail], _b2g: bool) -> Refusal | None:
    actions = [detail.requested_action for detail in details if detail.requested_action]
    types = [datum.type_code for detail in details for datum in detail.characteristics if datum.type_code]
    for rule, term, codes, allowed in (
        ("BR-FR-CDV-CL-10", "MDT-121", actions, REQUESTED_ACTIONS),
        ("BR-FR-CDV-CL-11", "MDT-207", types, CHARACTERISTICS),
    ):
        wrong = next((code for code in codes if code not in allowed), None)
        if wrong is not None:
            known = ", ".join(allowed)
            return Refusal(
                "REJ_RG",
                rule,
                f"{wrong!r} n'est pas dans la liste de {term} : {known}.",
                f"{wrong!r} is not in the list of {term}: {known}.",
                (term,),
            )
    return None


def _collection(status: str, details: Sequence[Detail], _b2g: bool) -> Refusal | None:
    if status != "212":
        return None
    collected = [datum for detail in details for datum in detail.characteristics if datum.type_code == "MEN"]
    if not collected:
        return _not_split("BR-FR-CDV-14", "MDT-207", "aucun montant MEN", "no amount MEN")
    for datum in collected:
        for holds, rule, term, fr, en in _COLLECTED:
            if not holds(datum):
                return _not_split(rule, term, fr, en)
    if any((datum.amount or 0) < 0 for datum in collected) and not _has_comment(details):
        return _not_split("P1.17", "MDT-126", "un décaissement demande son motif", "a cash-out asks for its cause")
    return None


_COLLECTED: tuple[tuple[Callable[[Characteristic], bool], str, str, str, str], ...] = (
    (lambda datum: datum.amount is not None, "BR-FR-CDV-14", "MDT-215", "montant absent", "amount missing"),
    (lambda datum: bool(datum.currency), "P1.15", "MDT-216", "devise absente", "currency missing"),
    (lambda datum: datum.percent is not None, "P1.18", "MDT-224", "taux de TVA absent", "VAT rate missing"),
    (lambda datum: datum.percent in VAT_RATES, "G1.24", "MDT-224", "taux de TVA inconnu", "VAT rate unknown"),
)


def _not_split(rule: str, term: str, fr: str, en: str) -> Refusal:
    return Refusal(
        "REJ_ENCAISSEMENT",
        rule,
        f"Encaissement : {fr}. Donnez un montant TTC, sa devise et un taux de TVA par taux.",
        f"Collection: {en}. Give, for each VAT rate, an amount with VAT, its currency and the rate.",
        (term,),
    )


def _has_comment(details: Sequence[Detail]) -> bool:
    return any(note.content for detail in details for note in detail.notes)
