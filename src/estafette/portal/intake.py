"""A flow comes to the portal: it is entered under its name, or turned away and answered so (ppf-flows.md §6, §8).

What decides is the name, the connection and what came before; nothing of the content is read here. A name that cannot
be entered is answered as any irreceivable flow is, by 501: under its own identifier when it has one, else under a
number of the portal's, quoting the file name (MDT-76, annex 7 G7.22, G1.114).
"""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from estafette.exchange.messages import Message
from estafette.exchange.post import Refused
from estafette.formats.envelope import FlowName, Irreceivable
from estafette.lifecycle.guards import Refusal
from estafette.portal.hall import Hall, Partner, answering_interface
from estafette.portal.intake_tables import refused_flow, sequence_gap
from estafette.portal.partners import declared
from estafette.portal.tables import partner_flow
from estafette.portal.tally import Tally, count
from estafette.store import gathered, jobs
from estafette.values.moments import paris_day

CONTROL = "control"
REPORTS = "FFE1025A"
CONTROL_REPORTS = "control-reports"
"""The queue of e-reporting, whose files take the engine of rules long (`reports`)."""

UPDATES = "FFE1235A"
CONTROL_UPDATES = "control-updates"
"""The queue of the updates of the directory (`updates`)."""

ACKNOWLEDGED = "acknowledged"
"""The queue of what partners answer to the portal's own flows (`acknowledged`)."""

QUEUES = {REPORTS: CONTROL_REPORTS, UPDATES: CONTROL_UPDATES}
"""The interfaces that are controlled in a queue of their own; the others are in `control`."""

FLOWS_LOOKED_AT = 100
"""The last flows of a partner among which the highest number is looked for."""


def keep(hall: Hall, connection: Connection, message: Message) -> None:
    """The flow is had; it will be controlled after those of its kind from the same partner, or is answered by 501.

    Raises: Refused, when nobody is there to answer: a platform that has no connection.
    """
    partner = hall.partner(connection, message.sender)
    if partner is None:
        fr, en = f"pas de raccordement pour {message.sender}.", f"no connection for {message.sender}."
        raise Refused(422, f"IRR_CODE_APP: {fr} / {en}")
    try:
        name = _entered(hall, connection, partner, message.name)
    except Irreceivable as reason:
        _turn_away(hall, connection, partner, message, reason)
        return
    if name is not None:
        _enter(hall, connection, partner, message, name)


def _entered(hall: Hall, connection: Connection, partner: Partner, file: str) -> FlowName | None:
    """Return the name of a flow that may be entered; None for an answer had already. Raises: Irreceivable."""
    name = FlowName.parse(file)
    if partner.application_code != name.application_code:
        fr = f"{name.application_code} n'est pas le raccordement de {partner.matricule}."
        raise Irreceivable("IRR_CODE_APP", fr, f"{name.application_code} is not the connection of {partner.matricule}.")
    _check_emitter(hall, name)
    same = partner_flow.c.interface.startswith("C" if name.is_acknowledgement else "F", autoescape=True)
    had = select(partner_flow.c.name).where(
        partner_flow.c.direction == "In", partner_flow.c.identifier == name.flow_identifier, same
    )
    if connection.execute(had).first():
        if name.is_acknowledgement:
            return None
        raise Irreceivable("IRR_UNICITE", f"Flux {name} déjà reçu.", f"Flow {name} already received.")
    if name.is_acknowledgement:
        _check_answered(connection, partner, name)
    else:
        _check_connection(hall, connection, partner, name)
    return name


def _check_emitter(hall: Hall, name: FlowName) -> None:
    """The identifier begins by the code of who gave it: the partner, or the portal when it is answered (G7.33).

    Else a partner could use up the identifiers of others, or those of what the portal sends. Raises: Irreceivable.
    """
    emitter = hall.application_code if name.is_acknowledgement else name.application_code
    if name.emitter != emitter:
        fr = f"L'identifiant {name.flow_identifier} ne commence pas par {emitter}, le code de son émetteur."
        en = f"Identifier {name.flow_identifier} does not begin by {emitter}, the code of its emitter."
        raise Irreceivable("IRR_FORM", fr, en)


def _check_answered(connection: Connection, partner: Partner, name: FlowName) -> None:
    """The flow that is answered was sent to this partner: answers have no quota, and are kept. Raises: Irreceivable."""
    sent = select(partner_flow.c.name).where(
        partner_flow.c.name == str(name.acknowledged),
        partner_flow.c.direction == "Out",
        partner_flow.c.partner == partner.matricule,
    )
    if connection.execute(sent).first() is None:
        fr, en = f"{name} ne répond à aucun flux du portail.", f"{name} answers no flow of the portal."
        raise Irreceivable("IRR_FORM", fr, en)


def _check_connection(hall: Hall, connection: Connection, partner: Partner, name: FlowName) -> None:
    """The connection holds today, and is subscribed to the interface. Raises: Irreceivable."""
    said = declared(connection, partner.application_code)
    if not said.is_valid(paris_day(hall.actor.clock())):
        fr = f"Le raccordement {partner.application_code} a pris fin le {said.until}."
        raise Irreceivable("IRR_CODE_APP", fr, f"Connection {partner.application_code} ended on {said.until}.")
    if not said.takes(name.interface):
        fr = f"Le raccordement {partner.application_code} n'est pas abonné à {name.interface}."
        en = f"Connection {partner.application_code} is not subscribed to {name.interface}."
        raise Irreceivable("IRR_CODE_INTER", fr, en)


def _enter(hall: Hall, connection: Connection, partner: Partner, message: Message, name: FlowName) -> None:
    now = hall.actor.clock()
    if not name.is_acknowledgement:
        _note_gap(hall, connection, partner, name)
    row: dict[str, object] = {
        "name": str(name),
        "direction": "In",
        "interface": name.interface,
        "application_code": name.application_code,
        "identifier": name.flow_identifier,
        "partner": message.sender,
        "state": "noted" if name.is_acknowledgement else "received",
        "details": [],
        "sha256": message.sha256,
        "created_at": now,
    }
    connection.execute(insert(partner_flow).values(row))
    payload = {"file": message.name, "partner": message.sender, "sha256": message.sha256}
    lane = f"{CONTROL}:{message.sender}:{name.interface}"
    queue = ACKNOWLEDGED if name.is_acknowledgement else QUEUES.get(name.interface, CONTROL)
    jobs.add(connection, queue=queue, key=f"{CONTROL}:{name}", lane=lane, payload=payload, now=now)


def _note_gap(hall: Hall, connection: Connection, partner: Partner, name: FlowName) -> None:
    """Numbers of the partner's sequence that are missing before this flow are noted; no rule forbids them (§5)."""
    lately = select(partner_flow.c.identifier).where(
        partner_flow.c.partner == partner.matricule,
        partner_flow.c.direction == "In",
        partner_flow.c.interface.startswith("F", autoescape=True),
    )
    last = connection.execute(lately.order_by(partner_flow.c.created_at.desc()).limit(FLOWS_LOOKED_AT)).scalars()
    numbers = [number for number in map(number_of, last) if number is not None]
    number = number_of(name.flow_identifier)
    if number is None or not numbers or number <= max(numbers) + 1:
        return
    row = {
        "partner": partner.matricule,
        "flow_name": str(name),
        "missing": min(number - max(numbers) - 1, 2**31 - 1),
        "recorded_at": hall.actor.clock(),
    }
    gathered.add(connection, sequence_gap, row)


def number_of(identifier: str) -> int | None:
    """Return the number of a flow identifier: its last fifteen characters, as AIFE recommends; None without digits.

    >>> number_of("AAA1230111000000000000042"), number_of("AAA123ABCDEFGHIJKLMNOPQRS")
    (42, None)
    """
    digits = identifier[-15:]
    return int(digits) if digits.isdecimal() else None


def note_refused(connection: Connection, matricule: str, message: Message, reason: str, *, now: datetime) -> None:
    """What nobody is answered about, an answer that is none, is kept apart for the operator; it is one of the hour."""
    row = {
        "file_name": message.name,
        "partner": matricule,
        "code": reason.partition(":")[0][:20],
        "sha256": message.sha256,
        "answer_sha256": "",
        "recorded_at": now,
    }
    connection.execute(insert(refused_flow).values(row))


def _turn_away(hall: Hall, connection: Connection, partner: Partner, message: Message, reason: Irreceivable) -> None:
    """The flow is kept apart and its partner is answered, unless it was itself an answer."""
    name = FlowName.in_front_of(message.name)
    if name is not None and name.is_acknowledgement:
        raise Refused(422, str(reason))
    refusal = Refusal(reason.code, "", reason.reason_fr, reason.reason_en, (message.name[:100],))
    row = {
        "file_name": message.name,
        "partner": partner.matricule,
        "code": reason.code,
        "sha256": message.sha256,
        "recorded_at": hall.actor.clock(),
    }
    answer_sha256 = hall.turn_away(connection, partner, message.name, name, refusal)
    connection.execute(insert(refused_flow).values({**row, "answer_sha256": answer_sha256}))
    tally = Tally()
    tally.turn_away((refusal,))
    where = (partner.matricule, f"F{answering_interface(message.name)[1:]}")
    count(connection, where, tally, lag_ms=0, now=hall.actor.clock())
