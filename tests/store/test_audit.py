"""The audit log: written with what it tells, added to only, any change of it found wherever it was made."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from estafette.exchange.keys import public_text, sign, verifies
from estafette.store import audit, merkle, roots
from estafette.store.audit import canonical, genesis, link
from estafette.store.database import DRIVER, Database
from estafette.store.roots import export, proofs, seal, shows
from estafette.store.tables import audit_event, audit_head, audit_leaf, audit_root
from estafette.store.verification import FINDINGS_MAX, Report, verify

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = public_text(KEY)
A, B = "100000009", "200000008"


def tell(database: Database, *events: tuple[str, str], at: datetime) -> None:
    """Events (chain, what) are recorded in one transaction."""
    with database.begin() as connection:
        for chain, what in events:
            audit.record(connection, chain, what, at=at, about="F1")


def sealed(database: Database, at: datetime, *, key: Ed25519PrivateKey = KEY) -> None:
    """A root covers all there is."""
    with database.begin() as connection:
        seal(connection, day=at.date(), now=at, key=public_text(key), sign=lambda data: sign(key, data))


def report(database: Database, **how: object) -> Report:
    """Return what a verification finds."""
    with database.read() as connection:
        return verify(connection, key=PUBLIC, verifies=verifies, **how)  # type: ignore[arg-type]


def found(database: Database, **how: object) -> list[tuple[str, int]]:
    """Say where a verification finds something."""
    return [(finding.chain, finding.seq) for finding in report(database, **how).findings]


def raw(database: Database) -> sqlite3.Connection:
    """Open the file itself, the guards taken away, as someone with a disk and an editor would."""
    opened: sqlite3.Connection = DRIVER.connect(str(database.engine.url.database), isolation_level=None)
    names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for name in names:
        opened.execute(f"DROP TRIGGER {name}")
    return opened


def rewritten(file: sqlite3.Connection, chain: str, bodies: list[str]) -> None:
    """A chain is these events, every hash and its head made again."""
    file.execute("DELETE FROM audit_event WHERE chain = ?", (chain,))
    last = genesis(chain)
    for seq, body in enumerate(bodies, start=1):
        last = link(last, body)
        file.execute("INSERT INTO audit_event VALUES (?, ?, 'F1', ?, ?)", (chain, seq, body, last))
    file.execute("UPDATE audit_head SET seq = ?, hash = ? WHERE chain = ?", (len(bodies), last, chain))


def test_events_follow_one_another(database: Database, now: datetime) -> None:
    """Each event is numbered in its chain and hashed with the one before; who acts is whoever was said to."""
    tell(database, (A, "one"), (B, "uno"), at=now)
    with audit.acting("login:marie"):
        tell(database, (A, "two"), at=now)
    with database.read() as connection:
        first, second = audit.latest(connection, A, about="F1", limit=10)
    assert (first["seq"], first["what"], first["who"]) == (1, "one", "platform")
    assert (second["seq"], second["what"], second["who"]) == (2, "two", "login:marie")
    body = canonical({name: value for name, value in second.items() if name != "hash"})
    assert second["hash"] == link(first["hash"], body)
    assert found(database) == []


def test_what_is_undone_is_not_told(database: Database, now: datetime) -> None:
    """A transaction that failed recorded nothing; a savepoint that was undone took its own events only."""
    with pytest.raises(RuntimeError), database.begin() as connection:
        audit.record(connection, A, "never", at=now)
        raise RuntimeError
    with database.begin() as connection:
        audit.record(connection, A, "before", at=now)
        with connection.begin_nested():
            audit.record(connection, A, "kept", at=now)
        undone = connection.begin_nested()
        audit.record(connection, A, "undone", at=now)
        undone.rollback()
        audit.record(connection, None, "after", at=now)
    with database.read() as connection:
        texts = [audit.told(row)["what"] for row in connection.execute(select(audit_event)).mappings()]
    assert sorted(texts) == ["after", "before", "kept"]
    assert found(database) == []


@pytest.mark.parametrize("change", ["update", "delete"])
@pytest.mark.parametrize("table", [audit_event, audit_root, audit_leaf], ids=lambda table: str(table.name))
def test_the_engine_refuses_a_change(database: Database, now: datetime, table: object, change: str) -> None:
    """No statement of the program can change or delete an event, a root or a leaf."""
    tell(database, (A, "one"), at=now)
    sealed(database, now)
    statement = update(table).values(hash="x") if change == "update" else delete(table)  # type: ignore[arg-type]
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
        connection.execute(statement)
    assert found(database) == []


@pytest.fixture
def kept(new_sqlite_store: Callable[[], Database], now: datetime) -> Iterator[Database]:
    """Give a log of two chains of six events, the first four of each under a root, in a file one can edit."""
    database = new_sqlite_store()
    tell(database, *[(chain, f"event {n}") for n in range(4) for chain in (A, B)], at=now)
    sealed(database, now)
    tell(database, *[(chain, f"late {n}") for n in range(2) for chain in (A, B)], at=now)
    yield database
    database.close()


def test_a_sound_log_is_found_sound(kept: Database) -> None:
    """Nothing is found where nothing was done; everything was read, and progress told."""
    told: list[int] = []
    seen = report(kept, progress=told.append)
    assert (seen.findings, seen.chains, seen.events, seen.roots) == ([], 3, 13, 1)
    assert found(kept, chain=B) == []


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE audit_event SET body = replace(body, 'late 0', 'late 9') WHERE seq = 5 AND chain = '{A}'", {(A, 5)}),
        ("UPDATE audit_event SET about = 'F2' WHERE seq = 2 AND chain = '{A}'", {(A, 2)}),
        ("DELETE FROM audit_event WHERE seq = 3 AND chain = '{A}'", {(A, 3)}),
        ("DELETE FROM audit_event WHERE seq >= 5 AND chain = '{A}'", {(A, 5)}),
        ("DELETE FROM audit_event WHERE seq >= 3 AND chain = '{A}'", {(A, 3), (A, 4)}),
        ("DELETE FROM audit_event WHERE chain = '{A}'", {(A, 1), (A, 4)}),
        ("INSERT INTO audit_event SELECT chain, 7, about, body, hash FROM audit_event WHERE chain = '{A}' AND seq = 6",
         {(A, 7)}),
        ("UPDATE audit_event SET chain = '{B}', seq = 7 WHERE chain = '{A}' AND seq = 6", {(A, 6), (B, 7)}),
        ("UPDATE audit_head SET seq = 5 WHERE chain = '{A}'", {(A, 6)}),
        ("DELETE FROM audit_leaf WHERE chain = '{A}'", {("roots", 1)}),
        ("UPDATE audit_leaf SET hash = '" + "0" * 64 + "' WHERE chain = '{A}'", {("roots", 1), (A, 4)}),
        ("UPDATE audit_root SET body = replace(body, '\"leaves\":2', '\"leaves\":1')", {("roots", 1)}),
        ("UPDATE audit_root SET number = 2", {("roots", 1), ("roots", 2)}),
    ],
)  # fmt: skip
def test_a_change_of_the_file_is_found_where_it_was_made(
    kept: Database, statement: str, where: set[tuple[str, int]]
) -> None:
    """A changed, deleted, inserted, moved or cut event is found, and so is a changed root; nothing else is accused."""
    raw(kept).execute(statement.format(A=A, B=B))
    assert where <= set(found(kept))
    assert {chain for chain, _ in found(kept)} <= {chain for chain, _ in where} | {"roots"}


def test_a_chain_written_anew_is_found_by_its_root(kept: Database) -> None:
    """Every hash made again and the head with them: the signed root says otherwise."""
    with kept.read() as connection:
        query = select(audit_event.c.body).where(audit_event.c.chain == A).order_by(audit_event.c.seq)
        bodies = list(connection.execute(query).scalars())
    rewritten(raw(kept), A, [bodies[0].replace("event 0", "event 9"), *bodies[1:]])
    assert found(kept) == [(A, 4)]


def test_roots_written_anew_are_found_by_those_kept_outside(kept: Database, now: datetime) -> None:
    """Another key is found out; whoever has the key still cannot agree with a root that was handed out before."""
    with kept.read() as connection:
        outside = list(export(connection))
    assert found(kept, against=outside) == []
    file = raw(kept)
    file.execute("DELETE FROM audit_root")
    file.execute("DELETE FROM audit_leaf")
    file.execute("UPDATE audit_head SET sealed = 0")
    rewritten(file, A, [])
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    sealed(kept, now + timedelta(days=1), key=other)
    assert ("roots", 1) in found(kept)
    file.execute("DELETE FROM audit_root")
    file.execute("DELETE FROM audit_leaf")
    file.execute("UPDATE audit_head SET sealed = 0")
    sealed(kept, now + timedelta(days=1))
    assert found(kept) == []
    assert found(kept, against=outside) == [("roots", 1)]


MUTATIONS = {
    "body": "UPDATE audit_event SET body = replace(body, 'what', 'whut') WHERE chain = ? AND seq = ?",
    "hash": "UPDATE audit_event SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE chain = ? AND seq = ?",
    "about": "UPDATE audit_event SET about = about || 'x' WHERE chain = ? AND seq = ?",
    "delete": "DELETE FROM audit_event WHERE chain = ? AND seq = ?",
    "move": "UPDATE audit_event SET seq = 1000000 + seq WHERE chain = ? AND seq = ?",
    "cut": "DELETE FROM audit_event WHERE chain = ? AND seq >= ?",
}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    transactions=st.lists(st.lists(st.sampled_from([A, B]), min_size=1, max_size=4), min_size=2, max_size=6),
    mutation=st.sampled_from(sorted(MUTATIONS)),
    data=st.data(),
)
def test_no_mutation_of_an_event_goes_unseen(
    new_sqlite_store: Callable[[], Database],
    now: datetime,
    transactions: list[list[str]],
    mutation: str,
    data: st.DataObject,
) -> None:
    """Whatever was recorded and sealed, and whichever event is touched in whatever way, the log is found unsound."""
    database = new_sqlite_store()
    for number, chains in enumerate(transactions):
        tell(database, *[(chain, f"event {number}") for chain in chains], at=now + timedelta(minutes=number))
        if data.draw(st.booleans()):
            sealed(database, now)
    assert found(database) == []
    file = raw(database)
    keys = file.execute("SELECT chain, seq FROM audit_event ORDER BY chain, seq").fetchall()
    chain, seq = data.draw(st.sampled_from(keys))
    file.execute(MUTATIONS[mutation], (chain, seq))
    assert chain in {place for place, _ in found(database)}
    database.close()


def test_a_proof_shows_one_chain_alone(kept: Database, now: datetime) -> None:
    """What a tenant is given shows where its chain stood under each root, to whoever has the public key, no more."""
    tell(kept, (B, "more"), at=now)
    sealed(kept, now + timedelta(days=1))
    with kept.read() as connection:
        mine = list(proofs(connection, B))
    assert [proof["seq"] for proof in mine] == [4, 7]
    assert all(shows(proof, verifies, PUBLIC) for proof in mine)
    assert A not in str(mine)
    assert not shows({**mine[0], "seq": 5}, verifies, PUBLIC)
    assert not shows(mine[0], verifies, public_text(Ed25519PrivateKey.from_private_bytes(b"o" * 32)))


@given(st.lists(st.text(), min_size=1, max_size=40), st.data())
def test_every_leaf_climbs_to_the_root(entries: list[str], data: st.DataObject) -> None:
    """The path of a leaf leads to the root of the tree, and that of another leaf does not."""
    leaves = [merkle.leaf(entry) for entry in entries]
    place = data.draw(st.integers(0, len(leaves) - 1))
    steps = merkle.path(leaves, place)
    assert merkle.climb(leaves[place], steps) == merkle.root(leaves)
    assert merkle.climb(merkle.leaf("∅" * 50), steps) != merkle.root(leaves)


def test_findings_are_bounded(kept: Database, now: datetime) -> None:
    """A log with more faults than can be read is told to a bound."""
    tell(kept, *[(A, str(n)) for n in range(FINDINGS_MAX + 1)], at=now)
    raw(kept).execute("UPDATE audit_event SET about = 'x'")
    assert len(report(kept).findings) == FINDINGS_MAX


def test_a_root_is_planned_each_day(database: Database, now: datetime) -> None:
    """Each day that ends gets its root; a job done late seals what there is and plans the day it is."""
    from estafette.store import jobs
    from estafette.store.worker import Worker

    moments = [now]

    def clock() -> datetime:
        return moments[0]

    worker = Worker(database, clock)

    def plan(connection: Connection) -> None:
        roots.seal_daily(worker, connection, clock=clock, key=PUBLIC, sign=lambda data: sign(KEY, data))

    with database.begin() as connection:
        plan(connection)
        plan(connection)
    tell(database, (A, "one"), at=now)
    for days, day in ((1, "2026-09-01"), (4, "2026-09-02")):
        moments[0] = now + timedelta(days=days)
        with database.begin() as connection:
            (due,) = jobs.claim(connection, queues=(roots.QUEUE,), now=clock(), limit=5)
        assert due.payload == {"day": day}
        with database.begin() as connection:
            roots._seal_and_go_on(connection, due, now=clock(), key=PUBLIC, sign=lambda data: sign(KEY, data))
            jobs.end(connection, [due], now=clock())
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(audit_root)).scalar() == 2
        assert jobs.next_due(connection, (roots.QUEUE,)) == datetime.fromisoformat("2026-09-05T22:00:00+00:00")
        assert connection.execute(select(audit_head.c.sealed).where(audit_head.c.chain == A)).scalar() == 1
    assert found(database) == []
