"""The envelope in which flows cross to and from the public portal: its interface and its name, why it is irreceivable.

A name is `<interface 8>_<application 6>_<identifier 25>`, the identifier being the emitter's application code and a
sequence of 19. The archive that holds its files is in `flow_archive`.

Source: external specifications v3.2, general file §3.4 (names, table 3), annex 7 G7.18 and G7.33.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

_STEM = re.compile(r"([A-Z]{3}[0-9]{4}[A-Z])_([A-Z0-9]{6})_([A-Z0-9]{6}[A-Z0-9]{19})")
ARCHIVE, PLAIN = ".tar.gz", ".xml"
"""The extensions of a flow: an archive, or one file."""

_NUMBER_MAX = 10**15


class Irreceivable(Exception):
    """A flow that cannot be taken at all (status 501): the code, what is wrong in two languages, which file of it."""

    def __init__(self, code: str, reason_fr: str, reason_en: str, file: str = "") -> None:
        super().__init__(reason_en)
        self.code = code
        self.reason_fr = reason_fr
        self.reason_en = reason_en
        self.file = file

    def __str__(self) -> str:
        return f"{self.code}: {self.reason_en}" + (f" ({self.file})" if self.file else "")


@dataclass(frozen=True, slots=True)
class Interface:
    """What one interface code carries, which way, between which days it holds."""

    code: str
    flow: str
    title: str
    to_portal: bool
    archive_only: bool = False
    since: date = date.min
    until: date = date.max


_ROWS = (
    Interface("FFE0111A", "F1", "Données de facture, UBL", True, archive_only=True),
    Interface("FFE0112A", "F1", "Données de facture, CII", True, archive_only=True),
    Interface("FFE0614A", "F6", "Statuts obligatoires", True),
    Interface("FFE1025A", "F10", "E-reporting", True),
    Interface("FFE1235A", "F13", "Actualisation de l'annuaire", True),
    Interface("FFE0604A", "F6", "Réponses sur les données de facture", False),
    Interface("FFE0654A", "F6", "Rejets de statuts obligatoires", False),
    Interface("FFE0624A", "F6", "Réponses sur l'e-reporting", False),
    Interface("FFE0634A", "F6", "Réponses sur l'annuaire", False),
    Interface("FFE1435A", "F14", "Consultation de l'annuaire", False),
)
"""As of v3.2 (2026-04-30); a revision adds a row and closes the former one."""


def interface(code: str, *, on: date) -> Interface:
    """Give what an interface code is on a day; an acknowledgement's code (C…) is that of the flow it answers, reversed.

    Raises: Irreceivable, IRR_CODE_INTER, when no interface has that code that day.
    """
    answered = code if code.startswith("F") else re.sub("^C", "F", code)
    for row in _ROWS:
        if row.code == answered and row.since <= on <= row.until:
            if code == answered:
                return row
            return Interface(code, "F6", f"Acquittement : {row.title}", not row.to_portal)
    known = ", ".join(row.code for row in _ROWS)
    raise Irreceivable(
        "IRR_CODE_INTER",
        f"Le code interface {code} est inconnu ; sont connus : {known}.",
        f"Interface code {code} is unknown; known are: {known}.",
    )


def is_archive_only(name: str) -> bool:
    """Tell whether a flow of this name is sent as an archive, never as one file."""
    return any(row.archive_only and name.startswith(row.code) for row in _ROWS)


@dataclass(frozen=True, slots=True)
class FlowName:
    """The name of a flow, without its extension.

    >>> name = FlowName.numbered("FFE0111A", application_code="AAA123", number=1)
    >>> str(name), str(name.acknowledgement)
    ('FFE0111A_AAA123_AAA1230111000000000000001', 'CFE0111A_AAA123_AAA1230111000000000000001')
    """

    interface: str
    application_code: str
    """The partner's, in both directions."""
    flow_identifier: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name, with its extension or without.

        Raises: Irreceivable, IRR_TYPE on an extension that is neither `.tar.gz` nor `.xml`, IRR_FORM on a bad name.
        """
        stem, dot, extension = text.partition(".")
        if dot and "/" not in text and f".{extension}" not in (ARCHIVE, PLAIN):
            raise Irreceivable(
                "IRR_TYPE",
                f"L'extension .{extension[:20]} n'est pas admise : {ARCHIVE} ou {PLAIN}.",
                f"Extension .{extension[:20]} is not allowed: {ARCHIVE} or {PLAIN}.",
            )
        match = _STEM.fullmatch(stem)
        if match is None:
            raise Irreceivable(
                "IRR_FORM",
                f"Nom de flux mal formé : {text[:80]!r} ; attendu <interface 8>_<application 6>_<identifiant 25>.",
                f"Malformed flow name: {text[:80]!r}; expected <interface 8>_<application 6>_<identifier 25>.",
            )
        return cls(*match.groups())

    @classmethod
    def numbered(cls, interface: str, *, application_code: str, number: int, emitter: str = "") -> Self:
        """Make the name of the emitter's flow of that number, as AIFE recommends: 4 digits of the interface, then 15.

        `application_code` is the partner's; `emitter` is given when it is not the partner (the portal's own code).
        ValueError when the parts do not make a name.
        """
        if not 0 <= number < _NUMBER_MAX:
            raise ValueError(f"a number of at most fifteen digits is expected: {number}")
        name = cls(interface, application_code, f"{emitter or application_code}{interface[3:7]}{number:015}")
        if _STEM.fullmatch(str(name)) is None:
            raise ValueError(f"these parts make no flow name: {name}")
        return name

    @classmethod
    def in_front_of(cls, text: str) -> Self | None:
        """Read the name that a file name begins with, whatever its extension; None when it begins with none."""
        match = _STEM.match(text)
        return cls(*match.groups()) if match else None

    def __str__(self) -> str:
        return f"{self.interface}_{self.application_code}_{self.flow_identifier}"

    @property
    def archive(self) -> str:
        """Give the file name of the flow as an archive."""
        return f"{self}{ARCHIVE}"

    @property
    def emitter(self) -> str:
        """Give the application code of who gave the identifier: whose flow it is, or was."""
        return self.flow_identifier[:6]

    @property
    def is_acknowledgement(self) -> bool:
        """Tell whether the flow answers another one; it is itself never answered."""
        return self.interface.startswith("C")

    @property
    def acknowledgement(self) -> "FlowName":
        """Give the name of the flow that answers this one: the same identifier, the interface with F become C."""
        if self.is_acknowledgement:
            raise ValueError(f"an acknowledgement is never acknowledged: {self}")
        return FlowName("C" + self.interface[1:], self.application_code, self.flow_identifier)

    @property
    def acknowledged(self) -> "FlowName":
        """Give the name of the flow that this one answers."""
        if not self.is_acknowledgement:
            raise ValueError(f"not an acknowledgement: {self}")
        return FlowName("F" + self.interface[1:], self.application_code, self.flow_identifier)
