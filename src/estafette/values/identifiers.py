"""The numbers that name companies, platforms and addresses: each kind has the verbs `is_valid` and `compact`.

A kind is lenient when it compacts (spaces, dots, case) and strict when it judges. Check digits are python-stdnum's,
which knows that the establishments of La Poste do not follow Luhn: the sum of their digits is a multiple of 5.

>>> SIREN.is_valid("100 000 009"), SIREN.is_valid("123456789")
(True, False)
>>> SIRET.is_valid("35600000059845"), SIRET.is_valid("35600000059844")   # La Poste
(True, False)
>>> SIRET.compact("732 829 320 00074")
'73282932000074'
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import stdnum.eu.vat
import stdnum.fr.siren
import stdnum.fr.siret

ADDRESS_LENGTH_MAX = 125
"""Characters of an electronic address of scheme 0225 (directory annex 3, DT-7-5-1)."""

_ADDRESS = re.compile(r"[A-Za-z0-9+\-_.]+")
_MATRICULE = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of identifier: its names, and what makes one valid."""

    name: str
    name_fr: str
    scheme: str | None
    """The ISO 6523 scheme that announces it in an invoice, where there is one."""

    _judge: Callable[[str], bool]
    _compact: Callable[[str], str]

    def is_valid(self, text: str) -> bool:
        """Tell whether the text, once compacted, is a well-formed identifier of this kind with a right check digit."""
        return self._judge(self.compact(text))

    def compact(self, text: str) -> str:
        """Give the text without the separators that people type; never fails."""
        return self._compact(text)


def _stdnum_vat(text: str) -> bool:
    return bool(stdnum.eu.vat.is_valid(text))


def _stdnum_vat_compact(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text).upper()


def _is_address(text: str) -> bool:
    try:
        Address.parse(text)
    except ValueError:
        return False
    return True


SIREN = Kind("SIREN", "SIREN", "0002", stdnum.fr.siren.is_valid, stdnum.fr.siren.compact)
"""A legal unit: nine digits, Luhn (INSEE)."""

SIRET = Kind("SIRET", "SIRET", "0009", stdnum.fr.siret.is_valid, stdnum.fr.siret.compact)
"""An establishment: its SIREN and five digits, Luhn except La Poste (INSEE)."""

VAT_NUMBER = Kind("VAT number", "numéro de TVA", None, _stdnum_vat, _stdnum_vat_compact)
"""A VAT number of a Member State of the Union, with its prefix (directive 2006/112/EC, art. 215)."""

MATRICULE = Kind(
    "platform registration number",
    "matricule de plateforme",
    "0238",
    lambda text: _MATRICULE.fullmatch(text) is not None,
    str.strip,
)
"""A registered platform: four digits; the portal has one too (directory annex 3, DT-6-4)."""

ADDRESS = Kind("electronic address", "adresse de facturation électronique", "0225", _is_address, str.strip)
"""An address of the directory: see `Address`."""


def vat_number_of(siren: str) -> str:
    """Give the French VAT number that a SIREN has when its holder is identified for VAT.

    >>> vat_number_of("100000009")
    'FR88100000009'
    """
    return "FR" + str(stdnum.fr.siren.to_tva(SIREN.compact(siren)))


@dataclass(frozen=True, slots=True)
class Address:
    """An electronic address split into its grain: SIREN, SIREN_SIRET, SIREN_SIRET_ROUTINGCODE or SIREN_SUFFIX.

    The string alone is ambiguous, since routing codes may contain `_`; the directory's own components win over it.
    A part of fourteen digits that begins with the SIREN is read as a SIRET (directory general file, note 84).

    >>> Address.parse("100000009_10000000900017_ACHATS_SUD")
    Address(siren='100000009', siret='10000000900017', routing_code='ACHATS_SUD', suffix=None)
    >>> str(Address.parse("200000008_FACTURES"))
    '200000008_FACTURES'
    """

    siren: str
    siret: str | None = None
    routing_code: str | None = None
    suffix: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split an address; ValueError when it is too long, has a foreign character or does not begin with a SIREN."""
        if len(text) > ADDRESS_LENGTH_MAX or not _ADDRESS.fullmatch(text):
            raise ValueError(f"not an electronic address (letters, digits, + - _ . and 125 at most): {text[:140]!r}")
        siren, _, rest = text.partition("_")
        if not (len(siren) == 9 and siren.isdigit()) or (not rest and "_" in text):
            raise ValueError(f"an electronic address begins with the nine digits of a SIREN: {text!r}")
        siret, _, routing_code = rest.partition("_")
        if len(siret) == 14 and siret.isdigit() and siret.startswith(siren):
            return cls(siren, siret, routing_code or None)
        return cls(siren, suffix=rest or None)

    def __str__(self) -> str:
        return "_".join(part for part in (self.siren, self.siret, self.routing_code, self.suffix) if part)
