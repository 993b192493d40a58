"""The functional controls of the portal on a file of regulatory data: what it would reject, in its own words.

The rules are in `presence`, `contents` and `coherence`; this module runs them and adds what reading has found already.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from estafette.formats.flux1 import coherence, contents, presence
from estafette.formats.flux1.checks import SEMANTIC, Subject
from estafette.formats.flux1.facts import Flux1, facts_of, read_invoice
from estafette.formats.flux1.profile import Profile
from estafette.formats.xml import Syntax
from estafette.invoice.model import Invoice
from estafette.invoice.terms import TERMS

RULES = (*presence.RULES, *contents.RULES, *coherence.RULES)

_FORMAT_RULES = {
    "date": "G1.09",
    "amount": "G1.14",
    "amount_in_bt6": "G1.14",
    "price": "G1.16",
    "quantity": "G1.15",
    "percentage": "G1.24",
}
"""The rule that a value breaks when it is not of its term's type."""


class Anomaly(msgspec.Struct, frozen=True):
    """A rule that a file breaks, in the words of the rejection."""

    rule: str
    reason: str
    message_fr: str
    message_en: str
    terms: tuple[str, ...] = ()
    seen: str = ""


def control(name: str, data: bytes, *, on: date | None = None) -> tuple[Anomaly, ...]:
    """Give every rule that a file of regulatory data breaks; none when the portal would accept it.

    Uniqueness and the existence of the SIRENs are left to who has a store and a directory.
    Raises: Unreadable, when the file is no such file at all (see `facts.read_invoice`).
    """
    profile, invoice, _syntax = read_invoice(name, data)
    return _anomalies(profile, invoice, on)


class Examined(msgspec.Struct, frozen=True):
    """A file of regulatory data read once: its syntax, its facts, every rule that it breaks."""

    syntax: Syntax
    facts: Flux1
    anomalies: tuple[Anomaly, ...]


def examine(name: str, data: bytes, *, on: date | None = None) -> Examined:
    """Give what `read` and `control` give, reading the file once; raises Unreadable as they do."""
    profile, invoice, syntax = read_invoice(name, data)
    return Examined(syntax, facts_of(profile, invoice), _anomalies(profile, invoice, on))


def _anomalies(profile: Profile, invoice: Invoice, on: date | None) -> tuple[Anomaly, ...]:
    subject = Subject(invoice, profile, on)
    found = [
        Anomaly(rule.name, rule.reason, f"{rule.fr} (vu : {seen})", f"{rule.en} (seen: {seen})", rule.terms, seen)
        for rule in RULES
        for seen in rule.check(subject)
    ]
    return (*_misread(invoice), *found)


def rules() -> tuple[str, ...]:
    """Name the rules that are controlled, in order."""
    return tuple(dict.fromkeys(rule.name for rule in RULES))


def _misread(invoice: Invoice) -> Iterator[Anomaly]:
    """Give the anomalies that reading has found already: types, qualifiers, a second value."""
    for unread in invoice.unread:
        term = TERMS.get(unread.term or "")
        if unread.kind == "malformed" and term is not None:
            rule = _FORMAT_RULES.get(term.type, "G6.08")
        elif unread.kind == "second":
            rule = "S1.13" if unread.term == "BT-8" else "G6.08"
        else:
            rule = "S1.17"
        terms = (unread.term,) if unread.term else ()
        place = f"{unread.path} : {unread.value}"
        yield Anomaly(
            rule,
            SEMANTIC,
            f"{unread.why_fr} ({place})",
            f"{unread.why_en} ({place})",
            terms,
            unread.value or unread.path,
        )
