"""Alarms: what is wrong now and asks for someone, from the moment it is seen to the moment it is over.

Nobody raises an alarm by hand. What watches an actor gives the conditions that hold now; `reconcile` writes those that
are new and clears those that are gone. So an alarm lasts as long as its cause, and seeing it twice is seeing it once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from estafette.store.tables import alarm

log = structlog.get_logger()

TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class Condition:
    """Something wrong: its kind, whom or what it is about, since when, in French and in English with what to do."""

    kind: str
    subject: str
    since: datetime
    fr: str
    en: str


Watch = Callable[[Connection, datetime], Iterable[Condition]]
"""Something that looks at the state of an actor and tells what is wrong now."""


def reconcile(connection: Connection, conditions: Iterable[Condition], *, now: datetime) -> tuple[int, int]:
    """The alarms raised are those of these conditions, no more, no fewer; returns how many are new, how many over."""
    held = {(condition.kind, condition.subject[:200]): condition for condition in conditions}
    known = {(row.kind, row.subject): row for row in connection.execute(_raised())}
    fresh, over = held.keys() - known.keys(), known.keys() - held.keys()
    for key in held.keys() & known.keys():
        said = {"fr": held[key].fr[:TEXT_MAX], "en": held[key].en[:TEXT_MAX]}
        if said != {"fr": known[key].fr, "en": known[key].en}:
            connection.execute(update(alarm).where(alarm.c.id == known[key].id).values(said))
    for key in sorted(fresh):
        _raise(connection, held[key], now)
    for key in sorted(over):
        connection.execute(update(alarm).where(alarm.c.id == known[key].id).values(cleared_at=now))
        log.info("alarm.cleared", kind=key[0], subject=key[1])
    return len(fresh), len(over)


def _raise(connection: Connection, condition: Condition, now: datetime) -> None:
    row = {
        "kind": condition.kind,
        "subject": condition.subject[:200],
        "since": condition.since,
        "fr": condition.fr[:TEXT_MAX],
        "en": condition.en[:TEXT_MAX],
        "raised_at": now,
    }
    connection.execute(insert(alarm).values(row))
    log.warning("alarm.raised", kind=condition.kind, subject=condition.subject, text=condition.en)


def raised(connection: Connection, limit: int = 200) -> list[RowMapping]:
    """Return the alarms that last, the first raised first."""
    return list(connection.execute(_raised().order_by(alarm.c.raised_at).limit(limit)).mappings())


def past(connection: Connection, limit: int = 50) -> list[RowMapping]:
    """Return the alarms that are over, the last cleared first."""
    over = select(alarm).where(alarm.c.cleared_at.is_not(None))
    return list(connection.execute(over.order_by(alarm.c.cleared_at.desc()).limit(limit)).mappings())


def _raised() -> Select[Any]:
    return select(alarm).where(alarm.c.cleared_at.is_(None))
