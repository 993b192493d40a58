"""What the portal sends a platform: acknowledgements of flows, answers about objects, the directory.

An acknowledgement of a flow (CFE…) ends there; every other envelope is itself acknowledged, one that cannot be used as
irreceivable, and nothing of it is kept. An answer finds what it is about by the identifier of the object, among what
this platform declared. What becomes of the directory is in `mirror_extracts`.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, select, update

from estafette.exchange.messages import Message
from estafette.formats import cdar, flow_archive
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Unreadable
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import UNKNOWN_OBJECT, about_flow, platform_party, refusals_of
from estafette.lifecycle.reasons import ALIASES
from estafette.platform import (
    address_checks,
    addresses,
    declarations,
    envelopes,
    flows,
    mirror_extracts,
    mirrors,
    refused_envelopes,
    reporting_sending,
)
from estafette.platform.home import Home
from estafette.platform.mirror_extracts import Portion
from estafette.platform.tables import declaration, invoice, portal_flow
from estafette.store import audit, gathered, jobs
from estafette.store.jobs import Job
from estafette.store.queries import Lookup, Query, Row
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
ABOUT_INVOICES = frozenset({"FFE0604A", "FFE0654A"})
ABOUT_DATA = frozenset({"250", "251"})
"""Answers about the data of an invoice; the others are about a status."""


TOGETHER_MAX = 64
"""Answers about invoices in one transaction: an envelope holds a thousand, and others wait for the writer too."""

_File = tuple[bytes, StatusMessage]
"""A file of an envelope, and the message it is."""


def keep(home: Home, connection: Connection, message: Message) -> None:
    """The envelope is had; it will be opened, after those of its kind that came before."""
    name = PurePath(message.name).name.removesuffix(".tar.gz")
    payload = {"name": name, "sha256": message.sha256}
    now = home.actor.clock()
    key = f"{PORTAL}:{name}:{message.sha256[:16]}"  # a flow may be answered twice
    lane = f"{PORTAL}:directory" if name.startswith(DIRECTORY) else PORTAL  # its files are large: answers do not wait
    jobs.add(connection, queue=PORTAL, key=key, lane=lane, payload=payload, now=now)


async def handle(home: Home, job: Job) -> Apply:
    """What the envelope says is known here. Raises: Never, when it cannot be used and owes no answer."""
    sha256 = job.payload["sha256"]
    try:
        name = FlowName.parse(job.payload["name"])
    except Irreceivable as nameless:
        raise Never(str(nameless)) from None
    if name.interface == DIRECTORY:
        return await _directory(home, name, sha256)
    files, refusals = await asyncio.to_thread(_opened, name, home.actor.documents.get(sha256))
    if refusals and name.is_acknowledgement:
        raise Never(f"{refusals[0].code}: {refusals[0].en}")
    if name.interface in ABOUT_INVOICES:
        done = job.payload.get("done", 0)
        while len(files) - done > TOGETHER_MAX:
            some, done = files[done : done + TOGETHER_MAX], done + TOGETHER_MAX
            await _answer_some(home, job, name, some, done=done)
        files = files[done:]
    return lambda connection: _apply(home, connection, name, sha256, files, refusals=refusals)


async def _answer_some(home: Home, job: Job, name: FlowName, files: list[_File], *, done: int) -> None:
    """These objects of an envelope are answered, in a transaction of their own: a full one would keep others waiting.

    So many are `done` then: whoever takes the envelope up after a death goes on from there.
    """

    def apply(connection: Connection) -> None:
        if not _is_had(connection, name):
            _answer(home, connection, name, files)
            jobs.note(connection, job, done=done)

    await home.actor.database.write(apply)


async def _directory(home: Home, name: FlowName, sha256: str) -> Apply:
    """The copy of the directory has what these files say, once all that goes before and with them is there."""
    portions: list[Portion] = []
    refusals: tuple[Refusal, ...] = ()
    try:
        files = flow_archive.unpack(name.archive, home.actor.documents.get(sha256))
        portions = await mirror_extracts.prepare(home.actor, files)
    except (Irreceivable, Unreadable) as wrong:
        refusals = (_refusal(name, wrong),)

    def apply(connection: Connection) -> None:
        if _is_new(home, connection, name, sha256, refusals):
            if mirror_extracts.record(home.actor, connection, name, sha256, portions):
                addresses.reconcile(home, connection)
                address_checks.find(connection, home.actor.clock())
            _acknowledge(home, connection, name, refusals)

    return apply


def _opened(name: FlowName, data: bytes) -> tuple[list[_File], tuple[Refusal, ...]]:
    """Return the files of an envelope, each read once, or why none is taken."""
    try:
        return [(content, cdar.read(content)) for _file, content in flow_archive.unpack(name.archive, data)], ()
    except (Irreceivable, Unreadable) as wrong:
        return [], (_refusal(name, wrong),)


def _refusal(name: FlowName, wrong: Irreceivable | Unreadable) -> Refusal:
    place = (wrong.file if isinstance(wrong, Irreceivable) else "") or str(name)
    return Refusal(wrong.code, "", wrong.reason_fr, wrong.reason_en, (place,))


def _apply(
    home: Home,
    connection: Connection,
    name: FlowName,
    sha256: str,
    files: list[_File],
    *,
    refusals: tuple[Refusal, ...],
) -> None:
    if name.is_acknowledgement:
        for _data, message in files:
            _acknowledged(home, connection, name, message)
        return
    if not _is_new(home, connection, name, sha256, refusals):
        return
    _answer(home, connection, name, files)
    _acknowledge(home, connection, name, refusals)


def _answer(home: Home, connection: Connection, name: FlowName, files: list[_File]) -> None:
    _look_ahead(connection, [message for _data, message in files])
    for data, message in files:
        if name.interface == ABOUT_REPORTS:
            _answered_report(home, connection, message, data)
        elif name.interface == addresses.ANSWERS:
            addresses.answered(home, connection, message, [_told(refusal) for refusal in refusals_of(message)])
        else:
            _answered(home, connection, message)
    gathered.look_no_further(connection)


def _is_had(connection: Connection, name: FlowName) -> bool:
    return connection.execute(select(portal_flow.c.name).where(portal_flow.c.name == str(name))).first() is not None


def _is_new(home: Home, connection: Connection, name: FlowName, sha256: str, refusals: tuple[Refusal, ...]) -> bool:
    """The flow is had; False, and nothing changes, when it was already."""
    if _is_had(connection, name):
        return False
    row = {
        "name": str(name),
        "direction": "In",
        "state": "irreceivable" if refusals else "received",
        "sha256": sha256,
        "created_at": home.actor.clock(),
        "details": [_told(refusal) for refusal in refusals],
    }
    connection.execute(insert(portal_flow).values(row))
    return True


def _acknowledged(home: Home, connection: Connection, name: FlowName, message: StatusMessage) -> None:
    """The portal can use the flow (500), or nothing of it (501). Statuses are accepted by silence."""
    now = home.actor.clock()
    receivable = message.status == "500"
    reasons = {ALIASES.get(code, code) for code in message.reason_codes}
    if reasons == {"IRR_UNICITE"}:
        return  # the portal has it already: what it says of the one that it has counts
    details = [_told(refusal) for refusal in refusals_of(message)]
    names = _sent(connection, name, message)
    state = "receivable" if receivable else "irreceivable"
    values = {"state": state, "answered_at": now, "details": details}
    connection.execute(update(portal_flow).where(portal_flow.c.name.in_(names)).values(values))
    addresses.acknowledged(connection, names, state=state, details=details, at=now)
    if receivable:
        reporting_sending.receivable(connection, names)
        packed = update(declaration).where(declaration.c.flow_name.in_(names), declaration.c.state == "packed")
        connection.execute(packed.values(state=state, details=[]))
    for each in () if receivable else names:
        refused_envelopes.came_back(home, connection, each, reasons=sorted(reasons), details=details)
    told = _MIRRORS_OF.values(connection, names=names, interfaces=list(mirrors.settled_by(state)))
    mirrors.answered(connection, told, state, details, now)


def _sent(connection: Connection, name: FlowName, message: StatusMessage) -> list[str]:
    """Name the envelope that the acknowledgement is about, unless it was answered: what comes again changes nothing.

    It is the one under whose name it comes; otherwise it is looked for by its identifier, among all.
    """
    same = f"F{name.interface[1:]}_{name.application_code}_{message.object_identifier}"
    if _UNANSWERED.value(connection, name=same) is not None:
        return [same]
    mine = portal_flow.c.name.endswith(f"_{message.object_identifier}", autoescape=True)
    if message.object_identifier == UNKNOWN_OBJECT:  # its name could not be read: it is quoted (G7.22, G1.114)
        mine = portal_flow.c.name == message.flow_name.removesuffix(".tar.gz")
    query = select(portal_flow.c.name).where(mine, portal_flow.c.direction == "Out", portal_flow.c.state == "sent")
    return list(connection.execute(query).scalars())


def _answered(home: Home, connection: Connection, message: StatusMessage) -> None:
    """The portal accepts or rejects one object."""
    state = ANSWERED.get(message.status)
    if state is None:
        return
    owed = _owed(connection, message)
    if owed is None:
        return
    now = home.actor.clock()
    details = [_told(refusal) for refusal in refusals_of(message)] if state == "rejected" else []
    if (owed["state"], owed["details"]) == (state, details) or owed["state"] == "waiting":
        return  # it was told already; or reopened since, and what has not left has no answer
    values = {"which": owed["id"], "new_state": state, "new_details": details, "new_answered_at": now}
    gathered.change(connection, _ANSWERED, values)
    if owed["flow_id"] and owed["interface"] in mirrors.settled_by(state):
        mirrors.answered(connection, [owed["flow_id"]], state, details, now)
    told = {"state": state, "object": message.object_identifier, "reasons": [each["reason"] for each in details]}
    audit.record(connection, owed["siren"], "declaration.answered", about=owed["invoice"], at=now, **told)


def _owed(connection: Connection, message: StatusMessage) -> Row | None:
    """Return the latest declaration that an answer is about, by what it says of the object."""
    if named := _files_named(message):  # data whose seller, number or day could not be read (G1.114)
        return _OWED_IN_FILES.first(connection, files=named)
    if message.status in ABOUT_DATA:
        return _OWED_DATA.first(connection, **_data_key(message))
    return _OWED_STATUS.first(connection, object=message.object_identifier)


def _data_key(message: StatusMessage) -> Row:
    return {"object": message.object_identifier, "seller": message.seller_siren, "day": message.object_day}


def _look_ahead(connection: Connection, messages: Sequence[StatusMessage]) -> None:
    """Ask at once what these answers are about, and what telling the companies of them needs."""
    of_data = [_data_key(message) for message in messages if message.status in ABOUT_DATA]
    of_statuses = [{"object": message.object_identifier} for message in messages if message.status == "601"]
    _OWED_DATA.ahead(connection, of_data)
    _OWED_STATUS.ahead(connection, of_statuses)
    owed = [_OWED_DATA.first(connection, **key) for key in of_data]
    owed += [_OWED_STATUS.first(connection, **key) for key in of_statuses]
    rows = [row for row in owed if row is not None]
    flows.FLOW.ahead(connection, [{"which": row["flow_id"]} for row in rows if row["flow_id"]])
    flows.look_ahead(connection, {row["siren"] for row in rows})


def _answered_report(home: Home, connection: Connection, message: StatusMessage, data: bytes) -> None:
    """The portal accepts or rejects a transmission of e-reporting."""
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
    envelopes.send_flow(home, connection, name.acknowledgement.interface, file, answering=name)


def _told(refusal: Refusal) -> dict[str, str]:
    terms = ", ".join(refusal.terms)
    return {"reason": refusal.code, "rule": refusal.rule, "fr": refusal.fr, "en": refusal.en, "terms": terms}


def _owing(*about: ColumnElement[bool]) -> Select[Any]:
    """Select the declarations that are those, the latest first, each with the delivery it follows from."""
    columns = declaration.c
    asked = (
        columns.id,
        columns.flow_id,
        columns.interface,
        columns.state,
        columns.details,
        invoice.c.id.label("invoice"),
        invoice.c.siren,
    )
    joined = select(*asked).join(invoice, invoice.c.id == columns.invoice_id).where(*about)
    return joined.order_by(columns.id.desc())


_OBJECT = {"object": declaration.c.object_id}
_OWED_DATA = Lookup(
    _owing(declaration.c.interface.in_(list(declarations.DATA.values()))),
    {**_OBJECT, "seller": declaration.c.seller_siren, "day": declaration.c.issue_date},
    through=("object", "seller"),
)
_OWED_STATUS = Lookup(_owing(declaration.c.interface == declarations.STATUSES), _OBJECT)
_OWED_IN_FILES = Query(
    _owing(
        declaration.c.file_name.in_(bindparam("files", expanding=True)),
        declaration.c.state.in_(("packed", "receivable")),
    ).limit(1)
)
_ANSWERED = (
    update(declaration)
    .where(declaration.c.id == bindparam("which"))
    .values(
        {name: bindparam(f"new_{name}", type_=declaration.c[name].type) for name in ("state", "details", "answered_at")}
    )
)
_UNANSWERED = Query(
    select(portal_flow.c.name).where(
        portal_flow.c.name == bindparam("name"), portal_flow.c.direction == "Out", portal_flow.c.state == "sent"
    )
)
_MIRRORS_OF = Query(
    select(declaration.c.flow_id).where(
        declaration.c.flow_name.in_(bindparam("names", expanding=True)),
        declaration.c.interface.in_(bindparam("interfaces", expanding=True)),
        declaration.c.flow_id.is_not(None),
    )
)
