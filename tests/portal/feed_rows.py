"""Rows of the registers as they are published, for companies that nobody has."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from estafette.formats.sirene import ESTABLISHMENT_COLUMNS, UNIT_COLUMNS

SHOP, MILL, HALL, PERSON = "100000009", "300000007", "400000006", "200000008"
TREATED = "2026-08-31T10:00:00"
LATER = "2026-09-02T10:00:00"


def unit(siren: str, name: str = "", **cells: str) -> dict[str, str]:
    """Give an active company."""
    return {
        "siren": siren, "statutDiffusionUniteLegale": "O", "dateDernierTraitementUniteLegale": TREATED,
        "etatAdministratifUniteLegale": "A", "denominationUniteLegale": name or f"Société {siren}",
        "categorieJuridiqueUniteLegale": "5710",
    } | cells  # fmt: skip


def place(siret: str, **cells: str) -> dict[str, str]:
    """Give an active establishment, the main one."""
    return {
        "siret": siret, "statutDiffusionEtablissement": "O", "etatAdministratifEtablissement": "A",
        "etablissementSiege": "true", "numeroVoieEtablissement": "8", "typeVoieEtablissement": "RUE",
        "libelleVoieEtablissement": "DU MAIL", "codePostalEtablissement": "69002",
        "libelleCommuneEtablissement": "LYON 2", "codeCommuneEtablissement": "69382",
        "dateDernierTraitementEtablissement": TREATED,
    } | cells  # fmt: skip


def taxed(siren: str, status: str = "A", day: str = "2026-01-01") -> dict[str, str]:
    """Give a change of the tax register."""
    return {"siren": siren, "statut": status, "date_effet": day}


def written(file: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    """Write rows to a file, under the columns of their kind."""
    held = list(rows)
    first = held[0]
    columns: Any = ESTABLISHMENT_COLUMNS if "siret" in first else UNIT_COLUMNS if "statut" not in first else list(first)
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(held)
    return file
