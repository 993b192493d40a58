"""An envelope comes to the portal: named, opened, read; one bad file makes the whole of it irreceivable."""

import gzip
import io
import tarfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.platform.world import SELLER, World, service
from tests.portal.envelopes import (
    STATUSES,
    UBL,
    acknowledgement,
    answers,
    data_file,
    new_name,
    reasons,
    send,
    status,
    status_file,
    turned_away,
)

from estafette.exchange.messages import Kind, Message
from estafette.formats import flow_archive
from estafette.formats.envelope import FlowName
from estafette.portal import alarms
from estafette.portal.tables import invoice_data, partner_flow
from estafette.store.worker import Later, Never
from estafette.values import limits


def archive(name: str, content: bytes, **member: object) -> bytes:
    """Make an archive by hand, with what `flow_archive.pack` would refuse."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for field, value in member.items():
            setattr(info, field, value)
        made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def good(world: World) -> bytes:
    """Return an envelope that would be taken."""
    return flow_archive.pack(dict([data_file(world.number("E"))]))


def bomb() -> bytes:
    """Return a small archive that swells past the bound."""
    limit = limits.FILE_BYTES_MAX + 1
    return gzip.compress(tarfile_header("Base_bomb.xml", limit) + b"\0" * (limit + 1024), 9)


def tarfile_header(name: str, size: int) -> bytes:
    """Return the header of a member."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf()


BAD: dict[str, tuple[str, Callable[[World], bytes]]] = {
    "truncated": ("IRR_EXTRAC", lambda world: good(world)[:-30]),
    "not an archive": ("IRR_EXTRAC", lambda _world: service("X")),
    "empty": ("IRR_VIDE", lambda _world: b""),
    "no file": ("IRR_VIDE", lambda _world: gzip.compress(b"\0" * 1024)),
    "traversal": ("IRR_NOM_F", lambda _world: archive("../../Base_x.xml", b"<a/>")),
    "absolute": ("IRR_NOM_F", lambda _world: archive("/etc/Base_x.xml", b"<a/>")),
    "link": ("IRR_TYPE_F", lambda _world: archive("Base_x.xml", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "bomb": ("IRR_TAILLE_F", lambda _world: bomb()),
    "empty file": ("IRR_VIDE_F", lambda _world: archive("Base_x.xml", b"")),
    "no profile in the name": ("IRR_NOM_F", lambda _world: archive("x.xml", data_file("X")[1])),
    "profile in small letters": ("IRR_NOM_F", lambda _world: archive("base_x.xml", data_file("X")[1])),
    "another type": ("IRR_TYPE_F", lambda _world: archive("Base_x.pdf", b"%PDF-1.7")),
    "not XML": ("IRR_TYPE_F", lambda _world: archive("Base_x.xml", b"number;amount\n1;2\n")),
    "XML of another kind": ("IRR_TYPE_F", lambda _world: archive("Base_x.xml", b"<catalogue/>")),
    "a whole invoice": ("IRR_SYNTAX", lambda _world: archive("Base_x.xml", service("X"))),
    "entity bomb": (
        "IRR_SYNTAX",
        lambda _world: archive("Base_x.xml", b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'),
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_irreceivable(world: World, what: str) -> None:
    """A flow that cannot be used is answered by 501, the code and the place, and leaves nothing behind."""
    code, make = BAD[what]
    before = world.count("portal", invoice_data)
    message = acknowledgement(world, send(world, make(world)))
    assert message.status == "501"
    assert message.reason_codes == (code,)
    assert world.count("portal", invoice_data) == before


def test_one_bad_file_among_good_ones(world: World) -> None:
    """One bad file makes the whole flow irreceivable: the good ones are not taken, nor answered."""
    numbers = [world.number("E"), world.number("E")]
    files = dict(data_file(number) for number in numbers) | {"Base_broken.xml": b"<Invoice"}
    message = acknowledgement(world, send(world, files))
    assert (message.status, message.reason_codes) == ("501", ("IRR_SYNTAX",))
    assert message.details[0].notes[0].subject_code == "Base_broken.xml"
    assert [answers(world, number) for number in numbers] == [[], []]
    assert [world.told(number) for number in numbers] == ["", ""]


def test_irreceivable_as_the_platform_sees_it(world: World) -> None:
    """The platform whose flow was damaged sees it irreceivable, and why, beside the invoice."""
    number = world.number()
    world.wire.change = lambda message, body: body[:-30] if message.name.startswith(UBL) else body
    world.deposit(service(number))
    row = world.declaration(SELLER, number)
    assert row["state"] == "irreceivable"
    assert row["details"][0]["reason"] == "IRR_EXTRAC"
    assert "tronquée" in row["details"][0]["fr"]
    (flow,) = world.sql("platform-a", "SELECT state FROM portal_flow WHERE name = :flow", flow=row["flow_name"])
    assert flow["state"] == "irreceivable"
    assert world.told(number) == "200", "the status went in its own flow"


@pytest.mark.parametrize("interface", ["FFE9999Z", "FFE0604A", "FFE1435A"])
def test_interface_not_served(world: World, interface: str) -> None:
    """A well-formed name of an interface that is unknown, or not the portal's to take, is answered so."""
    message = acknowledgement(world, send(world, good(world), interface))
    assert (message.status, message.reason_codes) == ("501", ("IRR_CODE_INTER",))
    assert interface in message.comments[0]


UNREADABLE = "X" * 20


@pytest.mark.parametrize(
    ("file", "code", "about"),
    [
        ("flux", "IRR_FORM", UNREADABLE),
        ("FFE0111A.tar.gz", "IRR_FORM", UNREADABLE),
        ("ffe0111a_pa0003_pa00030111000000000900000.tar.gz", "IRR_FORM", UNREADABLE),
        ("FFE0111A_PA0003_PA0003011100000000090000.tar.gz", "IRR_FORM", UNREADABLE),
        ("FFE0111A_PA0003_PA00030111000000000900000.zip", "IRR_TYPE", "PA00030111000000000900000"),
        ("../FFE0111A_PA0003.tar.gz", "IRR_FORM", UNREADABLE),
        ("FFE0111A_PA0005_PA00050111000000000900000.tar.gz", "IRR_CODE_APP", "PA00050111000000000900000"),
        ("FFE0111A_AAA123_AAA1230111000000000900000.tar.gz", "IRR_CODE_APP", "AAA1230111000000000900000"),
        ("FFE0111A_PA0003_PA00050111000000000900000.tar.gz", "IRR_FORM", "PA00050111000000000900000"),
        ("FFE0604A_PA0003_PPF0010604000000000900000.tar.gz", "IRR_FORM", "PPF0010604000000000900000"),
    ],
)
def test_name_that_is_turned_away(world: World, file: str, code: str, about: str) -> None:
    """A flow under a bad name, or another's connection, is not entered: answered by 501, its file name quoted."""
    world.wire.reset()
    before = world.count("portal", partner_flow)
    send(world, good(world), file=file)
    message = turned_away(world, file)
    assert (message.reason_codes, message.object_identifier) == ((code,), about)
    assert world.count("portal", partner_flow) == before


def test_a_flow_twice(world: World) -> None:
    """A flow whose identifier was had is turned away (501), and what the first brought stays as it was."""
    world.wire.reset()
    number = world.number("E")
    files = dict([data_file(number)])
    name = send(world, files)
    again = dict([data_file(world.number("E"))])
    send(world, again, file=name.archive)
    assert turned_away(world, name.archive).object_identifier == name.flow_identifier
    other = f"{STATUSES}{str(name)[8:]}.tar.gz"
    send(world, again, file=other)
    assert turned_away(world, other).reason_codes == ("IRR_UNICITE",), "whatever the interface (G7.33)"
    assert acknowledgement(world, name).status == "500"
    assert world.told(number) == "F1"


def answered(world: World) -> FlowName:
    """Return a flow of the portal that its platform has acknowledged."""
    send(world, good(world))
    ours = (partner_flow.c.interface == "FFE0604A", partner_flow.c.partner == "0003")
    rows = world.rows("portal", select(partner_flow.c.name).where(*ours, partner_flow.c.state == "receivable"))
    return FlowName.parse(rows[0]["name"])


def test_an_answer_twice_or_misnamed(world: World) -> None:
    """What a platform answers is never answered: the same one again changes nothing, one of nothing is refused."""
    name = answered(world).acknowledgement
    had = select(partner_flow).where(partner_flow.c.name.in_((str(name), str(name.acknowledged))))
    before = world.rows("portal", had)
    file = {f"{name}.xml": b"<a/>"}
    send(world, file, file=name.archive)
    assert (world.rows("portal", had), len(before)) == (before, 2)
    with pytest.raises(Never, match=r"^IRR_TYPE"):
        send(world, file, file=f"{name}.zip")
    with pytest.raises(Never, match=r"^IRR_FORM"):
        send(world, file, file="CFE0604A_PA0003_PPF0010604000000000900001.tar.gz")
    own = send(world, good(world))
    with pytest.raises(Never, match=r"^IRR_FORM"):  # the portal's own answer has that name
        send(world, file, file=own.acknowledgement.archive)


def test_what_a_platform_says_of_our_flows(own_world: World) -> None:
    """A flow of the portal is known to be receivable once its platform says so; refused, the operator is told why."""
    world = own_world
    hall, actor = world.hall, world.running["portal"].actor
    mine = select(partner_flow).where(partner_flow.c.direction == "Out", partner_flow.c.interface == "FFE0604A")
    with actor.database.begin() as connection:
        partner = hall.partner(connection, "0003")
        assert partner is not None
        bad = hall.new_name(connection, partner, "FFE0604A")
        hall.send(connection, partner, bad, {"x.xml": b"<a/>"})
    send(world, good(world))
    states = {row["name"]: row for row in world.rows("portal", mine)}
    refused = states.pop(str(bad))
    assert (refused["state"], refused["details"][0][0]) == ("irreceivable", "IRR_TYPE_F")
    assert {row["state"] for row in states.values()} == {"receivable"}
    assert all(row["answered_at"] for row in states.values())
    with actor.database.read() as connection:
        told = [one for one in alarms.conditions(connection, world.clock()) if one.kind == "refused"]
        later = list(alarms.conditions(connection, world.clock() + timedelta(days=8)))
    assert [one.subject for one in told] == ["0003/FFE0604A"]
    assert str(bad) in told[0].fr
    assert "IRR_TYPE_F" in told[0].en
    assert later == []


def test_the_same_message_twice(world: World) -> None:
    """The same message again is the same flow: answered once."""
    number = world.number("E")
    name = new_name(UBL)
    files = dict([data_file(number)])
    send(world, files, file=name.archive, identifier=str(name))
    send(world, files, file=name.archive, identifier=str(name))
    assert len(answers(world, number)) == 1


def test_a_single_status_without_archive(world: World) -> None:
    """A status may come as a plain file; data may not."""
    number = world.number("E")
    file = new_name(STATUSES)
    send(world, status_file(status(number, "200"))[1], STATUSES, file=f"{file}.xml")
    assert acknowledgement(world, file).status == "500"
    assert world.told(number) == "200"
    file = new_name(UBL)
    send(world, data_file(number)[1], UBL, file=f"{file}.xml")
    assert reasons(acknowledgement(world, file)) == [("IRR_TYPE", "")]


def test_unsigned_or_unknown_sender(world: World) -> None:
    """A flow that its sender did not sign, or that comes from nobody known, is not even kept."""
    before = world.count("portal", partner_flow)
    for sender, key in (("0003", "platform-b"), ("0042", "platform-a")):
        name = new_name(UBL)
        message = Message(str(name), Kind.FLOW, sender, "PPF", name.archive, "0" * 64)
        with pytest.raises(Later, match="unknown sender or wrong signature"):
            world.wire.hand(message, good(world), key=world.running[key])
    world.work()
    assert world.count("portal", partner_flow) == before


def test_an_acknowledgement_is_never_acknowledged(world: World) -> None:
    """What a platform answers to the portal ends there."""
    world.deposit(service(world.number()))
    sent = [FlowName.parse(message.name) for message in world.wire.crossed if message.kind is Kind.FLOW]
    acknowledged = {str(name.acknowledged) for name in sent if name.is_acknowledgement}
    assert acknowledged == {str(name) for name in sent if not name.is_acknowledgement}
