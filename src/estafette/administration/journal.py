"""The journal of transitions: who (a role) moved what from where to where, when and why; nothing is ever changed in it.

A state machine here is a table `{state: states that may follow}`; `move` refuses what the table does not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from estafette.administration.tables import journal, timer
from estafette.vat.forms import Text

Table = Mapping[str, frozenset[str]]


class NotAllowed(Exception):
    """A transition that the present state does not allow, in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


@dataclass(frozen=True, slots=True)
class Entry:
    """One transition."""

    at: datetime
    role: str
    from_state: str | None
    to_state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts, and when."""

    role: str
    now: datetime


def table(text: str) -> Table:
    """Read a table of transitions, one state per line: `STATE: NEXT NEXT`.

    >>> sorted(table("OPEN: CLOSED")["OPEN"])
    ['CLOSED']
    """
    rows = (line.split(":") for line in text.strip().splitlines())
    return {state.strip(): frozenset(following.split()) for state, following in rows}


def check(transitions: Table, before: str, after: str) -> None:
    """The transition is in the table. Raises: NotAllowed, naming what may follow."""
    allowed = sorted(transitions.get(before, ()))
    if after not in allowed:
        follow = ", ".join(allowed) or "—"
        raise NotAllowed(
            Text(
                f"{before} → {after} n'est pas permis ; peut suivre : {follow}.",
                f"{before} → {after} is not allowed; may follow: {follow}.",
            )
        )


def write(
    connection: Connection,
    subject: str,
    subject_id: object,
    *,
    before: str | None,
    after: str,
    act: Act,
    reason: str = "",
) -> None:
    """The transition is in the journal."""
    row: dict[str, str | None] = {"subject": subject, "subject_id": str(subject_id), "to_state": str(after)}
    row["from_state"] = None if before is None else str(before)
    connection.execute(insert(journal).values(**row, at=act.now, role=act.role, reason=reason))


def read(connection: Connection, subject: str, subject_id: object) -> list[Entry]:
    """Return the transitions of a subject, oldest first."""
    columns = (journal.c.at, journal.c.role, journal.c.from_state, journal.c.to_state, journal.c.reason)
    mine = (journal.c.subject == subject, journal.c.subject_id == str(subject_id))
    return [Entry(*row) for row in connection.execute(select(*columns).where(*mine).order_by(journal.c.id))]


@dataclass(frozen=True, slots=True)
class Term:
    """A day by which something is due, and the text that says so."""

    kind: str
    due: date
    source: str


def set_term(connection: Connection, subject: str, subject_id: object, term: Term) -> None:
    """The term is a row; one already set for the same thing stays."""
    mine = (timer.c.subject == subject, timer.c.subject_id == str(subject_id), timer.c.kind == term.kind)
    if connection.execute(select(timer.c.id).where(*mine)).first() is None:
        row = {"subject": subject, "subject_id": str(subject_id)}
        connection.execute(insert(timer).values(**row, kind=term.kind, due=term.due, source=term.source))


def terms(connection: Connection, subject: str, subject_id: object) -> list[Term]:
    """Return the terms of a subject, nearest first."""
    mine = (timer.c.subject == subject, timer.c.subject_id == str(subject_id))
    query = select(timer.c.kind, timer.c.due, timer.c.source).where(*mine).order_by(timer.c.due, timer.c.kind)
    return [Term(*row) for row in connection.execute(query)]
