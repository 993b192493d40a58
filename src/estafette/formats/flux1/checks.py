"""How a rule of the portal on a file of regulatory data is written: one function, named as annex 7 names it.

A check yields what it saw wrong, once for each fault; the decorator registers it with the words of the rejection, among
those of its module: `presence`, `contents`, `coherence`. Codes to compare with are in the tables of `invoice.codes`.

Source: external specifications v3.2, annex 7 v1.9, and the portal's published Schematron of Flow 1 (trajectories
DÉMARRAGE and CIBLE), rewritten as facts; where both differ, the docstring says which is followed.
"""

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from estafette.formats.flux1.profile import Profile
from estafette.invoice.model import Invoice

SEMANTIC, INCOHERENT = "REJ_SEMAN", "REJ_COH"
"""The portal's reasons of rejection of invoice data that content alone decides (annex 7, G7.19)."""


class Subject(msgspec.Struct, frozen=True):
    """What is controlled: an invoice read from a file, in a profile, on a day if one is given."""

    invoice: Invoice
    profile: Profile
    on: date | None

    @property
    def is_full(self) -> bool:
        """Whether the controls of the target trajectory apply."""
        return self.profile is Profile.FULL


Check = Callable[[Subject], Iterator[str]]


class Rule(msgspec.Struct, frozen=True):
    """A check and its words: the name of the rule, the reason of rejection, the terms that it is about."""

    name: str
    reason: str
    terms: tuple[str, ...]
    fr: str
    en: str
    check: Check


class Rules(list[Rule]):
    """The rules of a module, in their order."""

    def check(self, name: str, *terms: str, fr: str, en: str, reason: str = SEMANTIC) -> Callable[[Check], Check]:
        """Register the function that follows as a rule."""

        def register(check: Check) -> Check:
            self.append(Rule(name, reason, terms, fr, en, check))
            return check

        return register
