"""What each rule of annex 7 looks for in a line: a function a rule, giving what is wrong, or None.

Source: external specifications v3.2, annex 7 (V1.9), annex 3 (V1.8), F13.
"""

import re
from dataclasses import replace

from estafette.directory.resolution import CHORUS_PRO, FICTIVE
from estafette.directory.rules import LineCase
from estafette.formats.directory_entries import DirectoryLine
from estafette.values.identifiers import ADDRESS_LENGTH_MAX
from estafette.values.moments import day

CHORUS_PRO_SENDING = "9997"
RESERVED = frozenset({CHORUS_PRO_SENDING, FICTIVE, CHORUS_PRO})
"""Registration numbers that no platform may write (G1.112)."""

_ROUTING, _SUFFIX = re.compile(r"[A-Za-z0-9_-]+"), re.compile(r"[A-Za-z0-9_.-]+")
_WIDE_ROUTING, _WIDE_SUFFIX = re.compile(r"[A-Za-z0-9_/@.-]+"), re.compile(r"[A-Za-z0-9_.@-]+")
_SIREN, _SIRET = re.compile("[0-9]{9}"), re.compile("[0-9]{14}")
_YEARS = range(2000, 2100)
LENGTH_MAX = 100


# --------------------------------------------------------------------------------------------------- the values alone


def nature(case: LineCase) -> str | None:
    """The nature is a definition or a mask."""
    return None if case.asked.nature in ("D", "M") else case.asked.nature


def days(case: LineCase) -> str | None:
    """The dates are days (G1.09)."""
    return next((text for text in _days(case) if not _is_day(text)), None)


def years(case: LineCase) -> str | None:
    """The dates are of this century (G1.36)."""
    read = (text for text in _days(case) if _is_day(text))
    return next((text for text in read if day(text).year not in _YEARS), None)


def order(case: LineCase) -> str | None:
    """The end comes after the start (G1.113)."""
    start, end = case.asked.start, case.asked.end
    if end is None or not (_is_day(start) and _is_day(end)) or day(start) < day(end):
        return None
    return f"{start} – {end}"


def siren(case: LineCase) -> str | None:
    """A SIREN has nine digits (G1.89)."""
    return None if _SIREN.fullmatch(case.asked.siren) else case.asked.siren


def siren_scheme(case: LineCase) -> str | None:
    """A SIREN is qualified 0002."""
    return None if case.asked.siren_scheme == "0002" else case.asked.siren_scheme


def siret(case: LineCase) -> str | None:
    """A SIRET has fourteen digits (G2.07)."""
    return None if case.asked.siret is None or _SIRET.fullmatch(case.asked.siret) else case.asked.siret


def siret_scheme(case: LineCase) -> str | None:
    """A SIRET is qualified 0009."""
    return None if case.asked.siret is None or case.asked.siret_scheme == "0009" else case.asked.siret_scheme


def siret_of_siren(case: LineCase) -> str | None:
    """A SIRET begins with the SIREN of its block (G1.80)."""
    asked = case.asked
    is_other = asked.siret is not None and not asked.siret.startswith(asked.siren)
    return asked.siret if is_other and siret(case) is None and siren(case) is None else None


def routing_needs_siret(case: LineCase) -> str | None:
    """A routing code comes with a SIRET (G1.91)."""
    return case.asked.routing_code if case.asked.siret is None else None


def routing_scheme(case: LineCase) -> str | None:
    """A routing code is qualified 0224 (G1.83)."""
    asked = case.asked
    return None if asked.routing_code is None or asked.routing_scheme == "0224" else asked.routing_scheme or "–"


def routing_characters(case: LineCase) -> str | None:
    """A routing code has letters, digits, - and _ (G1.95)."""
    code = case.asked.routing_code
    return None if code is None or is_routing(code, wide=case.readings.takes_wide_identifiers) else code


def suffix_alone(case: LineCase) -> str | None:
    """A suffix excludes a SIRET (G1.93)."""
    return case.asked.suffix if case.asked.siret is not None else None


def suffix_characters(case: LineCase) -> str | None:
    """A suffix has letters, digits, -, _ and . (G1.115)."""
    suffix = case.asked.suffix
    allowed = _WIDE_SUFFIX if case.readings.takes_wide_identifiers else _SUFFIX
    return None if suffix is None or (allowed.fullmatch(suffix) and len(suffix) <= LENGTH_MAX) else suffix


def address_length(case: LineCase) -> str | None:
    """An address has 125 characters at most."""
    address = case.asked.address
    return None if len(address) <= ADDRESS_LENGTH_MAX else f"{len(address)}"


def reserved(case: LineCase) -> str | None:
    """A platform does not write the numbers that are no platform (G1.112)."""
    asked = case.asked
    is_default = asked.matricule == FICTIVE and asked.siret is None and asked.suffix is None
    if asked.matricule not in RESERVED or (is_default and case.readings.takes_fictive_lines):
        return None
    return asked.matricule


# ------------------------------------------------------------------------------------------ what the directory holds


def known_unit(case: LineCase) -> str | None:
    """The unit is known, active, taxable; a line that exists may be closed or masked all the same (G1.96)."""
    unit = case.held.legal_unit(case.line.siren)
    is_present = unit is not None and unit.status == "A" and (unit.is_taxable or unit.entity_type == "P")
    return None if is_present or case.is_ending else case.line.siren


def known_establishment(case: LineCase) -> str | None:
    """The establishment is known and active (G1.97)."""
    if case.line.siret is None or case.is_ending:
        return None
    held = case.held.establishment(case.line.siret)
    return None if held is not None and held.status == "A" else case.line.siret


def known_code(case: LineCase) -> str | None:
    """The routing code exists and is in force for its SIRET (G1.92)."""
    line = case.line
    if line.siret is None or line.routing_code is None or case.is_ending:
        return None
    held = case.held.routing_code(line.siret, line.routing_code)
    return None if held is not None and held.status == "A" else line.routing_code


def registered(case: LineCase) -> str | None:
    """The platform is registered, now and when the line starts; a line of one that lapsed may be ended (G1.94)."""
    line = case.line
    if line.matricule == FICTIVE and case.readings.takes_fictive_lines:
        return None
    platform = case.held.platform(line.matricule)
    if platform is not None and all(platform.is_registered(day) for day in (case.on, max(case.on, line.start))):
        return None
    return None if case.is_ending else line.matricule


def masks_a_line(case: LineCase) -> str | None:
    """A mask repeats an existing definition: its dates, its address, its platform (G1.84)."""
    line, same = case.line, case.same
    if line.nature == "D" or (same is not None and (same.end, same.matricule) == (line.end, line.matricule)):
        return None
    return f"{line.address} {line.start} – {line.end or '…'} @{line.matricule}"


def masks_what_is_to_come(case: LineCase) -> str | None:
    """A mask is of a line that has not started (G1.85)."""
    return str(case.line.start) if case.line.nature == "M" and case.line.start <= case.on else None


def starts_tomorrow(case: LineCase) -> str | None:
    """A definition starts tomorrow at the earliest, or repeats one in force, whose end alone it changes (G1.87)."""
    line = case.line
    if line.nature == "M" or line.start > case.on or (case.is_in_force and case.is_restated):
        return None
    return f"{line.start} @{line.matricule}"


def ends_tomorrow(case: LineCase) -> str | None:
    """A line ends tomorrow at the earliest (G1.88)."""
    line = case.line
    if line.nature == "M" or line.end is None or line.end > case.on:
        return None
    platform = case.held.platform(line.matricule)
    has_lapsed = platform is None or not platform.is_registered(case.on)
    if has_lapsed and case.is_in_force and not case.readings.closes_lapsed_from_start:
        return None
    return str(line.end)


def free_period(case: LineCase) -> str | None:
    """Two definitions of one address have no day in common; the default line gives way (G1.86)."""
    if case.line.nature == "M":
        return None
    is_default = case.line.matricule == FICTIVE
    others = (other for other in case.others if is_default or other.matricule != FICTIVE)
    overlapping = next((other for other in others if _overlaps(case, other)), None)
    return f"{overlapping.start} – {overlapping.end or '…'}" if overlapping else None


def private_unit(case: LineCase) -> str | None:
    """The lines of public entities come from Chorus Pro."""
    unit = case.held.legal_unit(case.line.siren)
    return case.line.siren if unit is not None and unit.entity_type == "P" else None


def own_line(case: LineCase) -> str | None:
    """A platform writes its own lines; of another's it ends those in force, never later: portability asks it to."""
    line = case.line
    is_closing = line.nature == "D" and case.is_in_force and case.is_ending
    is_default = line.matricule == FICTIVE and case.readings.takes_fictive_lines
    return None if line.matricule == case.emitter or is_closing or is_default else line.matricule


def registered_emitter(case: LineCase) -> str | None:
    """Whose registration is not in force only ends its own lines."""
    emitter = case.held.platform(case.emitter)
    is_own = case.is_ending and case.line.matricule == case.emitter
    return None if is_own or (emitter is not None and emitter.is_registered(case.on)) else case.emitter


# ---------------------------------------------------------------------------------------------------------- together


def is_routing(code: str, *, wide: bool = False) -> bool:
    """Tell whether a routing code has the characters and the length allowed."""
    return bool((_WIDE_ROUTING if wide else _ROUTING).fullmatch(code)) and len(code) <= LENGTH_MAX


def _overlaps(case: LineCase, other: DirectoryLine) -> bool:
    frees = case.readings.frees_effective_end and other.effective_end is not None
    return (replace(other, end=other.effective_end) if frees else other).overlaps(case.line)


def _days(case: LineCase) -> tuple[str, ...]:
    return (case.asked.start,) if case.asked.end is None else (case.asked.start, case.asked.end)


def _is_day(text: str) -> bool:
    try:
        day(text)
    except ValueError:
        return False
    return True
