"""Which changes of the directory the portal takes, one by one, and what a line that is taken replaces.

Each routing code and each line is judged alone, against the directory as the ones before it left it: closing a line
makes room for the one that follows it. What is refused harms nothing else. The rules are in `annex7`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from estafette.directory.annex7 import RULES
from estafette.directory.readings import Readings
from estafette.directory.resolution import FICTIVE
from estafette.directory.rules import CodeCase, Fault, Held, LineCase, Stage, broken
from estafette.formats.directory_entries import DirectoryLine
from estafette.formats.directory_update import AskedCode, AskedLine

__all__ = ["Fault", "judge_code", "judge_line", "soundness", "withdrawn_defaults"]

_READINGS, _WIDE = Readings(), Readings(takes_wide_identifiers=True)
_SOUND = frozenset({"G1.84", "G1.86"})
"""The rules on what is held that bind the authorities too."""


def judge_code(
    asked: AskedCode, held: Held, *, emitter: str, on: date, readings: Readings = _READINGS
) -> tuple[Fault, ...]:
    """Give why a routing code asked for by a platform on a day is refused; nothing when it is taken."""
    case = CodeCase(asked, held, emitter, on, readings)
    return broken(RULES, case, Stage.CODE_FORM) or broken(RULES, case, Stage.CODE_HELD)


def judge_line(
    asked: AskedLine, held: Held, *, emitter: str, on: date, readings: Readings = _READINGS
) -> tuple[Fault, ...]:
    """Give why a line asked for by a platform on a day is refused; nothing when it is taken."""
    case = LineCase(asked, held, emitter, on, readings)
    return broken(RULES, case, Stage.LINE_FORM) or broken(RULES, case, Stage.LINE_HELD)


def soundness(asked: AskedLine, held: Held, *, on: date) -> tuple[Fault, ...]:
    """Give why a line that an authority states cannot be held: its values, a mask of nothing, an overlap.

    A line may end the day it starts: something outside ended it that very day.
    """
    case = LineCase(asked, held, "", on, _WIDE)
    not_asked = {"G1.112"} | ({"G1.113"} if asked.start == asked.end else set())
    form = (rule for rule in RULES if rule.id not in not_asked)
    sound = (rule for rule in RULES if rule.id in _SOUND)
    return broken(form, case, Stage.LINE_FORM) or broken(sound, case, Stage.LINE_HELD)


def withdrawn_defaults(line: DirectoryLine, lines: Iterable[DirectoryLine]) -> Iterator[DirectoryLine]:
    """Give the new versions of the default lines of an address that give way to a line: closed when it starts.

    One that starts no sooner is masked.
    """
    if line.nature == "M" or line.matricule == FICTIVE:
        return
    for other in lines:
        if other.matricule != FICTIVE or other.nature == "M" or not other.overlaps(line) or other.start == line.start:
            continue
        if other.start > line.start:
            yield replace(other, nature="M")
        else:
            yield replace(other, end=line.start, effective_end=line.start)
