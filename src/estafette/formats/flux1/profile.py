"""The two profiles of Flow 1, when each applies, what each holds, and how its files are named.

>>> profile_on(date(2027, 8, 31)), profile_on(date(2027, 9, 1))
(<Profile.BASE: 'Base'>, <Profile.FULL: 'Full'>)
"""

import re
from datetime import date
from enum import StrEnum

from estafette.invoice.model import Invoice
from estafette.invoice.terms import Term


class Profile(StrEnum):
    """A trajectory of the reform, by the prefix of its file names (S1.06, case-sensitive)."""

    BASE = "Base"
    """From the start (DÉMARRAGE): header data only."""
    FULL = "Full"
    """The target (CIBLE): adds lines, delivery address, allowances and charges."""

    @property
    def identifier(self) -> str:
        """What BT-24 says in this profile (BR-FR-MAP-15)."""
        return f"urn.cpro.gouv.fr:1p0:einvoicingextract#{self.value}"


FULL_FROM = date(2027, 9, 1)
"""The day from which the target profile is owed (external specifications v3.2, annex 1: G6.09, G6.12)."""

NUMBER_LENGTH = 35
"""Characters of an invoice number (annex 7, G1.05)."""

PORTAL_NUMBER_LENGTH, PORTAL_LIMIT_UNTIL = 20, date(2026, 12, 31)
"""A limitation of the portal, and its last day (AIFE, annex of limitations of July 2026)."""

_NAME = re.compile(r"(Base|Full)_.+\.xml")


def profile_on(day: date) -> Profile:
    """Give the profile that data sent on a day must have."""
    return Profile.FULL if day >= FULL_FROM else Profile.BASE


def profile_of(name: str) -> Profile | None:
    """Give the profile that a file name announces, None when it announces none."""
    found = _NAME.fullmatch(name)
    return Profile(found[1]) if found else None


def number_length(on: date | None) -> int:
    """Give the longest number that the portal takes on a day; without a day, while its limitation lasts."""
    return PORTAL_NUMBER_LENGTH if on is None or on <= PORTAL_LIMIT_UNTIL else NUMBER_LENGTH


def portal_number(number: str, *, on: date | None = None) -> str:
    """Give an invoice number as the portal knows it: T and its last 19 characters when too long (BR-FR-MAP-01).

    >>> portal_number("FACTURE-2026-09-000001"), portal_number("F20260001")
    ('TTURE-2026-09-000001', 'F20260001')
    """
    if len(number) <= number_length(on):
        return number
    return "T" + number[-(PORTAL_NUMBER_LENGTH - 1) :]


def file_name(invoice: Invoice, profile: Profile) -> str:
    """Name the file of an invoice's data: its profile, its seller, its year and its number, in safe characters."""
    year = invoice.issue_date.year if invoice.issue_date else 0
    number = re.sub(r"[^A-Za-z0-9-]", "-", invoice.number)
    return f"{profile.value}_{invoice.seller_siren or '-'}_{year}_{number}.xml"


def in_base(term: Term) -> bool:
    """Keep the terms of the profile BASE."""
    return term.flux1 == "B"


def in_full(term: Term) -> bool:
    """Keep the terms of the profile FULL."""
    return term.flux1 != ""


KEEP = {Profile.BASE: in_base, Profile.FULL: in_full}
"""The terms of each profile."""
