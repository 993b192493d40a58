"""How fast envelopes leave for the portal, which takes a thousand flows an hour of a platform (ppf-flows.md §7).

At once while the hour's flows are few; once half of them are used, the other half is spread over an hour, so that what
is owed never waits for the hour to end: the more comes, the fuller the envelopes. One that can be no fuller leaves at
once, as long as a tenth of the hour's flows is left. Counted in the records, whichever process sent them and however
often it was started again.

Source: external specifications v3.2, general file §3.4.6.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from estafette.platform.tables import portal_flow
from estafette.store.columns import Instant, constant
from estafette.store.inventory import NONE
from estafette.store.queries import Query

HOUR = timedelta(hours=1)


def rest_s(sent: int, *, least_s: float, flows_an_hour: int, flows: int, is_full: bool = False) -> float:
    """Return how many seconds to rest after so many flows, of those that an hour has, so many having left before.

    `is_full`: the next envelope is as full as it may be. The last tenth of the flows is spread over an hour.
    """
    half, tenth = flows_an_hour // 2, flows_an_hour // 10
    if sent < half or (is_full and sent < flows_an_hour - tenth):
        return least_s
    left = max(min(half, flows_an_hour - sent), tenth, 1)
    return max(least_s, HOUR.total_seconds() * flows / left)


def sent(connection: Connection, now: datetime) -> int:
    """Count the flows that left in the last hour; acknowledgements (CFE…) count for nothing."""
    return int(_SENT.value(connection, since=now - HOUR))


def refused(connection: Connection, now: datetime) -> int:
    """Count those of them that the portal could not use."""
    return int(_REFUSED.value(connection, since=now - HOUR))


def _lately(*also: ColumnElement[bool]) -> Query:
    columns = portal_flow.c
    mine = (columns.direction == "Out", columns.name.startswith("F"), *also)
    day = (columns.created_at > bindparam("since", type_=Instant), columns.sha256 != constant(NONE))  # its index
    return Query(select(func.count()).select_from(portal_flow).where(*day, *mine))


_SENT = _lately()
_REFUSED = _lately(portal_flow.c.state == "irreceivable")
