"""The national register as INSEE publishes it: stock files (CSV) and what its API answers (JSON, CSV), row by row.

A row becomes a `NationalUnit` or a `NationalEstablishment`, or a `Wrong`: what is wrong with it, where. What is
composed of several columns is composed here: the name of a natural person, the lines of an address, the country.

Read are `StockUniteLegale` and `StockEtablissement` (INSEE, file description of 2026), whose columns are found by their
names in whatever order; `GET /siren` and `GET /siret` of the API Sirene 3.11, whose answers have the same variables,
the dated ones inside the period that has no end. Deliberately absent: the files of past periods
(`Stock…Historique`): the directory keeps its own history, from the first load on.

Source: INSEE, "Description des fichiers Sirene", "Documentation API Sirene, variables"; diffusion: code de commerce,
art. R. 123-232 and A. 123-96.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from estafette.formats.insee_countries import country_of

WITHHELD = "[ND]"
"""What INSEE writes in place of what a unit or an establishment does not let be shown."""

UNIT_COLUMNS = (
    "siren", "statutDiffusionUniteLegale", "etatAdministratifUniteLegale", "categorieJuridiqueUniteLegale",
    "denominationUniteLegale", "denominationUsuelle1UniteLegale", "nomUniteLegale", "nomUsageUniteLegale",
    "prenomUsuelUniteLegale", "prenom1UniteLegale", "nicSiegeUniteLegale", "dateDernierTraitementUniteLegale",
)  # fmt: skip
ESTABLISHMENT_COLUMNS = (
    "siret", "statutDiffusionEtablissement", "etatAdministratifEtablissement", "etablissementSiege",
    "denominationUsuelleEtablissement", "enseigne1Etablissement", "complementAdresseEtablissement",
    "numeroVoieEtablissement", "indiceRepetitionEtablissement", "typeVoieEtablissement", "libelleVoieEtablissement",
    "distributionSpecialeEtablissement", "codePostalEtablissement", "libelleCommuneEtablissement",
    "codeCommuneEtablissement", "codeCedexEtablissement", "libelleCedexEtablissement",
    "libelleCommuneEtrangerEtablissement", "codePaysEtrangerEtablissement", "libellePaysEtrangerEtablissement",
    "dateDernierTraitementEtablissement",
)  # fmt: skip
"""The columns that are read, in the order in which `unit` and `establishment` take them."""

PUBLIC_CATEGORIES = ("7", "41")
"""How the legal category of a public entity begins: bodies of administrative law, public industrial establishments.

Which units the directory calls public is published nowhere; this reading is ours (INSEE, legal categories, 2022).
"""

DIFFUSIONS = {"O": "O", "P": "P", "M": "M", "N": "P"}
"""Diffusion as published to diffusion in the directory; N, of former editions, is taken as the most cautious."""

PARIS = ZoneInfo("Europe/Paris")
_SIREN, _SIRET = re.compile("[0-9]{9}"), re.compile("[0-9]{14}")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a row is not taken: its column, what was seen, what is expected there (French, English)."""

    field: str
    seen: str
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class NationalUnit:
    """A legal unit of the national register. `changed_at`: when INSEE last treated it."""

    siren: str
    name: str
    status: str
    """A active, I ceased."""
    diffusion: str
    is_public: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class NationalEstablishment:
    """An establishment of the national register; without a name of its own it bears that of its legal unit."""

    siret: str
    name: str | None
    kind: str
    status: str
    diffusion: str
    line_1: str | None
    line_2: str | None
    line_3: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    changed_at: datetime


Row = NationalUnit | NationalEstablishment
Reader = Callable[[Sequence[str]], Row | Wrong]


class WrongHeader(Exception):
    """The first line names none of the files that are read: what it lacks, in both languages."""


def reader_of(header: Sequence[str]) -> Reader:
    """Return what reads the rows under this header. Raises: WrongHeader."""
    places = {name.strip(): place for place, name in enumerate(header)}
    if "dateFin" in places:
        raise WrongHeader("fichier de périodes passées, non lu / file of past periods, not read: Stock…Historique")
    columns, read = (ESTABLISHMENT_COLUMNS, establishment) if "siret" in places else (UNIT_COLUMNS, unit)
    if missing := [name for name in columns if name not in places]:
        known = "StockUniteLegale, StockEtablissement (INSEE)"
        raise WrongHeader(f"colonnes absentes / missing columns: {', '.join(missing)} → {known}")
    width, pick = len(header), itemgetter(*(places[name] for name in columns))

    def row(cells: Sequence[str]) -> Row | Wrong:
        if len(cells) != width:
            return Wrong("*", f"{len(cells)}", f"{width} colonnes attendues", f"{width} columns expected")
        return read(pick(cells))

    return row


def unit(cells: Sequence[str]) -> NationalUnit | Wrong:
    """Read a legal unit from the cells of `UNIT_COLUMNS`."""
    siren, diffusion, state, category, name, usual, family, married, called, first, _head, treated = cells
    if not _SIREN.fullmatch(siren):
        return Wrong("siren", siren, "9 chiffres attendus", "9 digits expected")
    if diffusion not in DIFFUSIONS:
        return _not_in("statutDiffusionUniteLegale", diffusion, "O, P, M, N")
    if state not in ("A", "C"):
        return _not_in("etatAdministratifUniteLegale", state, "A, C")
    changed_at = moment(treated)
    if changed_at is None:
        return _no_moment("dateDernierTraitementUniteLegale", treated)
    said = name or _person(married or family, called or first) or usual
    if not said and state == "A":
        return Wrong("denominationUniteLegale", "", "unité active sans nom", "active unit without a name")
    is_public = category.startswith(PUBLIC_CATEGORIES)
    return NationalUnit(siren, said[:150], "A" if state == "A" else "I", DIFFUSIONS[diffusion], is_public, changed_at)


def establishment(cells: Sequence[str]) -> NationalEstablishment | Wrong:
    """Read an establishment from the cells of `ESTABLISHMENT_COLUMNS`."""
    siret, diffusion, state, is_head, usual, sign = cells[:6]
    if not _SIRET.fullmatch(siret):
        return Wrong("siret", siret, "14 chiffres attendus", "14 digits expected")
    if diffusion not in DIFFUSIONS:
        return _not_in("statutDiffusionEtablissement", diffusion, "O, P, M, N")
    if state not in ("A", "F"):
        return _not_in("etatAdministratifEtablissement", state, "A, F")
    if is_head not in ("true", "false"):
        return _not_in("etablissementSiege", is_head, "true, false")
    changed_at = moment(cells[20])
    if changed_at is None:
        return _no_moment("dateDernierTraitementEtablissement", cells[20])
    return NationalEstablishment(
        siret, (usual or sign)[:100] or None, "P" if is_head == "true" else "S", "A" if state == "A" else "I",
        DIFFUSIONS[diffusion], *_address(cells), changed_at,
    )  # fmt: skip


def _address(cells: Sequence[str]) -> tuple[str | None, str | None, str | None, str | None, str | None, str | None]:
    """Compose three lines, town, postal code and country; a foreign address has its country's name where no code is."""
    complement, *street, special = cells[6:12]
    postal, town, commune, cedex, cedex_town, abroad, country, country_name = cells[12:20]
    code = country_of(country, commune)
    lines = [line for line in (_joined(complement), _joined(*street), _joined(special)) if line]
    if code is None and country_name:
        lines = [*lines[:2], country_name]
    one, two, three = (*(line[:255] for line in lines), None, None, None)[:3]
    city = (cedex_town if cedex else town) or abroad
    return one, two, three, city or None, (cedex or postal)[:10] or None, code


def _joined(*parts: str) -> str:
    """Join what is there; what is withheld is said once, and only where nothing else is."""
    there = [part for part in parts if part]
    shown = [part for part in there if part != WITHHELD]
    return " ".join(shown) if shown else (WITHHELD if there else "")


def _person(family: str, first: str) -> str:
    """Compose the name of a natural person: first name in use, then the name of use, or of birth."""
    return _joined(first, family) if family else ""


def moment(text: str) -> datetime | None:
    """Read a moment of INSEE, `2026-09-01T08:30:00.000` in the time of Paris; None when it is none.

    An empty one is the beginning of all: anything later replaces it.
    """
    if not text:
        return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read.replace(tzinfo=PARIS) if read.tzinfo is None else read).astimezone(UTC)


def _not_in(field: str, seen: str, expected: str) -> Wrong:
    return Wrong(field, seen[:100], f"attendu : {expected}", f"expected: {expected}")


def _no_moment(field: str, seen: str) -> Wrong:
    return Wrong(field, seen[:100], "date attendue : AAAA-MM-JJTHH:MM:SS", "date expected: YYYY-MM-DDTHH:MM:SS")


# ----------------------------------------------------------------------------------------- answers of the API, in JSON


def of_answer(answer: Any) -> list[Row | Wrong]:
    """Read the units or the establishments of one answer of the API, in its order. Raises: WrongHeader."""
    for name, columns, read, periods, address in (
        ("unitesLegales", UNIT_COLUMNS, unit, "periodesUniteLegale", ""),
        ("etablissements", ESTABLISHMENT_COLUMNS, establishment, "periodesEtablissement", "adresseEtablissement"),
    ):
        if isinstance(answer, Mapping) and isinstance(found := answer.get(name), list):
            return [_of_object(one, columns, read, periods, address) for one in found]
    expected = "{unitesLegales: […]}, {etablissements: […]} (API Sirene 3.11)"
    raise WrongHeader(f"réponse inconnue / unknown answer → {expected}")


def _of_object(one: Any, columns: Sequence[str], read: Reader, periods: str, address: str) -> Row | Wrong:
    """Read one object: its own variables, those of its address, those of the period in force."""
    if not isinstance(one, Mapping):
        return Wrong("*", str(one)[:100], "objet attendu", "object expected")
    held: dict[str, Any] = {**one}
    if isinstance(place := one.get(address), Mapping):
        held |= place
    spans = one.get(periods)
    for span in spans if isinstance(spans, list) else ():
        if isinstance(span, Mapping) and not span.get("dateFin"):
            held |= span
    return read([_text(held.get(name)) for name in columns])


def _text(value: Any) -> str:
    """Give a value as the stock files write it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
