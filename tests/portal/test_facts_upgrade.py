"""What was there before: numbers go on after facts, what was replaced stands no more, what was answered is noted."""

from collections.abc import Iterable
from pathlib import Path

from alembic import command
from sqlalchemy import select, text

from estafette.portal.fact_tables import replaced_fact
from estafette.portal.reporting_tables import accepted_report
from estafette.portal.tables import partner_flow
from estafette.store import migrating, sequences
from estafette.store.database import Database, open_database
from estafette.store.sqlite import open_engine

BEFORE = """
INSERT INTO accepted_report (id, declarant, role, kind, start, "end", identifier, type_code, partner, flow_name,
file_name, sha256, recorded_at) VALUES ({id}, '100000009', 'SE', 'transactions', '{start}', '2026-09-30', 'R{id}', 'IN',
'0003', 'F', 'a.xml', '{digest}', '2026-10-0{id} 06:00:00.000000')
"""


FLOW = """
INSERT INTO partner_flow (name, direction, interface, application_code, identifier, partner, state, details, sha256,
created_at) VALUES ('{name}', 'In', '{name}', 'PA0003', 'x', '0003', 'received', '[]', '', '2026-10-01 06:00:00.000000')
"""


def upgraded(folder: Path, revision: str, before: Iterable[str]) -> Database:
    """Return a store of the portal that was at this revision, with these rows, and is at the latest."""
    file = folder / "records.sqlite"
    engine = open_engine(file)
    history = migrating.configuration()
    with engine.connect() as connection, connection.begin():
        history.attributes["connection"] = connection
        for one in ("shared@head", revision):
            command.upgrade(history, one)
        for row in before:
            connection.execute(text(row))
    engine.dispose()
    return open_database(file, ("portal",))


def test_what_was_answered_before(tmp_path: Path) -> None:
    """What platforms answered waits no more; a flow that had come and was not controlled yet still does."""
    opened = upgraded(tmp_path, "portal_openings", (FLOW.format(name=name) for name in ("CFE0604A", "FFE0111A")))
    with opened.read() as connection:
        states = connection.execute(select(partner_flow.c.name, partner_flow.c.state)).all()
    opened.close()
    assert {row.name: row.state for row in states} == {"CFE0604A": "noted", "FFE0111A": "received"}


def test_what_was_accepted_before(tmp_path: Path) -> None:
    """Of three transmissions of a period the last one stands; that of another period does too."""
    starts = ((1, "2026-09-01"), (2, "2026-09-01"), (3, "2026-09-21"), (4, "2026-09-01"))
    before = (BEFORE.format(id=number, start=start, digest="0" * 64) for number, start in starts)
    opened = upgraded(tmp_path, "portal_feeds", before)
    with opened.begin() as connection:
        replaced = connection.execute(select(replaced_fact.c.message, replaced_fact.c.by)).all()
        moments = connection.execute(select(accepted_report.c.issued_at)).scalars().all()
        assert sequences.draw(connection, "fact") == 5
    opened.close()
    assert sorted(map(tuple, replaced)) == [(1, 2), (2, 4)]
    assert None not in moments
