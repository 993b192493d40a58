"""How long each kind of thing is kept: dated law, each duration with the text it comes from.

A duration runs from the day of the thing itself, or from the end of the accounting year that the day falls in; the last
day of it is still kept. What a text lays down may be lengthened by whoever keeps, never shortened; what is our own
choice (`Ground.OURS`) may be set at will.

Source: LPF, art. L. 102 B; Code de commerce, art. L. 123-22; DGFiP, guide of the conformity audit v1.3, A8 and A4.2;
external specifications v3.2; CNIL, recommendation on journals (2021).
"""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What is kept, by what it is kept for."""

    TAX_EVIDENCE = "tax-evidence"
    ACCOUNTING = "accounting"
    STATUS = "status"
    FLOW_MESSAGE = "flow-message"
    REPORT = "report"
    JOURNAL = "journal"
    REJECTED = "rejected"
    IRRECEIVABLE = "irreceivable"
    PERSONAL = "personal"
    PORTABILITY = "portability"
    PACKAGE = "package"


class Ground(StrEnum):
    """Why a duration is what it is: a law, a guide of the administration, or our own choice."""

    LAW = "law"
    GUIDE = "guide"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Rule:
    """A duration, in months, from the day of the thing or, `from_year_end`, from the end of its accounting year.

    `since` and `until` are the days on which the rule is in force.
    """

    kind: Kind
    months: int
    source: str
    ground: Ground
    fr: str
    en: str
    from_year_end: bool = False
    since: date = date(2026, 9, 1)
    until: date = date.max


RULES: tuple[Rule, ...] = (
    Rule(
        Kind.TAX_EVIDENCE, 72, "LPF, art. L. 102 B", Ground.LAW,
        "Facture, pièce justificative de la TVA", "Invoice, evidence for VAT",
    ),
    Rule(
        Kind.ACCOUNTING, 120, "C. com., art. L. 123-22", Ground.LAW,
        "Facture, pièce comptable", "Invoice, accounting record", from_year_end=True,
    ),
    Rule(
        Kind.STATUS, 72, "LPF, art. L. 102 B; DGFiP, audit v1.3, A8", Ground.GUIDE,
        "Statut de facture", "Status of an invoice",
    ),
    Rule(
        Kind.FLOW_MESSAGE, 72, "DGFiP, audit v1.3, A8", Ground.GUIDE,
        "Message échangé avec le portail public", "Message exchanged with the public portal",
    ),
    Rule(
        Kind.REPORT, 72, "LPF, art. L. 102 B", Ground.LAW,
        "E-reporting : déclarations et pièces", "E-reporting: transmissions and records",
    ),
    Rule(
        Kind.JOURNAL, 72, "DGFiP, audit v1.3, A8", Ground.GUIDE,
        "Journal des accès", "Journal of accesses",
    ),
    Rule(
        Kind.REJECTED, 72, "DGFiP, audit v1.3, A8", Ground.GUIDE,
        "Facture rejetée (preuve du traitement)", "Rejected invoice (proof of processing)",
    ),
    Rule(
        Kind.IRRECEIVABLE, 12, "Estafette", Ground.OURS,
        "Dépôt irrecevable", "Irreceivable deposit",
    ),
    Rule(
        Kind.PERSONAL, 12, "CNIL, 2021-122", Ground.OURS,
        "Donnée personnelle de connexion", "Personal data of sign-ins",
    ),
    Rule(
        Kind.PORTABILITY, 12, "CGI, ann. II, art. 242 nonies E quater; DGFiP, audit v1.3, A4.2", Ground.LAW,
        "Après un changement de plateforme", "After a change of platform",
    ),
    Rule(
        Kind.PACKAGE, 1, "Estafette", Ground.OURS,
        "Dossier de restitution", "Restitution package",
    ),
)  # fmt: skip
"""Every rule, of every time."""


AUDIT = (Kind.JOURNAL, Kind.ACCOUNTING, Kind.TAX_EVIDENCE)
"""What an event of the audit log is kept for: itself, and as a proof of the invoices of its day."""


def rule_of(kind: Kind, *, on: date) -> Rule:
    """Return the rule of a kind that is in force on a day; before the first of them, the first."""
    mine = [rule for rule in RULES if rule.kind is kind]
    return next((rule for rule in mine if rule.since <= on <= rule.until), mine[0])


class TooShort(ValueError):
    """A duration below what a text lays down: it is refused, nothing is guessed."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules as one actor applies them: its own durations in months, the end of the accounting year it assumes."""

    months: Mapping[Kind, int] = field(default_factory=dict)
    year_end: tuple[int, int] = (12, 31)

    def __post_init__(self) -> None:
        """Refuse what is shorter than the text. Raises: TooShort."""
        for kind, months in self.months.items():
            rule = rule_of(kind, on=date.max)
            least = 1 if rule.ground is Ground.OURS else rule.months
            if months < least:
                raise TooShort(f"{kind}: {months} < {least} ({rule.source})")

    def until(self, kind: Kind, day: date, *, on: date) -> date:
        """Return the last day on which a thing of this day is kept, by the rule in force on `on`.

        >>> Retention().until(Kind.TAX_EVIDENCE, date(2026, 9, 10), on=date(2026, 9, 15))
        datetime.date(2032, 9, 10)
        >>> Retention().until(Kind.ACCOUNTING, date(2026, 9, 10), on=date(2026, 9, 15))
        datetime.date(2036, 12, 31)
        """
        rule = rule_of(kind, on=on)
        return later(self._year_end_after(day) if rule.from_year_end else day, self._months(rule))

    def longest(self, kinds: tuple[Kind, ...], day: date, *, on: date) -> tuple[date, Kind]:
        """Return until when a thing is kept that is kept for several reasons, and for which one the longest."""
        return max((self.until(kind, day, on=on), kind) for kind in kinds)

    def before(self, kind: Kind, *, on: date) -> date:
        """Return a day such that whatever is kept no more on `on` is of it or earlier; at most a month of days that
        are still kept are too.
        """
        rule = rule_of(kind, on=on)
        months = self._months(rule)
        if not rule.from_year_end:
            return earlier(on, months)
        years = range(on.year - months // 12, on.year - months // 12 - 3, -1)
        ends = (_day(year, *self.year_end) for year in years if year >= 1)
        return next((end for end in ends if later(end, months) < on), date.min)

    def _months(self, rule: Rule) -> int:
        """Return the actor's own duration; a text that has since become longer prevails over it."""
        own = self.months.get(rule.kind, rule.months)
        return own if rule.ground is Ground.OURS else max(own, rule.months)

    def _year_end_after(self, day: date) -> date:
        month, last = self.year_end
        end = _day(day.year, month, last)
        return end if end >= day else _day(day.year + 1, month, last)


def later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last of that month; the last day of all when it is past it.

    >>> later(date(2024, 2, 29), 72)
    datetime.date(2030, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    if day.year + years > date.max.year:
        return date.max
    return _day(day.year + years, month + 1, day.day)


def earlier(day: date, months: int) -> date:
    """Return the last day of the month so many months before: no day whose `later` is before `day` comes after it."""
    years, month = divmod(day.month - 1 - months, 12)
    if day.year + years < 1:
        return date.min
    return _day(day.year + years, month + 1, 31)


def _day(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
