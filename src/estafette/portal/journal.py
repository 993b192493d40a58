"""One change of the directory: who made it, when, by which message, and the versions that it writes.

A version is only ever added; the one that it replaces is told until when it counted. Nothing else writes the tables of
the directory, but the load of an empty one by the million.
"""

from dataclasses import replace as copied
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, literal, select, update

from estafette.directory import DirectoryLine
from estafette.formats.directory_entries import Entry
from estafette.portal import holdings
from estafette.portal.holdings import TABLES
from estafette.portal.tables import directory_change, directory_line
from estafette.store import sequences
from estafette.values.moments import paris_day

INSTANCE, CHANGE = "instance", "directory-change"


class Source(StrEnum):
    """Where a change comes from (directory.md §6)."""

    UPDATE = "f13"
    API = "api"
    SIRENE = "sirene"
    TAX = "tax"
    REGISTRATION = "registration"
    CHORUS_PRO = "chorus pro"
    OPENING = "opening"
    """The load of the pilot: lines that exist already, whatever their dates."""


class Journal:
    """One change, recorded when it writes its first version."""

    def __init__(
        self, connection: Connection, *, at: datetime, source: Source, author: str, message: str | None = None
    ) -> None:
        self.connection, self.at, self.source, self.author, self.message = connection, at, source, author, message
        self.today = paris_day(at)
        self.tomorrow = self.today + timedelta(days=1)
        self._change: int | None = None

    def change(self) -> int:
        """Return the change that what is written now belongs to; it is recorded the first time."""
        if self._change is None:
            self._change = sequences.draw(self.connection, CHANGE)
            last = self.connection.execute(select(func.max(directory_change.c.recorded_at))).scalar()
            row = {
                "id": self._change,
                "recorded_at": max(self.at, last) if last else self.at,
                "source": str(self.source),
                "author": self.author,
                "message": self.message,
            }
            self.connection.execute(insert(directory_change).values(row))
        return self._change

    @property
    def has_changed(self) -> bool:
        """Tell whether anything was written."""
        return self._change is not None

    def write(self, line: DirectoryLine) -> int:
        """The version counts, in the place of the one of the same address and start."""
        mine = and_(directory_line.c.address == line.address, directory_line.c.start == line.start)
        return self.replace(line, mine)

    def put(self, told: Entry, held: Entry | None, mine: ColumnElement[bool], **more: Any) -> int | None:
        """What is told counts, in the place of what is held; None when it says the same."""
        if held is not None and copied(told, instance=held.instance) == held:
            return None
        return self.replace(told, mine, **more)

    def replace(self, told: Entry, mine: ColumnElement[bool], **more: Any) -> int:
        """The version counts, in the place of the one that a condition on its table chooses; returns its number."""
        table, change = TABLES[type(told)], self.change()
        self.connection.execute(update(table).where(mine, holdings.counts(table)).values(known_until=change))
        instance = sequences.draw(self.connection, INSTANCE)
        row = {**row_of(told), **more, "instance": instance, "known_from": change}
        self.connection.execute(insert(table).values(row))
        return instance

    def rewrite(self, mine: ColumnElement[bool], **values: Any) -> None:
        """The definitions that count among these have a new version with these values: two statements for millions."""
        chosen = and_(mine, holdings.counts(directory_line), directory_line.c.nature == "D")
        count = self.connection.execute(select(func.count()).select_from(directory_line).where(chosen)).scalar_one()
        if not count:
            return
        change, first = self.change(), sequences.reserve(self.connection, INSTANCE, count)[0]
        new = {column.name: column for column in directory_line.c} | {
            "instance": first - 1 + func.row_number().over(order_by=directory_line.c.instance),
            "known_from": literal(change),
            **{name: value if isinstance(value, ColumnElement) else literal(value) for name, value in values.items()},
        }
        versions = select(*(value.label(name) for name, value in new.items())).where(chosen)
        self.connection.execute(insert(directory_line).from_select(list(new), versions))
        replaced = and_(chosen, directory_line.c.instance < first)
        self.connection.execute(update(directory_line).where(replaced).values(known_until=change))


def row_of(told: Entry) -> dict[str, Any]:
    """Return the columns of a version that say what an entry says: without its number, nor its change."""
    columns = TABLES[type(told)].c
    row = {name: getattr(told, name) for name in told.__slots__ if name in columns and name != "instance"}
    if isinstance(told, DirectoryLine):
        row |= {"address": told.address, "routing": told.routing_code}
    return row
