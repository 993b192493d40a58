"""The one way into the directory: every change of what it holds is made here, and leaves its whole history behind.

The contract, for whoever changes the directory (F13, the API, the feeds, the registration service, the opening load):

- Open one `Register` a message, in the transaction that takes the message: who (`source`, `author`), by what
  (`message`), when (`at`). What it writes is one change of `directory_change`; when it writes nothing, there is none.
- `define`, `mask`, `close`, `put_routing_code`, `ask` (every value a text, right or wrong) give a `Decision`: the
  `instance` that counts now, or the `faults`, each with its rule of annex 7, its code (REJ_*), its terms (DT-…), and in
  French and English what was seen, what is expected, what to do. Nothing is written when there are faults. Each sees
  what the ones before it did.
- `put_unit`, `put_establishment`, `put_platform` state what an authority says, and draw the consequences on the lines
  (directory.md §5–6), on those of a platform so many at a time (`settle_lines`); `give_default` gives an address its
  default line. They return the new instance, None when the directory already said the same.
- Twice is once: what says what is already held is accepted and writes nothing.
- Which rules are asked follows from `source`: a platform (`UPDATE`, `API`; `author` is its matricule) is held to all of
  them, an authority to those that keep the directory sound.
- Whoever loads by the million takes `change()` and `sequences.reserve(connection, INSTANCE, count)` and writes the rows
  of an empty directory himself.

Nothing is deleted, nothing is rewritten but `known_until`, once: what was known at a moment stays so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, and_, case, not_, or_, select

from estafette.directory import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.directory.readings import Readings
from estafette.directory.resolution import CHORUS_PRO, FICTIVE
from estafette.directory.updates import Fault, judge_code, judge_line, soundness, withdrawn_defaults
from estafette.formats.directory_update import AskedCode, AskedLine
from estafette.portal import holdings
from estafette.portal.journal import INSTANCE, Journal, Source
from estafette.portal.tables import (
    directory_line,
    establishment,
    legal_unit,
    receiving_platform,
    routing_code,
)
from estafette.values.identifiers import Address

__all__ = ["INSTANCE", "Decision", "Register", "Source"]

_READINGS = Readings()
LINES_AT_ONCE = 10_000
"""Lines of a platform that one transaction rewrites: others write to the portal meanwhile."""

PLATFORMS = frozenset({Source.UPDATE, Source.API})
"""The sources whose author is a platform, held to every rule."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of what was asked: the version that counts now, or why it is refused."""

    instance: int | None = None
    faults: tuple[Fault, ...] = ()


class Register(Journal):
    """The directory, open to one change."""

    unsettled: int | None = None
    """The version from which lines of a platform wait for `settle_lines`; None once all say what they should."""
    readings = _READINGS
    """How what the texts leave open is read; whoever opens it may choose."""

    # ------------------------------------------------------------------------------------------------ asked, judged

    def ask(self, asked: AskedLine | AskedCode) -> Decision:
        """What a file or a call asks for, every value a text, is done; or why not."""
        judge_it = judge_line if isinstance(asked, AskedLine) else judge_code
        faults = judge_it(asked, self, emitter=self.author, on=self.today, readings=self.readings)  # type: ignore[arg-type]
        if faults:
            return Decision(faults=faults)
        if isinstance(asked, AskedLine):
            return self._define(asked.line())
        return self._put_code(asked.code)

    def define(self, line: DirectoryLine) -> Decision:
        """The line holds as told (nature D), the default line of its address giving way; or why not."""
        return self._ask_line(replace(line, nature="D"))

    def mask(self, line: DirectoryLine) -> Decision:
        """The line, which has not started, will not; or why not. Told in full: a mask repeats what it masks (G1.84)."""
        return self._ask_line(replace(line, nature="M"))

    def close(self, instance: int, end: date | None) -> Decision:
        """The line that a version made has this end; or why not. KeyError when there is no such version."""
        line = holdings.by_instance(self.connection, DirectoryLine, instance)
        if line is None:
            raise KeyError(instance)
        return self._ask_line(replace(line, end=end, nature="D"))

    def put_routing_code(self, code: RoutingCode) -> Decision:
        """The routing code is created, or is as told; or why not. The lines of one that ends cease tomorrow."""
        return self.ask(AskedCode(code=code)) if self.source in PLATFORMS else self._put_code(code)

    # ---------------------------------------------------------------------------------------------------- stated

    def put_unit(self, unit: LegalUnit) -> int | None:
        """The unit is as told; one that ceases, or is private and no longer taxable, loses its lines from today.

        One that becomes public has no default line any more: its establishments have theirs (directory.md §5).
        """
        held = holdings.legal_unit_of(self.connection, unit.siren)
        instance = self.put(unit, held, legal_unit.c.siren == unit.siren)
        if instance is None or held is None:
            return instance
        if not _is_present(unit):
            self._withdraw(holdings.beginning(unit.siren), end=self.today)
        elif unit.entity_type == "P" and held.entity_type != "P":
            self._end(
                and_(directory_line.c.address == unit.siren, directory_line.c.matricule == FICTIVE), end=self.today
            )
        return instance

    def put_establishment(self, one: Establishment) -> int | None:
        """The establishment is as told; one that closes, or takes invoices of works only, loses its lines."""
        held = holdings.establishment_of(self.connection, one.siret)
        instance = self.put(one, held, establishment.c.siret == one.siret)
        if instance is not None and held is not None and (one.status != "A" or one.is_contracting_authority_only):
            self._withdraw(self._of_establishment(one.siret), end=self.today)
        return instance

    def put_platform(self, platform: ReceivingPlatform, *, application_code: str | None = None) -> int | None:
        """The platform is as told; its lines say when its registration ends, and no longer when that was put off."""
        held = holdings.platform_of(self.connection, platform.matricule)
        mine = receiving_platform.c.matricule == platform.matricule
        known = select(receiving_platform.c.application_code).where(mine, holdings.counts(receiving_platform))
        same_code = self.connection.execute(known).scalar() == application_code
        instance = self.put(platform, held if same_code else None, mine, application_code=application_code)
        if instance is None:
            return None
        self.settle_lines(platform.matricule, former=held.registered_until if held else None)
        return instance

    def settle_lines(self, matricule: str, *, former: date | None = None, after: int = 0) -> None:
        """Lines of a platform, from a version on, say when its registration ends; those to come are masked that day.

        `former`: the end that they said until now; when it was put off, they say it no longer. At most LINES_AT_ONCE:
        `unsettled` is then the version to go on from, until the new versions have been looked at too.
        """
        column, self.unsettled = directory_line.c, None
        platform = holdings.platform_of(self.connection, matricule)
        mine = and_(column.matricule == matricule, holdings.counts(directory_line), column.instance > after)
        query = select(column.instance).where(mine, column.nature == "D").order_by(column.instance)
        some = self.connection.execute(query.limit(LINES_AT_ONCE + 1)).scalars().all()
        if platform is None or not some:
            return
        if len(some) > LINES_AT_ONCE:
            self.unsettled = some[LINES_AT_ONCE - 1]
        mine = and_(mine, column.instance <= (self.unsettled or some[-1]))
        until = platform.registered_until
        if until is not None:
            self._withdraw(mine, end=until, masks=until <= self.today)
        if former is not None and (until is None or until > former):
            end = column.end if until is None else case((_lasts_after(until), until), else_=column.end)
            self.rewrite(and_(mine, column.effective_end == former, _lasts_after(former)), effective_end=end)

    def give_default(self, siren: str, siret: str | None = None, code: str | None = None) -> int | None:
        """An address without any line has its default one: no platform chosen (9998), Chorus Pro of a public entity.

        Of a private unit, its SIREN; of a public one, its establishments and their services, but not those that only
        take invoices of works. None for any other address, and where a line holds.
        """
        unit = holdings.legal_unit_of(self.connection, siren)
        if unit is None or not _is_present(unit) or (unit.entity_type == "P") != (siret is not None):
            return None
        if siret is not None and not self._receives(siret, code):
            return None
        matricule = CHORUS_PRO if unit.entity_type == "P" else FICTIVE
        line = DirectoryLine(siren=siren, siret=siret, routing_code=code, matricule=matricule, start=self.today)
        held = holdings.lines(self.connection, line.address)
        if any(one.nature == "D" and one.overlaps(line) for one in held):
            return None
        return self.write(line)

    def restore(self, siren: str, siret: str | None = None, code: str | None = None) -> int | None:
        """An address that is back has its default line, unless another holds; what was withdrawn of it ended then.

        One of Chorus Pro that would end tomorrow, since its service closed today, does not.
        """
        for line in holdings.lines(self.connection, str(Address(siren, siret, code))):
            until = line.effective_end
            if line.nature == "D" and until is not None and until <= self.today and line.end != until:
                self.close(line.instance, until)
            elif line.nature == "D" and line.matricule == CHORUS_PRO and line.end == self.tomorrow:
                self.define(replace(line, end=None))
        return self.give_default(siren, siret, code)

    def _receives(self, siret: str, code: str | None) -> bool:
        """Tell whether an establishment, or a service of it, takes invoices."""
        held = self.establishment(siret)
        service = self.routing_code(siret, code) if code is not None else None
        is_open = held is not None and held.status == "A" and not held.is_contracting_authority_only
        return is_open and (code is None or (service is not None and service.status == "A"))

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

    def _ask_line(self, line: DirectoryLine) -> Decision:
        if self.source in PLATFORMS:
            return self.ask(AskedLine.of(line))
        faults = soundness(AskedLine.of(line), self, on=self.today)
        return Decision(faults=faults) if faults else self._define(line)

    def _define(self, line: DirectoryLine) -> Decision:
        """Write a line that nothing is against."""
        held = holdings.lines(self.connection, line.address)
        same = next((one for one in held if one.start == line.start), None)
        if same is not None and _says(same) == _says(line):
            return Decision(same.instance)
        for default in withdrawn_defaults(line, held):
            self.write(default)
        return Decision(self.write(replace(line, effective_end=self._effective_end(line, same))))

    def _effective_end(self, line: DirectoryLine, same: DirectoryLine | None) -> date | None:
        """Return the end that counts (DT-7-3-3): the one agreed, or a sooner one that something outside brought."""
        unit, platform = self.legal_unit(line.siren), self.platform(line.matricule)
        outside = [platform.registered_until if platform else None]
        if same is not None and same.effective_end != same.end and (unit is None or not _is_present(unit)):
            outside.append(same.effective_end)
        return min((end for end in (line.end, *outside) if end is not None), default=None)

    def _put_code(self, code: RoutingCode) -> Decision:
        mine = and_(routing_code.c.siret == code.siret, routing_code.c.code == code.code)
        held = holdings.routing_code_of(self.connection, code.siret, code.code)
        instance = self.put(code, held, mine)
        if held is not None and instance is not None and code.status != "A":
            self._end(self._of_code(code), end=self.tomorrow)
        return Decision(instance or (held.instance if held else None))

    def _of_establishment(self, siret: str) -> ColumnElement[bool]:
        return and_(holdings.beginning(f"{siret[:9]}_{siret}"), directory_line.c.siret == siret)

    def _of_code(self, code: RoutingCode) -> ColumnElement[bool]:
        return directory_line.c.address == f"{code.siret[:9]}_{code.siret}_{code.code}"

    def _withdraw(self, mine: ColumnElement[bool], *, end: date, masks: bool = True) -> None:
        """The lines that something outside ends on a day say so; those to come that would start then are masked."""
        column = directory_line.c
        is_to_come = and_(column.start >= end, column.start > self.today)
        if masks:
            self.rewrite(and_(mine, is_to_come), nature="M")
        lasts = and_(or_(column.effective_end.is_(None), column.effective_end > end), _lasts_after(end))
        self.rewrite(and_(mine, lasts, not_(is_to_come)), effective_end=end)

    def _end(self, mine: ColumnElement[bool], *, end: date) -> None:
        """The lines are over on a day: no invoice can be addressed to them any more."""
        column = directory_line.c
        self.rewrite(and_(mine, column.start >= end), nature="M")
        self.rewrite(and_(mine, column.start < end, _lasts_after(end)), end=end, effective_end=end)


def _is_present(unit: LegalUnit) -> bool:
    """Tell whether the directory shows a unit: active, and taxable or public."""
    return unit.status == "A" and (unit.is_taxable or unit.entity_type == "P")


def _lasts_after(end: date | None) -> ColumnElement[bool]:
    """Return the condition that the end agreed of a line is none, or later than a day."""
    return or_(directory_line.c.end.is_(None), directory_line.c.end > end)


def _says(line: DirectoryLine) -> tuple[str, date | None, str]:
    return line.nature, line.end, line.matricule
