"""What a company may say of an invoice from its desk: one form a status, and what a form sent back says.

The life cycle decides which statuses are possible and which reasons suit; this module only knows which of them a form
can ask for, by what verb, and with which amounts it starts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from estafette.invoice.model import Invoice
from estafette.lifecycle.reasons import Reason, reasons_of
from estafette.lifecycle.statuses import Status
from estafette.platform.answers import Answer
from estafette.platform.deliveries import Row, is_b2g, role_of
from estafette.platform.platform import InvoiceView
from estafette.reporting.cashing import PAID_AT_ISSUE
from estafette.values.money import decimal, rounded
from estafette.web.platform.signs import Sign

COMMENT_CHARACTERS_MAX = 1000
"""A comment in a status (MDT-126 takes 2000 characters; half leaves room for its encoding, our bound)."""

VERBS: Mapping[str, tuple[Sign, Sign]] = {
    "204": (
        Sign("Prendre en charge", "Acknowledge"),
        Sign("Vous avez la facture et l'examinez.", "You have the invoice and look into it."),
    ),
    "205": (
        Sign("Approuver", "Approve", "good"),
        Sign("Vous acceptez toute la facture.", "You accept the whole invoice."),
    ),
    "206": (
        Sign("Approuver en partie", "Approve in part"),
        Sign("Vous n'acceptez qu'une partie de la facture.", "You accept a part of the invoice only."),
    ),
    "207": (
        Sign("Contester", "Dispute"),
        Sign("Un désaccord est à régler avec le vendeur.", "A disagreement is to be settled with the seller."),
    ),
    "208": (
        Sign("Suspendre", "Suspend"),
        Sign("Il vous manque une pièce pour traiter la facture.", "You lack a document to treat the invoice."),
    ),
    "209": (
        Sign("Compléter", "Complete"),
        Sign("Vous fournissez ce que le client attendait.", "You supply what the customer was waiting for."),
    ),
    "210": (
        Sign("Refuser", "Refuse", "bad"),
        Sign(
            "Définitif : la facture entière est refusée, l'administration en est informée.",
            "Final: the whole invoice is refused, the administration is told.",
        ),
    ),
    "211": (
        Sign("Signaler le paiement", "Report the payment"),
        Sign("Vous avez donné l'ordre de payer.", "You have ordered the payment."),
    ),
    "212": (
        Sign("Déclarer l'encaissement", "Report the collection"),
        Sign(
            "Ce que vous avez encaissé, TVA comprise, pour chaque taux ; un montant négatif annule.",
            "What you have collected, VAT included, for each rate; a negative amount cancels.",
        ),
    ),
    "220": (
        Sign("Annuler", "Cancel"),
        Sign("Une facture rectificative remplace celle-ci.", "A corrective invoice replaces this one."),
    ),
}
"""The statuses that a form can set: what one does, what it means."""

ACCEPTED = frozenset({"205", "206"})
PAYMENTS = frozenset({"211", "212"})
"""The statuses that tell an amount; they stay useful while some of it is left."""


class Unclear(Exception):
    """What a form says cannot be taken, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Form:
    """One status that may be set now. `amounts` are (VAT rate or None, what remains, VAT included)."""

    status: Status
    verb: Sign
    meaning: Sign
    reasons: tuple[Reason, ...]
    asks_action: bool
    asks_comment: bool
    amounts: tuple[tuple[Decimal | None, Decimal], ...]


def forms(view: InvoiceView) -> tuple[Form, ...]:
    """Return a form for each status that may be set now and that a form can say, the most useful first.

    Once the invoice is answered its payment comes first; what was said already, or has no amount left, comes last.
    """
    found = [_form(status, view) for status in view.possible if status.code in VERBS and not _pointless(status, view)]
    said = {event["status"] for event in view.events if event["emitter_role"] == role_of(view.row)}

    def rank(form: Form) -> tuple[bool, bool, str]:
        code = form.status.code
        is_payment = code in PAYMENTS
        is_done = not any(amount for _rate, amount in form.amounts) if is_payment else code in said
        return is_done, bool(said & ACCEPTED) and not is_payment, code

    return tuple(sorted(found, key=rank))


def read(sent: Mapping[str, str], view: InvoiceView) -> Answer:
    """Return what a form sent back says. Raises: Unclear, also when the invoice moved since the form was drawn."""
    if sent.get("ours") != str(count_of_ours(view)):
        raise Unclear(
            "La facture a changé depuis que vous l'avez ouverte : relisez-la et recommencez.",
            "The invoice has changed since you opened it: read it again and start over.",
        )
    return Answer(
        status=sent.get("status", ""),
        reason=sent.get("reason") or None,
        action=sent.get("action") or None,
        comment=sent.get("comment", "").strip()[:COMMENT_CHARACTERS_MAX] or None,
        amounts=tuple(_amounts(sent)),
    )


def count_of_ours(view: InvoiceView) -> int:
    """Return how many statuses the company has set: a form drawn before another was sent is out of date."""
    return sum(event["emitter_role"] == role_of(view.row) for event in view.events)


def remaining(invoice: Invoice, events: Sequence[Row], *, reported: bool = False) -> dict[Decimal, Decimal]:
    """Return what is still to be collected at each VAT rate, VAT included; negative on a credit note.

    What was paid before the invoice (BT-113) is taken off each rate in proportion. Of an invoice that is all paid (B2,
    S2, M2) everything is to be declared as collected, unless it is `reported`: its payment is declared with it.
    """
    owed: dict[Decimal, Decimal] = {}
    for part in invoice.vat_breakdown:
        rate = part.rate or Decimal(0)
        owed[rate] = owed.get(rate, Decimal(0)) + (part.taxable_amount or 0) + (part.tax_amount or 0)
    if reported or invoice.business_process[1:] != PAID_AT_ISSUE:
        owed = _in_proportion(owed, _due(invoice))
    sign = -1 if invoice.is_credit_note else 1
    had = _told(events, "212", "MEN")
    return {rate: sign * amount - had.get(rate, Decimal(0)) for rate, amount in owed.items()}


def _in_proportion(owed: dict[Decimal, Decimal], due: Decimal) -> dict[Decimal, Decimal]:
    total = sum(owed.values(), Decimal(0))
    if not total or total == due:
        return owed
    parts = {rate: rounded(amount * due / total) for rate, amount in owed.items()}
    largest = max(parts, key=lambda rate: abs(parts[rate]))
    parts[largest] += due - sum(parts.values(), Decimal(0))
    return parts


def _due(invoice: Invoice) -> Decimal:
    due = invoice.totals.amount_due
    return due if due is not None else invoice.totals.total_with_vat or Decimal(0)


def _told(events: Sequence[Row], status: str, kind: str) -> dict[Decimal, Decimal]:
    """Sum the amounts of one kind in every status of one code, by rate (0 where there is none)."""
    sums: dict[Decimal, Decimal] = {}
    for event in events:
        for datum in event["characteristics"] if event["status"] == status else ():
            if datum["type"] == kind and datum["amount"]:
                rate = Decimal(datum["rate"] or 0)
                sums[rate] = sums.get(rate, Decimal(0)) + Decimal(datum["amount"])
    return sums


def _form(status: Status, view: InvoiceView) -> Form:
    amounts = _asked(status, view)
    verb, meaning = VERBS[status.code]
    credit = view.invoice.is_credit_note  # collected in the negative: no cause is asked
    return Form(
        status=status,
        verb=verb,
        meaning=meaning,
        reasons=reasons_of(status.code, b2g=is_b2g(view.row)) if status.needs_reason else (),
        asks_action=status.asks_action,
        asks_comment=status.needs_comment or (not credit and any(amount < 0 for _rate, amount in amounts)),
        amounts=amounts,
    )


def _asked(status: Status, view: InvoiceView) -> tuple[tuple[Decimal | None, Decimal], ...]:
    if status.code == "212":
        reported = view.row["standing"] == "reportable"
        left = remaining(view.invoice, view.events, reported=reported)
        is_foreign = reported and view.invoice.currency != "EUR"  # to be said in euros: nobody knows at which rate
        return tuple((rate, Decimal(0) if is_foreign else amount) for rate, amount in left.items())
    if status.code == "211":
        paid = sum(_told(view.events, "211", "MPA").values(), Decimal(0))
        return ((None, _due(view.invoice) - paid),)
    return ()


def _pointless(status: Status, view: InvoiceView) -> bool:
    """A seller pays only what it refunds."""
    pays = role_of(view.row) == ("SE" if view.invoice.is_credit_note else "BY")
    return status.code == "211" and not pays


def _amounts(sent: Mapping[str, str]) -> list[tuple[Decimal | None, Decimal]]:
    typed = [(name.removeprefix("amount-"), text) for name, text in sent.items() if name.startswith("amount-")]
    return [(_rate(sent.get(f"rate-{place}", "")), _amount(text)) for place, text in typed if text.strip()]


def _rate(text: str) -> Decimal | None:
    return decimal(text) if text else None


_TYPED = re.compile(r"[+-]?([0-9]{1,3}( [0-9]{3})+|[0-9]+)([.,][0-9]{1,2})?")
_MANY_WAYS = re.compile(r"[+-]?[0-9]{1,3}([.,][0-9]{3})+([.,][0-9]*)?")


def _amount(text: str) -> Decimal:
    """Read an amount as people type it: spaces between thousands, one comma or point before the cents.

    `1,200` is twelve hundred in English and 1.20 to whoever writes a third decimal: it is not guessed. Raises: Unclear.
    """
    typed = re.sub(r"\s", " ", text.strip()).replace("\u2212", "-")
    shown = text.strip()[:40]
    try:
        if _TYPED.fullmatch(typed):
            return decimal(typed.replace(" ", "").replace(",", "."))
    except ValueError:
        raise Unclear(f"Montant trop long : « {shown} »…", f"Amount too long: “{shown}”…") from None
    if _MANY_WAYS.fullmatch(typed):
        raise Unclear(
            f"Montant ambigu : « {shown} ». Sans séparateur de milliers, deux décimales au plus : 1234,50.",
            f"Ambiguous amount: “{shown}”. No thousands separator, two decimals at most: 1234.50.",
        )
    raise Unclear(
        f"Montant illisible : « {shown} ». Écrivez-le comme 1234,50.",
        f"Unreadable amount: “{shown}”. Write it like 1234.50.",
    )
