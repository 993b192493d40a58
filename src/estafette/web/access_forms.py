"""What the forms about accesses say: logins, scopes, days, accreditations; what is unclear is said, not guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from estafette.store.identity_people import NotPossible
from estafette.store.roles import SCOPES
from estafette.values.limits import KEY_OVERLAP_DAYS_MAX

FLOW_TYPES = {
    "CustomerInvoice": ("Factures émises", "Invoices issued"),
    "SupplierInvoice": ("Factures reçues", "Invoices received"),
    "CustomerInvoiceLC": ("Statuts des factures émises", "Statuses of invoices issued"),
    "SupplierInvoiceLC": ("Statuts des factures reçues", "Statuses of invoices received"),
}
"""The types of flow (XP Z12-013 §3.6) to which an accreditation may be limited, in words."""

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{2,99}")
_EMAIL = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]{1,189}")


class Unclear(NotPossible):
    """What a form says cannot be taken."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An accreditation as a form asks it."""

    holder: str
    may_read: bool
    may_write: bool
    starts_on: date
    ends_on: date | None
    flow_types: tuple[str, ...]


def read_login(text: str) -> str:
    """Return a login. Raises: Unclear."""
    if not _LOGIN.fullmatch(text.strip()):
        raise Unclear(
            "Identifiant : 3 à 100 lettres sans accent, chiffres, points, tirets, + ou @.",
            "Login: 3 to 100 plain letters, digits, dots, dashes, + or @.",
        )
    return text.strip()


def read_email(text: str) -> str | None:
    """Return an address in lower case, None for none. Raises: Unclear."""
    if not text.strip():
        return None
    if not _EMAIL.fullmatch(text.strip()):
        raise Unclear(f"Adresse illisible : « {text[:60]} ».", f"Unreadable address: “{text[:60]}”.")
    return text.strip().lower()


def read_client(sent: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the name and scopes of a client. Raises: Unclear."""
    name = " ".join(sent.get("name", "").split())
    scopes = [scope for scope in SCOPES if f"scope-{scope}" in sent]
    if not 1 <= len(name) <= 100:
        raise Unclear("Donnez un nom à ce logiciel (100 caractères au plus).", "Name this software (100 characters).")
    if not scopes:
        raise Unclear("Choisissez au moins un droit.", "Choose at least one right.")
    return name, scopes


def read_day(text: str) -> date | None:
    """Return a day, None for none. Raises: Unclear."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise Unclear(f"Date illisible : « {text[:20]} ».", f"Unreadable date: “{text[:20]}”.") from None


def read_days(text: str) -> int:
    """Return for how many days the key before stays valid. Raises: Unclear."""
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
    if not 0 <= days <= KEY_OVERLAP_DAYS_MAX:
        raise Unclear(f"De 0 à {KEY_OVERLAP_DAYS_MAX} jours.", f"From 0 to {KEY_OVERLAP_DAYS_MAX} days.")
    return days


def read_accreditation(sent: Mapping[str, str], *, giver: str, today: date) -> Asked:
    """Return the accreditation that a form asks. Raises: Unclear."""
    holder = sent.get("holder", "").replace(" ", "")
    may_read, may_write = "read" in sent, "write" in sent
    starts_on, ends_on = read_day(sent.get("from", "")) or today, read_day(sent.get("to", ""))
    if not re.fullmatch("[0-9]{9}", holder) or holder == giver:
        raise Unclear(
            "SIREN du mandataire : 9 chiffres, et pas le vôtre.", "SIREN of the agent: 9 digits, and not your own."
        )
    if not (may_read or may_write):
        raise Unclear("Choisissez lecture, écriture, ou les deux.", "Choose reading, writing, or both.")
    if ends_on is not None and ends_on < max(starts_on, today):
        raise Unclear("La fin précède le début, ou est passée.", "The end is before the start, or past.")
    types = tuple(code for code in FLOW_TYPES if f"type-{code}" in sent)
    return Asked(holder, may_read, may_write, starts_on, ends_on, types)
