"""The rules of annex 7 on what a platform asks of the directory: one table, each with its check and its code.

A rule looks at one object. Those of the form look at its values alone; when one of them is broken, the others, which
look at what the directory holds, are not asked. Which reason code (G7.19) a rule has is our join: the texts give the
rules and the codes apart. REJ_VAL_INC a value that is not allowed, REJ_RG a rule on the object alone or its dates,
REJ_COH what the directory holds says otherwise, REJ_HAB not for this emitter.

Source: external specifications v3.2, annex 7 (V1.9), annex 3 (V1.8, F13 and its comments on DG-5 to DG-7).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from estafette.directory.readings import Readings
from estafette.formats.directory_entries import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory_update import AskedCode, AskedLine

PUBLISHED = date(2026, 4, 30)
"""The day of annex 7 V1.9: nothing was asked under it before."""


class Held(Protocol):
    """What the directory holds, asked for one thing at a time."""

    def legal_unit(self, siren: str) -> LegalUnit | None:
        """Give a legal unit."""

    def establishment(self, siret: str) -> Establishment | None:
        """Give an establishment."""

    def routing_code(self, siret: str, code: str) -> RoutingCode | None:
        """Give a routing code of an establishment."""

    def platform(self, matricule: str) -> ReceivingPlatform | None:
        """Give a platform."""

    def lines(self, address: str) -> Iterable[DirectoryLine]:
        """Give the lines of an address: of each start the version that counts, masks too."""


class Stage(StrEnum):
    """What a rule looks at."""

    CODE_FORM = "code, form"
    CODE_HELD = "code, held"
    LINE_FORM = "line, form"
    LINE_HELD = "line, held"


@dataclass(frozen=True, slots=True)
class CodeCase:
    """A routing code that is asked for, and what it is judged against."""

    asked: AskedCode
    held: Held
    emitter: str
    on: date
    readings: Readings

    @property
    def code(self) -> RoutingCode:
        """Give the code itself."""
        return self.asked.code


@dataclass(frozen=True)
class LineCase:
    """A line that is asked for, and what it is judged against. The rules of the form do not look at what is held."""

    asked: AskedLine
    held: Held
    emitter: str
    on: date
    readings: Readings

    @cached_property
    def line(self) -> DirectoryLine:
        """Give the line itself, once its form is right."""
        return self.asked.line()

    @cached_property
    def same(self) -> DirectoryLine | None:
        """Give the line of the same address and start that counts, a mask too."""
        return next((one for one in self._lines if one.start == self.line.start), None)

    @cached_property
    def others(self) -> tuple[DirectoryLine, ...]:
        """Give the definitions of the same address that count, with another start."""
        return tuple(one for one in self._lines if one.start != self.line.start and one.nature == "D")

    @cached_property
    def _lines(self) -> tuple[DirectoryLine, ...]:
        return tuple(self.held.lines(self.line.address))

    @property
    def defined(self) -> DirectoryLine | None:
        """Give the definition of the same address and start."""
        return self.same if self.same is not None and self.same.nature == "D" else None

    @property
    def is_in_force(self) -> bool:
        """Tell whether the same line has started."""
        return self.defined is not None and self.defined.start <= self.on

    @property
    def is_restated(self) -> bool:
        """Tell whether it repeats a line of the same platform, to change its end or to mask it."""
        return self.defined is not None and self.defined.matricule == self.line.matricule

    @property
    def is_ending(self) -> bool:
        """Tell whether it ends sooner, or masks, a line that is there: that is taken whatever became of its parties."""
        if self.defined is None or not self.is_restated:
            return False
        end, held = self.line.end, self.defined.end
        return self.line.nature == "M" or (end is not None and (held is None or end <= held))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: what it looks at, the element and term it is about, its code, its check, what to say when it is broken.

    `check` gives what was seen that is wrong, None when nothing is.
    """

    id: str
    stage: Stage
    code: str
    tag: str
    term: str
    check: Callable[..., str | None]
    expected_fr: str
    expected_en: str
    remedy_fr: str
    remedy_en: str
    since: date = PUBLISHED


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a change is refused: reason code, rule, the element and terms, and what to say in two languages."""

    code: str
    rule: str
    fr: str
    en: str
    terms: tuple[str, ...] = ()
    tag: str = ""


def broken(rules: Iterable[Rule], case: CodeCase | LineCase, stage: Stage) -> tuple[Fault, ...]:
    """Give the faults of a case at a stage, by the rules in force on its day."""
    asked = (rule for rule in rules if rule.stage is stage and rule.since <= case.on)
    return tuple(fault(rule, seen) for rule in asked if (seen := rule.check(case)) is not None)


def fault(rule: Rule, seen: str) -> Fault:
    """Give what to say of a broken rule."""
    seen = seen[:100]
    return Fault(
        rule.code,
        rule.id,
        f"{rule.tag} ({rule.term}) : vu « {seen} » ; attendu : {rule.expected_fr}. {rule.remedy_fr}",
        f"{rule.tag} ({rule.term}): seen “{seen}”; expected: {rule.expected_en}. {rule.remedy_en}",
        (rule.term,),
        rule.tag,
    )
