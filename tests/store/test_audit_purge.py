"""What the audit log said is forgotten in its time, whole days from the first on; the chains stay, a lie is found."""

from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DatabaseError
from tests.store.conftest import EPOCH

from estafette.exchange.keys import public_text, sign, verifies
from estafette.store import audit, audit_purge, roots, verification
from estafette.store.database import Database
from estafette.store.tables import audit_event
from estafette.store.verification import Finding

KEY = Ed25519PrivateKey.generate()
CHAINS = ("100000009", "200000008")
LONG = timedelta(days=11 * 365)
"""After which nothing asks for what was said: ten years and the rest of the accounting year."""


def live(database: Database, days: int = 4) -> None:
    """Something happens to each company every day, and each day is sealed; on the last one nothing is yet."""
    for number in range(days):
        now = EPOCH + timedelta(days=number)
        with database.begin() as connection:
            for chain in CHAINS:
                audit.record(connection, chain, "deposit", at=now, about=f"flow {number}", name="facture.xml")
        if number < days - 1:
            with database.begin() as connection:
                roots.seal(connection, day=now.date(), now=now, key=public_text(KEY), sign=lambda data: sign(KEY, data))


def findings(database: Database, *, on: date | None = None) -> list[Finding]:
    """Return what is wrong with the log."""
    with database.read() as connection:
        return verification.verify(connection, key=public_text(KEY), verifies=verifies, on=on).findings


def told(database: Database, chain: str) -> list[str]:
    """Return what each event of a chain is."""
    with database.read() as connection:
        return [event["what"] for event in audit.latest(connection, chain, limit=50)]


def forget(database: Database, last: date, **named: Any) -> int:
    """Everything of up to a day is forgotten, long after."""
    return audit_purge.forget(database, last=last, now=EPOCH + LONG, **named)


def test_whole_days_are_forgotten_and_the_chains_stand(database: Database) -> None:
    """The first days say nothing more, the others all; twice is once; the log is sound and says what was forgotten."""
    live(database)
    assert forget(database, EPOCH.date() - timedelta(days=1)) == 0
    second = EPOCH.date() + timedelta(days=1)
    assert forget(database, second) == 4 + 1, "the operator's chain has the sealing of the first day"
    assert forget(database, second) == 0
    for chain in CHAINS:
        assert told(database, chain) == ["blank", "blank", "deposit", "deposit"]
    with database.read() as connection:
        query = select(audit_event).where(audit_event.c.chain == CHAINS[0]).order_by(audit_event.c.seq)
        rows = connection.execute(query).all()
    assert ["facture" in row.body for row in rows] == [False, False, True, True]
    assert [row.about for row in rows] == ["", "", "flow 2", "flow 3"]
    assert findings(database, on=(EPOCH + LONG).date()) == []
    assert told(database, audit.OPERATOR)[-1] == "journal.purged"


def test_what_is_held_stays(database: Database) -> None:
    """Of a company that is under control nothing is forgotten."""
    live(database)
    forget(database, EPOCH.date() + timedelta(days=1), held=lambda _connection, chain: chain == CHAINS[0])
    assert told(database, CHAINS[0]) == ["deposit"] * 4
    assert told(database, CHAINS[1]) == ["blank", "blank", "deposit", "deposit"]


def test_before_its_time_it_is_found(database: Database) -> None:
    """A text that was blanked within ten years, or out of turn, is found, though its digest is the right one."""
    live(database)
    forget(database, EPOCH.date() + timedelta(days=1))
    for years in (1, 9):
        early = findings(database, on=EPOCH.date() + timedelta(days=years * 365))
        assert {one.en for one in early} == {"texts were blanked before their time"}
    with database.begin() as connection:
        row = connection.execute(
            select(audit_event).where(audit_event.c.chain == CHAINS[0], audit_event.c.seq == 4)
        ).one()
        mine = (audit_event.c.chain == CHAINS[0], audit_event.c.seq == 4)
        connection.execute(update(audit_event).where(*mine).values(body=audit.blanked(row.body), about=""))
    assert [(one.chain, one.en) for one in findings(database)] == [(CHAINS[0], "a text was blanked out of turn")]


@pytest.mark.parametrize(
    "change", [{"body": "{}"}, {"hash": "x"}, {"seq": 99}, {"about": "x"}, {"body": "sha256:short", "about": ""}]
)
def test_nothing_else_is_changed(database: Database, change: dict[str, Any]) -> None:
    """The engine lets a text become a digest, and nothing else."""
    live(database)
    with pytest.raises(DatabaseError), database.begin() as connection:
        connection.execute(update(audit_event).where(audit_event.c.seq == 1).values(change))
    assert findings(database) == []


def test_a_digest_that_is_not_its_own_is_found(database: Database) -> None:
    """Whoever blanks a text cannot say that it was another."""
    live(database)
    with database.begin() as connection:
        lie = {"body": audit.blanked("another"), "about": ""}
        connection.execute(update(audit_event).where(audit_event.c.seq == 1).values(lie))
    assert "the event was changed, or the one before" in {one.en for one in findings(database)}


def test_a_blank_event_is_about_nothing(database: Database) -> None:
    """Whoever goes round the engine and says what a blanked event was about is found."""
    live(database)
    forget(database, EPOCH.date())
    with database.begin() as connection:
        blank = {"chain": "300000007", "seq": 1, "about": "flow 9", "body": audit.blanked("{}")}
        blank["hash"] = audit.link(audit.genesis("300000007"), str(blank["body"]))
        connection.execute(insert(audit_event).values(blank))
    assert "the text of the event is not of this place (moved or changed)" in {one.en for one in findings(database)}


def test_it_goes_on_where_it_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever dies in between has blanked some events, all by their digests; the next one ends it."""
    monkeypatch.setattr(audit_purge, "AT_ONCE", 1)
    live(database)
    real, left = audit_purge._note, iter(range(3))

    def note(*arguments: Any) -> None:
        if next(left, None) is None:
            raise OSError("the machine is off")
        real(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(audit_purge, "_note", note)
        with pytest.raises(OSError, match="off"):
            forget(database, EPOCH.date() + timedelta(days=1))
    assert findings(database) == []
    forget(database, EPOCH.date() + timedelta(days=1))
    assert [told(database, chain)[:2] for chain in CHAINS] == [["blank", "blank"]] * 2
    assert findings(database) == []
