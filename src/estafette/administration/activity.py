"""Activity: turnover issued between companies, by sector of the seller and ISO week, under statistical secrecy.

Indicator I1: taxable amounts (BT-116) in euros net of credit notes, by date of issue, without what ended refused or
rejected nor what was already reported (B7, S7). A cell is shown only when it rests on three companies at least and none
makes more than 85 % of it; amounts count by their size, so that a credit note cannot hide a company. A secret cell
shows nothing, not even how many companies it rests on; no total is given, from which it could be told.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, select

from estafette.administration.facts import documents_of, statuses_of
from estafette.administration.parameters import SECRECY_SHARE, SECRECY_UNITS
from estafette.administration.tables import team_member
from estafette.vat.exigibility import ended_keys
from estafette.vat.facts import Document
from estafette.vat.forms import Text

UNKNOWN_SECTOR = "—"
SECTORS = {
    "10.61A": Text("Meunerie", "Flour milling"),
    "46.90Z": Text("Commerce de gros non spécialisé", "Non-specialised wholesale trade"),
    "58.29C": Text("Édition de logiciels applicatifs", "Application software publishing"),
    "62.02A": Text("Conseil en systèmes et logiciels informatiques", "Computer consultancy"),
    "63.11Z": Text("Traitement de données, hébergement", "Data processing, hosting"),
    "84.11Z": Text("Administration publique générale", "General public administration"),
}
"""The sectors of the example team in words (NAF rev. 2, INSEE; NACE rev. 2, Eurostat); others go by their code."""
ALREADY_REPORTED = frozenset({"B7", "S7"})


class Week(NamedTuple):
    """An ISO week."""

    year: int
    week: int

    def __str__(self) -> str:
        return f"{self.year:04d}-W{self.week:02d}"

    @property
    def first_day(self) -> date:
        """Its Monday."""
        return date.fromisocalendar(self.year, self.week, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """Turnover of one sector in one week, in euros; both are None when the cell is secret."""

    sector: str
    week: Week
    turnover: Decimal | None
    units: int | None

    @property
    def secret(self) -> bool:
        """Tell whether it may not be shown."""
        return self.turnover is None


def activity(connection: Connection) -> list[Cell]:
    """Return the turnover of each sector and week that has some, by sector then week."""
    documents = documents_of(connection)
    ended = ended_keys(statuses_of(connection))
    return cells([each for each in documents if each.key not in ended], sectors(connection))


def sectors(connection: Connection) -> dict[str, str]:
    """Return the sector (NAF) of each company known by the pilot."""
    query = select(team_member.c.siren, team_member.c.naf).where(team_member.c.naf.is_not(None))
    return {row.siren: row.naf for row in connection.execute(query.order_by(team_member.c.team_id))}


def cells(documents: list[Document], sector_of: Mapping[str, str]) -> list[Cell]:
    """Sum the documents by sector and week; secrecy is that of the Monday of the week."""
    sums: dict[tuple[str, Week], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for document in documents:
        if document.currency == "EUR" and document.business_process not in ALREADY_REPORTED:
            place = (sector_of.get(document.seller, UNKNOWN_SECTOR), Week(*document.issue_date.isocalendar()[:2]))
            base = sum((part.taxable_amount for part in document.vat_breakdown), Decimal(0))
            sums[place][document.seller] += document.sign * base
    return [_cell(sector, week, by_unit) for (sector, week), by_unit in sorted(sums.items())]


def _cell(sector: str, week: Week, by_unit: Mapping[str, Decimal]) -> Cell:
    day = week.first_day
    sizes = [abs(amount) for amount in by_unit.values()]
    enough = len(sizes) >= SECRECY_UNITS.on(day).value
    if not enough or max(sizes) > SECRECY_SHARE.on(day).value * sum(sizes):
        return Cell(sector, week, None, None)
    return Cell(sector, week, sum(by_unit.values(), Decimal(0)), len(sizes))
