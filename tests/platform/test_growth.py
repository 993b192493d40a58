"""What an invoice costs does not grow with what is stored: every statement on its way searches an index.

One invoice of another goes all the way; each statement that was run is explained by the engine. A table that grows
with the invoices is searched, never read from one end to the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from tests.platform.world import BUYER, SELLER, World, service

from estafette.platform.keeping_purge import Purge
from estafette.store.database import Database
from estafette.values.retention import Retention

GROWING = frozenset(
    ("flow", "invoice", "event", "early_status", "declaration", "portal_flow", "job", "inbox", "document",
     "audit_event", "unit_record", "transmission", "reporting_file", "identity_event", "account",
     "partner_flow", "outgoing_object", "invoice_data", "obligatory_status", "accepted_fact",
     "status_event", "fact")
)  # fmt: skip
"""Tables with rows for each invoice, or for each envelope of them."""

BROAD = frozenset({"obligatory_status_set"})
"""Indexes by what half of the rows have in common: to search one is to read as many, but for a page or a week."""

OURS = 'SELECT job."key", job.error'
"""How the question begins that this world itself asks: what went wrong."""

Asked = dict[str, object]


@contextmanager
def heard(database: Database) -> Iterator[Asked]:
    """Give the statements that this store is asked meanwhile, each with some parameters."""
    asked: Asked = {}

    def hear(
        _connection: object, _cursor: object, statement: str, values: object, _context: object, many: bool
    ) -> None:
        asked.setdefault(statement, values[0] if many else values)  # type: ignore[index]

    event.listen(database.engine, "before_cursor_execute", hear)
    yield asked
    event.remove(database.engine, "before_cursor_execute", hear)


def scanned(database: Database, asked: Asked) -> list[str]:
    """Return the steps that read a growing table from one end to the other, or half of it, each with its statement."""
    found = []
    with database.read() as connection:
        for statement, values in asked.items():
            if statement.split()[0] not in ("SELECT", "UPDATE", "DELETE") or statement.startswith(OURS):
                continue
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values):  # type: ignore[call-overload]
                words = step[-1].split()
                if (words[0] == "SCAN" and words[1] in GROWING) or BROAD & set(words):
                    found.append(f"{step[-1]}: {' '.join(statement.split())}")
    return found


def test_a_round_of_the_purge_reads_what_is_over_and_nothing_else(own_world: World) -> None:
    """Whatever is kept and however much: what is over is found by its day, looked at again and taken by its key."""
    world = own_world
    actor = world.running["platform-b"].actor
    if actor.database.is_shared:
        pytest.skip("the planner of PostgreSQL reads small tables whole; the indexes are the same")
    purge = Purge(actor.database, actor.documents, Retention(), world.clock)
    world.deposit(service("OLD"))
    world.pass_by(days=365 * 12)
    with heard(actor.database) as asked:
        counts = purge.run(batches=1000)
    assert counts.going["invoice"] == 1
    assert counts.going["message"] > 1
    assert scanned(actor.database, asked) == []


@pytest.mark.parametrize("name", ["platform-a", "platform-b", "portal", "administration"])
def test_no_statement_reads_a_growing_table_whole(world: World, name: str) -> None:
    """The sending platform, the receiving one, the portal and the administration each look up what they need."""
    database = world.running[name].actor.database
    if database.is_shared:
        pytest.skip("the planner of PostgreSQL reads small tables whole; the indexes are the same")
    number = world.number()
    with heard(database) as asked:
        world.deposit(service(number))
        world.answer(BUYER, number, "205")
    assert world.statuses(SELLER, number) == "200 201 202 203 205"
    assert scanned(database, asked) == []
