"""The data concentrator: an envelope comes in, is controlled in stages, is answered (ppf-flows.md §8–9).

Stages 1 and 2 look at the envelope and at every file: one bad file makes the whole flow irreceivable (501) and nothing
is kept of it. Stage 3 looks at each object (`flow1`, `flow6`, `reports`): its content, then what the portal already
knows; one bad object harms only itself. Data are answered each (250, 251), statuses only when rejected (601). What is
accepted is a fact (`facts`), and goes to the administration in the same transaction.
"""

from asyncio import to_thread
from pathlib import PurePath

from sqlalchemy import Connection, insert, select, update

from estafette.exchange.messages import Message
from estafette.exchange.post import Refused
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.status_message import StatusMessage
from estafette.portal import flow1, flow6
from estafette.portal.examination import Controlled, examine
from estafette.portal.hall import Came, Hall, Partner
from estafette.portal.tables import partner_flow
from estafette.store import jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply, Later
from estafette.values.moments import paris_day

CONTROL = "control"
REPORTS = "FFE1025A"
CONTROL_REPORTS = "control-reports"
"""The queue of e-reporting, whose files take the engine of rules long (`reports`)."""


def keep(hall: Hall, connection: Connection, message: Message) -> None:
    """The envelope is had; it will be controlled, after those of its kind from the same partner.

    Raises: Refused, when no answer could bear its name: malformed (IRR_FORM, IRR_TYPE), already used (IRR_UNICITE),
    or of another's connection (IRR_CODE_APP).
    """
    file = PurePath(message.name).name
    name = _named(hall, connection, message.sender, file)
    now = hall.actor.clock()
    row = {
        "name": str(name),
        "direction": "In",
        "interface": name.interface,
        "application_code": name.application_code,
        "identifier": name.flow_identifier,
        "partner": message.sender,
        "state": "received",
        "details": [],
        "sha256": message.sha256,
        "created_at": now,
    }
    connection.execute(insert(partner_flow).values(row))
    if name.is_acknowledgement:
        return
    payload = {"file": file, "partner": message.sender, "sha256": message.sha256}
    lane = f"{CONTROL}:{message.sender}:{name.interface}"
    queue = CONTROL_REPORTS if name.interface == REPORTS else CONTROL
    jobs.add(connection, queue=queue, key=f"{CONTROL}:{name}", lane=lane, payload=payload, now=now)


def _named(hall: Hall, connection: Connection, sender: str, file: str) -> FlowName:
    """Return the name of a flow that can be answered under it. Raises: Refused."""
    try:
        name = FlowName.parse(file)
    except Irreceivable as reason:
        raise Refused(422, f"{reason.code}: {reason.reason_fr} / {reason.reason_en}") from None
    partner = hall.partner(connection, sender)
    if partner is None or partner.application_code != name.application_code:
        fr, en = f"pas de raccordement {name.application_code} pour {sender}.", f"{sender} has no such connection."
        raise Refused(422, f"IRR_CODE_APP: {fr} / {en}")
    same = select(partner_flow.c.name).where(
        partner_flow.c.direction == "In",
        partner_flow.c.identifier == name.flow_identifier,
        partner_flow.c.interface == name.interface,
    )
    if connection.execute(same).first():
        raise Refused(422, f"IRR_UNICITE: flux {name} déjà reçu. / flow {name} already received.")
    return name


async def control(hall: Hall, job: Job) -> Apply:
    """The flow is controlled and answered."""
    file, day = job.payload["file"], paris_day(hall.actor.clock())
    data = hall.actor.documents.get(job.payload["sha256"])
    name, controlled = FlowName.parse(file), await to_thread(examine, file, data, on=day)
    return lambda connection: _settle(hall, connection, name, job.payload["partner"], controlled)


def _settle(hall: Hall, connection: Connection, name: FlowName, matricule: str, controlled: Controlled) -> None:
    partner = answer_flow(hall, connection, name, matricule, controlled)
    for each in controlled.files:
        came = Came(partner, name, each.file, each.sha256)
        if isinstance(each.read, StatusMessage):
            flow6.take(hall, connection, came, each.read)
        else:
            flow1.take(hall, connection, came, each.read)


def answer_flow(hall: Hall, connection: Connection, name: FlowName, matricule: str, controlled: Controlled) -> Partner:
    """The flow is answered, receivable or not; returns who sent it. Raises: Later, when the portal knows it not yet."""
    partner = hall.partner(connection, matricule)
    if partner is None:
        raise Later(f"the registration service has not told of {matricule} yet")
    refusals = (controlled.refusal,) if controlled.refusal else ()
    values = {
        "state": "irreceivable" if refusals else "receivable",
        "details": [[refusal.code, *refusal.terms, refusal.fr, refusal.en] for refusal in refusals],
        "answered_at": hall.actor.clock(),
    }
    connection.execute(update(partner_flow).where(partner_flow.c.name == str(name)).values(values))
    hall.acknowledge(connection, partner, name, refusals)
    return partner
