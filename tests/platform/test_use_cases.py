"""The published use cases UC1 to UC5 cross the system, exchange by exchange, with the official messages as input.

Three views of the same annex, in its own time (July and August 2025): both platforms are ours and the parties' software
deposits the official messages; only the sending platform is ours, then only the receiving one, the official messages
coming from the platform at the other end. What is asserted is told in docs/use-cases.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyfrctc
import pytest
from sqlalchemy import select
from tests.platform.replay import CASES, SYNTAXES, Exchange, annex, differences, exchanges, lives, owed, timeline
from tests.platform.world import BUYER, SELLER, World, opened

from estafette.exchange.messages import Kind
from estafette.formats import cdar
from estafette.formats.status_message import StatusMessage
from estafette.platform import tables
from estafette.rules import check

BEFORE = datetime(2025, 6, 30, 8, tzinfo=UTC)
SIDES = {"0003": ("platform-a", SELLER), "0005": ("platform-b", BUYER)}
COPY_OF = {"UBL": "CII", "CII": "UBL", "Factur-X": "UBL"}
"""In which syntax the buyer of UC2 already has the invoice: the same bytes would be the same file."""

RETYPED = {"F202500010", "F202500011"}
CREDIT_NOTE = "F202500011"
MISDATED = {"F202500007": ["203", "202"]}
"""Its official 203 (16:25) was set before its 202 (17:10): the order of a life is that of the moments told (MDT-78)."""

WHY = {
    "MDG-23": "the examples list the portal (9998) among the parties; it is told by a copy of its own, under 0000",
    "MDT-91": "the examples write 380 for the corrective invoice (384) and for the credit note (381)",
    "MDT-124-2": "the examples do not number the data of 211 and 212; BR-FR-CDV-16 asks for it",
    "MDT-126": "a comment is added where the portal asks for one (G7.25, P1.17); a rejection says its rule",
}
"""Where our messages differ from the official ones, and why."""


def expected_differences(each: Exchange) -> set[str]:
    """Name the terms where our message of an exchange is not the official one."""
    found = {"MDG-23"} if each.kind == "cdar-ppf" or each.status in ("200", "210", "212", "213") else set()
    if each.number in RETYPED:
        found.add("MDT-91")
    if any(detail.characteristics and not detail.sequence for detail in each.message.details):
        found.add("MDT-124-2")
    if each.status in ("210", "213") or (each.status == "212" and each.number == CREDIT_NOTE):
        found.add("MDT-126")
    return found


@dataclass(frozen=True, slots=True)
class Played:
    """A world where the annex was played, and what was played."""

    world: World
    scripts: dict[str, list[Exchange]]

    def script(self, case: str) -> list[Exchange]:
        """Return the exchanges of a use case, or leave the test out when the edition lacks its invoices."""
        if case not in self.scripts:
            pytest.skip(f"the edition has no invoice of {case} in this syntax")
        return self.scripts[case]


def deposit(world: World, siren: str, each: Exchange, **said: Any) -> None:
    """A company's software has deposited the official file, which is taken."""
    syntax = {} if each.kind == "invoice" else {"syntax": "CDAR"}
    flow = world.deposit(each.content, by=siren, name=each.file, **syntax, **said)
    seen = world.flow(siren, flow)
    assert (seen["acknowledgement"], seen["details"]) == ("Ok", []), each.file


def begin(world: World, corpus: Path, syntax: str) -> None:
    """The buyer already has the invoice that UC2 will bring again."""
    world.clock.now = BEFORE
    copy, *_ = exchanges(corpus, "UC2", COPY_OF[syntax])
    deposit(world, BUYER, copy, processing_rule="ArchiveOnly")


def play(world: World, scripts: dict[str, list[Exchange]], *, ours: str) -> None:
    """The annex is played; `ours`: the platforms that are ours, what the others send is official."""
    world.wire.mute |= {"0003", "0005"} - set(ours.split())
    for each in timeline(scripts):
        world.clock.now = max(world.clock.now, each.at)
        if each.kind == "invoice" and "0003" in ours:
            deposit(world, SELLER, each)
        elif each.kind == "flux2" and "0003" not in ours:
            world.receive("0003", "0005", each.content, Kind.INVOICE)
        elif each.kind == "cdar":
            _status(world, each, ours)
        world.work()


def _status(world: World, each: Exchange, ours: str) -> None:
    """A party's status is deposited at its own platform; what another's platform says comes from it."""
    home = "0003" if each.author == "SE" or each.status == "200" else "0005"
    other = "0005" if home == "0003" else "0003"
    if home not in ours:
        if each.status != "200":  # between the sender and its platform
            world.receive(home, other, each.content)
    elif each.author != "WK":
        deposit(world, SIDES[home][1], each)


@pytest.fixture(scope="module", params=SYNTAXES)
def played(request: pytest.FixtureRequest, corpus: Path) -> Iterator[Played]:
    """Give the annex played between two platforms of ours, in each syntax."""
    with opened(now=BEFORE) as world:
        scripts = annex(corpus, request.param)
        begin(world, corpus, request.param)
        play(world, scripts, ours="0003 0005")
        yield Played(world, scripts)


@pytest.fixture(scope="module")
def sent(corpus: Path) -> Iterator[Played]:
    """Give the annex played with another's platform at reception."""
    with opened(now=BEFORE) as world:
        scripts = annex(corpus, "UBL")
        play(world, scripts, ours="0003")
        yield Played(world, scripts)


@pytest.fixture(scope="module")
def received(corpus: Path) -> Iterator[Played]:
    """Give the annex played with another's platform at sending."""
    with opened(now=BEFORE) as world:
        scripts = annex(corpus, "UBL")
        begin(world, corpus, "UBL")
        play(world, scripts, ours="0005")
        yield Played(world, scripts)


def seen(world: World, siren: str, number: str) -> list[str]:
    """Say the life of the last delivery of an invoice as a company has it."""
    row = world.invoices(siren, number)[-1]
    view = world.home(siren).invoice(siren, row["id"])
    assert view is not None
    return [":".join((event["status"], *(one["reason"] for one in event["reasons"]))) for event in view.events]


def messages(world: World, siren: str, number: str) -> dict[str, tuple[StatusMessage, bytes]]:
    """Return the messages that a company was given of the last delivery of an invoice, by status."""
    home, row = world.home(siren), world.invoices(siren, number)[-1]
    events = home.invoice(siren, row["id"]).events  # type: ignore[union-attr]
    return {one["status"]: (cdar.read(home.document(one["sha256"])), home.document(one["sha256"])) for one in events}


def declared(world: World, matricule: str, number: str) -> dict[str | None, bytes]:
    """Return what a platform sent the portal of an invoice: its data under None, its statuses."""
    actor, siren = SIDES[matricule]
    ids = [row["id"] for row in world.invoices(siren, number)]
    query = select(tables.declaration).where(tables.declaration.c.invoice_id.in_(ids))
    return {row["status"]: world.platform(actor).document(row["sha256"]) for row in world.rows(actor, query)}


@pytest.mark.parametrize("case", CASES)
def test_the_life_of_each_invoice(played: Played, case: str) -> None:
    """Both sides have the statuses of the script in its order; the sender alone has those of its own platform."""
    script = played.script(case)
    for number, life in lives(script).items():
        assert seen(played.world, SELLER, number) == ["200", "201", *life[1:]]
        assert seen(played.world, BUYER, number) == life[1:]


@pytest.mark.parametrize("case", CASES)
def test_what_the_state_is_told(played: Played, case: str) -> None:
    """The data of each invoice and the statuses of the script reach the administration, from the platform that owes."""
    script = played.script(case)
    for number in lives(script):
        assert played.world.told(number).split() == ["F1", *owed(script, number)]
        for matricule in SIDES:
            data = {None} if matricule == "0003" else set()
            assert declared(played.world, matricule, number).keys() == {*owed(script, number, matricule), *data}


@pytest.mark.parametrize("case", CASES)
def test_our_messages_say_what_the_official_ones_say(played: Played, case: str) -> None:
    """Term by term, our statuses are the official ones, but where the table says why."""
    for each in played.script(case):
        if each.kind == "cdar":
            mine, _data = messages(played.world, SELLER, each.number)[each.status]
        elif each.kind == "cdar-ppf":
            mine = cdar.read(declared(played.world, each.platform, each.number)[each.status])
            assert mine.recipients[0].identifier("0238") == "0000"
            assert mine.sender.identifier("0238") == each.platform
        else:
            continue
        assert differences(each.message, mine) == expected_differences(each) <= WHY.keys(), each.file


@pytest.mark.parametrize("case", CASES)
def test_our_messages_are_accepted(played: Played, case: str) -> None:
    """Every message we made is accepted by the official rules without a warning, and read by another program."""
    made = []
    for number in lives(played.script(case)):
        given = [*messages(played.world, SELLER, number).items(), *messages(played.world, BUYER, number).items()]
        made += [(number, status, data) for status, (_message, data) in given]
        for matricule in SIDES:
            told = declared(played.world, matricule, number).items()
            made += [(number, status, data) for status, data in told if status]
    for number, status, data in made:
        assert check(data).findings == ()
        parsed = pyfrctc.parse_cdar(data, check_xsd=True)
        assert (parsed["invoice_number"], parsed["status_code"]) == (number, status)


@pytest.mark.parametrize("case", CASES)
def test_the_invoices_themselves(played: Played, case: str) -> None:
    """What the buyer's platform received is, byte for byte, what was deposited."""
    crossed = {message.sha256 for message in played.world.wire.crossed if message.kind is Kind.INVOICE}
    for each in played.script(case):
        if each.kind == "flux2":
            digest = sha256(each.content).hexdigest()
            assert digest in crossed
            assert played.world.invoices(BUYER, each.number)[-1]["sha256"] == digest


@pytest.mark.parametrize("case", CASES)
def test_with_another_platform_at_reception(sent: Played, case: str) -> None:
    """The sender has what the other platform says, byte for byte; its own platform tells the State its own part."""
    script = sent.script(case)
    for number, life in lives(script).items():
        life[1:3] = MISDATED.get(number, life[1:3])
        assert seen(sent.world, SELLER, number) == ["200", "201", *life[1:]]
        mine = owed(script, number, "0003")
        assert sent.world.told(number).split() == ["F1", *mine]
    for each in script:
        if each.kind == "cdar" and each.status != "200" and each.author != "SE":
            _message, data = messages(sent.world, SELLER, each.number)[each.status]
            assert data == each.content


@pytest.mark.parametrize("case", CASES)
def test_with_another_platform_at_sending(received: Played, case: str) -> None:
    """The buyer has what the other platform says, byte for byte; its own platform tells the State its own part."""
    script = received.script(case)
    for number, life in lives(script).items():
        assert seen(received.world, BUYER, number) == life[1:]
        mine = owed(script, number, "0005")
        assert received.world.told(number).split() == mine
    for each in script:
        if each.kind == "cdar" and each.author == "SE":
            _message, data = messages(received.world, BUYER, each.number)[each.status]
            assert data == each.content
