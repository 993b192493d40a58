"""What is wrong between the portal and its partners, for its operator: flows that nobody fetches, or that are refused.

A condition lasts as long as its cause, and is about one partner. What was purged can be laid out again
(`partner_areas.lay_again`); after that many days, it is history.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from estafette.formats.flow_limits import PUBLISHED, Limit
from estafette.portal.intake_tables import retrieval
from estafette.portal.tables import partner_flow
from estafette.store.alarms import Condition
from estafette.values.moments import PARIS, paris_day

UNFETCHED_AFTER = timedelta(hours=24)
"""How long a flow may wait in its area before someone is told (ours): the directory leaves every day."""

TOLD_FOR = timedelta(days=7)
"""How long one is told of what was purged, or refused (ours)."""


def conditions(connection: Connection, now: datetime) -> Iterator[Condition]:
    """Give what lasts."""
    yield from _unfetched(connection, now)
    yield from _purged(connection, now)
    yield from _refused(connection, now)


def _unfetched(connection: Connection, now: datetime) -> Iterator[Condition]:
    """A partner does not come for what waits for it."""
    code = retrieval.c.application_code
    waiting = (retrieval.c.ended_at.is_(None), retrieval.c.laid_at < now - UNFETCHED_AFTER)
    query = select(code, func.count(), func.min(retrieval.c.laid_at)).where(*waiting).group_by(code).order_by(code)
    days = PUBLISHED.at(Limit.RETRIEVAL_DAYS, paris_day(now))
    for partner, count, since in connection.execute(query):
        yield Condition(
            "unfetched", partner, since,
            f"{partner} n'est pas venu retirer {count} flux par SFTP : au bout de {days} jours ils sont purgés. "
            "Prévenez la plateforme.",
            f"{partner} has not come for {count} flow(s) by SFTP: they are purged after {days} days. Warn it.",
        )  # fmt: skip


def _purged(connection: Connection, now: datetime) -> Iterator[Condition]:
    """A partner did not come for what waited, and has lost it."""
    code = retrieval.c.application_code
    lately = (retrieval.c.ended_at > now - TOLD_FOR, retrieval.c.fate == "purged")
    query = select(code, func.count(), func.min(retrieval.c.ended_at)).where(*lately).group_by(code).order_by(code)
    for partner, count, since in connection.execute(query):
        again = f"POST /operator/v1/connections/{partner}/purged"
        yield Condition(
            "purged", partner, since,
            f"{count} flux pour {partner} ont été purgés sans être retirés. Les déposer de nouveau : {again}.",
            f"{count} flow(s) for {partner} were purged before they were fetched. Lay them out again: {again}.",
        )  # fmt: skip


def _refused(connection: Connection, now: datetime) -> Iterator[Condition]:
    """A partner says that it cannot use what the portal sent it (501)."""
    columns = partner_flow.c
    lately = (columns.state == "irreceivable", columns.created_at > now - TOLD_FOR, columns.direction == "Out")
    query = select(columns.partner, columns.interface, columns.name, columns.created_at, columns.details)
    held: dict[tuple[str, str], list[tuple[str, datetime, list[list[str]]]]] = {}
    for partner, interface, name, at, details in connection.execute(query.where(*lately).order_by(columns.created_at)):
        held.setdefault((partner, interface), []).append((name, at, details))
    for (partner, interface), flows in sorted(held.items()):
        name, at, details = flows[-1]
        why = f"{details[0][0]} {details[0][-1]}" if details else "501"
        day = f"{at.astimezone(PARIS):%d/%m %H:%M}"
        yield Condition(
            "refused", f"{partner}/{interface}", flows[0][1],
            f"{partner} refuse {len(flows)} flux {interface} du portail, le dernier {name} ({day}) : {why}",
            f"{partner} refuses {len(flows)} flow(s) {interface} of the portal, the last {name} ({day}): {why}",
        )  # fmt: skip
