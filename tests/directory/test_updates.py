"""The portal takes the changes that the rules allow, in their order, and says of each other which rule it breaks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from estafette.directory import resolve
from estafette.directory.history import current
from estafette.directory.updates import Answer, judge
from estafette.formats.directory import Update, read_update, write_update
from estafette.formats.directory_entries import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode

ON = date(2027, 3, 20)
DAY = timedelta(days=1)
SIREN, SIRET, PUBLIC = "100000009", "10000000900017", "200000008"
CLOSING = date(2027, 3, 31)


@dataclass
class Directory:
    """A directory in memory."""

    held: list[DirectoryLine] = field(default_factory=list)

    def legal_unit(self, siren: str) -> LegalUnit | None:
        """A taxable unit, a public one, one that ceased."""
        kinds = {SIREN: ("A", "A"), PUBLIC: ("P", "A"), "300000007": ("A", "I")}
        if siren not in kinds:
            return None
        return LegalUnit(siren=siren, name="N", entity_type=kinds[siren][0], status=kinds[siren][1])

    def establishment(self, siret: str) -> Establishment | None:
        """One establishment, and one that ceased."""
        statuses = {SIRET: "A", "10000000900025": "I"}
        return Establishment(siret=siret, name="N", status=statuses[siret]) if siret in statuses else None

    def routing_code(self, siret: str, code: str) -> RoutingCode | None:
        """One code, and one that ceased."""
        statuses = {"A": "A", "OLD": "I"}
        known = siret == SIRET and code in statuses
        return RoutingCode(siret=siret, code=code, name="N", status=statuses[code]) if known else None

    def platform(self, matricule: str) -> ReceivingPlatform | None:
        """Two platforms, and one whose registration ended."""
        ends = {"0003": None, "0005": None, "0007": date(2027, 1, 1)}
        if matricule not in ends:
            return None
        return ReceivingPlatform(
            matricule=matricule, name="N", registered_from=date(2026, 1, 1), registered_until=ends[matricule]
        )

    def lines(self, address: str) -> Iterable[DirectoryLine]:
        """Every version of an address."""
        return [line for line in self.held if line.address == address]

    def take(self, answers: Iterable[Answer]) -> None:
        """Record what was accepted, as the portal does."""
        for answer in answers:
            for version in answer.versions:
                self.held.append(replace(version, instance=len(self.held) + 1))


def line(matricule: str = "0003", **more: object) -> DirectoryLine:
    """A line at the grain of the SIREN, from April on."""
    known = {"siren": SIREN, "matricule": matricule, "start": date(2027, 4, 1)}
    return DirectoryLine(**(known | more))  # type: ignore[arg-type]


OPEN = line("0005", start=date(2027, 2, 1), instance=1)
COMING = line("0003", suffix="B", start=date(2027, 9, 1), instance=2)


def rules(asked: DirectoryLine | RoutingCode, *held: DirectoryLine, emitter: str = "0003") -> list[tuple[str, str]]:
    """The code and the rule of each fault of one change."""
    update = Update(lines=(asked,)) if isinstance(asked, DirectoryLine) else Update(routing_codes=(asked,))
    (answer,) = judge(update, Directory(list(held)), emitter=emitter, on=ON)
    assert all(fault.fr != fault.en and fault.terms for fault in answer.faults)
    assert bool(answer.versions) == (not answer.faults and isinstance(asked, DirectoryLine))
    return [(fault.code, fault.rule) for fault in answer.faults]


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        (line(), ()),
        (line(start=ON + DAY), ()),
        (line(siret=SIRET), ()),
        (line(siret=SIRET, routing_code="A"), ()),
        (line(suffix="X.y-1_z"), ()),
        (line(end=date(2028, 1, 1)), ()),
        (line(suffix="A"), (OPEN,)),
        (replace(OPEN, matricule="0005", end=CLOSING), (OPEN,)),
        (line(start=CLOSING), (replace(OPEN, end=CLOSING),)),
        (replace(COMING, end=date(2028, 1, 1)), (COMING,)),
        (replace(COMING, nature="M"), (COMING,)),
        (line(), (line("9998", start=date(2026, 9, 1), instance=1),)),
    ],
)
def test_changes_that_are_taken(asked: DirectoryLine, held: tuple[DirectoryLine, ...]) -> None:
    """Creating, closing, changing what is to come, masking it, replacing the default line: taken."""
    assert rules(asked, *held) == []


@pytest.mark.parametrize(
    ("asked", "held", "fault"),
    [
        (line(nature="X"), (), ("REJ_VAL_INC", "G1.84")),
        (line(siren="10000000"), (), ("REJ_VAL_INC", "G1.89")),
        (line(siret="1"), (), ("REJ_VAL_INC", "G2.07")),
        (line(siret="20000000800017"), (), ("REJ_RG", "G1.80")),
        (line(routing_code="A"), (), ("REJ_RG", "G1.91")),
        (line(siret=SIRET, routing_code="A", routing_scheme="0088"), (), ("REJ_VAL_INC", "G1.83")),
        (line(siret=SIRET, routing_code="A.B"), (), ("REJ_VAL_INC", "G1.95")),
        (line(siret=SIRET, suffix="A"), (), ("REJ_RG", "G1.93")),
        (line(suffix="A/B"), (), ("REJ_VAL_INC", "G1.115")),
        (line("9998"), (), ("REJ_VAL_INC", "G1.112")),
        (line(start=date(2100, 1, 1)), (), ("REJ_VAL_INC", "G1.36")),
        (line(end=date(2027, 4, 1)), (), ("REJ_RG", "G1.113")),
        (line("0009"), (), ("REJ_COH", "G1.94")),
        (line("0007"), (), ("REJ_COH", "G1.94")),
        (line(siren="500000005"), (), ("REJ_COH", "G1.96")),
        (line(siren="300000007"), (), ("REJ_COH", "G1.96")),
        (line(siret="10000000900033"), (), ("REJ_COH", "G1.97")),
        (line(siret="10000000900025"), (), ("REJ_COH", "G1.97")),
        (line(siret=SIRET, routing_code="Z"), (), ("REJ_COH", "G1.92")),
        (line(siret=SIRET, routing_code="OLD"), (), ("REJ_COH", "G1.92")),
        (line(start=ON), (), ("REJ_RG", "G1.87")),
        (replace(OPEN, matricule="0003", end=CLOSING), (OPEN,), ("REJ_RG", "G1.87")),
        (replace(OPEN, end=ON), (OPEN,), ("REJ_RG", "G1.88")),
        (line(), (OPEN,), ("REJ_COH", "G1.86")),
        (line(end=date(2027, 9, 2)), (line(start=date(2027, 9, 1), instance=3),), ("REJ_COH", "G1.86")),
        (replace(COMING, nature="M"), (), ("REJ_COH", "G1.84")),
        (replace(COMING, nature="M", end=date(2028, 1, 1)), (COMING,), ("REJ_COH", "G1.84")),
        (replace(OPEN, nature="M", matricule="0005"), (OPEN,), ("REJ_RG", "G1.85")),
        (line("0005"), (), ("REJ_HAB", "REJ_HAB")),
        (line(siren=PUBLIC), (), ("REJ_HAB", "REJ_HAB")),
        (replace(COMING, matricule="0005"), (COMING,), ("REJ_HAB", "REJ_HAB")),
    ],
)
def test_changes_that_are_refused(
    asked: DirectoryLine, held: tuple[DirectoryLine, ...], fault: tuple[str, str]
) -> None:
    """A line wrong in one thing is refused with the code and the rule of that thing."""
    assert fault in rules(asked, *held)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, None),
        ({"status": "I"}, None),
        ({"status": "X"}, ("REJ_VAL_INC", "A3")),
        ({"scheme": "0088"}, ("REJ_VAL_INC", "G1.83")),
        ({"code": "A B"}, ("REJ_VAL_INC", "G1.95")),
        ({"code": "A" * 101}, ("REJ_VAL_INC", "G1.95")),
        ({"siret": "1"}, ("REJ_VAL_INC", "G2.07")),
        ({"siret": "10000000900025"}, ("REJ_COH", "G1.97")),
        ({"country": "France"}, ("REJ_VAL_INC", "G2.01")),
    ],
)
def test_routing_codes(changed: dict[str, str], fault: tuple[str, str] | None) -> None:
    """A routing code is created or closed when its establishment is active and its values are allowed."""
    code = replace(RoutingCode(siret=SIRET, code="NEW", name="N"), **changed)
    assert rules(code) == ([fault] if fault else [])


def test_an_address_too_long() -> None:
    """An address of more than 125 characters is refused."""
    assert rules(line(siret=SIRET, routing_code="A" * 100)) == [("REJ_COH", "G1.92")]
    assert ("REJ_VAL_INC", "A3") in rules(line(siret=SIRET, routing_code="A" * 101))


def test_the_published_change_of_platform() -> None:
    """The new platform closes the two old lines, then creates its own: all is taken, nobody is ever without address."""
    directory = Directory([OPEN, replace(OPEN, siret=SIRET, instance=2)])
    closed = [replace(held, end=CLOSING) for held in directory.held]
    created = [replace(held, matricule="0003", start=CLOSING, end=date(2027, 12, 31)) for held in directory.held]
    update = read_update(write_update(Update(lines=(*closed, *created))))
    answers = judge(update, directory, emitter="0003", on=ON)
    assert [answer.faults for answer in answers] == [()] * 4
    assert [answer.iteration for answer in answers] == [1, 2, 3, 4]
    directory.take(answers)
    days = (CLOSING - DAY, CLOSING, date(2027, 12, 30))
    asked = [resolve(SIREN, "0225", directory.held, on=day, legal_unit_known=True).matricule for day in days]
    assert asked == ["0005", "0003", "0003"]


def test_the_order_counts() -> None:
    """Created before the old one is closed, the new line overlaps it: refused, the closure is taken all the same."""
    update = Update(lines=(line(start=CLOSING), replace(OPEN, end=CLOSING)))
    created, closed = judge(update, Directory([OPEN]), emitter="0003", on=ON)
    assert [fault.rule for fault in created.faults] == ["G1.86"]
    assert closed.faults == ()


def test_the_published_reorganisation() -> None:
    """Routing codes created by an update serve its own lines; later a line is closed, another masked, a suffix made."""
    directory = Directory()
    codes = tuple(RoutingCode(siret=SIRET, code=code, name=code) for code in ("S1", "S2"))
    lines = tuple(line(siret=SIRET, routing_code=code.code) for code in codes)
    answers = judge(Update(codes, lines), directory, emitter="0003", on=ON)
    assert [answer.faults for answer in answers] == [()] * 4
    directory.take(answers)
    mind_changed = Update(
        lines=(replace(lines[0], end=date(2027, 6, 1)), replace(lines[1], nature="M"), line(suffix="ABCD01"))
    )
    answers = judge(mind_changed, directory, emitter="0003", on=ON)
    assert [answer.faults for answer in answers] == [()] * 3
    directory.take(answers)
    assert {held.address: held.end for held in current(directory.held)} == {
        lines[0].address: date(2027, 6, 1),
        f"{SIREN}_ABCD01": None,
    }


def test_the_default_line_gives_way() -> None:
    """Who had chosen no platform is reached on the first one chosen, from the day it starts, and not before."""
    directory = Directory([line("9998", start=date(2026, 9, 1), instance=1)])
    answers = judge(Update(lines=(line(),)), directory, emitter="0003", on=ON)
    directory.take(answers)
    found = [resolve(SIREN, "0225", directory.held, on=day, legal_unit_known=True) for day in (ON, date(2027, 4, 1))]
    assert [resolution.matricule for resolution in found] == ["9998", "0003"]
    assert not any(resolution.is_contradictory for resolution in found)
