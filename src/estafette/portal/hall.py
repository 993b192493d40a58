"""What the parts of the portal share: its actor, its post, its partners, and how it answers them.

Answers about objects wait and leave in batches, one envelope per partner and kind; an acknowledgement of a flow leaves
under the name of the flow it answers.
"""

import re
from asyncio import Lock
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update

from estafette.directory.readings import Readings
from estafette.exchange.actor import Actor
from estafette.exchange.messages import Kind, Message
from estafette.exchange.post import Post
from estafette.exchange.scanning import Scanner
from estafette.formats import cdar, flow_archive
from estafette.formats.envelope import FlowName
from estafette.formats.flow_limits import PUBLISHED, FlowLimits, Limit
from estafette.formats.status_message import StatusMessage
from estafette.lifecycle.guards import Refusal
from estafette.lifecycle.messages import about_flow, portal_party
from estafette.portal.intake_tables import retrieval
from estafette.portal.partners import SFTP, declared
from estafette.portal.tables import outgoing_object, partner_flow, receiving_platform
from estafette.rules.verdict import Verdict
from estafette.store import gathered, jobs, sequences
from estafette.store.jobs import Job
from estafette.store.worker import Outcome
from estafette.values.moments import paris_day

BATCH, BATCH_REST_S = "batch", 0.1
"""The queue of answers to pack, and how long it is left alone after some left: fewer envelopes."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A platform connected to the portal."""

    matricule: str
    application_code: str


@dataclass(frozen=True, slots=True)
class Came:
    """One object of a flow: who sent it, in which flow, under which file name; `sha256` is of its bytes."""

    partner: Partner
    flow: FlowName
    file: str
    sha256: str


@dataclass(slots=True)
class Hall:
    """The portal at home. `identifier` on the exchange, `application_code` in names, `matricule` in messages."""

    actor: Actor
    post: Post
    identifier: str
    application_code: str
    matricule: str
    administration: str
    judge: Callable[[bytes], Awaitable[Verdict]]
    """The official rules of the day on a document, away from the event loop."""
    scanner: Scanner | None = None
    """What looks for viruses in what comes."""
    limits: FlowLimits = PUBLISHED
    """How much, how often and when partners may send."""
    readings: Readings = field(default_factory=Readings)
    """How what the texts of the directory leave open is read."""
    publishes_on_change: bool = True
    """Whether the directory leaves at each change too, or by the State's calendar alone."""
    large: Lock = field(default_factory=Lock)
    """Held while a large flow is read (`stages.in_turn`)."""

    def partner(self, connection: Connection, matricule: str) -> Partner | None:
        """Return the partner of this matricule, once the registration service has told of it."""
        column = receiving_platform.c
        mine = (column.matricule == matricule, column.known_until.is_(None))
        held = connection.execute(select(column.application_code).where(*mine)).scalar()
        return Partner(matricule, held) if held else None

    def partners(self, connection: Connection) -> list[Partner]:
        """Return every partner."""
        column = receiving_platform.c
        connected = (column.application_code.is_not(None), column.known_until.is_(None))
        query = select(column.matricule, column.application_code).where(*connected)
        return [Partner(*row) for row in connection.execute(query.order_by(receiving_platform.c.matricule))]

    def acknowledge(
        self, connection: Connection, partner: Partner, name: FlowName, refusals: Sequence[Refusal] = ()
    ) -> None:
        """The partner will know that its flow can be used (500), or not (501) and why."""
        now = self.actor.clock()
        message = about_flow(
            identifier=f"CDV_{name.flow_identifier}",
            flow_identifier=name.flow_identifier,
            flow_name=str(name),
            sender=portal_party(self.matricule),
            received_at=now,
            at=now,
            refusals=refusals,
        )
        answer = name.acknowledgement
        self.send(connection, partner, answer, {f"{answer}.xml": cdar.write(message)})

    def turn_away(
        self, connection: Connection, partner: Partner, file: str, name: FlowName | None, refusal: Refusal
    ) -> str:
        """The partner will know that a flow was not entered (501) and why; returns the SHA-256 of the answer.

        `name` is that of the flow where it has one; its answer bears the same identifier.
        """
        now = self.actor.clock()
        number = sequences.draw(connection, "refusal")
        message = about_flow(
            identifier=f"CDV_{self.application_code}_{number:019d}",
            flow_identifier=name.flow_identifier if name else "",
            flow_name=file,
            sender=portal_party(self.matricule),
            received_at=now,
            at=now,
            refusals=(refusal,),
        )
        if name is None:
            answer = self.new_name(connection, partner, answering_interface(file))
        else:
            answer = FlowName(f"C{name.interface[1:]}", partner.application_code, name.flow_identifier)
        sha256 = self.actor.documents.put(flow_archive.pack({f"{answer}.xml": cdar.write(message)}))
        self._carry(connection, partner, answer, sha256, identifier=f"{answer}:{number}")
        return sha256

    def answer(self, connection: Connection, partner: Partner, interface: str, message: StatusMessage) -> None:
        """The partner will know what became of an object."""
        row = {
            "interface": interface,
            "partner": partner.matricule,
            "file_name": f"{message.identifier}.xml",
            "sha256": self.actor.documents.put(cdar.write(message)),
        }
        gathered.add(connection, outgoing_object, row)
        asked = ("batch", partner.matricule, interface)
        gathered.remember(connection, asked, lambda: self._ask(connection, partner, interface))

    def _ask(self, connection: Connection, partner: Partner, interface: str) -> bool:
        """The answers that wait for a partner will leave: asked once for all those of a transaction."""
        payload = {"partner": partner.matricule, "interface": interface}
        key = f"{BATCH}:{uuid4().hex}"
        jobs.add(connection, queue=BATCH, key=key, payload=payload, now=self.actor.clock())
        return True

    async def batch(self, jobs: list[Job]) -> Outcome:
        """The answers that wait for these partners leave, an envelope each; none, when an earlier batch took them."""
        due = sorted({(job.payload["partner"], job.payload["interface"]) for job in jobs})
        return Outcome(lambda connection: self._batches(connection, due))

    def _batches(self, connection: Connection, due: list[tuple[str, str]]) -> None:
        for matricule, interface in due:
            self._batch(connection, matricule, interface)

    def _batch(self, connection: Connection, matricule: str, interface: str) -> None:
        """As many answers as go together leave in one envelope; what is left is asked for again."""
        partner, most = (
            self.partner(connection, matricule),
            self.limits.at(Limit.ANSWERS, paris_day(self.actor.clock())),
        )
        waiting = (
            select(outgoing_object.c.id, outgoing_object.c.file_name, outgoing_object.c.sha256)
            .where(outgoing_object.c.partner == matricule, outgoing_object.c.interface == interface)
            .where(outgoing_object.c.flow_name.is_(None))
            .order_by(outgoing_object.c.id)
            .limit(most)
        )
        rows = connection.execute(waiting).all()
        if not rows or partner is None:
            return
        files = {row.file_name: self.actor.documents.get(row.sha256) for row in rows}
        name = self.new_name(connection, partner, interface)
        self.send(connection, partner, name, files)
        sent = outgoing_object.c.id.in_([row.id for row in rows])
        connection.execute(update(outgoing_object).where(sent).values(flow_name=str(name)))
        if len(rows) == most:
            self._ask(connection, partner, interface)

    def new_name(self, connection: Connection, partner: Partner, interface: str) -> FlowName:
        """Return a name for a flow that the portal begins: the partner's code, then our own sequence."""
        number = sequences.draw(connection, "flow")
        code = partner.application_code
        return FlowName.numbered(interface, application_code=code, number=number, emitter=self.application_code)

    def send(self, connection: Connection, partner: Partner, name: FlowName, files: dict[str, bytes]) -> None:
        """The envelope will be at the partner's, after those of its kind."""
        self.send_packed(connection, partner, name, self.actor.documents.put(flow_archive.pack(files)))

    def send_packed(self, connection: Connection, partner: Partner, name: FlowName, sha256: str) -> None:
        """The envelope, a document already, will be at the partner's, after those of its kind."""
        now = self.actor.clock()
        row = {
            "name": str(name),
            "direction": "Out",
            "interface": name.interface,
            "application_code": name.application_code,
            "identifier": name.flow_identifier,
            "partner": partner.matricule,
            "state": "sent",
            "details": [],
            "sha256": sha256,
            "created_at": now,
        }
        connection.execute(insert(partner_flow).values(row))
        self._carry(connection, partner, name, sha256, identifier=str(name))

    def _carry(self, connection: Connection, partner: Partner, name: FlowName, sha256: str, *, identifier: str) -> None:
        message = Message(
            id=identifier,
            kind=Kind.FLOW,
            sender=self.identifier,
            recipient=partner.matricule,
            name=name.archive,
            sha256=sha256,
        )
        if declared(connection, partner.application_code).protocol == SFTP:
            self._lay_out(connection, partner, message)
        else:
            self.post.send(connection, message, lane=name.interface)

    def _lay_out(self, connection: Connection, partner: Partner, message: Message) -> None:
        """The flow will lie where the partner fetches (`partner_areas`)."""
        row = {
            "application_code": partner.application_code,
            "file_name": message.name,
            "sha256": message.sha256,
            "ready_at": self.actor.clock(),
        }
        gathered.add(connection, retrieval, row)


_INTERFACE = re.compile(r"F[A-Z]{2}[0-9]{4}[A-Z]")
UNKNOWN_INTERFACE = "CFE0000A"
"""The answer to a flow whose interface cannot be read: no code is published for it (ours)."""


def answering_interface(file: str) -> str:
    """Return the interface of the answer to a flow whose name cannot be read: its own if it begins by one.

    >>> answering_interface("FFE0111A_x.tar.gz"), answering_interface("facture.xml")
    ('CFE0111A', 'CFE0000A')
    """
    match = _INTERFACE.match(file)
    return f"C{match[0][1:]}" if match else UNKNOWN_INTERFACE
