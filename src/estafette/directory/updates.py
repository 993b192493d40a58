"""Which changes of the directory the portal takes from a platform (F13), one by one and in their order.

Each routing code and each line is judged alone, against the directory as the ones before it left it: closing a line
makes room for the one that follows it. What is refused harms nothing else. A line that is taken gives the versions to
record; nothing is ever deleted.

Reason codes (G7.19): REJ_VAL_INC a value that is not allowed, REJ_RG a rule on the object alone or its dates, REJ_COH
what the directory holds says otherwise, REJ_HAB not for this emitter. The texts give the rules and the codes, not which
rule has which code: that join is ours.

Source: external specifications v3.2, annex 7 (V1.9) and comments of annex 3 on DG-7.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from estafette.directory.history import current
from estafette.directory.resolution import CHORUS_PRO, FICTIVE
from estafette.formats.directory import Update
from estafette.formats.directory_entries import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.values.identifiers import ADDRESS_LENGTH_MAX

RESERVED = frozenset({"9997", FICTIVE, CHORUS_PRO})
"""Registration numbers that no platform may write (G1.112)."""

_ROUTING, _SUFFIX = re.compile(r"[A-Za-z0-9_-]{1,100}"), re.compile(r"[A-Za-z0-9_.-]{1,100}")
_SIREN, _SIRET, _COUNTRY = re.compile("[0-9]{9}"), re.compile("[0-9]{14}"), re.compile("[A-Z]{2}")
_YEARS = range(2000, 2100)
_DAY = timedelta(days=1)


class Register(Protocol):
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
        """Give every version of the lines of an address."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a change is refused: reason code, rule, two languages, the elements concerned."""

    code: str
    rule: str
    fr: str
    en: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one change: accepted (400) without faults, rejected (401) with them."""

    iteration: int
    """Its place in its block, from 1 (MDT-127)."""
    asked: RoutingCode | DirectoryLine
    faults: tuple[Fault, ...] = ()
    versions: tuple[DirectoryLine, ...] = ()
    """The versions to record for an accepted line, in order: the default line closed, then the line itself."""


def judge(update: Update, register: Register, *, emitter: str, on: date) -> tuple[Answer, ...]:
    """Answer each change of an update, routing codes first, as the portal takes them on a day.

    `emitter` is the registration number of the platform that sends it. Nothing is written: the caller records the
    versions of the answers without faults.
    """
    held = _Held(register)
    answers = []
    for iteration, code in enumerate(update.routing_codes, 1):
        faults = tuple(_code_faults(code, held))
        if not faults:
            held.codes[code.siret, code.code] = code
        answers.append(Answer(iteration, code, faults))
    for iteration, line in enumerate(update.lines, 1):
        faults = tuple(_line_faults(line, held, emitter=emitter, on=on))
        versions = () if faults else _versions(line, held)
        held.added.extend(versions)
        answers.append(Answer(iteration, line, faults, versions))
    return tuple(answers)


@dataclass(slots=True)
class _Held:
    """The directory, and what this update has already changed in it."""

    register: Register
    codes: dict[tuple[str, str], RoutingCode] = field(default_factory=dict)
    added: list[DirectoryLine] = field(default_factory=list)

    def routing_code(self, siret: str, code: str) -> RoutingCode | None:
        return self.codes.get((siret, code)) or self.register.routing_code(siret, code)

    def lines(self, address: str) -> tuple[DirectoryLine, ...]:
        """Give the lines of an address that count now; a version of this update is later than all that is held."""
        held = list(self.register.lines(address))
        last = max((line.instance for line in held), default=0)
        mine = (line for line in self.added if line.address == address)
        return current([*held, *(replace(line, instance=last + at) for at, line in enumerate(mine, 1))])

    def same(self, line: DirectoryLine) -> DirectoryLine | None:
        """Give the line of the same address and start."""
        return next((held for held in self.lines(line.address) if held.start == line.start), None)


# ----------------------------------------------------------------------------------------------------------- judging


def _code_faults(code: RoutingCode, held: _Held) -> Iterator[Fault]:
    establishment = held.register.establishment(code.siret)
    if code.status not in ("A", "I"):
        yield _value("A3", "Statut", code.status, "A, I")
    if code.scheme != "0224":
        yield _value("G1.83", "IdRoutage/@qualifiant", code.scheme, "0224")
    if not _ROUTING.fullmatch(code.code):
        yield _value("G1.95", "IdRoutage", code.code, "A-Z a-z 0-9 - _, ≤ 100")
    if not _SIRET.fullmatch(code.siret):
        yield _value("G2.07", "IdSIRET", code.siret, "14 chiffres / digits")
    elif establishment is None or establishment.status != "A":
        yield _unknown("G1.97", "IdSIRET", code.siret)
    if code.country is not None and not _COUNTRY.fullmatch(code.country):
        yield _value("G2.01", "CodePays", code.country, "ISO 3166-1 alpha-2")


def _line_faults(line: DirectoryLine, held: _Held, *, emitter: str, on: date) -> Iterator[Fault]:
    malformed = tuple(_malformed(line))
    yield from malformed
    if malformed:
        return
    same = held.same(line)
    yield from _against_references(line, held, same, on)
    yield from _masking(line, same, on) if line.nature == "M" else _defining(line, held, same, on)
    yield from _entitlement(line, held, same, emitter, on)


def _malformed(line: DirectoryLine) -> Iterator[Fault]:
    """The values alone: nothing else can be asked of a line whose identifiers or dates are not such."""
    if line.nature not in ("D", "M"):
        yield _value("G1.84", "Nature", line.nature, "D, M")
    if not _SIREN.fullmatch(line.siren):
        yield _value("G1.89", "IdLinSIREN", line.siren, "9 chiffres / digits")
    if line.siret is not None and not _SIRET.fullmatch(line.siret):
        yield _value("G2.07", "IdLinSIRET", line.siret, "14 chiffres / digits")
    elif line.siret is not None and not line.siret.startswith(line.siren):
        yield _rule("G1.80", "IdLinSIRET", "Le SIRET n'est pas de ce SIREN.", "The SIRET is not of that SIREN.")
    if line.routing_code is not None:
        yield from _malformed_code(line)
    if line.suffix is not None and line.siret is not None:
        yield _rule("G1.93", "Suffixe", "Un suffixe exclut un SIRET.", "A suffix excludes a SIRET.")
    if line.suffix is not None and not _SUFFIX.fullmatch(line.suffix):
        yield _value("G1.115", "Suffixe", line.suffix, "A-Z a-z 0-9 - _ ., ≤ 100")
    if len(line.address) > ADDRESS_LENGTH_MAX:
        yield _value("A3", "Identifiant", line.address, f"≤ {ADDRESS_LENGTH_MAX}")
    if line.matricule in RESERVED:
        yield _value("G1.112", "IdPlateforme", line.matricule, "≠ 9997, 9998, 9999")
    if any(day is not None and day.year not in _YEARS for day in (line.start, line.end)):
        yield _value("G1.36", "DateEffet", f"{line.start} – {line.end}", "2000–2099")
    if line.end is not None and line.end <= line.start:
        yield _rule("G1.113", "DateFin", "La fin est après le début.", "The end comes after the start.")


def _malformed_code(line: DirectoryLine) -> Iterator[Fault]:
    if line.siret is None:
        yield _rule("G1.91", "IdLinRoutage", "Un code routage demande un SIRET.", "A routing code needs a SIRET.")
    if line.routing_scheme != "0224":
        yield _value("G1.83", "IdLinRoutage/@qualifiant", line.routing_scheme, "0224")
    if not _ROUTING.fullmatch(line.routing_code or ""):
        yield _value("G1.95", "IdLinRoutage", line.routing_code or "", "A-Z a-z 0-9 - _, ≤ 100")


def _against_references(line: DirectoryLine, held: _Held, same: DirectoryLine | None, on: date) -> Iterator[Fault]:
    """The identifiers are known and active; a line that exists may be closed whatever became of them since."""
    platform = held.register.platform(line.matricule)
    is_closing = same is not None and same.matricule == line.matricule
    if not is_closing and (platform is None or not platform.is_registered(on)):
        yield _unknown("G1.94", "IdPlateforme", line.matricule)
    if is_closing:
        return
    unit = held.register.legal_unit(line.siren)
    if unit is None or unit.status != "A":
        yield _unknown("G1.96", "IdLinSIREN", line.siren)
    establishment = held.register.establishment(line.siret) if line.siret else None
    if line.siret and (establishment is None or establishment.status != "A"):
        yield _unknown("G1.97", "IdLinSIRET", line.siret)
    if line.siret and line.routing_code:
        code = held.routing_code(line.siret, line.routing_code)
        if code is None or code.status != "A":
            yield _unknown("G1.92", "IdLinRoutage", line.routing_code)


def _masking(line: DirectoryLine, same: DirectoryLine | None, on: date) -> Iterator[Fault]:
    if same is None or (same.end, same.matricule) != (line.end, line.matricule):
        yield _against(
            "G1.84",
            "Nature",
            "Un masquage répète à l'identique une ligne de définition existante.",
            "A mask repeats an existing line of definition to the letter.",
        )
    if line.start <= on:
        yield _rule("G1.85", "DateDebut", "On ne masque qu'une ligne à venir.", "Only a line to come is masked.")


def _defining(line: DirectoryLine, held: _Held, same: DirectoryLine | None, on: date) -> Iterator[Fault]:
    is_in_force = same is not None and same.start <= on
    if same is None and line.start <= on:
        yield _rule(
            "G1.87", "DateDebut", "Une ligne commence demain au plus tôt.", "A line starts tomorrow at the earliest."
        )
    if is_in_force and same is not None and same.matricule != line.matricule:
        yield _rule(
            "G1.87",
            "IdPlateforme",
            "D'une ligne en vigueur, seule la date de fin change : fermez-la, puis créez la suivante.",
            "Of a line in force only the end changes: close it, then create the next one.",
        )
    if line.end is not None and line.end <= on:
        yield _rule("G1.88", "DateFin", "Une ligne finit demain au plus tôt.", "A line ends tomorrow at the earliest.")
    others = (other for other in held.lines(line.address) if other.start != line.start)
    overlapping = next((other for other in others if other.matricule != FICTIVE and other.overlaps(line)), None)
    if overlapping is not None:
        until = overlapping.end or "…"
        yield _against(
            "G1.86",
            "DateEffet",
            f"L'adresse a déjà une ligne du {overlapping.start} au {until} : fermez-la d'abord.",
            f"The address already has a line from {overlapping.start} to {until}: close it first.",
        )


def _entitlement(
    line: DirectoryLine, held: _Held, same: DirectoryLine | None, emitter: str, on: date
) -> Iterator[Fault]:
    """A platform writes its own lines; it may close another's in force, since portability asks it to."""
    unit = held.register.legal_unit(line.siren)
    if unit is not None and unit.entity_type == "P":
        yield _forbidden(
            "IdLinSIREN",
            "Les lignes des entités publiques viennent de Chorus Pro.",
            "The lines of public entities come from Chorus Pro.",
        )
    is_closing = line.nature == "D" and same is not None and same.start <= on and line.end is not None
    if line.matricule != emitter and not is_closing:
        yield _forbidden(
            "IdPlateforme",
            f"La plateforme {emitter} n'écrit que ses propres lignes et ne ferme que celles en vigueur.",
            f"Platform {emitter} writes its own lines only, and closes only those in force.",
        )


def _versions(line: DirectoryLine, held: _Held) -> tuple[DirectoryLine, ...]:
    """The default line of the address, if any, gives way on the day that the new one starts."""
    if line.nature == "M":
        return (line,)
    defaults = (other for other in held.lines(line.address) if other.matricule == FICTIVE and other.overlaps(line))
    return (
        *(
            replace(default, end=max(line.start, default.start + _DAY), effective_end=None, instance=0)
            for default in defaults
        ),
        line,
    )


# ------------------------------------------------------------------------------------------------------------ faults


def _value(rule: str, term: str, seen: str, expected: str) -> Fault:
    return Fault(
        "REJ_VAL_INC",
        rule,
        f"{term} : valeur {seen[:100]!r} non autorisée ; attendu : {expected}.",
        f"{term}: value {seen[:100]!r} not allowed; expected: {expected}.",
        (term,),
    )


def _rule(rule: str, term: str, fr: str, en: str) -> Fault:
    return Fault("REJ_RG", rule, fr, en, (term,))


def _against(rule: str, term: str, fr: str, en: str) -> Fault:
    return Fault("REJ_COH", rule, fr, en, (term,))


def _unknown(rule: str, term: str, seen: str) -> Fault:
    return _against(
        rule,
        term,
        f"{term} : {seen} n'est pas dans l'annuaire, ou n'y est plus actif.",
        f"{term}: {seen} is not in the directory, or no longer active.",
    )


def _forbidden(term: str, fr: str, en: str) -> Fault:
    return Fault("REJ_HAB", "REJ_HAB", fr, en, (term,))
