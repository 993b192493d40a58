"""E-reporting as a company and the operator use it: hand in, look at drafts, send, correct.

Every verb takes the SIREN of the company and touches what is its own, nothing else. Read first: `reporting_ledger` (the
units), `reporting_sources` (invoices and collections), `reporting_deposits` (files and whole transmissions),
`reporting_drafts` (what would leave), `reporting_sending` (what leaves and what is answered).
"""

from asyncio import to_thread
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from estafette.formats.flux10 import DailyTotal, RatePart, Role
from estafette.platform.home import Home
from estafette.platform.reporting_deposits import Taken, take_records
from estafette.platform.reporting_drafts import Draft, drafts, failed, sent_otherwise
from estafette.platform.reporting_ledger import (
    REPORT,
    Entry,
    PeriodKey,
    Source,
    ask,
    record,
    regimes,
    set_regime,
    take_back,
    units,
)
from estafette.platform.reporting_sending import PACK, Prepared, pack, prepare, send
from estafette.platform.reporting_tables import reporting_file, transmission, unit_record
from estafette.reporting.aggregation import totalled
from estafette.reporting.calendar import RegimeChange, regime_on
from estafette.reporting.records import read_records
from estafette.store import audit
from estafette.store.worker import Worker
from estafette.values.moments import paris_day

SHOWN_DAYS = 400
"""How far back drafts are listed: a year and the longest deadline."""


class NotYet(Exception):
    """The period cannot be sent, or a regime cannot begin so early: why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr = fr
        self.en = en


class Reporting:
    """The e-reporting of one platform."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._database = home.actor.database

    def take_work(self, worker: Worker) -> None:
        """The worker knows what each queue of e-reporting asks."""
        worker.handles(REPORT, lambda job: send(self.home, job))
        worker.handles(PACK, lambda job: pack(self.home, job))

    # ---------------------------------------------------------------------------------------------------- handing in

    async def hand_in(self, siren: str, data: bytes, *, name: str, source: str, partial: bool = False) -> Taken:
        """The file of unit records is kept and taken as far as it is good; every bad row is answered."""
        today = self.today()
        on_debits = regime_on(self.regimes(siren), today).on_debits
        read = await to_thread(read_records, data, on=today, on_debits=on_debits)

        def taken(connection: Connection) -> Taken:
            home = self.home
            return take_records(home, connection, siren, read, data, name=name, source=source, partial=partial)

        return await self._database.write(taken)

    async def enter(self, siren: str, total: DailyTotal, *, key: str) -> None:
        """The company's daily total, entered at the desk, is in the ledger."""
        entry = Entry(Role.SELLER, key, totalled(total))
        await self._write(lambda connection: record(self.home, connection, siren, [entry], Source("desk", key)))

    async def withdraw(self, siren: str, unit: int) -> bool:
        """The unit counts no more; False when the company has none such that stands."""

        def taken(connection: Connection) -> bool:
            rows = units(connection, siren, unit_record.c.id == unit)
            take_back(self.home, connection, siren, rows, Source("desk", str(unit)))
            if rows:
                audit.record(connection, siren, "report.withdrawn", about=str(unit), at=self.home.actor.clock())
            return bool(rows)

        return await self._database.write(taken)

    async def set_regime(self, siren: str, change: RegimeChange) -> None:
        """The company has this regime from a day on.

        Raises: ValueError unless it is the first of a month; NotYet when a period that was sent would be another's.
        """
        if change.since.day != 1:
            raise ValueError("a regime begins on the first of a month")

        def changed(connection: Connection) -> None:
            if sent := sent_otherwise(connection, siren, change):
                start, end = sent["start"], sent["end"]
                raise NotYet(
                    f"La période {start} → {end} est déjà transmise ; sous ce régime ses opérations seraient déclarées "
                    "deux fois. Choisissez un mois qui suit la dernière période transmise.",
                    f"The period {start} → {end} has been sent already; under this regime its operations would be "
                    "reported twice. Choose a month after the last period that was sent.",
                )
            set_regime(self.home, connection, siren, change)
            told = {"regime": change.regime.value, "debits": change.on_debits}
            about = change.since.isoformat()
            audit.record(connection, siren, "report.regime", about=about, at=self.home.actor.clock(), **told)

        await self._write(changed)

    # ------------------------------------------------------------------------------------------------ looking, sending

    def today(self) -> date:
        """Return the day it is in France."""
        return paris_day(self.home.actor.clock())

    def regimes(self, siren: str) -> tuple[RegimeChange, ...]:
        """Return the company's regimes."""
        with self._database.read() as connection:
            return regimes(connection, siren)

    def drafts(self, siren: str) -> list[Draft]:
        """Return the company's periods, the latest first."""
        with self._database.read() as connection:
            return drafts(self.home, connection, siren, since=self.today() - timedelta(days=SHOWN_DAYS))

    def failed(self, siren: str, *, since: datetime) -> list[RowMapping]:
        """Return the company's transmissions that failed since and that none followed (`reporting_drafts.failed`)."""
        with self._database.read() as connection:
            return failed(connection, since=since, siren=siren)

    async def draft(self, key: PeriodKey) -> Prepared:
        """Return one period as it would leave now, controlled."""
        return await prepare(self.home, key)

    async def send(self, key: PeriodKey) -> None:
        """The period will be sent now. Raises: NotYet."""
        held = (await self.draft(key)).draft
        if not held.is_over:
            raise NotYet(f"La période finit le {held.period.end}.", f"The period ends on {held.period.end}.")
        if held.is_under_way:
            raise NotYet("Une transmission attend sa réponse.", "A transmission waits for its answer.")
        if not (held.is_unsent or held.was_refused):
            raise NotYet("Rien de nouveau à transmettre.", "Nothing new to send.")
        now = self.home.actor.clock()
        await self._write(lambda connection: ask(connection, key, due=now, now=now, forced=True))
        self.home.actor.worker.wake()

    def files(self, siren: str, limit: int = 50) -> list[RowMapping]:
        """Return the files the company handed in, the last first."""
        query = select(reporting_file).where(reporting_file.c.siren == siren)
        return self._rows(query.order_by(reporting_file.c.recorded_at.desc()).limit(limit))

    def file(self, siren: str, identifier: str) -> RowMapping | None:
        """Return a file of the company."""
        mine = (reporting_file.c.siren == siren, reporting_file.c.id == identifier)
        return next(iter(self._rows(select(reporting_file).where(*mine))), None)

    def transmission(self, siren: str, identifier: str) -> bytes | None:
        """Return the file of a transmission of the company."""
        mine = (transmission.c.siren == siren, transmission.c.identifier == identifier)
        rows = self._rows(select(transmission).where(*mine))
        return self.home.actor.documents.get(rows[0]["sha256"]) if rows else None

    def _rows(self, query: Any) -> list[RowMapping]:
        with self._database.read() as connection:
            return list(connection.execute(query).mappings())

    async def _write(self, apply: Callable[[Connection], object]) -> None:
        await self._database.write(apply)


def daily_total(day: date, category: str, rate: Decimal, base: Decimal, tax: Decimal) -> DailyTotal:
    """Return a day's sales in one category at one rate."""
    return DailyTotal(day=day, category=category, parts=(RatePart(rate, base, tax),))
