"""The data concentrator: an envelope comes in, is controlled in stages, is answered (ppf-flows.md §8–9).

Stages 1 and 2 look at the envelope and at every file: one bad file makes the whole flow irreceivable (501) and nothing
is kept of it. Stage 3 looks at each object (`flow1`, `flow6`, `reports`): its content, then what the portal already
knows; one bad object harms only itself. Data are answered each (250, 251), statuses only when rejected (601). What is
accepted is a fact (`facts`), and goes to the administration in the same transaction.
"""

from asyncio import to_thread

from sqlalchemy import Connection, update

from estafette.formats.cdar import Named
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flux1 import Examined
from estafette.formats.status_message import StatusMessage
from estafette.portal import feed, flow1, flow6, held
from estafette.portal.examination import Controlled, File, examine, refused
from estafette.portal.feed import Fact
from estafette.portal.hall import Came, Hall, Partner
from estafette.portal.stages import Flow, bounds_of, flow_of, in_turn, scan
from estafette.portal.tables import partner_flow
from estafette.portal.tally import Tally, begun, write
from estafette.store.jobs import Job
from estafette.store.worker import Apply, Later
from estafette.values.moments import paris_day


async def control(hall: Hall, job: Job) -> Apply:
    """The flow is controlled and answered."""
    flow = flow_of(hall, job)
    async with in_turn(hall, flow):
        controlled = await _controlled(hall, flow)
    return lambda connection: _settle(hall, connection, flow.name, flow.partner, controlled)


async def _controlled(hall: Hall, flow: Flow) -> Controlled:
    """Return a flow after stages 1 and 2. Raises: ScannerDown."""
    try:
        bounds = bounds_of(hall, flow)
        await scan(hall, flow, bounds)
    except Irreceivable as reason:
        return refused(flow.name, [reason])
    return await to_thread(examine, flow.file, flow.open(), on=paris_day(hall.actor.clock()), bounds=bounds)


def _settle(hall: Hall, connection: Connection, name: FlowName, matricule: str, controlled: Controlled) -> None:
    partner = answer_flow(hall, connection, name, matricule, controlled)
    _foresee(connection, matricule, controlled)
    tally = begun(controlled)
    came = [(Came(partner, name, each.file, each.sha256), each) for each in controlled.files]
    taken = [_take(hall, connection, *one, tally) for one in came]
    feed.tell(hall, connection, matricule, [fact for fact in taken if fact])
    write(connection, name, matricule, tally, now=hall.actor.clock())


def _foresee(connection: Connection, matricule: str, controlled: Controlled) -> None:
    held.foresee_data(connection, [each.read.facts for each in controlled.files if isinstance(each.read, Examined)])
    statuses = [each.read for each in controlled.files if isinstance(each.read, StatusMessage)]
    held.foresee_statuses(connection, matricule, statuses)


def _take(hall: Hall, connection: Connection, came: Came, each: File, tally: Tally) -> Fact | None:
    if isinstance(each.read, StatusMessage):
        return flow6.take(hall, connection, came, each.read, tally)
    if isinstance(each.read, Named):
        flow6.turn_down(hall, connection, came, each.read, tally)
        return None
    return flow1.take(hall, connection, came, each.read, tally)


def answer_flow(hall: Hall, connection: Connection, name: FlowName, matricule: str, controlled: Controlled) -> Partner:
    """The flow is answered, receivable or not; returns who sent it. Raises: Later, when the portal knows it not yet."""
    partner = hall.partner(connection, matricule)
    if partner is None:
        raise Later(f"the registration service has not told of {matricule} yet")
    refusals = controlled.refusals
    values = {
        "state": "irreceivable" if refusals else "receivable",
        "details": [[refusal.code, *refusal.terms, refusal.fr, refusal.en] for refusal in refusals],
        "answered_at": hall.actor.clock(),
    }
    connection.execute(update(partner_flow).where(partner_flow.c.name == str(name)).values(values))
    hall.acknowledge(connection, partner, name, refusals)
    return partner
