"""What is kept no more is purged, and nothing else: within its time, held, or needed, everything stays as it was."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, RowMapping, Table, func, insert, select, update
from tests.platform.world import BUYER, SELLER, Clock, World, collected, open_world, service

from estafette.platform import keeping_purge, tables
from estafette.platform.keeping_purge import Purge
from estafette.platform.keeping_tables import departure, package
from estafette.store import erasure, holds, identity, inventory, verification
from estafette.store.database import Database, open_database
from estafette.store.documents import Documents
from estafette.store.holds import Scope
from estafette.store.identity_events import By, record
from estafette.store.packs import FolderPacks
from estafette.store.tables import account, audit_event, condemned, document, hold, identity_event, purged
from estafette.values.moments import PARIS, paris_day
from estafette.values.retention import Kind, Retention, later

YEARS = (2014, 2015, 2016, 2019, 2024, 2026)
"""The years of the invoices: the first two are kept no more today."""

OVER = {"KEEP2014", "KEEP2015"}


@dataclass
class Store:
    """The records and documents of a platform, a copy that a test may purge; its clock goes on when it is asked."""

    database: Database
    documents: Documents
    clock: Clock

    def purge(self, retention: Retention | None = None) -> Purge:
        """Return its purge, as another program that was just started."""
        return Purge(self.database, self.documents, retention or Retention(), self.clock)

    def rows(self, query: Any) -> list[RowMapping]:
        """Return what the records answer."""
        with self.database.read() as connection:
            return list(connection.execute(query).mappings())

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        return int(self.rows(select(func.count().label("n")).select_from(table))[0]["n"])

    @property
    def numbers(self) -> set[str]:
        """Name the invoices that are there."""
        return {row["number"] for row in self.rows(select(tables.invoice.c.number))}

    @property
    def gone(self) -> set[str]:
        """Name the invoices of which there is a trace."""
        return {row["reference"] for row in self.rows(select(purged.c.reference).where(purged.c.kind == "invoice"))}

    def is_sound(self) -> bool:
        """Every document named is there, and the audit log is as it was written."""
        with self.database.read() as connection:
            found = inventory.verify(connection, self.documents).findings
            report = verification.verify(connection, key="", verifies=lambda *_: True)
        return (found, report.findings) == ([], [])


def age(world: World, name: str, number: str, year: int) -> None:
    """An invoice and all that was said of it are of another year."""
    moment = datetime(year, 3, 5, 12, tzinfo=PARIS)
    with world.running[name].actor.database.begin() as connection:
        ids = list(connection.execute(select(tables.invoice.c.id).where(tables.invoice.c.number == number)).scalars())
        mine = tables.invoice.c.id.in_(ids)
        connection.execute(update(tables.invoice).where(mine).values(issue_date=moment.date(), received_at=moment))
        connection.execute(update(tables.event).where(tables.event.c.invoice_id.in_(ids)).values(set_at=moment))
        sent = tables.declaration.c.invoice_id.in_(ids)
        connection.execute(update(tables.declaration).where(sent).values(created_at=moment))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a platform where much has happened, at different times; nobody is at work there any more."""
    with structlog.testing.capture_logs():
        world = open_world(tmp_path_factory.mktemp("keeping"), Clock())
        for year in YEARS:
            number = f"KEEP{year}"
            world.deposit(service(number))
            world.answer(SELLER, number, "212", amounts=collected(("20", "1200.00")))
            age(world, "platform-a", number, year)
        world.deposit(b"no invoice", name="bad.bin", syntax="UBL")
        world.close()
    return world.running["platform-a"].actor.folder


def opened_store(folder: Path) -> Store:
    """Open the store in a folder."""
    database = open_database(folder / "records.sqlite", ("platform",), threaded=False)
    return Store(
        database, Documents(database, FolderPacks(folder / "documents")), Clock(datetime(2026, 9, 15, tzinfo=UTC))
    )


@pytest.fixture(scope="module")
def kept(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a copy in which nothing is purged."""
    store = opened_store(shutil.copytree(home, tmp_path_factory.mktemp("kept") / "copy"))
    yield store
    store.database.close()


@pytest.fixture
def own(home: Path, tmp_path: Path) -> Iterator[Store]:
    """Give a copy of it to a test that purges."""
    store = opened_store(shutil.copytree(home, tmp_path / "copy"))
    yield store
    store.database.close()


def test_nothing_is_over_at_first(own_world: World) -> None:
    """Of what happened today nothing is purged, today or in a year; in eleven years all is, on both sides."""
    world = own_world
    world.deposit(service("FRESH1"))
    world.deposit(b"no invoice", name="bad.bin", syntax="UBL")

    def purged_at(name: str) -> dict[str, int]:
        actor = world.running[name].actor
        return dict(Purge(actor.database, actor.documents, Retention(), world.clock).run().going)

    assert purged_at("platform-a") == {}
    world.pass_by(days=364)
    assert purged_at("platform-a") == {}
    world.pass_by(days=3)
    assert purged_at("platform-a") == {"flow": 1}
    world.pass_by(days=365 * 10)
    assert purged_at("platform-a")["invoice"] == 1
    assert purged_at("platform-b")["invoice"] == 1
    for siren in (SELLER, BUYER):
        assert world.invoices(siren, "FRESH1") == []


def test_an_invoice_goes_with_its_file(own: Store) -> None:
    """What is over is gone, file and all; what stays is its trace: number, day, rule, hash; the log tells each."""
    before = {row["number"]: row["sha256"] for row in own.rows(select(tables.invoice))}
    assert own.purge().run().going["invoice"] == 2
    assert own.numbers == set(before) - OVER
    traces = own.rows(select(purged).where(purged.c.kind == "invoice").order_by(purged.c.reference))
    said = [(row["reference"], row["sha256"], row["dated"], row["kept_until"], row["rule"]) for row in traces]
    rule = "accounting: C. com., art. L. 123-22"
    assert said == [
        ("KEEP2014", before["KEEP2014"], date(2014, 3, 5), date(2024, 12, 31), rule),
        ("KEEP2015", before["KEEP2015"], date(2015, 3, 5), date(2025, 12, 31), rule),
    ]
    kinds = {row["kind"] for row in own.rows(select(purged).where(purged.c.reference == "KEEP2014"))}
    assert kinds == {"invoice", "status", "declaration", "flow"}
    bodies = [row["body"] for row in own.rows(select(audit_event).where(audit_event.c.chain == SELLER))]
    told = [body for body in bodies if "job:purge" in body and '"kind":"invoice"' in body]
    assert [sum(before[name] in body for body in told) for name in sorted(OVER)] == [1, 1]
    for name in OVER:
        with pytest.raises(KeyError):
            own.documents.get(before[name])
    assert own.is_sound()
    assert own.purge().run().going == {}, "twice is once"


def test_its_bytes_are_erased_after_a_while(own: Store) -> None:
    """What was purged is erased an hour later; nothing else is."""
    before = own.count(document)
    first = own.purge().run()
    assert (first.erased, own.count(document)) == (0, before - first.documents)
    own.clock.now += erasure.GRACE
    again = own.purge().run()
    assert (again.erased, again.restored) == (first.documents, 0)
    assert {row["erased_at"] is not None for row in own.rows(select(condemned))} == {True}
    assert own.is_sound()


def test_what_was_sent_to_the_portal_goes_before(own: Store) -> None:
    """Six years on the messages to the portal are gone, and their mirrors; the invoice and its statuses are whole."""
    mine = select(tables.declaration).join(tables.invoice, tables.invoice.c.id == tables.declaration.c.invoice_id)
    old = mine.where(tables.invoice.c.number == "KEEP2019")
    before, mirrors = own.rows(old), own.count(tables.flow)
    own.purge().run()
    after = own.rows(old)
    assert {row["sha256"] for row in after} == {""}
    assert [row["state"] for row in after] == [row["state"] for row in before]
    assert "" not in {row["sha256"] for row in own.rows(mine.where(tables.invoice.c.number == "KEEP2024"))}
    ids = {row["flow_id"] for row in before}
    assert own.rows(select(tables.flow).where(tables.flow.c.id.in_(ids))) == []
    assert own.count(tables.flow) < mirrors
    statuses = select(tables.event.c.sha256).join(tables.invoice, tables.invoice.c.id == tables.event.c.invoice_id)
    for row in own.rows(statuses.where(tables.invoice.c.number == "KEEP2019")):
        assert own.documents.get(row["sha256"])


def test_each_company_of_a_platform_keeps_its_own(own: Store) -> None:
    """What one side keeps no more is gone there; the same document is still there for the other side."""
    (here,) = own.rows(select(tables.invoice).where(tables.invoice.c.number == "KEEP2014"))
    with own.database.begin() as connection:
        twin = {**here, "id": "twin", "side": "received", "issue_date": date(2026, 1, 1)}
        connection.execute(insert(tables.invoice).values(twin))
    assert own.purge().run().going["invoice"] == 2
    assert own.documents.get(here["sha256"])
    with own.database.begin() as connection:
        mine = update(tables.invoice).where(tables.invoice.c.id == "twin")
        connection.execute(mine.values(issue_date=here["issue_date"]))
    assert own.purge().run().going["invoice"] == 1
    with pytest.raises(KeyError):
        own.documents.get(here["sha256"])
    assert own.is_sound()


@settings(max_examples=40, deadline=None)
@given(
    on=st.dates(date(2020, 1, 1), date(2045, 1, 1)),
    months=st.integers(120, 200),
    year_end=st.sampled_from([(12, 31), (6, 30), (3, 4), (3, 5)]),
    held=st.lists(st.tuples(st.sampled_from(YEARS), st.integers(0, 3)), max_size=2),
)
def test_never_within_its_time_nor_held(
    kept: Store, on: date, months: int, year_end: tuple[int, int], held: list[tuple[int, int]]
) -> None:
    """Whatever the day, the durations and the holds: what is over and not held goes, nothing else does."""
    with kept.database.begin() as connection:
        connection.execute(hold.delete())
        for first, length in held:
            scope = Scope(date(first, 1, 1), date(first + length, 12, 31))
            said = {"reason": "contrôle", "until": None, "by": "login:ada", "now": kept.clock.now, "today": on}
            holds.place(connection, SELLER, scope, **said)  # type: ignore[arg-type]
    noon = datetime.combine(on, time(12), PARIS)
    retention = Retention({Kind.ACCOUNTING: months}, year_end)
    plans = list(Purge(kept.database, kept.documents, retention, lambda: noon).plans())
    going = {thing.reference for plan in plans if plan.drawer.name == "invoice" for thing in plan.going}
    assert going == {f"KEEP{year}" for year in YEARS if is_over(year, on, months, year_end, held)}


def is_over(year: int, on: date, months: int, year_end: tuple[int, int], held: list[tuple[int, int]]) -> bool:
    """Say, by the text alone, whether the invoice of 5 March of a year may go."""
    end = date(year, *year_end)
    end = end if end >= date(year, 3, 5) else date(year + 1, *year_end)
    is_held = any(first <= year <= first + length for first, length in held)
    return later(end, months) < on and not is_held


@pytest.mark.parametrize("why", ["owed", "package", "portability"])
def test_what_is_still_needed_stays(own: Store, why: str) -> None:
    """What the State has not taken, what a package is made of, what a company that leaves may ask for: it all stays."""
    today = paris_day(own.clock())
    with own.database.begin() as connection:
        if why == "owed":
            connection.execute(update(tables.declaration).values(state="waiting"))
        elif why == "package":
            row = {"id": "p", "siren": SELLER, "purpose": "tenant", "asked_by": "x", "asked_at": own.clock.now}
            connection.execute(insert(package).values(**row, state="asked", done=0, total=0, cursor={}))
        else:
            days = dict.fromkeys(("agreed_on", "objection_until", "line_until", "serves_until"), today)
            row = {"siren": SELLER, "matricule": "0005", "recorded_by": "x", "recorded_at": own.clock.now}
            connection.execute(insert(departure).values(**row, **days))
    counts = own.purge().run()
    assert (counts.going["invoice"], counts.staying["invoice"]) == (0, 2)
    assert own.numbers >= OVER
    assert own.is_sound()


def test_a_hold_set_meanwhile_counts(own: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hold set after the batch was planned, before it is done: nothing of it goes."""
    real = keeping_purge.plan

    def then_held(*arguments: Any, **named: Any) -> keeping_purge.Plan:
        made = real(*arguments, **named)
        if made.going and made.drawer.name == "invoice":
            said = {"reason": "avis", "until": None, "by": "login:ada", "now": own.clock.now, "today": date(2026, 9, 1)}
            with own.database.begin() as connection:
                holds.place(connection, SELLER, Scope(reference="KEEP2014"), **said)  # type: ignore[arg-type]
        return made

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(keeping_purge, "plan", then_held)
        assert own.purge().run().going["invoice"] == 0
    assert own.purge().run().going["invoice"] == 1
    assert own.numbers == {f"KEEP{year}" for year in YEARS} - {"KEEP2015"}


class Died(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("write", range(0, 24, 3))
def test_a_death_between_two_writes(own: Store, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """Whoever dies at any write of a purge has purged whole batches or none; the next one ends it."""
    left = iter([None] * write)
    real = Connection.execute

    def execute(self: Connection, statement: Any, *arguments: Any, **named: Any) -> Any:
        if getattr(statement, "is_dml", False) and next(left, Died) is Died:
            raise Died
        return real(self, statement, *arguments, **named)

    with monkeypatch.context() as broken:
        broken.setattr(keeping_purge, "BATCH", 1)
        broken.setattr(Connection, "execute", execute)
        with pytest.raises(Died):
            own.purge().run()
    assert own.numbers == {f"KEEP{year}" for year in YEARS} - own.gone
    assert own.is_sound()
    own.purge().run()
    assert own.numbers == {f"KEEP{year}" for year in YEARS} - OVER
    own.clock.now += erasure.GRACE
    own.purge().run()
    assert own.is_sound()


def test_a_round_is_bounded_and_goes_on(own: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round does so many batches and no more; the next goes on where it was."""
    monkeypatch.setattr(keeping_purge, "BATCH", 1)
    assert [sum(own.purge().run(batches=1).going.values()) for _ in range(2)] == [1, 1]
    assert own.numbers == {f"KEEP{year}" for year in YEARS} - OVER


def test_what_is_held_does_not_keep_a_round_busy(own: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round looks at so many batches, held ones too; the next goes on after them, and begins anew at the end."""
    monkeypatch.setattr(keeping_purge, "BATCH", 1)
    with own.database.begin() as connection:
        said = {"reason": "avis", "until": None, "by": "login:ada", "now": own.clock.now, "today": date(2026, 9, 1)}
        number = holds.place(connection, SELLER, Scope(reference="KEEP2014"), **said)  # type: ignore[arg-type]
    purge = own.purge()
    first, second = purge.run(batches=1), purge.run(batches=1)
    assert (first.going["invoice"], first.staying["invoice"]) == (0, 1)
    assert (second.going["invoice"], second.staying["invoice"]) == (1, 0)
    with own.database.begin() as connection:
        holds.release(connection, SELLER, number, by="login:ada", now=own.clock.now)
    while purge._place != keeping_purge.BEGINNING:
        purge.run(batches=1)
    assert purge.run(batches=1).going["invoice"] == 1


def test_documents_go_once_a_day(own: Store) -> None:
    """Rounds take the records; their documents follow a day later, once for all rounds."""
    name = own.rows(select(tables.invoice.c.sha256).where(tables.invoice.c.number == "KEEP2014"))[0]["sha256"]
    assert own.purge().run(batches=1000).documents == 0
    assert own.documents.get(name)
    own.clock.now += keeping_purge.SWEPT_EVERY
    assert own.purge().run(batches=1000).documents > 2
    with pytest.raises(KeyError):
        own.documents.get(name)
    assert own.is_sound()


def test_a_status_that_found_no_invoice_is_kept_as_long_as_its_message(own: Store) -> None:
    """It waits for its invoice as long as the message that brought it is kept, then goes with it."""
    row = {"sender": "0005", "message_id": "m 1", "seller_siren": SELLER, "number": "X", "year": 2026}
    with own.database.begin() as connection:
        name = own.documents.put(b"<status/>")
        early = {**row, "sha256": name, "received_at": own.clock.now}
        connection.execute(insert(tables.early_status).values(early))
    own.clock.now += timedelta(days=365 * 6)
    assert own.purge().run().going["early-status"] == 0
    own.clock.now += timedelta(days=3)
    assert own.purge().run().going["early-status"] == 1
    assert own.count(tables.early_status) == 0
    with pytest.raises(KeyError):
        own.documents.get(name)


def test_journals_and_closed_accounts_go_too(own: Store) -> None:
    """The journal of accesses goes after six years; of a closed account only the login stays after one."""
    now = own.clock()
    with own.database.begin() as connection:
        for login in ("left", "there"):
            said = {"held": "-", "role": "reader", "tenant": SELLER, "email": f"{login}@example.test"}
            identity.add_account(connection, login=login, now=now, **said)  # type: ignore[arg-type]
        identity.close_account(connection, login="left", now=now)
        record(connection, By("there", SELLER, now), "person.removed", "left")
    own.clock.now += timedelta(days=367)
    own.purge().run()
    assert {row["login"]: row["email"] for row in own.rows(select(account))} == {
        "left": None,
        "there": "there@example.test",
    }
    assert own.count(identity_event) == 1
    own.clock.now += timedelta(days=365 * 5 + 1)
    own.purge().run()
    assert own.count(identity_event) == 0
    assert own.is_sound()


def test_years_go_by(own: Store) -> None:
    """Half-year after half-year: what goes was over, what stays is whole, in the end only traces stay."""
    invoices = {row["number"]: row for row in own.rows(select(tables.invoice))}
    for _ in range(2 * 11):
        own.clock.now += timedelta(days=182)
        own.purge().run()
        today = paris_day(own.clock.now)
        for number, row in invoices.items():
            kinds = (Kind.TAX_EVIDENCE, Kind.ACCOUNTING)
            assert (number in own.numbers) is (today <= Retention().longest(kinds, row["issue_date"], on=today)[0])
    assert own.numbers == set()
    assert own.gone == set(invoices)
    own.clock.now += erasure.GRACE
    own.purge().run()
    assert own.is_sound()
    assert (own.count(tables.event), own.count(tables.declaration), own.count(tables.flow)) == (0, 0, 0)
    assert own.count(document) <= 1, "the last export of the directory stays"
    assert own.purge().run() == keeping_purge.Counts()
