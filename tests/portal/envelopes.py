"""Envelopes that a platform sends to the portal, good and bad, and what the portal answers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import count

from sqlalchemy import select
from tests.platform.world import SELLER, TODAY, World, service

from estafette.circuit.network import PORTAL
from estafette.exchange.messages import Kind, Message
from estafette.formats import cdar, flow_archive, flux1, read
from estafette.formats.envelope import FlowName
from estafette.formats.status_message import Characteristic, Detail, Note, Role, StatusMessage
from estafette.lifecycle.messages import (
    GUIDELINES,
    InvoiceReference,
    between_platforms,
    company_party,
    for_portal,
    platform_party,
)
from estafette.lifecycle.statuses import ObjectKind
from estafette.portal.intake_tables import refused_flow
from estafette.portal.tables import outgoing_object, partner_flow
from estafette.values.moments import PARIS

UBL, CII, STATUSES, REPORTS = "FFE0111A", "FFE0112A", "FFE0614A", "FFE1025A"
NUMBERS = count(900_000)

DETAILS = {
    "210": (Detail(reason_code="TX_TVA_ERR", notes=(Note("Taux attendu : 20 %"),)),),
    "212": (
        Detail(
            characteristics=(
                Characteristic(type_code="MEN", amount=2400, currency="EUR", percent=20, changed=False),  # type: ignore[arg-type]
            )
        ),
    ),
    "213": (Detail(reason_code="REJ_SEMAN", notes=(Note("Total faux"),)),),
    "207": (Detail(reason_code="TX_TVA_ERR", notes=(Note("Taux faux"),)),),
}
"""What goes with each status."""


def data_file(number: str, **terms: object) -> tuple[str, bytes]:
    """Return the name and bytes of the regulatory data of an invoice under this number."""
    return flux1.build(read(service(number, **terms)), profile=flux1.Profile.BASE)


def status(number: str, code: str, *, identifier: str = "", at: int = 0, **changes: object) -> StatusMessage:
    """Return a status for the portal, set at a minute of the day; `changes` are those of the message once made."""
    set_at = datetime(TODAY.year, TODAY.month, TODAY.day, 6, at, tzinfo=PARIS)
    made = between_platforms(
        code if code in ("200", "210", "212", "213") else "200",
        identifier=identifier or f"FFE0614A_PA0003_{next(NUMBERS):019d}",
        invoice=InvoiceReference(
            number=number, type_code="380", issue_date=date(2026, 9, 14), seller_siren=SELLER, received_at=set_at
        ),
        issuer=_issuer(code),
        recipients=(),
        set_at=set_at,
        issued_at=set_at,
        details=DETAILS.get(code, ()),
    )
    message = for_portal(made, identifier=made.identifier, platform="0003", platform_name="Relais Atlantique")
    return replace(message, status=code, **changes)  # type: ignore[arg-type]


def _issuer(code: str) -> object:
    roles = {"210": Role.BUYER, "212": Role.SELLER}
    return company_party(roles[code], "200000008", name="Société") if code in roles else platform_party()


def status_file(message: StatusMessage) -> tuple[str, bytes]:
    """Return a status as a file of an envelope."""
    return f"{message.identifier}.xml", cdar.write(message)


def new_name(interface: str, *, code: str = "PA0003") -> FlowName:
    """Return a name that no flow has had."""
    return FlowName.numbered(interface, application_code=code, number=next(NUMBERS))


def send(
    world: World,
    content: Mapping[str, bytes] | bytes,
    interface: str = UBL,
    *,
    file: str | None = None,
    identifier: str | None = None,
    by: str = "platform-a",
) -> FlowName:
    """The platform has sent an envelope and the portal has answered; returns its name. Raises: Never, Later."""
    name = new_name(interface)
    body = content if isinstance(content, bytes) else flow_archive.pack(content)
    file = file or name.archive
    sender = world.running[by].actor.identifier
    message = Message(identifier or f"m{next(NUMBERS)}", Kind.FLOW, sender, PORTAL, file, "0" * 64)
    world.wire.hand(message, body, key=world.running[by])
    world.work()
    return name


def acknowledgement(world: World, name: FlowName) -> StatusMessage:
    """Return what the portal said of a flow."""
    query = select(partner_flow.c.sha256).where(partner_flow.c.name == str(name.acknowledgement))
    (row,) = world.rows("portal", query)
    ((_file, content),) = _opened(world, name.acknowledgement, row["sha256"])
    message = cdar.read(content)
    assert_annex_2(message, ObjectKind.FLOW)
    assert message.object_identifier == name.flow_identifier
    assert message.recipients == ()
    return message


def turned_away(world: World, file: str) -> StatusMessage:
    """Return what the portal said of a flow that it did not enter under its name; its platform was sent it."""
    query = select(refused_flow).where(refused_flow.c.file_name == file).order_by(refused_flow.c.id.desc())
    row = world.rows("portal", query)[0]
    documents = world.running["portal"].actor.documents
    assert documents.get(row["sha256"]), "the original is kept"
    sent = [message for message in world.wire.crossed if message.sha256 == row["answer_sha256"]]
    assert [message.recipient for message in sent] == [row["partner"]]
    ((name, content),) = flow_archive.unpack(sent[0].name, documents.get(row["answer_sha256"]))
    assert name == f"{sent[0].name.removesuffix('.tar.gz')}.xml"
    assert FlowName.parse(sent[0].name).is_acknowledgement
    message = cdar.read(content)
    assert_annex_2(message, ObjectKind.FLOW)
    assert (message.status, message.flow_name, message.reason_codes) == ("501", file, (row["code"],))
    return message


def _opened(world: World, name: FlowName, sha256: str) -> list[tuple[str, bytes]]:
    return list(flow_archive.unpack(name.archive, world.running["portal"].actor.documents.get(sha256)))


def answers(world: World, about: str) -> list[StatusMessage]:
    """Return what the portal said of an object, the first first; each left in an envelope."""
    rows = world.rows("portal", select(outgoing_object).order_by(outgoing_object.c.id))
    read_ones = [(row, cdar.read(world.running["portal"].actor.documents.get(row["sha256"]))) for row in rows]
    mine = [(row, message) for row, message in read_ones if message.object_identifier == about]
    for row, message in mine:
        assert row["flow_name"], "the answer has left"
        assert_annex_2(message, KINDS[message.status[:2]])
        assert [party.identifier("0238") for party in message.recipients] == [row["partner"]]
    return [message for _row, message in mine]


KINDS = {"25": ObjectKind.INVOICE_DATA, "30": ObjectKind.TRANSMISSION, "60": ObjectKind.STATUS}
TYPES = {"500": "303", "501": "303", "250": "304", "251": "304", "300": "304", "301": "304", "601": "305"}
"""What an answer is about, by its status (annex 2)."""


def answer(world: World, about: str) -> StatusMessage:
    """Return the only thing the portal said of an object."""
    (message,) = answers(world, about)
    return message


def assert_annex_2(message: StatusMessage, kind: ObjectKind) -> None:
    """Check that an answer of the portal carries what annexes 2 and 7 ask.

    That is G7.06, G7.08, G7.14, G7.15, G7.18, G7.19, G7.22, G7.23, G7.29, G7.31, G7.32, G7.46, G7.54 and G1.114.
    """
    assert message.guideline == message.object_reference_type == GUIDELINES[kind]
    assert 0 < len(message.identifier) <= 50
    assert 0 < len(message.name) <= 150
    assert (message.sender.role, message.sender.identifier("0238")) == (Role.PORTAL, "0000")
    assert message.issuer.identifiers
    assert message.received_at is not None
    assert message.object_type == TYPES[message.status]
    if kind is not ObjectKind.FLOW:
        assert message.object_issued is not None
        assert [held.scheme for held in message.object_issuers].count("0002") == 1
    rejects = message.status in ("501", "251", "301", "601")
    assert bool(message.details) == rejects
    assert [detail.sequence for detail in message.details] == list(range(1, len(message.details) + 1))
    for detail in message.details:
        assert detail.reason_code
        assert 0 < len(detail.reason) <= 250
        (note,) = detail.notes
        assert " / " in note.content, "in French and in English"
        assert note.subject_code


def reasons(message: StatusMessage) -> list[tuple[str, str]]:
    """Return the reasons of an answer, each with the rule behind it."""
    return [(detail.reason_code, detail.notes[0].content_code) for detail in message.details]
