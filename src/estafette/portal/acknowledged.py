"""What platforms answer to the portal's own flows: receivable (500) or not (501), kept beside the flow.

A platform owes an acknowledgement of every flow that is none itself (ppf-flows.md §9); the portal answers nothing to
it. Of several for one flow the first counts; one that cannot be read, or answers nothing that was sent, says nothing.

A part of the directory (F14) that cannot be used leaves again, once, under a new name, as any flow does after a 501
(ppf-flows.md §11): what was damaged on the way arrives, and no copy stands still until the next full extract.
"""

from asyncio import to_thread

import structlog
from sqlalchemy import Connection, RowMapping, select, update

from estafette.formats import cdar, flow_archive
from estafette.formats.envelope import Irreceivable
from estafette.formats.flow_archive import Bounds
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Unreadable
from estafette.lifecycle.messages import refusals_of
from estafette.portal.extracts import INTERFACE
from estafette.portal.hall import Hall
from estafette.portal.stages import Flow, flow_of, in_turn
from estafette.portal.tables import partner_flow
from estafette.store.jobs import Job
from estafette.store.worker import Apply

log = structlog.get_logger()

STATES = {"500": "receivable", "501": "irreceivable"}

ONE_FILE = Bounds(files=1)

AGAIN = "AGAIN"
"""What marks a flow that replaces one, whose name follows."""


async def note(hall: Hall, job: Job) -> Apply:
    """The flow that is answered is known to be receivable or not."""
    flow, now = flow_of(hall, job), hall.actor.clock()
    name = flow.name.acknowledged
    async with in_turn(hall, flow):
        message = await to_thread(_read, flow)

    def apply(connection: Connection) -> None:
        if message is None or message.status not in STATES:
            log.warning("acknowledgement.unreadable", partner=flow.partner, file=flow.file)
            return
        details = [[told.code, *told.terms, told.fr, told.en] for told in refusals_of(message)]
        mine = (partner_flow.c.name == str(name), partner_flow.c.direction == "Out", partner_flow.c.state == "sent")
        sent = connection.execute(select(partner_flow).where(*mine)).mappings().first()
        if sent is None:
            return
        is_again = name.interface == INTERFACE and message.status == "501" and _send_again(hall, connection, sent)
        state = "resent" if is_again else STATES[message.status]
        values = {"state": state, "details": details, "answered_at": now}
        connection.execute(update(partner_flow).where(partner_flow.c.name == str(name)).values(values))

    return apply


def _send_again(hall: Hall, connection: Connection, sent: RowMapping) -> bool:
    """The same bytes are on their way again; False, and they are not, when they already were."""
    partner = hall.partner(connection, sent["partner"])
    if partner is None or sent["details"]:
        return False
    name = hall.new_name(connection, partner, INTERFACE)
    hall.send_packed(connection, partner, name, sent["sha256"])
    marked = update(partner_flow).where(partner_flow.c.name == str(name))
    connection.execute(marked.values(details=[[AGAIN, sent["name"]]]))
    return True


def _read(flow: Flow) -> StatusMessage | None:
    try:
        ((_name, content),) = flow_archive.unpack(flow.file, flow.open(), bounds=ONE_FILE)
        return cdar.read(content)
    except (Irreceivable, Unreadable, ValueError):
        return None
