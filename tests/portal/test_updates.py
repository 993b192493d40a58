"""Updates of the directory (F13): object by object, each answered with its code; nothing happens twice."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from tests.platform.world import BUYER, SELLER, TODAY, World, party, service
from tests.portal.envelopes import acknowledgement, new_name, reasons, send, turned_away

from estafette.directory import DirectoryLine, RoutingCode
from estafette.formats import cdar
from estafette.formats.directory_update import Update, write_update
from estafette.formats.envelope import FlowName
from estafette.formats.status_message import StatusMessage
from estafette.invoice.model import Identifier
from estafette.portal import holdings, watch
from estafette.portal.tables import directory_change, outgoing_object
from estafette.portal.watch_tables import flow_hour

UPDATES = "FFE1235A"
TOMORROW = TODAY + timedelta(days=1)
LINE = DirectoryLine(siren=BUYER, suffix="ACHATS", matricule="0003", start=TOMORROW)


def answers(world: World, flow: FlowName) -> list[StatusMessage]:
    """Return what the portal said of the objects of an update, in their order; each left in an envelope."""
    rows = world.rows("portal", select(outgoing_object).order_by(outgoing_object.c.id))
    documents = world.running["portal"].actor.documents
    read = [(row, cdar.read(documents.get(row["sha256"]))) for row in rows if row["interface"] == "FFE0634A"]
    assert all(row["flow_name"] for row, _message in read), "the answers have left"
    return [message for _row, message in read if message.object_identifier == flow.flow_identifier]


def update(world: World, *asked: DirectoryLine, codes: tuple[RoutingCode, ...] = (), by: str = "0003") -> FlowName:
    """The platform has sent an update of these."""
    name = new_name(UPDATES, code=f"PA{by}")
    content = {"F13.xml": write_update(Update(codes, asked))}
    send(world, content, UPDATES, file=name.archive, by={"0003": "platform-a", "0005": "platform-b"}[by])
    return name


def lines(world: World, address: str) -> list[DirectoryLine]:
    """Return the lines of an address that count."""
    with world.hall.actor.database.read() as connection:
        return holdings.lines(connection, address)


def test_each_object_has_its_answer(own_world: World) -> None:
    """What is right is done, whatever else is wrong in the file: 400 and 401, each with its place in the file."""
    world = own_world
    wrong = replace(LINE, suffix="VENTES", matricule="9998")
    overlapping = DirectoryLine(siren=BUYER, matricule="0003", start=TOMORROW)
    flow = update(world, LINE, wrong, overlapping)
    assert acknowledgement(world, flow).status == "500"
    said = answers(world, flow)
    assert [message.status for message in said] == ["400", "401", "401"]
    assert [reasons(message) for message in said] == [[], [("REJ_VAL_INC", "G1.112")], [("REJ_COH", "G1.86")]]
    assert [detail.notes[0].subject_code for message in said for detail in message.details] == ["2", "3"]
    (note,) = said[1].details[0].notes
    assert note.content.startswith("IdPlateforme G1.112 : IdPlateforme (DT-7-6) : vu « 9998 »")
    assert {message.object_type for message in said} == {"306"}
    assert said[0].name == f"LigneAnnuaire 1 {LINE.address} {TOMORROW:%Y%m%d}_400"
    assert [message.object_issuers[0].value for message in said] == [BUYER] * 3
    (held,) = lines(world, LINE.address)
    assert (held.matricule, held.start) == ("0003", TOMORROW)
    (count,) = world.rows("portal", select(flow_hour).where(flow_hour.c.interface == UPDATES))
    assert (count["partner"], count["flows"], count["objects"], count["rejected"]) == ("0003", 1, 3, 2)


def test_an_update_is_counted(own_world: World) -> None:
    """The watch desk sees the flow, its objects, those refused and why, as of any other."""
    world = own_world

    def seen() -> tuple[list[tuple[int, int, int, int]], dict[tuple[str, str], int]]:
        with world.hall.actor.database.read() as connection:
            view = watch.look(connection, now=world.clock.now, partner="0003")
        counts = [(one.flows, one.irreceivable, one.objects, one.rejected) for one in view.totals
                  if one.interface == UPDATES]  # fmt: skip
        return counts, {(one.code, one.rule): one.count for one in view.causes if one.interface == UPDATES}

    before = seen()[0] or [(0, 0, 0, 0)]
    update(world, LINE, replace(LINE, suffix="VENTES", matricule="9998"))
    send(world, {"F13.xml": b"<AnnuaireActualisation/>"}, UPDATES)
    (after,), causes = seen()
    assert tuple(now - then for now, then in zip(after, before[0], strict=True)) == (2, 1, 2, 1)
    assert (causes["REJ_VAL_INC", "G1.112"], causes["IRR_SYNTAX", ""]) == (1, 1)


def test_who_and_by_what_is_kept(own_world: World) -> None:
    """The history of a line tells which platform made it, by which flow."""
    flow = update(own_world, LINE)
    changes = own_world.rows("portal", select(directory_change).order_by(directory_change.c.id.desc()))
    assert (changes[0]["author"], changes[0]["source"], changes[0]["message"]) == ("0003", "f13", str(flow))


def test_from_the_update_to_the_invoice(own_world: World) -> None:
    """The day after the update, an invoice to the new address is delivered by the platform that declared it."""
    world = own_world
    world.deposit(service("F1", buyer=party(BUYER, address=LINE.address)))
    assert world.statuses(SELLER, "F1") == "213:REJ_ADR"
    update(world, replace(LINE, matricule="0005"), by="0005")
    world.clock.now += timedelta(days=1)
    world.work()
    world.deposit(service("F2", buyer=party(BUYER, address=LINE.address)))
    assert world.statuses(SELLER, "F2") == "200 201 202 203"


def test_routing_codes_come_first(own_world: World) -> None:
    """A code created by a file serves its lines; its own answer names it."""
    world = own_world
    with world.hall.actor.database.read() as connection:
        siret = holdings.establishments_of(connection, BUYER)[0].siret
    code = RoutingCode(siret=siret, code="S1", name="Service 1")
    flow = update(world, replace(LINE, suffix=None, siret=siret, routing_code="S1"), codes=(code,))
    assert [message.status for message in answers(world, flow)] == ["400", "400"]
    assert answers(world, flow)[0].name == f"CodeRoutage 1 {siret} S1_400"


def test_twice_is_once(own_world: World) -> None:
    """The same update under another name is accepted and changes nothing; under its own, it is turned away."""
    world = own_world
    first = update(world, LINE)
    held = lines(world, LINE.address)
    again = update(world, LINE)
    assert [message.status for message in answers(world, again)] == ["400"]
    assert lines(world, LINE.address) == held
    content = {"F13.xml": write_update(Update(lines=(LINE,)))}
    send(world, content, UPDATES, file=first.archive)
    assert turned_away(world, first.archive).reason_codes == ("IRR_UNICITE",)
    assert len(answers(world, first)) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<AnnuaireActualisation/>", "IRR_SYNTAX"),
        (write_update(Update(lines=(LINE,)))[:-20], "IRR_SYNTAX"),
        (write_update(Update(lines=(LINE,))).replace(b"0003", b"3"), "IRR_SYNTAX"),
        (b"<Invoice/>", "IRR_TYPE_F"),
    ],
)
def test_a_file_against_the_schema(world: World, content: bytes, code: str) -> None:
    """Nothing of the flow is done: it is irreceivable, and no object is answered."""
    flow = send(world, {"good.xml": write_update(Update(lines=(LINE,))), "bad.xml": content}, UPDATES)
    said = acknowledgement(world, flow)
    assert (said.status, said.reason_codes) == ("501", (code,))
    assert "bad.xml" in said.details[0].notes[0].subject_code
    assert answers(world, flow) == []
    assert lines(world, LINE.address) == []


def test_a_day_that_is_none_harms_its_line_only(world: World) -> None:
    """The schema takes the 31st of February; the rules refuse it of that line."""
    content = write_update(
        Update(lines=(replace(LINE, start=date(2027, 2, 28)), replace(LINE, suffix="JOUR", start=date(2027, 3, 1))))
    )
    flow = send(world, {"F13.xml": content.replace(b"20270228", b"20270231")}, UPDATES)
    said = answers(world, flow)
    assert [reasons(message) for message in said] == [[("REJ_VAL_INC", "G1.09")], []]


def test_more_objects_than_one_flow_may_have(own_world: World) -> None:
    """A flow past the bound is irreceivable and says what to do."""
    world = own_world
    world.hall.limits = world.hall.limits.changed(objects_of_F13=1)
    flow = send(world, {"F13.xml": write_update(Update(lines=(LINE, replace(LINE, suffix="B"))))}, UPDATES)
    assert acknowledgement(world, flow).reason_codes == ("IRR_TAILLE",)
    world.hall.limits = world.hall.limits.changed(objects_of_F13=2)
    flow = send(world, {"F13.xml": write_update(Update(lines=(LINE, replace(LINE, suffix="B"))))}, UPDATES)
    assert [message.status for message in answers(world, flow)] == ["400", "400"]


def test_several_files(world: World) -> None:
    """The place of an object says its file too, where there are several."""
    files = {name: write_update(Update(lines=(replace(LINE, matricule="9998"),))) for name in ("a.xml", "b.xml")}
    flow = send(world, files, UPDATES)
    places = [detail.notes[0].subject_code for message in answers(world, flow) for detail in message.details]
    assert places == ["a.xml:1", "b.xml:1"]


def test_the_published_change_of_platform(own_world: World) -> None:
    """The new platform closes the old line and opens its own from that day: routed right on each side of midnight."""
    world = own_world
    (held,) = [line for line in lines(world, BUYER) if line.covers(TODAY)]
    assert held.matricule == "0005"
    day = TODAY + timedelta(days=5)
    flow = update(world, replace(held, end=day), DirectoryLine(siren=BUYER, matricule="0003", start=day))
    assert [message.status for message in answers(world, flow)] == ["400", "400"]
    mirror = world.platform("platform-a").home.mirror
    with world.platform("platform-a").home.actor.database.read() as connection:
        address = Identifier(BUYER, "0225")
        found = [mirror.resolve(connection, address, on=on).matricule for on in (day - timedelta(days=1), day)]
    assert found == ["0005", "0003"]
