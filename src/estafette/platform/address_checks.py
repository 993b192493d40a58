"""What was asked of the directory is looked for in its copy: seen there from the day after it was accepted, or told.

An update that is accepted (400) is in consultation on the next day (J+1), hence in that day's extract. What an extract
shows as it was asked is noted as found, once. Told to whoever runs the platform: what the extract of the next day does
not show, what the portal leaves unanswered, and customers whom a refusal leaves without any address.

No longer looked for: what a later request says otherwise, an address that is another platform's since, the lines of a
unit that ceased; each of these may change a line between its acceptance and the extract, rightly.

Source: external specifications v3.2, general file §3.5.5.5; directory.md §7 and §15.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, not_, or_, select, update

from estafette.directory.resolution import FICTIVE
from estafette.platform import mirror_extracts
from estafette.platform.address_tables import address_request
from estafette.platform.mirror_tables import is_current, mirror_line, mirror_unit
from estafette.store.alarms import Condition
from estafette.values.moments import PARIS, paris_day

UNANSWERED_AFTER = timedelta(hours=24)
"""How long the portal may leave an update unanswered before someone is told (ours: no delay is published)."""

SHOWN_MAX = 100
"""Requests told one by one."""

REFUSED = ("rejected", "irreceivable")

_ASKED, _LINE = address_request.c, mirror_line.c


def find(connection: Connection, now: datetime) -> None:
    """What the copy shows as it was asked is noted as found."""
    as_of = mirror_extracts.copied_until(connection)
    if as_of is not None:
        waiting = and_(_ASKED.state == "accepted", _ASKED.found_at.is_(None))
        found = update(address_request).where(waiting, _is_shown(paris_day(as_of)))
        connection.execute(found.values(found_at=now))


def conditions(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Give what the platform asked of the directory and that did not become what it should."""
    yield from _unanswered(connection, now)
    yield from _missing(connection)
    yield from _left_without(connection, now)


def _unanswered(connection: Connection, now: datetime) -> Iterator[Condition]:
    waiting = (_ASKED.state.in_(("packed", "receivable")), _ASKED.created_at < now - UNANSWERED_AFTER)
    count, since = connection.execute(select(func.count(), func.min(_ASKED.created_at)).where(*waiting)).one()
    if count:
        yield Condition(
            "address", "unanswered", since,
            f"{count} demande(s) faite(s) à l'annuaire sans réponse du portail : vérifier le raccordement.",
            f"{count} request(s) made to the directory without an answer of the portal: check the connection.",
        )  # fmt: skip


def _missing(connection: Connection) -> Iterator[Condition]:
    """What the extract of the next day should show, and does not."""
    as_of = mirror_extracts.copied_until(connection)
    if as_of is None:
        return
    midnight = datetime.combine(paris_day(as_of), time(), PARIS)
    owed = (_ASKED.state == "accepted", _ASKED.found_at.is_(None), _ASKED.answered_at < midnight)
    over = or_(_is_replaced(), _is_elsewhere(), not_(_is_active()))
    query = select(address_request).where(*owed, not_(over)).order_by(_ASKED.id).limit(SHOWN_MAX)
    for row in connection.execute(query).mappings().all():
        asked, seen = _told(row), _seen(connection, row["address"])
        on = f"{paris_day(as_of):%d/%m/%Y}"
        yield Condition(
            "address", f"{row['address']} {row['start']}", row["answered_at"],
            f"Annuaire du {on} : {asked}, accepté par le portail, n'y est pas ; vu : {seen}. Demander de nouveau, "
            "ou saisir le portail.",
            f"Directory of {on}: {asked}, accepted by the portal, is not there; seen: {seen}. Ask again, or turn to "
            "the portal.",
        )  # fmt: skip


def _left_without(connection: Connection, now: datetime) -> Iterator[Condition]:
    """A closure may be accepted and the creation after it refused: the customer has then no address (§7)."""
    today = paris_day(now)
    lasts = and_(is_current(mirror_line), _LINE.nature == "D", or_(_LINE.end.is_(None), _LINE.end > today))
    served = exists().where(lasts, _LINE.address == _ASKED.address, _LINE.matricule != FICTIVE)
    settled = or_(_is_replaced(any_start=True), served, not_(_is_active()))
    refused = (_ASKED.state.in_(REFUSED), _ASKED.nature == "D", not_(settled))
    query = select(address_request).where(*refused).order_by(_ASKED.id).limit(SHOWN_MAX)
    for row in connection.execute(query).mappings().all():
        why = " ".join(f"{each['reason']} {each['rule']}".strip() for each in row["details"][:3])
        yield Condition(
            "address", f"{row['address']} {row['start']} refused", row["answered_at"] or row["created_at"],
            f"{row['address']} n'a pas de plateforme : la demande du {row['start']:%d/%m/%Y} est refusée ({why}). "
            "La corriger et la refaire ce jour.",
            f"{row['address']} has no platform: the request from {row['start']} is refused ({why}). Mend it and make "
            "it again today.",
        )  # fmt: skip


# -------------------------------------------------------------------------------------------------- as the copy has it


def _same() -> tuple[ColumnElement[bool], ...]:
    """Hold for the line of the copy that a request is about."""
    return is_current(mirror_line), _LINE.address == _ASKED.address, _LINE.start == _ASKED.start, _LINE.nature == "D"


def _is_shown(day: date) -> ColumnElement[bool]:
    """Hold for the requests that the copy of a day shows done; a line that is over by then is shown no more."""
    line = exists().where(*_same()).correlate(address_request)
    ends_so = or_(and_(_LINE.end.is_(None), _ASKED.end.is_(None)), _LINE.end == _ASKED.end)
    as_asked = exists().where(*_same(), _LINE.matricule == _ASKED.matricule, ends_so).correlate(address_request)
    is_over = and_(_ASKED.end <= day, not_(line))
    return or_(and_(_ASKED.nature == "D", or_(as_asked, is_over)), and_(_ASKED.nature == "M", not_(line)))


def _is_replaced(*, any_start: bool = False) -> ColumnElement[bool]:
    """Hold for the requests that a later one, not refused, stands for: of the same line, or of a later one there."""
    later: Any = address_request.alias("later")
    same = and_(later.c.siren == _ASKED.siren, later.c.address == _ASKED.address, later.c.id > _ASKED.id)
    if not any_start:
        same = and_(same, or_(later.c.start == _ASKED.start, and_(later.c.start > _ASKED.start, later.c.nature == "D")))
    return exists().where(same, later.c.state.not_in(REFUSED)).correlate(address_request)


def _is_elsewhere() -> ColumnElement[bool]:
    """Hold for the requests whose address is another platform's, from the same day or later."""
    others = (_LINE.start >= _ASKED.start, _LINE.matricule != _ASKED.matricule, _LINE.matricule != FICTIVE)
    mine = (is_current(mirror_line), _LINE.address == _ASKED.address, _LINE.nature == "D")
    return exists().where(*mine, *others).correlate(address_request)


def _is_active() -> ColumnElement[bool]:
    units = mirror_unit.c
    mine = (is_current(mirror_unit), units.siren == _ASKED.siren, units.status == "A")
    return exists().where(*mine).correlate(address_request)


def _told(row: RowMapping) -> str:
    until = f" – {row['end']}" if row["end"] else ""
    return f"{row['nature']} {row['address']} {row['start']}{until} @{row['matricule']}"


def _seen(connection: Connection, address: str) -> str:
    query = select(mirror_line).where(is_current(mirror_line), _LINE.address == address).order_by(_LINE.start)
    return " ; ".join(map(_told, connection.execute(query.limit(3)).mappings())) or "∅"
