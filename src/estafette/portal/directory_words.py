"""Finding companies by the words of their names and towns, for the public page: whole words, few results, no paging.

The words are gathered behind the directory, from the versions made since the last gathering: whoever changes it need
not know of them. A word that no longer fits anything is harmless, since what is found is read again in the directory.

A word is looked for whole: by its beginning the whole directory could be read out, letter by letter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from estafette.directory import DirectoryLine, Establishment, LegalUnit
from estafette.portal import directory_search, holdings
from estafette.portal.feed_tables import directory_cursor, directory_word
from estafette.portal.tables import establishment, legal_unit
from estafette.values.folding import fold

ROWS_AT_ONCE = 5_000
"""Versions whose words are gathered in one transaction."""

LETTERS_MIN = 3
"""Letters or digits that the longest word of a search has at least."""

WORD_MAX = 40
WITHHELD = "nd"
"""What INSEE writes in place of a name: nobody is found by it."""

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A company as anyone may see it: itself, its main establishment, its addresses in force or to come."""

    unit: LegalUnit
    establishments: tuple[Establishment, ...]
    lines: tuple[DirectoryLine, ...] = ()


def words(*texts: str | None) -> list[str]:
    """Return the words of some texts, each once, as they are compared.

    >>> words("Épicerie du Mail — l'ÉPICERIE", "LYON 2")
    ['epicerie', 'du', 'mail', 'l', 'lyon', '2']
    """
    found = (word[:WORD_MAX] for text in texts for word in _WORD.findall(fold(text)))
    return [word for word in dict.fromkeys(found) if word != WITHHELD]


def gather(connection: Connection) -> int:
    """The words of some versions that were not gathered yet are there; returns how many versions."""
    units = _gather(connection, legal_unit, legal_unit.c.siren, (legal_unit.c.name,))
    return units + _gather(
        connection, establishment, establishment.c.siret, (establishment.c.name, establishment.c.city)
    )


def is_behind(connection: Connection) -> bool:
    """Tell whether the directory has versions whose words are not gathered."""
    for table in (legal_unit, establishment):
        last = select(directory_cursor.c.instance).where(directory_cursor.c.name == table.name).scalar_subquery()
        query = select(table.c.instance).where(table.c.instance > func.coalesce(last, 0)).limit(1)
        if connection.execute(query).first() is not None:
            return True
    return False


def find(connection: Connection, asked: Sequence[str], *, limit: int) -> list[str]:
    """Return the SIREN of shown, active companies that have all these words, at most so many."""
    first, *others = sorted(asked, key=len, reverse=True)
    word = directory_word.alias()
    conditions: list[ColumnElement[bool]] = [word.c.word == first]
    for each in others:
        other = directory_word.alias()
        conditions.append(exists().where(other.c.word == each, other.c.siren == word.c.siren))
    mine = and_(
        legal_unit.c.siren == word.c.siren,
        legal_unit.c.status == "A",
        or_(legal_unit.c.is_taxable.is_(True), legal_unit.c.entity_type == "P"),
        holdings.counts(legal_unit),
    )
    query = select(word.c.siren).where(*conditions, exists().where(mine)).order_by(word.c.siren).limit(limit)
    return list(connection.execute(query).scalars())


def companies(connection: Connection, sirens: Iterable[str], *, main_only: bool = True) -> list[Shown]:
    """Return companies of these numbers as anyone may see them, those that are shown, in their order."""
    numbers = list(sirens)
    units = directory_search.units_of(connection, numbers)
    shown = [units[siren] for siren in numbers if siren in units and _is_shown(units[siren])]
    found = []
    for unit in shown:
        places = holdings.establishments_of(connection, unit.siren)
        active = [one for one in places if one.status == "A"]
        main = [one for one in active if one.kind == "P"] or active
        found.append(Shown(unit, tuple(main[:1] if main_only else active)))
    return found


def _is_shown(unit: LegalUnit) -> bool:
    return unit.is_taxable or unit.entity_type == "P"


def _gather(connection: Connection, table: Table, number: ColumnElement[Any], texts: tuple[Any, ...]) -> int:
    mine = directory_cursor.c.name == table.name
    last = connection.execute(select(directory_cursor.c.instance).where(mine)).scalar() or 0
    query = select(table.c.instance, func.substr(number, 1, 9).label("siren"), *texts)
    rows = connection.execute(query.where(table.c.instance > last).order_by(table.c.instance).limit(ROWS_AT_ONCE)).all()
    if not rows:
        return 0
    found = {(word, row.siren) for row in rows for word in words(*row[2:])}
    _add(connection, directory_word, [{"word": word, "siren": siren} for word, siren in sorted(found)])
    connection.execute(directory_cursor.delete().where(mine))
    connection.execute(directory_cursor.insert().values(name=table.name, instance=rows[-1].instance))
    return len(rows)


def _add(connection: Connection, table: Table, rows: list[dict[str, str]]) -> None:
    if rows:
        make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(make(table).on_conflict_do_nothing(), rows)
