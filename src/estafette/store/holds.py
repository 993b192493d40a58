"""Legal holds: a control is under way, and nothing that it covers may be purged.

A hold says what it covers (days, a counterpart, a number: each narrows it, none covers all), why, who set it and until
when. It is never changed: it ends by itself, or it is released, and both stay to be seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from estafette.store import audit
from estafette.store.tables import hold

REASON_CHARACTERS_MAX = 500


class NotAHold(ValueError):
    """A hold that says nothing of why, or whose days are the wrong way round. `fr` and `en` say which."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold covers of an organization: days (both included), counterpart (SIREN), number; None: any."""

    starts_on: date | None = None
    ends_on: date | None = None
    counterpart: str | None = None
    reference: str | None = None

    def covers_day(self, day: date) -> bool:
        """Tell whether the day is one of those it covers."""
        return (self.starts_on is None or self.starts_on <= day) and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, as it covers things: its number, what it covers, and why."""

    id: int
    scope: Scope
    reason: str

    def covers(self, day: date, counterpart: str, reference: str) -> bool:
        """Tell whether a thing of this day, counterpart and number may not be purged."""
        mine = self.scope
        return mine.covers_day(day) and mine.counterpart in (None, counterpart) and mine.reference in (None, reference)


def place(
    connection: Connection,
    organization: str,
    scope: Scope,
    *,
    reason: str,
    until: date | None,
    by: str,
    now: datetime,
    today: date,
) -> int:
    """The hold is set; returns its number. Raises: NotAHold."""
    reason = " ".join(reason.split())[:REASON_CHARACTERS_MAX]
    if not reason:
        raise NotAHold("Dites pourquoi : l'avis de contrôle, par exemple.", "Say why: the notice of control, say.")
    if until is not None and until < today:
        raise NotAHold("Cette date de fin est passée.", "This end is past.")
    if scope.starts_on and scope.ends_on and scope.ends_on < scope.starts_on:
        raise NotAHold("La période finit avant de commencer.", "The period ends before it begins.")
    row = {
        "organization": organization, "reason": reason, "starts_on": scope.starts_on, "ends_on": scope.ends_on,
        "counterpart": scope.counterpart, "reference": scope.reference, "until": until, "set_by": by, "set_at": now,
    }  # fmt: skip
    number = int(connection.execute(insert(hold).values(row).returning(hold.c.id)).scalar_one())
    told = {name: str(value) for name, value in row.items() if name not in ("organization", "set_at") and value}
    audit.record(connection, organization, "hold.set", at=now, about=str(number), **told)
    return number


def release(connection: Connection, organization: str, number: int, *, by: str, now: datetime) -> bool:
    """The hold is over; False, and nothing changes, when the organization has no such hold that lasts."""
    mine = (hold.c.id == number, hold.c.organization == organization, hold.c.released_at.is_(None))
    done = connection.execute(update(hold).where(*mine).values(released_by=by, released_at=now))
    if not done.rowcount:
        return False
    audit.record(connection, organization, "hold.released", at=now, about=str(number), by=by)
    return True


def active(connection: Connection, *, on: date, organizations: Iterable[str] | None = None) -> dict[str, list[Held]]:
    """Return the holds that last on a day, by organization."""
    query = select(hold).where(*_lasting(on)).order_by(hold.c.id)
    if organizations is not None:
        query = query.where(hold.c.organization.in_(list(organizations)))
    found: dict[str, list[Held]] = {}
    for row in connection.execute(query):
        scope = Scope(row.starts_on, row.ends_on, row.counterpart, row.reference)
        found.setdefault(row.organization, []).append(Held(row.id, scope, row.reason))
    return found


def every(connection: Connection, organization: str) -> Sequence[Row[tuple[object, ...]]]:
    """Return the holds of an organization, past ones too, the last set first."""
    return connection.execute(select(hold).where(hold.c.organization == organization).order_by(hold.c.id.desc())).all()


def _lasting(on: date) -> tuple[ColumnElement[bool], ...]:
    return hold.c.released_at.is_(None), or_(hold.c.until.is_(None), hold.c.until >= on)
