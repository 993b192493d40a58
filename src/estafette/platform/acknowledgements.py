"""What the portal sends a platform: acknowledgements of flows, answers about objects, the directory.

An acknowledgement of a flow (CFE…) ends there; every other envelope is itself acknowledged, one that cannot be used as
irreceivable, and nothing of it is kept. An answer finds what it is about by the identifier of the object, among what
this platform declared. Of the directory only the latest export counts, whatever the order they came in.
"""

import re
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection, insert, select, update

from estafette.exchange.messages import Message
from estafette.formats import cdar, directory, envelope
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Unreadable
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import UNKNOWN_OBJECT, about_flow, platform_party, refusals_of
from estafette.platform import addresses, declarations, mirrors, reporting_sending
from estafette.platform.home import Home
from estafette.platform.tables import declaration, invoice, portal_flow
from estafette.store import audit, jobs
from estafette.store.jobs import Job
from estafette.store.worker import Apply, Never

PORTAL = "portal"
DIRECTORY = "FFE1435A"
ABOUT_REPORTS = "FFE0624A"

REASON_OF = {
    "REJ_INC": "InvoiceLCInvalidStatus",
    "REJ_INEX": "InvoiceLCStatusError",
    "REJ_RG": "InvoiceLCRuleError",
    "REJ_HAB": "InvoiceLCAccessDenied",
    "REJ_ENCAISSEMENT": "InvoiceLCAmountError",
}
"""Rejection of a status to acknowledgement reason (XP Z12-013 §3.7, table 5)."""

UNNAMED = "G1.114"
"""The rule of an answer whose object takes values by default."""

FILE = re.compile(r"(?:Base|Full)_\S+?\.xml")

ANSWERED = {"250": "accepted", "251": "rejected", "601": "rejected"}


def keep(home: Home, connection: Connection, message: Message) -> None:
    """The envelope is had; it will be opened, after those of its kind that came before."""
    name = PurePath(message.name).name.removesuffix(".tar.gz")
    payload = {"name": name, "sha256": message.sha256}
    now = home.actor.clock()
    key = f"{PORTAL}:{name}:{message.sha256[:16]}"  # a flow may be answered twice
    jobs.add(connection, queue=PORTAL, key=key, lane=PORTAL, payload=payload, now=now)


async def handle(home: Home, job: Job) -> Apply:
    """What the envelope says is known here. Raises: Never, when it cannot be used and owes no answer."""
    sha256 = job.payload["sha256"]
    try:
        name = FlowName.parse(job.payload["name"])
    except Irreceivable as nameless:
        raise Never(str(nameless)) from None
    files, refusals = _opened(name, home.actor.documents.get(sha256))
    if refusals and name.is_acknowledgement:
        raise Never(f"{refusals[0].code}: {refusals[0].en}")
    return lambda connection: _apply(home, connection, name, sha256, files, refusals=refusals)


def _opened(name: FlowName, data: bytes) -> tuple[dict[str, bytes], tuple[Refusal, ...]]:
    """Return the files of an envelope, each readable, or why none is taken."""
    try:
        files = dict(envelope.unpack(name.archive, data))
        for content in files.values():
            _check(name, content)
    except Irreceivable as wrong:
        return {}, (Refusal(wrong.code, "", wrong.reason_fr, wrong.reason_en, (wrong.file or str(name),)),)
    except Unreadable as wrong:
        return {}, (Refusal(wrong.code, "", wrong.reason_fr, wrong.reason_en, (str(name),)),)
    return files, ()


def _check(name: FlowName, content: bytes) -> None:
    """Read a file to its end. Raises: Unreadable."""
    if name.interface == DIRECTORY:
        for _entry in directory.read(content):
            pass
    else:
        cdar.read(content)


def _apply(
    home: Home,
    connection: Connection,
    name: FlowName,
    sha256: str,
    files: dict[str, bytes],
    *,
    refusals: tuple[Refusal, ...],
) -> None:
    if name.is_acknowledgement:
        for data in files.values():
            _acknowledged(home, connection, cdar.read(data))
        return
    now = home.actor.clock()
    known = select(portal_flow.c.name).where(portal_flow.c.name == str(name))
    if connection.execute(known).first():
        return
    row = {
        "name": str(name),
        "direction": "In",
        "state": "irreceivable" if refusals else "received",
        "sha256": sha256,
        "created_at": now,
        "details": [_told(refusal) for refusal in refusals],
    }
    connection.execute(insert(portal_flow).values(row))
    for data in files.values():
        if name.interface == ABOUT_REPORTS:
            _answered_report(home, connection, data)
        elif name.interface == addresses.ANSWERS:
            message = cdar.read(data)
            addresses.answered(home, connection, message, [_told(refusal) for refusal in refusals_of(message)])
        elif name.interface != DIRECTORY:
            _answered(home, connection, cdar.read(data))
        elif _is_latest(connection, name):
            home.mirror.load(connection, data)
            addresses.reconcile(home, connection)
    _acknowledge(home, connection, name, refusals)


def _is_latest(connection: Connection, name: FlowName) -> bool:
    """Tell whether no later export came: the portal numbers its flows, and a name sorts as its number."""
    later = select(portal_flow.c.name).where(
        portal_flow.c.direction == "In",
        portal_flow.c.name.startswith(f"{DIRECTORY}_"),
        portal_flow.c.name > str(name),
        portal_flow.c.state == "received",
    )
    return connection.execute(later).first() is None


def _acknowledged(home: Home, connection: Connection, message: StatusMessage) -> None:
    """The portal can use the flow (500), or nothing of it (501). Statuses are accepted by silence."""
    now = home.actor.clock()
    receivable = message.status == "500"
    if message.reason_codes == ("IRR_UNICITE",):
        return  # the portal has it already: what it says of the one that it has counts
    details = [_told(refusal) for refusal in refusals_of(message)]
    mine = portal_flow.c.name.endswith(f"_{message.object_identifier}", autoescape=True)
    if message.object_identifier == UNKNOWN_OBJECT:  # its name could not be read: it is quoted (G7.22, G1.114)
        mine = portal_flow.c.name == message.flow_name.removesuffix(".tar.gz")
    unanswered = (portal_flow.c.direction == "Out", portal_flow.c.state == "sent")  # what comes again changes nothing
    names = list(connection.execute(select(portal_flow.c.name).where(mine, *unanswered)).scalars())
    state = "receivable" if receivable else "irreceivable"
    values = {"state": state, "answered_at": now, "details": details}
    connection.execute(update(portal_flow).where(portal_flow.c.name.in_(names)).values(values))
    reporting_sending.acknowledged(connection, names, state=state, details=details)
    addresses.acknowledged(connection, names, state=state, details=details, at=now)
    packed = update(declaration).where(declaration.c.flow_name.in_(names), declaration.c.state == "packed")
    connection.execute(packed.values(state=state, details=details))
    mirrors.answered(connection, declaration.c.flow_name.in_(names), state, details, now)


def _answered(home: Home, connection: Connection, message: StatusMessage) -> None:
    """The portal accepts or rejects one object."""
    state = ANSWERED.get(message.status)
    about = declaration.c.object_id == message.object_identifier
    if message.status in ("250", "251"):
        about = about & declaration.c.interface.in_(declarations.DATA.values())
        about = about & (declaration.c.seller_siren == message.seller_siren)
        about = about & (declaration.c.issue_date == message.object_day)
    if state is None:
        return
    if named := _files_named(message):  # data whose seller, number or day could not be read (G1.114)
        about = declaration.c.file_name.in_(named) & (declaration.c.state.in_(("packed", "receivable")))
    details = [_told(refusal) for refusal in refusals_of(message)] if state == "rejected" else []
    values: dict[str, Any] = {"state": state, "details": details, "answered_at": home.actor.clock()}
    latest = (
        select(declaration.c.id, invoice.c.id.label("invoice"), invoice.c.siren)
        .join(invoice, invoice.c.id == declaration.c.invoice_id)
        .where(about)
        .order_by(declaration.c.id.desc())
    )
    owed = connection.execute(latest.limit(1)).first()
    if owed is None:
        return
    connection.execute(update(declaration).where(declaration.c.id == owed.id).values(values))
    mirrors.answered(connection, declaration.c.id == owed.id, state, details, values["answered_at"])
    told = {"state": state, "object": message.object_identifier, "reasons": [each["reason"] for each in details]}
    audit.record(connection, owed.siren, "declaration.answered", about=owed.invoice, at=values["answered_at"], **told)


def _answered_report(home: Home, connection: Connection, data: bytes) -> None:
    """The portal accepts or rejects a transmission of e-reporting."""
    message = cdar.read(data)
    if message.status in reporting_sending.ANSWERED:
        details = [_told(refusal) for refusal in refusals_of(message)]
        reporting_sending.answered(home, connection, message, home.actor.documents.put(data), details)


def _files_named(message: StatusMessage) -> list[str]:
    """Return the files that an answer names, where it could not name the object itself."""
    unnamed = [refusal.fr for refusal in refusals_of(message) if refusal.rule == UNNAMED]
    return [name for text in unnamed for name in FILE.findall(text)]


def _acknowledge(home: Home, connection: Connection, name: FlowName, refusals: tuple[Refusal, ...]) -> None:
    now = home.actor.clock()
    me = platform_party(home.identity.matricule, home.identity.name)
    message = about_flow(
        identifier=f"CDV_{name.flow_identifier}",
        flow_identifier=name.flow_identifier,
        flow_name=str(name),
        sender=me,
        received_at=now,
        at=now,
        refusals=refusals,
    )
    file = {f"{name.acknowledgement}.xml": cdar.write(message)}
    declarations.send_flow(home, connection, name.acknowledgement.interface, file, answering=name)


def _told(refusal: Refusal) -> dict[str, str]:
    terms = ", ".join(refusal.terms)
    return {"reason": refusal.code, "rule": refusal.rule, "fr": refusal.fr, "en": refusal.en, "terms": terms}
