"""The data concentrator: an envelope comes in, is controlled in stages, is answered (ppf-flows.md §8–9).

Stages 1 and 2 look at the envelope and at every file: one bad file makes the whole flow irreceivable (501) and nothing
is kept of it. Stage 3 looks at each object (`flow1`, `flow6`, `reports`): its content, then what the portal already
knows; one bad object harms only itself. Data are answered each (250, 251), statuses only when rejected (601). What is
accepted is a fact (`facts`), and goes to the administration in the same transaction.
"""

from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy import Connection, insert, select, update

from estafette.exchange.messages import Message
from estafette.exchange.post import Refused
from estafette.formats import cdar, envelope, flux1
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.xml import Syntax, Unreadable, recognise
from estafette.lifecycle.guards import Refusal
from estafette.portal import flow1, flow6
from estafette.portal.hall import Came, Hall, Partner
from estafette.portal.tables import partner_flow
from estafette.store import jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply, Later

CONTROL = "control"
DATA = {"FFE0111A": Syntax.UBL, "FFE0112A": Syntax.CII}
"""The interfaces of invoice data, and the syntax that each carries."""

STATUSES = "FFE0614A"
REPORTS = "FFE1025A"
CONTROL_REPORTS = "control-reports"
"""The queue of e-reporting, whose files take the engine of rules long (`reports`)."""

SERVED = DATA.keys() | {STATUSES}


@dataclass(frozen=True, slots=True)
class Controlled:
    """A flow after the stages that need nothing but itself: its files, or why the whole is irreceivable."""

    files: tuple[tuple[str, bytes], ...] = ()
    refusal: Refusal | None = None


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
    file = job.payload["file"]
    name, controlled = FlowName.parse(file), examine(file, hall.actor.documents.get(job.payload["sha256"]))
    return lambda connection: _settle(hall, connection, name, job.payload["partner"], controlled)


def examine(flow: str, data: bytes) -> Controlled:
    """Return the files of an envelope of this file name, or why the whole is irreceivable (stages 1 and 2)."""
    name = FlowName.parse(flow)
    try:
        _served(name)
        files = tuple(envelope.unpack(flow, data))
        for file, content in files:
            _readable(name.interface, file, content)
    except Irreceivable as reason:
        place = (reason.file or str(name),)
        return Controlled(refusal=Refusal(reason.code, "", reason.reason_fr, reason.reason_en, place))
    return Controlled(files)


def _served(name: FlowName) -> None:
    if name.interface not in SERVED:
        code = name.interface
        raise Irreceivable("IRR_CODE_INTER", f"Interface {code} non servie ici.", f"Interface {code} not served here.")


def _readable(interface: str, file: str, content: bytes) -> None:
    """Check that a file is of its kind. Raises: Irreceivable (IRR_SYNTAX, IRR_NOM_F …)."""
    try:
        if interface == STATUSES:
            cdar.read(content)
        else:
            flux1.read(file, content)
            _in_its_syntax(interface, file, content)
    except Unreadable as unreadable:
        raise Irreceivable(unreadable.code, unreadable.reason_fr, unreadable.reason_en, file) from None


def _in_its_syntax(interface: str, file: str, content: bytes) -> None:
    """Check that data are in the syntax of their interface: UBL or CII. Raises: Irreceivable."""
    expected, seen = DATA[interface], recognise(content)
    if seen is not expected:
        fr = f"L'interface {interface} attend {expected}, le fichier est {seen}."
        raise Irreceivable("IRR_SYNTAX", fr, f"Interface {interface} expects {expected}, the file is {seen}.", file)


def _settle(hall: Hall, connection: Connection, name: FlowName, matricule: str, controlled: Controlled) -> None:
    partner = answer_flow(hall, connection, name, matricule, controlled)
    for file, content in controlled.files:
        take = flow6.take if name.interface == STATUSES else flow1.take
        take(hall, connection, Came(partner, name, file, content))


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
