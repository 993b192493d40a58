"""The one way into the directory: every change of what it holds is made here, and leaves its whole history behind.

The contract, for whoever changes the directory (F13, the API, the feeds, the registration service, the opening load):

- Open one `Register` a message, in the transaction that takes the message: who (`source`, `author`), by what
  (`message`), when (`at`). What it writes is one change of `directory_change`; when it writes nothing, there is none.
- `define`, `mask`, `close`, `put_routing_code` ask: a `Decision` has the `instance` that counts now, or the `faults`,
  each with its rule of annex 7, its code (REJ_*), its terms (DT-…) and French and English words. Nothing is written
  when there are faults. Each sees what the ones before it did.
- `put_unit`, `put_establishment`, `put_platform` state what an authority says, and draw the consequences on the lines
  (directory.md §5–6). They return the new instance, None when the directory already said the same.
- Twice is once: what says what is already held is accepted and writes nothing.
- Which rules are asked follows from `source`: a platform (`UPDATE`, `API`; `author` is its matricule) is held to all of
  them, an authority to those that keep the directory sound.
- Whoever loads by the million takes `change()` and `sequences.reserve(connection, INSTANCE, count)` and writes the rows
  of an empty directory himself.

Nothing is deleted, nothing is rewritten but `known_until`, once: what was known at a moment stays so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.resolution import CHORUS_PRO, FICTIVE
from estafette.directory.updates import Fault, judge
from estafette.formats.directory import Update
from estafette.formats.directory_entries import Entry
from estafette.portal import holdings
from estafette.portal.holdings import TABLES
from estafette.portal.tables import (
    directory_change,
    directory_line,
    establishment,
    legal_unit,
    receiving_platform,
    routing_code,
)
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


PLATFORMS = frozenset({Source.UPDATE, Source.API})
"""The sources whose author is a platform, held to every rule."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of what was asked: the version that counts now, or why it is refused."""

    instance: int | None = None
    faults: tuple[Fault, ...] = ()


class Register:
    """The directory, open to one change."""

    def __init__(
        self, connection: Connection, *, at: datetime, source: Source, author: str, message: str | None = None
    ) -> None:
        self.connection, self.at, self.source, self.author, self.message = connection, at, source, author, message
        self.today = paris_day(at)
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

    # ------------------------------------------------------------------------------------------------ asked, judged

    def define(self, line: DirectoryLine) -> Decision:
        """The line holds as told (nature D), the default line of its address giving way; or why not."""
        return self._ask(replace(line, nature="D"))

    def mask(self, line: DirectoryLine) -> Decision:
        """The line, which has not started, will not; or why not. Told in full: a mask repeats what it masks (G1.84)."""
        return self._ask(replace(line, nature="M"))

    def close(self, instance: int, end: date | None) -> Decision:
        """The line that a version made has this end; or why not."""
        line = holdings.by_instance(self.connection, DirectoryLine, instance)
        if line is None:
            raise KeyError(instance)
        return self._ask(replace(line, end=end, nature="D"))

    def put_routing_code(self, code: RoutingCode) -> Decision:
        """The routing code is created, or is as told; or why not. One that ends takes its lines with it."""
        if self.source in PLATFORMS:
            (answer,) = judge(Update(routing_codes=(code,)), self, emitter=self.author, on=self.today)
            if answer.faults:
                return Decision(faults=answer.faults)
        mine = and_(routing_code.c.siret == code.siret, routing_code.c.code == code.code)
        held = holdings.routing_code_of(self.connection, code.siret, code.code)
        instance = self._put(code, held, mine)
        if held is not None and instance is not None and code.status != "A":
            self._withdraw(self._of_code(code), end=self.today)
        return Decision(instance or (held.instance if held else None))

    # ---------------------------------------------------------------------------------------------------- stated

    def put_unit(self, unit: LegalUnit) -> int | None:
        """The unit is as told; a private one that ceases, or is no longer taxable, loses its lines from today."""
        held = holdings.legal_unit_of(self.connection, unit.siren)
        instance = self._put(unit, held, legal_unit.c.siren == unit.siren)
        if instance is not None and held is not None and not _is_present(unit):
            self._withdraw(holdings.beginning(unit.siren), end=self.today)
        return instance

    def put_establishment(self, one: Establishment) -> int | None:
        """The establishment is as told; one that closes, or takes invoices of works only, loses its lines."""
        held = holdings.establishment_of(self.connection, one.siret)
        instance = self._put(one, held, establishment.c.siret == one.siret)
        if instance is not None and held is not None and (one.status != "A" or one.is_contracting_authority_only):
            self._withdraw(self._of_establishment(one.siret), end=self.today)
        return instance

    def put_platform(self, platform: ReceivingPlatform, *, application_code: str | None = None) -> int | None:
        """The platform is as told; the lines of one whose registration ends say so from now on."""
        held = holdings.platform_of(self.connection, platform.matricule)
        mine = receiving_platform.c.matricule == platform.matricule
        known = select(receiving_platform.c.application_code).where(mine, holdings.counts(receiving_platform))
        same_code = self.connection.execute(known).scalar() == application_code
        instance = self._put(platform, held if same_code else None, mine, application_code=application_code)
        if instance is not None and platform.registered_until is not None:
            self._withdraw(directory_line.c.matricule == platform.matricule, end=platform.registered_until)
        return instance

    def give_default(self, siren: str, siret: str | None = None, code: str | None = None) -> int | None:
        """An address without any line has its default one: no platform chosen (9998), Chorus Pro of a public entity.

        Of a private unit, its SIREN; of a public one, its establishments and their services.
        """
        unit = holdings.legal_unit_of(self.connection, siren)
        if unit is None or not _is_present(unit) or (unit.entity_type == "P") != (siret is not None):
            return None
        matricule = CHORUS_PRO if unit.entity_type == "P" else FICTIVE
        line = DirectoryLine(siren=siren, siret=siret, routing_code=code, matricule=matricule, start=self.today)
        held = holdings.lines(self.connection, line.address)
        if any(one.nature == "D" and one.overlaps(line) for one in held):
            return None
        return self._write(line)

    # ------------------------------------------------------------------------------- what the rules ask of the register

    def legal_unit(self, siren: str) -> LegalUnit | None:
        """Give a legal unit."""
        return holdings.legal_unit_of(self.connection, siren)

    def establishment(self, siret: str) -> Establishment | None:
        """Give an establishment."""
        return holdings.establishment_of(self.connection, siret)

    def routing_code(self, siret: str, code: str) -> RoutingCode | None:
        """Give a routing code of an establishment."""
        return holdings.routing_code_of(self.connection, siret, code)

    def platform(self, matricule: str) -> ReceivingPlatform | None:
        """Give a platform."""
        return holdings.platform_of(self.connection, matricule)

    def lines(self, address: str) -> Iterable[DirectoryLine]:
        """Give the lines of an address that count."""
        return holdings.lines(self.connection, address)

    # ------------------------------------------------------------------------------------------------------- writing

    def _ask(self, line: DirectoryLine) -> Decision:
        same = self._same(line)
        if same is not None and _says(same) == _says(line):
            return Decision(same.instance)
        if self.source in PLATFORMS:
            (answer,) = judge(Update(lines=(line,)), self, emitter=self.author, on=self.today)
            if answer.faults:
                return Decision(faults=answer.faults)
            for default in answer.versions[:-1]:
                self._write(replace(default, effective_end=default.end))
        return Decision(self._write(replace(line, effective_end=line.end)))

    def _same(self, line: DirectoryLine) -> DirectoryLine | None:
        held = holdings.lines(self.connection, line.address)
        return next((one for one in held if one.start == line.start), None)

    def _write(self, line: DirectoryLine) -> int:
        """The version counts, in the place of the one of the same address and start."""
        mine = and_(directory_line.c.address == line.address, directory_line.c.start == line.start)
        return self._replace(line, mine)

    def _put(self, told: Entry, held: Entry | None, mine: ColumnElement[bool], **more: Any) -> int | None:
        if held is not None and replace(told, instance=held.instance) == held:
            return None
        return self._replace(told, mine, **more)

    def _replace(self, told: Entry, mine: ColumnElement[bool], **more: Any) -> int:
        table, change = TABLES[type(told)], self.change()
        self.connection.execute(update(table).where(mine, holdings.counts(table)).values(known_until=change))
        instance = sequences.draw(self.connection, INSTANCE)
        row = {**row_of(told), **more, "instance": instance, "known_from": change}
        self.connection.execute(insert(table).values(row))
        return instance

    def _of_establishment(self, siret: str) -> ColumnElement[bool]:
        return and_(holdings.beginning(f"{siret[:9]}_{siret}"), directory_line.c.siret == siret)

    def _of_code(self, code: RoutingCode) -> ColumnElement[bool]:
        return directory_line.c.address == f"{code.siret[:9]}_{code.siret}_{code.code}"

    def _withdraw(self, mine: ColumnElement[bool], *, end: date) -> None:
        """The lines that something outside ends say so: those started by that day cease then, the others are masked."""
        query = select(directory_line).where(mine, holdings.counts(directory_line), directory_line.c.nature == "D")
        rows: Sequence[Any] = self.connection.execute(query).mappings().all()
        for held in (holdings.entry(DirectoryLine, row) for row in rows):
            if held.start >= end and held.start > self.today:
                self._write(replace(held, nature="M"))
            elif (held.effective_end is None or held.effective_end > end) and (held.end is None or held.end > end):
                self._write(replace(held, effective_end=end))


def row_of(told: Entry) -> dict[str, Any]:
    """Return the columns of a version that say what an entry says: without its number, nor its change."""
    columns = TABLES[type(told)].c
    row = {name: getattr(told, name) for name in told.__slots__ if name in columns and name != "instance"}
    if isinstance(told, DirectoryLine):
        row |= {"address": told.address, "routing": told.routing_code}
    return row


def _is_present(unit: LegalUnit) -> bool:
    """Tell whether the directory shows a unit: active, and taxable or public."""
    return unit.status == "A" and (unit.is_taxable or unit.entity_type == "P")


def _says(line: DirectoryLine) -> tuple[str, date | None, str]:
    return line.nature, line.end, line.matricule
