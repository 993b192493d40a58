"""What each rule of annex 7 looks for in a routing code: a function a rule, giving what is wrong, or None.

Source: external specifications v3.2, annex 7 (V1.9), annex 3 (V1.8, F13, DG-5).
"""

import re

from estafette.directory.line_checks import LENGTH_MAX, is_routing
from estafette.directory.rules import CodeCase
from estafette.invoice import codes_lists
from estafette.values.identifiers import Address

_SIRET = re.compile("[0-9]{14}")
TEXT_MAX, POSTAL_CODE_MAX = 255, 10


def status(case: CodeCase) -> str | None:
    """The status is active or inactive."""
    return None if case.code.status in ("A", "I") else case.code.status or "–"


def siret_scheme(case: CodeCase) -> str | None:
    """The SIRET is qualified 0009."""
    return None if case.asked.siret_scheme == "0009" else case.asked.siret_scheme or "–"


def siret(case: CodeCase) -> str | None:
    """A SIRET has fourteen digits (G2.07)."""
    return None if _SIRET.fullmatch(case.code.siret) else case.code.siret


def scheme(case: CodeCase) -> str | None:
    """The code is qualified 0224 (G1.83)."""
    return None if case.code.scheme == "0224" else case.code.scheme or "–"


def characters(case: CodeCase) -> str | None:
    """The code has letters, digits, - and _ (G1.95)."""
    return None if is_routing(case.code.code, wide=case.readings.takes_wide_identifiers) else case.code.code or "–"


def name(case: CodeCase) -> str | None:
    """The name is there, and no longer than allowed."""
    return None if 0 < len(case.code.name) <= LENGTH_MAX else case.code.name or "–"


def place(case: CodeCase) -> str | None:
    """The parts of the address are no longer than allowed."""
    code = case.code
    parts = (code.line_1, code.line_2, code.line_3, code.city, code.subdivision)
    if code.postal_code is not None and len(code.postal_code) > POSTAL_CODE_MAX:
        return code.postal_code
    return next((part for part in parts if part is not None and len(part) > TEXT_MAX), None)


def country(case: CodeCase) -> str | None:
    """The country is one of ISO 3166-1 (G2.01)."""
    code = case.code.country
    return None if code is None or code in codes_lists.of("ISO 3166-1") else code


def known_unit(case: CodeCase) -> str | None:
    """The unit of the establishment is known and active (G1.96); a code of one that ceased may be ended."""
    unit = case.held.legal_unit(case.code.siret[:9])
    is_present = unit is not None and unit.status == "A" and (unit.is_taxable or unit.entity_type == "P")
    return None if is_present or _is_ending(case) else case.code.siret[:9]


def known_establishment(case: CodeCase) -> str | None:
    """The establishment is known and active (G1.97); a code of one that closed may be ended."""
    held = case.held.establishment(case.code.siret)
    return None if (held is not None and held.status == "A") or _is_ending(case) else case.code.siret


def private_unit(case: CodeCase) -> str | None:
    """The services of public entities come from Chorus Pro."""
    unit = case.held.legal_unit(case.code.siret[:9])
    return case.code.siret if unit is not None and unit.entity_type == "P" else None


def served_by_another(case: CodeCase) -> str | None:
    """A platform does not end a code at which another platform receives: its lines would go with it (DT-5-2)."""
    if not _is_ending(case):
        return None
    lines = case.held.lines(str(Address(case.code.siret[:9], case.code.siret, case.code.code)))
    lasting = (line for line in lines if line.nature == "D" and (line.end is None or line.end > case.on))
    return next((line.matricule for line in lasting if line.matricule != case.emitter), None)


def registered_emitter(case: CodeCase) -> str | None:
    """The emitter's registration is in force."""
    emitter = case.held.platform(case.emitter)
    return None if emitter is not None and emitter.is_registered(case.on) else case.emitter


def _is_ending(case: CodeCase) -> bool:
    return case.code.status == "I" and case.held.routing_code(case.code.siret, case.code.code) is not None
