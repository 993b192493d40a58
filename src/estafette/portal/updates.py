"""Updates of the directory by platforms (F13): controlled object by object, each answered 400 or 401.

Stages 1 and 2 are those of every flow: a file against the schema makes the whole irreceivable. Then the routing codes
and the lines are taken in their order, each seeing what the ones before it did; one that is refused (401) harms no
other. The answers name the flow (MDT-87: an update has no number of its own), the object by its place in the file
(MDT-127) and in the name of the message (MDT-5).

Source: external specifications v3.2, general file §3.5.7; annex 7 G7.19, G7.23, G7.29.
"""

from asyncio import to_thread
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from estafette.directory.rules import Fault
from estafette.formats.directory_update import Asked, AskedCode, AskedLine, read_update
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.formats.flow_limits import Limit
from estafette.formats.xml import Unreadable
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import about_object
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal import extracts
from estafette.portal.concentrator import answer_flow
from estafette.portal.examination import Controlled, refused
from estafette.portal.hall import Hall, Partner
from estafette.portal.register import Register, Source
from estafette.portal.stages import Flow, bounds_of, flow_of, in_turn, members, scan
from estafette.portal.tally import Tally, begun, write
from estafette.store import sequences
from estafette.store.jobs import Job
from estafette.store.worker import Apply
from estafette.values.moments import paris_day

ANSWER_TO_UPDATES = "FFE0634A"
NAME_MAX = 150
"""Characters of the name of a message (MDT-5)."""


@dataclass(frozen=True, slots=True)
class _Flow:
    """A flow that can be used, and who sent it."""

    partner: Partner
    name: FlowName


@dataclass(frozen=True, slots=True)
class _Came:
    """An object of an update: its place among those of its kind in its file, the file where there are several."""

    asked: AskedCode | AskedLine
    place: str

    @property
    def siren(self) -> str:
        """Return the SIREN that it is about."""
        return self.asked.siren if isinstance(self.asked, AskedLine) else self.asked.code.siret[:9]

    @property
    def name(self) -> str:
        """Return what it is, for whoever reads the answer."""
        if isinstance(self.asked, AskedLine):
            return f"LigneAnnuaire {self.place} {self.asked.address} {self.asked.start}"
        return f"CodeRoutage {self.place} {self.asked.code.siret} {self.asked.code.code}"


async def control_updates(hall: Hall, job: Job) -> Apply:
    """The update is controlled, done as far as the rules allow, and answered."""
    flow = flow_of(hall, job)
    name, matricule = flow.name, flow.partner
    try:
        async with in_turn(hall, flow):
            read, faults = await _read(hall, flow)
    except Irreceivable as reason:
        read, faults = {}, [reason]
    controlled = refused(name, faults) if faults else Controlled()
    came = () if faults else tuple(_objects(read))

    def apply(connection: Connection) -> None:
        partner, tally = answer_flow(hall, connection, name, matricule, controlled), begun(controlled)
        _take(hall, connection, _Flow(partner, name), came, tally)
        write(connection, name, matricule, tally, now=hall.actor.clock())

    return apply


async def _read(hall: Hall, flow: Flow) -> tuple[dict[str, Asked], list[Irreceivable]]:
    """Return what each file asks for, and which cannot be read. Raises: Irreceivable, ScannerDown."""
    read: dict[str, Asked] = {}
    faults: list[Irreceivable] = []
    bounds = bounds_of(hall, flow)
    await scan(hall, flow, bounds)
    async for member, content in members(flow, bounds):
        try:
            read[member] = await to_thread(read_update, content)
        except Unreadable as unreadable:
            faults.append(Irreceivable(unreadable.code, unreadable.reason_fr, unreadable.reason_en, member))
        _check_size(hall, read)
    return read, faults


def _check_size(hall: Hall, read: dict[str, Asked]) -> None:
    """The flow has no more objects than one transaction can do. Raises: Irreceivable."""
    count = sum(len(asked.codes) + len(asked.lines) for asked in read.values())
    most = hall.limits.at(Limit.OBJECTS_OF_F13, paris_day(hall.actor.clock()))
    if count > most:
        fr = f"{count} lignes et codes routage, {most} au plus par flux : répartissez-les."
        raise Irreceivable("IRR_TAILLE", fr, f"{count} lines and routing codes, {most} at most a flow: split them.")


def _objects(read: dict[str, Asked]) -> Iterator[_Came]:
    """Give the objects in the order they are done: of each file, the routing codes, then the lines."""
    for file, asked in read.items():
        prefix = f"{file}:" if len(read) > 1 else ""
        yield from (_Came(code, f"{prefix}{place}") for place, code in enumerate(asked.codes, 1))
        yield from (_Came(line, f"{prefix}{place}") for place, line in enumerate(asked.lines, 1))


def _take(hall: Hall, connection: Connection, flow: _Flow, came: tuple[_Came, ...], tally: Tally) -> None:
    """The objects are done one after the other, each answered; the other platforms will know what changed."""
    author, now = flow.partner.matricule, hall.actor.clock()
    register = Register(connection, at=now, source=Source.UPDATE, author=author, message=str(flow.name))
    register.readings = hall.readings
    for one in came:
        refusals = tuple(_refusal(fault, one) for fault in register.ask(one.asked).faults)
        tally.add(refusals)
        _answer(hall, connection, flow, one, refusals)
    if register.has_changed:
        extracts.publish(hall, connection)


def _answer(hall: Hall, connection: Connection, flow: _Flow, came: _Came, refusals: tuple[Refusal, ...]) -> None:
    now = hall.actor.clock()
    number = sequences.draw(connection, "answer")
    answer = about_object(
        ObjectKind.DIRECTORY,
        identifier=f"{ANSWER_TO_UPDATES}_{hall.application_code}_{number:019d}",
        object_identifier=flow.name.flow_identifier,
        object_siren=came.siren,
        object_issued=now,
        recipient=flow.partner.matricule,
        received_at=now,
        at=now,
        refusals=refusals,
        portal=hall.matricule,
    )
    named = replace(answer, name=f"{came.name}_{answer.status}"[:NAME_MAX])
    hall.answer(connection, flow.partner, ANSWER_TO_UPDATES, named)


def _refusal(fault: Fault, came: _Came) -> Refusal:
    """Return a fault as the answer tells it: tag, rule and words in MDT-126, the place of the object in MDT-127."""
    fr, en = f"{fault.tag} {fault.rule} : {fault.fr}", f"{fault.tag} {fault.rule}: {fault.en}"
    return Refusal(fault.code, fault.rule, fr, en, (came.place,))
