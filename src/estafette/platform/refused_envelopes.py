"""An envelope that the portal cannot use (501): what it held is sent again in two, until what spoils it is alone.

One bad file makes a whole envelope irreceivable, and the State then has nothing of it while the delays run. Halving
finds the bad one in a few envelopes; the others are had at once. What is alone and still refused, or was refused for
the envelope itself, is irreceivable: a job is set aside for each, which the operator is told of and runs again once the
cause is mended (`redeclaration`). So it is with all that comes back once very much does: what is wrong is then not a
file, and looking for it would use up the hour's flows.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, Table, select, update

from estafette.platform import envelopes, pace, reporting_sending
from estafette.platform.home import Home
from estafette.platform.redeclaration import AGAIN, KINDS, key_of
from estafette.platform.tables import declaration
from estafette.store import jobs

OF_THE_ENVELOPE = frozenset({"IRR_CODE_APP", "IRR_CODE_INTER", "IRR_FORM", "IRR_TYPE"})
"""Reasons (G7.18) that another envelope of the same sender meets again: the connection is to be mended."""

REFUSED_MAX = 100
"""Envelopes that come back within an hour and are taken apart: ten bad files among a thousand (our bound)."""


def came_back(
    home: Home, connection: Connection, name: str, *, reasons: Sequence[str], details: list[dict[str, str]]
) -> None:
    """What was in an envelope is under way again in two, or is irreceivable and set aside."""
    splits = OF_THE_ENVELOPE.isdisjoint(reasons) and pace.refused(connection, home.actor.clock()) <= REFUSED_MAX
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
    name = envelopes.send_flow(home, connection, interface, files)
    these = table.c.id.in_([row["id"] for row in rows])
    connection.execute(update(table).where(these).values(flow_name=name))


def _file_of(table: Table, row: RowMapping) -> str:
    return str(row["file_name"]) if table is declaration else f"{row['identifier']}.xml"


def _set_aside(home: Home, connection: Connection, kind: str, row: RowMapping, details: list[dict[str, str]]) -> None:
    table, now = KINDS[kind], home.actor.clock()
    connection.execute(update(table).where(table.c.id == row["id"]).values(state="irreceivable", details=details))
    said = "; ".join(f"{each['reason']} {each['fr']}" for each in details) or "501"  # in both languages, as it came
    jobs.set_aside(connection, queue=AGAIN, key=key_of(row["flow_name"], row["id"]), now=now,
                   payload={"kind": kind, "id": row["id"]}, error=f"501, {_file_of(table, row)}: {said}")  # fmt: skip
