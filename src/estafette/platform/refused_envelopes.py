"""An envelope that the portal cannot use (501): what it held is sent again in two, until what spoils it is alone.

One bad file makes a whole envelope irreceivable, and the State then has nothing of it while the delays run. Halving
finds the bad one in a few envelopes; the others are had at once. What is alone and still refused, or was refused for
the envelope itself, is irreceivable: a job is set aside for each, which the operator is told of and runs again once the
cause is mended.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, Table, select, update

from estafette.platform import declarations, reporting_sending
from estafette.platform.home import Home
from estafette.platform.reporting_tables import transmission
from estafette.platform.tables import declaration
from estafette.store import jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply

AGAIN = "send-again"
"""The queue of what was irreceivable and is to be sent again, by the operator's will."""

OF_THE_ENVELOPE = frozenset({"IRR_CODE_APP", "IRR_CODE_INTER", "IRR_FORM"})
"""Reasons (G7.18) that another envelope of the same sender meets again: the connection is to be mended."""

KINDS: dict[str, Table] = {"declaration": declaration, "transmission": transmission}


def came_back(
    home: Home, connection: Connection, name: str, *, reasons: Sequence[str], details: list[dict[str, str]]
) -> None:
    """What was in an envelope is under way again in two, or is irreceivable and set aside."""
    splits = OF_THE_ENVELOPE.isdisjoint(reasons)
    for kind, table in KINDS.items():
        mine = (table.c.flow_name == name, table.c.state == "packed")
        rows = connection.execute(select(table).where(*mine).order_by(table.c.id)).mappings().all()
        if len(rows) > 1 and splits:
            middle = len(rows) // 2
            for some in (rows[:middle], rows[middle:]):
                _send(home, connection, table, some)
            continue
        for row in rows:
            _set_aside(home, connection, kind, row, details)


def _send(home: Home, connection: Connection, table: Table, rows: Sequence[RowMapping]) -> None:
    interface = rows[0]["interface"] if table is declaration else reporting_sending.REPORTS
    files = {_file_of(table, row): home.actor.documents.get(row["sha256"]) for row in rows}
    name = declarations.send_flow(home, connection, interface, files)
    these = table.c.id.in_([row["id"] for row in rows])
    connection.execute(update(table).where(these).values(flow_name=name))


def _file_of(table: Table, row: RowMapping) -> str:
    return str(row["file_name"]) if table is declaration else f"{row['identifier']}.xml"


def _set_aside(home: Home, connection: Connection, kind: str, row: RowMapping, details: list[dict[str, str]]) -> None:
    table, now = KINDS[kind], home.actor.clock()
    connection.execute(update(table).where(table.c.id == row["id"]).values(state="irreceivable", details=details))
    said = "; ".join(f"{each['reason']} {each['fr']}" for each in details) or "501"  # in both languages, as it came
    payload = {"kind": kind, "id": row["id"]}
    jobs.set_aside(connection, queue=AGAIN, key=f"{AGAIN}:{row['flow_name']}:{row['id']}", payload=payload, now=now,
                   error=f"501, {_file_of(table, row)}: {said}")  # fmt: skip


async def again(home: Home, job: Job) -> Apply:
    """What was irreceivable waits to be sent again."""
    return lambda connection: _again(home, connection, KINDS[job.payload["kind"]], job)


def _again(home: Home, connection: Connection, table: Table, job: Job) -> None:
    mine = (table.c.id == job.payload["id"], table.c.state == "irreceivable")
    row = connection.execute(select(table).where(*mine)).mappings().first()
    if row is None:
        return
    connection.execute(update(table).where(*mine).values(state="waiting", details=[]))
    now, key = home.actor.clock(), f"{job.key}:{row['flow_name']}"
    if table is declaration:
        payload = {"interface": row["interface"]}
        jobs.add(connection, queue=declarations.PACK, key=f"{declarations.PACK}:{key}", payload=payload, now=now)
    else:
        queue = reporting_sending.PACK
        jobs.add(connection, queue=queue, key=f"{queue}:{key}", lane=queue, payload={}, now=now)
