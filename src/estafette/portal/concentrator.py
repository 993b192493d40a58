"""The data concentrator: an envelope comes in, is controlled in stages, is answered (ppf-flows.md §8–9).

Stages 1 and 2 look at the envelope and at every file: one bad file makes the whole flow irreceivable (501) and nothing
is kept of it. Stage 3 looks at each object: its content, then what the portal already knows (the parties, the number,
the life cycle); one bad object harms only itself. Data are answered each (250, 251), statuses only when rejected (601).
What is accepted goes to the administration as a fact, in the same transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Refused
from estafette.formats import cdar, envelope, flux1
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flux1 import Flux1
from estafette.formats.status_message import StatusMessage
from estafette.formats.xml import Syntax, Unreadable, recognise
from estafette.lifecycle.guards import Refusal, StatusEvent
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.obligatory import control_mandatory
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal.hall import Hall, Partner
from estafette.portal.tables import invoice_data, legal_unit, obligatory_status, partner_flow
from estafette.store import gathered, jobs, sequences
from estafette.store.jobs import Job
from estafette.store.worker import Apply, Later
from estafette.values.moments import PARIS

CONTROL = "control"
DATA = {"FFE0111A": Syntax.UBL, "FFE0112A": Syntax.CII}
"""The interfaces of invoice data, and the syntax that each carries."""

STATUSES = "FFE0614A"
ANSWER_TO_DATA = "FFE0604A"
ANSWER_TO_STATUSES = "FFE0654A"
REPORTS = "FFE1025A"
CONTROL_REPORTS = "control-reports"
"""The queue of e-reporting, whose files take the engine of rules long (`reports`)."""

SERVED = DATA.keys() | {STATUSES}


@dataclass(frozen=True, slots=True)
class Came:
    """One object of a flow: who sent it, in which flow, under which file name."""

    partner: Partner
    flow: FlowName
    file: str
    content: bytes


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
        take = _take_status if name.interface == STATUSES else _take_data
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


# ---------------------------------------------------------------------------------------------------- invoice data


def _take_data(hall: Hall, connection: Connection, came: Came) -> None:
    now = hall.actor.clock()
    data = flux1.read(came.file, came.content)
    refusals = tuple(_refusals(connection, came, data, on=now.astimezone(PARIS).date()))
    sequence = sequences.draw(connection, "answer")
    number, siren, issued = data.named
    answer = about_object(
        ObjectKind.INVOICE_DATA,
        identifier=f"{ANSWER_TO_DATA}_{hall.application_code}_{sequence:019d}",
        object_identifier=number,
        object_siren=siren,
        object_issued=issued,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=refusals,
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_DATA, answer)
    if not refusals:
        _accept_data(hall, connection, came, data)


def _refusals(connection: Connection, came: Came, data: Flux1, *, on: date) -> Iterable[Refusal]:
    """Tell what stage 3 finds: the content, the parties in the directory, the number already had."""
    for anomaly in flux1.control(came.file, came.content, on=on):
        yield Refusal(anomaly.reason, anomaly.rule, anomaly.message_fr, anomaly.message_en, anomaly.terms)
    if not all(data.named):
        seen = f"{came.file} : BT-1 {data.number[:40]!r}, BT-2 {data.issue_date}, BT-30 {data.seller_siren[:40]!r}"
        fr, en = f"Facture non identifiable dans {seen}.", f"The invoice cannot be identified in {seen}."
        yield Refusal("REJ_SEMAN", "G1.114", fr, en, ("BT-1", "BT-2", "BT-30"))
    for siren, term in ((data.seller_siren, "BT-30"), (data.buyer_siren, "BT-47")):
        if connection.execute(_KNOWN, {"siren": siren}).first() is None:
            fr, en = f"SIREN {siren} absent de l'annuaire.", f"SIREN {siren} is not in the directory."
            yield Refusal("REJ_COH", "G1.63", fr, en, (term,))
    same = {"seller": data.seller_siren, "number": data.number, "year": data.issue_date.year}
    if connection.execute(_SENT, same).first():
        fr, en = "Facture déjà transmise pour cette année.", "Invoice already sent for this year."
        yield Refusal("REJ_UNI", "G1.45", fr, en, ("BT-1", "BT-2", "BT-30"))


def _accept_data(hall: Hall, connection: Connection, came: Came, data: Flux1) -> None:
    now = hall.actor.clock()
    row = {
        "seller_siren": data.seller_siren,
        "number": data.number,
        "year": data.issue_date.year,
        "buyer_siren": data.buyer_siren,
        "issue_date": data.issue_date,
        "partner": came.partner.matricule,
        "flow_name": str(came.flow),
        "file_name": came.file,
        "sha256": hall.actor.documents.put(came.content),
        "recorded_at": now,
    }
    gathered.add(connection, invoice_data, row)
    fact = {
        "kind": "invoice-data",
        "key": _key(data.seller_siren, data.number, data.issue_date.year),
        "data": msgspec.to_builtins(data),
        "platform": came.partner.matricule,
        "accepted_at": now.isoformat(),
        "flow": f"{came.flow}/{came.file}",
    }
    tell(hall, connection, fact, f"{data.seller_siren}/{data.issue_date.year}/{data.number}")


# -------------------------------------------------------------------------------------------------------- statuses


def _take_status(hall: Hall, connection: Connection, came: Came) -> None:
    now = hall.actor.clock()
    message = cdar.read(came.content)
    if connection.execute(_HAD, {"partner": came.partner.matricule, "message": message.identifier}).first():
        return
    refusal = control_mandatory(message, _held(connection, message), partner=came.partner.matricule)
    if refusal is None:
        _accept_status(hall, connection, came, message)
        return
    number = sequences.draw(connection, "answer")
    answer = about_object(
        ObjectKind.STATUS,
        identifier=f"{ANSWER_TO_STATUSES}_{hall.application_code}_{number:019d}",
        object_identifier=message.identifier,
        object_siren=message.seller_siren,
        object_issued=message.issued_at,
        recipient=came.partner.matricule,
        received_at=now,
        at=now,
        refusals=(refusal,),
        portal=hall.matricule,
    )
    hall.answer(connection, came.partner, ANSWER_TO_STATUSES, answer)


def _held(connection: Connection, message: StatusMessage) -> list[StatusEvent]:
    day = message.object_day
    key = {"seller": message.seller_siren, "number": message.object_identifier, "year": day.year if day else 0}
    return [StatusEvent(*row) for row in connection.execute(_HELD, key)]


def _accept_status(hall: Hall, connection: Connection, came: Came, message: StatusMessage) -> None:
    now = hall.actor.clock()
    day = message.object_day
    key = _key(message.seller_siren, message.object_identifier, day.year if day else 0)
    row = {
        "message_id": message.identifier,
        "seller_siren": key["seller"],
        "number": key["number"],
        "year": key["year"],
        "status": message.status,
        "emitter_role": message.issuer.role,
        "set_at": message.set_at,
        "partner": came.partner.matricule,
        "flow_name": str(came.flow),
        "sha256": hall.actor.documents.put(came.content),
        "recorded_at": now,
    }
    gathered.add(connection, obligatory_status, row)
    fact = {
        "kind": "status",
        "key": key,
        "status": int(message.status),
        "set_at": message.set_at.isoformat(),
        "reasons": list(message.reason_codes),
        "collected": [{"rate": str(one.percent), "amount": str(one.amount)} for one in message.characteristics("MEN")],
        "message_id": message.identifier,
        "platform": came.partner.matricule,
    }
    tell(hall, connection, fact, f"{key['seller']}/{key['year']}/{key['number']}")


def _key(seller: str, number: str, year: int) -> dict[str, Any]:
    return {"seller": seller, "number": number, "year": year}


def tell(hall: Hall, connection: Connection, fact: dict[str, Any], lane: str) -> None:
    """The administration will have the fact, once."""
    body = msgspec.json.encode(fact)
    sha256 = hall.actor.documents.put(body)
    message = Message(
        id=sha256,
        kind=Kind.FACT,
        sender=hall.identifier,
        recipient=hall.administration,
        name="fact.json",
        sha256=sha256,
    )
    hall.post.send(connection, message, lane=lane)


_KNOWN = gathered.reads(select(legal_unit.c.siren).where(legal_unit.c.siren == bindparam("siren")))
_SENT = gathered.reads(
    select(invoice_data.c.id).where(
        invoice_data.c.seller_siren == bindparam("seller"),
        invoice_data.c.number == bindparam("number"),
        invoice_data.c.year == bindparam("year"),
    )
)
_HAD = gathered.reads(
    select(obligatory_status.c.status).where(
        obligatory_status.c.partner == bindparam("partner"), obligatory_status.c.message_id == bindparam("message")
    )
)
_HELD = gathered.reads(
    select(
        obligatory_status.c.status,
        obligatory_status.c.set_at,
        obligatory_status.c.emitter_role,
        obligatory_status.c.message_id,
    ).where(
        obligatory_status.c.seller_siren == bindparam("seller"),
        obligatory_status.c.number == bindparam("number"),
        obligatory_status.c.year == bindparam("year"),
    )
)
