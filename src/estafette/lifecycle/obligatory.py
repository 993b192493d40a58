"""The control that the public portal makes of an obligatory status: against the rules, and against what it holds.

The portal answers only what it rejects (601); silence after 500 is acceptance. The first anomaly found is told.

An invoice number may live twice: rejected (213), then corrected and submitted again under the same number, since data
rejected before do not count against uniqueness (G1.45). So a status is compared with the life it belongs to: what came
after the last rejection.

Source: external specifications v3.2, annex 7 (G7.*, P1.*) and general file, table 11.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from estafette.formats.status_message import Characteristic, Role, StatusMessage
from estafette.lifecycle.contents import PORTAL_CHARACTERISTICS, incomplete
from estafette.lifecycle.guards import Refusal, StatusEvent, in_order, may
from estafette.lifecycle.messages import GUIDELINES
from estafette.lifecycle.statuses import OBLIGATORY, SELF_BILLED, STATUSES, ObjectKind
from estafette.values.identifiers import MATRICULE

_NINE_DIGITS = re.compile("[0-9]{9}")  # G1.73 asks for no check digit
_NUMBER = re.compile(r"[A-Za-z0-9+\-_/]+( [A-Za-z0-9+\-_/]+)*")
_NUMBER_MAX = 35
_IDENTIFIER_MAX = 50  # MDT-4, annex 2
_CURRENCY = re.compile("[A-Z]{3}")
_SCHEMES = frozenset({"0002", "0009", "0223", "0224", "0226", "0227", "0228", "0229", "0238"})  # G1.73, G6.26
_AMOUNT_DIGITS, _AMOUNT_DECIMALS = 19, 6
_UNNAMED = frozenset({Role.PLATFORM, Role.PORTAL})
_INVOICE_URN = GUIDELINES[ObjectKind.INVOICE]
_BEGINNINGS = frozenset({"200", "213"})


def control_mandatory(
    message: StatusMessage, held: Iterable[StatusEvent], *, partner: str | None = None
) -> Refusal | None:
    """Tell why the portal rejects an obligatory status (601), or nothing when it takes it.

    `held`: what the portal already took for the same invoice (SIREN of MDT-129, year of MDT-100, MDT-87), in any
    order; the statuses of other platforms may arrive first, so what is missing is not held against a status.
    `partner`: the matricule of the platform whose connection brought it; another sender is not entitled.
    """
    return (
        _known(message)
        or next((rule.refusal() for rule in _RULES if not rule.holds(message)), None)
        or _entitled(message, partner)
        or incomplete(message.status, message.details)
        or _coherent(message, held)
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule on the message alone; a broken one is REJ_RG."""

    rule: str
    term: str
    holds: Callable[[StatusMessage], bool]
    fr: str
    en: str

    def refusal(self) -> Refusal:
        return Refusal("REJ_RG", self.rule, self.fr, self.en, (self.term,))


_RULES = (
    _Rule(
        "EST-MDT-4",
        "MDT-4",
        lambda message: len(message.identifier) <= _IDENTIFIER_MAX,
        f"L'identifiant du message a au plus {_IDENTIFIER_MAX} caractères.",
        f"The identifier of the message has at most {_IDENTIFIER_MAX} characters.",
    ),
    _Rule(
        "G7.44",
        "MDT-105",
        lambda message: message.status in OBLIGATORY,
        "Ce statut n'est pas obligatoire : seuls 200, 210, 212 et 213 s'envoient au portail.",
        "This status is not obligatory: only 200, 210, 212 and 213 go to the portal.",
    ),
    _Rule(
        "P1.14",
        "MDT-74",
        lambda message: not message.multiple_references,
        "Un message porte un seul statut sur un seul objet.",
        "A message carries one status on one object.",
    ),
    _Rule(
        "G7.49",
        "MDT-96",
        lambda message: not message.attachments,
        "Aucune pièce jointe ne s'envoie au portail.",
        "No attachment goes to the portal.",
    ),
    _Rule(
        "S1.06",
        "MDT-3",
        lambda message: message.guideline == _INVOICE_URN,
        f"Le profil attendu est {_INVOICE_URN}.",
        f"The expected profile is {_INVOICE_URN}.",
    ),
    _Rule(
        "G7.14",
        "MDT-97",
        lambda message: message.object_reference_type == _INVOICE_URN,
        f"Le type de référence attendu est {_INVOICE_URN}.",
        f"The expected type of reference is {_INVOICE_URN}.",
    ),
    _Rule(
        "G7.47",
        "MDT-21",
        lambda message: message.sender.role in _UNNAMED,
        "L'émetteur du message est une plateforme (WK) ou le portail (DFH).",
        "The sender of the message is a platform (WK) or the portal (DFH).",
    ),
    _Rule(
        "G7.54",
        "MDT-19",
        lambda message: MATRICULE.is_valid(message.sender.identifier("0238")),
        "L'émetteur du message s'identifie par son matricule de quatre chiffres (0238).",
        "The sender of the message is identified by its registration number of four digits (0238).",
    ),
    _Rule(
        "G6.26",
        "MDT-38",
        lambda message: bool(message.issuer.identifiers),
        "Celui qui pose le statut s'identifie (matricule 0238, SIREN 0002, ou identifiant du secteur public).",
        "The one who sets the status is identified (0238, SIREN 0002, or a public sector identifier).",
    ),
    _Rule(
        "G7.46",
        "MDT-39",
        lambda message: message.issuer.role in _UNNAMED or bool(message.issuer.name),
        "Celui qui pose le statut est nommé, sauf une plateforme ou le portail.",
        "The one who sets the status is named, unless a platform or the portal.",
    ),
    _Rule(
        "G7.17",
        "MDT-129",
        lambda message: _sirens(message) == 1 and _NINE_DIGITS.fullmatch(message.seller_siren) is not None,
        "L'émetteur de la facture a exactement un SIREN (0002).",
        "The one who issued the invoice has exactly one SIREN (0002).",
    ),
    _Rule(
        "G7.23",
        "MDT-87",
        lambda message: bool(message.object_identifier),
        "Le numéro de la facture est attendu.",
        "The invoice number is expected.",
    ),
    _Rule(
        "G1.05",
        "MDT-87",
        lambda message: (
            len(message.object_identifier) <= _NUMBER_MAX and _NUMBER.fullmatch(message.object_identifier) is not None
        ),
        "Le numéro de la facture a au plus 35 caractères : lettres, chiffres, + - _ / et des espaces isolées.",
        "The invoice number has at most 35 characters: letters, digits, + - _ / and single spaces.",
    ),
    _Rule(
        "G1.73",
        "MDT-38",
        lambda message: all(one.scheme in _SCHEMES for one in message.issuer.identifiers),
        "Celui qui pose le statut s'identifie sous un schéma admis : 0238, 0002, 0009, 0223, 0224, 0226 à 0229.",
        "The one who sets the status is identified under a scheme of: 0238, 0002, 0009, 0223, 0224, 0226 to 0229.",
    ),
    _Rule(
        "G7.31",
        "MDT-100",
        lambda message: message.object_day is not None,
        "La date de la facture est attendue.",
        "The date of the invoice is expected.",
    ),
    _Rule(
        "G7.06",
        "MDT-95",
        lambda message: message.received_at is not None,
        "Le moment de réception de la facture est attendu.",
        "The moment the invoice was received is expected.",
    ),
    _Rule(
        "G7.12",
        "MDT-207",
        lambda message: all(
            datum.type_code in PORTAL_CHARACTERISTICS
            for detail in message.details
            for datum in detail.characteristics
            if datum.type_code and datum.amount is not None
        ),
        "Le portail prend les montants RAP, ESC, RAB, REM, MPA et MEN.",
        "The portal takes the amounts RAP, ESC, RAB, REM, MPA and MEN.",
    ),
    _Rule(
        "G7.07",
        "MDT-215",
        lambda message: all(_is_amount(datum.amount) for datum in _data(message) if datum.amount is not None),
        "Un montant a au plus 19 chiffres, dont 6 décimales.",
        "An amount has at most 19 digits, 6 of them decimals.",
    ),
    _Rule(
        "G1.10",
        "MDT-216",
        lambda message: all(_CURRENCY.fullmatch(datum.currency) for datum in _data(message) if datum.currency),
        "La devise est un code ISO 4217, trois capitales : EUR.",
        "The currency is a code of ISO 4217, three capitals: EUR.",
    ),
)


def _data(message: StatusMessage) -> Iterator[Characteristic]:
    return (datum for detail in message.details for datum in detail.characteristics)


def _is_amount(amount: Decimal) -> bool:
    """Tell whether an amount, its sign aside, fits in the positions of G7.07."""
    _sign, digits, exponent = amount.as_tuple()
    decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return decimals <= _AMOUNT_DECIMALS and max(len(digits), decimals) <= _AMOUNT_DIGITS


def _known(message: StatusMessage) -> Refusal | None:
    if message.status in STATUSES:
        return None
    return Refusal(
        "REJ_INEX",
        "G7.09",
        f"Le statut {message.status!r} n'existe pas.",
        f"Status {message.status!r} does not exist.",
        ("MDT-105",),
    )


def _entitled(message: StatusMessage, partner: str | None) -> Refusal | None:
    sender = message.sender.identifier("0238")
    if partner is None or sender == partner:
        return None
    return Refusal(
        "REJ_HAB",
        "G7.54",
        f"Le raccordement est celui de la plateforme {partner}, le message dit venir de {sender}.",
        f"The connection is that of platform {partner}, the message says it comes from {sender}.",
        ("MDT-19",),
    )


def _coherent(message: StatusMessage, held: Iterable[StatusEvent]) -> Refusal | None:
    return may(
        message.status,
        history=_life(message, held),
        emitter_role=message.issuer.role,
        self_billed=message.object_type in SELF_BILLED,
        set_at=message.set_at,
        arriving=True,
    )


def _life(message: StatusMessage, held: Iterable[StatusEvent]) -> tuple[StatusEvent, ...]:
    """Give the statuses of the life that the message belongs to: a submission after a rejection begins another one."""
    before = [event for event in in_order(held) if event.is_set_by(message.set_at)]
    rejections = [at for at, event in enumerate(before) if event.status == "213"]
    begins_anew = message.status in _BEGINNINGS
    last = rejections[-1] if rejections else -1
    is_reopened = any(event.status == "200" for event in before[last + 1 :])
    return tuple(before[last + 1 :] if begins_anew or is_reopened else before)


def _sirens(message: StatusMessage) -> int:
    return sum(identifier.scheme == "0002" for identifier in message.object_issuers)
