"""The register of taxable persons, as this system reads it: who enters the directory, who leaves it, from which day.

The tax administration feeds the directory every day (external specifications v3.2 §3.5.3) in a form that is published
nowhere. This one is ours: CSV, UTF-8, comma or semicolon, one row a change, in any order:

    siren,statut,date_effet
    100000009,A,2026-09-01      taxable from that day
    200000008,N,2026-12-31      no longer from that day

A unique taxable person (groupe TVA, art. 256 C CGI) is a row like any other, by its own SIREN: the directory asks that
it exists (A7 G1.101), its members keep their own rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

from estafette.formats.sirene import Wrong, WrongHeader

COLUMNS = ("siren", "statut", "date_effet")
YEARS = range(1970, 2100)
_SIREN = re.compile("[0-9]{9}")


@dataclass(frozen=True, slots=True)
class TaxStatus:
    """From a day on, a legal unit is taxable, or is not."""

    siren: str
    is_taxable: bool
    effective_on: date


def reader_of(header: Sequence[str]) -> Callable[[Sequence[str]], TaxStatus | Wrong]:
    """Return what reads the rows under this header. Raises: WrongHeader."""
    places = {name.strip().lower(): place for place, name in enumerate(header)}
    if missing := [name for name in COLUMNS if name not in places]:
        raise WrongHeader(f"colonnes absentes / missing columns: {', '.join(missing)} → {', '.join(COLUMNS)}")
    width, pick = len(header), itemgetter(*(places[name] for name in COLUMNS))

    def row(cells: Sequence[str]) -> TaxStatus | Wrong:
        if len(cells) != width:
            return Wrong("*", f"{len(cells)}", f"{width} colonnes attendues", f"{width} columns expected")
        return tax_status(*(cell.strip() for cell in pick(cells)))

    return row


def tax_status(siren: str, status: str, effective_on: str) -> TaxStatus | Wrong:
    """Read the cells of `COLUMNS`."""
    if not _SIREN.fullmatch(siren):
        return Wrong("siren", siren[:100], "9 chiffres attendus", "9 digits expected")
    if status not in ("A", "N"):
        return Wrong("statut", status[:100], "attendu : A (assujetti), N (non assujetti)", "expected: A, N")
    try:
        day = date.fromisoformat(effective_on)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        return Wrong("date_effet", effective_on[:100], "jour attendu : AAAA-MM-JJ", "day expected: YYYY-MM-DD")
    return TaxStatus(siren, status == "A", day)
