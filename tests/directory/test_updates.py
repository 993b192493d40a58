"""The portal takes the changes that the rules allow, in their order, and says of each other which rule it breaks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest

from estafette.directory import resolve
from estafette.directory.annex7 import RULES
from estafette.directory.readings import Readings
from estafette.directory.resolution import current
from estafette.directory.updates import Fault, judge_code, judge_line, soundness, withdrawn_defaults
from estafette.formats.directory_entries import DirectoryLine, Establishment, LegalUnit, ReceivingPlatform, RoutingCode
from estafette.formats.directory_update import AskedCode, AskedLine, Update, read_update, write_update

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
        statuses = {SIRET: "A", "10000000900025": "I", f"{PUBLIC}00017": "A", "30000000700016": "A"}
        return Establishment(siret=siret, name="N", status=statuses[siret]) if siret in statuses else None

    def routing_code(self, siret: str, code: str) -> RoutingCode | None:
        """One code, and one that ceased."""
        statuses = {"A": "A", "B": "A", "OLD": "I"}
        known = siret == SIRET and code in statuses
        return RoutingCode(siret=siret, code=code, name="N", status=statuses[code]) if known else None

    def platform(self, matricule: str) -> ReceivingPlatform | None:
        """Two platforms, one whose registration ended, one whose registration will."""
        ends = {"0003": None, "0005": None, "0007": date(2027, 1, 1), "0008": date(2027, 5, 1)}
        if matricule not in ends:
            return None
        return ReceivingPlatform(
            matricule=matricule, name="N", registered_from=date(2026, 1, 1), registered_until=ends[matricule]
        )

    def lines(self, address: str) -> Iterable[DirectoryLine]:
        """The lines of an address: of each start the last version, masks too."""
        last = {one.start: one for one in self.held if one.address == address}
        return list(last.values())

    def take(self, asked: DirectoryLine, *, emitter: str = "0003") -> list[str]:
        """Judge a line and record it when it is taken, as the portal does; give the rules it breaks."""
        faults = judge_line(AskedLine.of(asked), self, emitter=emitter, on=ON)
        versions = () if faults else (*withdrawn_defaults(asked, self.lines(asked.address)), asked)
        self.held.extend(replace(version, instance=len(self.held) + at) for at, version in enumerate(versions, 1))
        return [fault.rule for fault in faults]


def line(matricule: str = "0003", **more: object) -> DirectoryLine:
    """A line at the grain of the SIREN, from April on."""
    known = {"siren": SIREN, "matricule": matricule, "start": date(2027, 4, 1)}
    return DirectoryLine(**(known | more))  # type: ignore[arg-type]


OPEN = line("0005", start=date(2027, 2, 1), instance=1)
COMING = line("0003", suffix="B", start=date(2027, 9, 1), instance=2)


def judged(
    asked: DirectoryLine | RoutingCode | AskedLine | AskedCode,
    *held: DirectoryLine,
    emitter: str = "0003",
    readings: Readings = Readings(),  # noqa: B008 — a value
) -> tuple[Fault, ...]:
    """Judge one change against these lines."""
    if isinstance(asked, RoutingCode):
        asked = AskedCode(code=asked)
    if isinstance(asked, DirectoryLine):
        asked = AskedLine.of(asked)
    judge = judge_line if isinstance(asked, AskedLine) else judge_code
    return judge(asked, Directory(list(held)), emitter=emitter, on=ON, readings=readings)  # type: ignore[arg-type]


def rules(asked: DirectoryLine | RoutingCode | AskedLine | AskedCode, *held: DirectoryLine) -> list[tuple[str, str]]:
    """The code and the rule of each fault of one change."""
    faults = judged(asked, *held)
    assert all(fault.fr != fault.en and fault.terms and fault.tag for fault in faults)
    return [(fault.code, fault.rule) for fault in faults]


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
        (line("0008", start=date(2027, 5, 1)), (), ("REJ_COH", "G1.94")),
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
        (replace(OPEN, end=date(2029, 1, 1)), (replace(OPEN, end=date(2028, 1, 1)),), ("REJ_HAB", "REJ_HAB")),
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
    update = read_update(write_update(Update(lines=(*closed, *created)))).update()
    assert [directory.take(asked) for asked in update.lines] == [[]] * 4
    days = (CLOSING - DAY, CLOSING, date(2027, 12, 30))
    asked = [resolve(SIREN, "0225", directory.held, on=day, legal_unit_known=True).matricule for day in days]
    assert asked == ["0005", "0003", "0003"]


def test_the_order_counts() -> None:
    """Created before the old one is closed, the new line overlaps it: refused, the closure is taken all the same."""
    directory = Directory([OPEN])
    assert directory.take(line(start=CLOSING)) == ["G1.86"]
    assert directory.take(replace(OPEN, end=CLOSING)) == []


def test_the_published_reorganisation() -> None:
    """Lines on routing codes; later one is closed, another masked, a suffix made."""
    directory = Directory()
    lines = (line(siret=SIRET, routing_code="A"), line(siret=SIRET, routing_code="B"))
    assert [directory.take(asked) for asked in lines] == [[], []]
    mind_changed = (replace(lines[0], end=date(2027, 6, 1)), replace(lines[1], nature="M"), line(suffix="ABCD01"))
    assert [directory.take(asked) for asked in mind_changed] == [[], [], []]
    assert {held.address: held.end for held in current(directory.held)} == {
        lines[0].address: date(2027, 6, 1),
        f"{SIREN}_ABCD01": None,
    }


def test_the_default_line_gives_way() -> None:
    """Who had chosen no platform is reached on the first one chosen, from the day it starts, and not before."""
    directory = Directory([line("9998", start=date(2026, 9, 1), instance=1)])
    assert directory.take(line()) == []
    found = [resolve(SIREN, "0225", directory.held, on=day, legal_unit_known=True) for day in (ON, date(2027, 4, 1))]
    assert [resolution.matricule for resolution in found] == ["9998", "0003"]
    assert not any(resolution.is_contradictory for resolution in found)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"start": "20270231"}, ("REJ_VAL_INC", "G1.09")),
        ({"end": "2027-05-01"}, ("REJ_VAL_INC", "G1.09")),
        ({"start": "19990101"}, ("REJ_VAL_INC", "G1.36")),
        ({"siren_scheme": "0009"}, ("REJ_VAL_INC", "A3")),
        ({"siret": SIRET, "siret_scheme": "0002"}, ("REJ_VAL_INC", "A3")),
        ({"siret": SIRET, "routing_code": "A", "routing_scheme": ""}, ("REJ_VAL_INC", "G1.83")),
    ],
)
def test_values_as_a_file_may_have_them(changed: dict[str, str], fault: tuple[str, str]) -> None:
    """A day that is none and a qualifier that is another's are refused of one object, with what was seen."""
    assert rules(replace(AskedLine.of(line()), **changed)) == [fault]


def test_what_was_seen_is_told() -> None:
    """A refusal names the element and its term, what was seen, what is expected, what to do: French, then English."""
    (fault,) = judged(line("9998"))
    assert fault.fr == (
        "IdPlateforme (DT-7-6) : vu « 9998 » ; attendu : ni 9997, ni 9998, ni 9999. Corrigez la valeur et renvoyez."
    )
    assert fault.en.startswith("IdPlateforme (DT-7-6): seen “9998”; expected: none of 9997, 9998, 9999.")


def test_a_code_that_is_no_units() -> None:
    """The qualifier of the SIRET, the length of a name or an address, a country that is none, a public service."""
    code = RoutingCode(siret=SIRET, code="NEW", name="N")
    assert rules(AskedCode(code=code, siret_scheme="0002")) == [("REJ_VAL_INC", "A3")]
    assert rules(replace(code, name="")) == [("REJ_VAL_INC", "A3")]
    assert rules(replace(code, name="N" * 101)) == [("REJ_VAL_INC", "A3")]
    assert rules(replace(code, city="V" * 256)) == [("REJ_VAL_INC", "A3")]
    assert rules(replace(code, postal_code="1" * 11)) == [("REJ_VAL_INC", "A3")]
    assert rules(replace(code, country="ZZ")) == [("REJ_VAL_INC", "G2.01")]
    assert rules(replace(code, siret=f"{PUBLIC}00017")) == [("REJ_HAB", "REJ_HAB")]
    assert rules(replace(code, siret="30000000700016")) == [("REJ_COH", "G1.96")]


def test_who_may_end_a_code() -> None:
    """A code that serves another platform's lines is not ended; one that serves one's own, or lines that ended, is."""
    ended = RoutingCode(siret=SIRET, code="A", name="N", status="I")
    served = line("0005", siret=SIRET, routing_code="A", instance=1)
    assert rules(ended, served) == [("REJ_HAB", "REJ_HAB")]
    assert judged(ended, served, emitter="0005") == ()
    assert rules(ended, replace(served, start=date(2027, 1, 1), end=ON)) == []
    assert rules(replace(ended, status="A"), served) == [], "a new name harms nobody"


def test_an_emitter_that_lapsed() -> None:
    """A platform whose registration ended only ends its own lines."""
    own = line("0007", start=date(2026, 9, 1), instance=1)
    assert judged(replace(own, end=CLOSING), own, emitter="0007") == ()
    assert [fault.rule for fault in judged(replace(OPEN, end=CLOSING), OPEN, emitter="0007")] == ["REJ_HAB"]
    assert [fault.rule for fault in judged(RoutingCode(siret=SIRET, code="N", name="N"), emitter="0007")] == ["REJ_HAB"]
    assert "G1.94" in [fault.rule for fault in judged(line("0007"), emitter="0007")]


LAPSED = line("0007", start=date(2026, 9, 1), instance=1)


def test_the_line_of_a_platform_that_lapsed() -> None:
    """Another platform may close it (G1.94); by the other reading, from a day that is past too."""
    by_end = Readings(closes_lapsed_from_start=False)
    closed = replace(LAPSED, end=CLOSING)
    assert judged(closed, LAPSED) == judged(closed, LAPSED, readings=by_end) == ()
    past = replace(LAPSED, end=ON - DAY)
    assert rules(past, LAPSED) == [("REJ_RG", "G1.88")]
    assert judged(past, LAPSED, readings=by_end) == ()
    assert rules(replace(LAPSED, end=None), replace(LAPSED, end=CLOSING)) == [
        ("REJ_COH", "G1.94"),
        ("REJ_HAB", "REJ_HAB"),
    ]


def test_the_fictitious_platform_by_note_85() -> None:
    """By that reading, a platform whose contract ends leaves its customer the default line; else never (G1.112)."""
    left = line("9998", start=CLOSING)
    closed = replace(OPEN, end=CLOSING)
    assert rules(left, closed) == [("REJ_VAL_INC", "G1.112")]
    by_note = Readings(takes_fictive_lines=True)
    assert judged(left, closed, readings=by_note) == ()
    assert [fault.rule for fault in judged(replace(left, suffix="A"), readings=by_note)] == ["G1.112"]
    assert [fault.rule for fault in judged(replace(left, matricule="9999"), readings=by_note)] == ["G1.112"]


def test_the_days_after_the_effective_end() -> None:
    """They are the line's until the end agreed; by the other reading, another's."""
    ceased = replace(OPEN, effective_end=CLOSING)
    after = line(start=CLOSING)
    assert rules(after, ceased) == [("REJ_COH", "G1.86")]
    assert judged(after, ceased, readings=Readings(frees_effective_end=True)) == ()


def test_the_characters_of_the_interface() -> None:
    """By that reading, what the API's document allows beyond annex 7 is taken."""
    wide = Readings(takes_wide_identifiers=True)
    assert judged(line(suffix="a@b"), readings=wide) == ()
    assert judged(RoutingCode(siret=SIRET, code="VOIRIE/2", name="N"), readings=wide) == ()
    assert judged(line(suffix="a b"), readings=wide) != ()


def test_what_an_authority_states() -> None:
    """An authority is not held to the days, the numbers and the rights of platforms; an overlap is never held."""
    directory = Directory([OPEN])
    past = line("9999", siren=PUBLIC, siret=f"{PUBLIC}00017", start=date(2020, 1, 1))
    assert soundness(AskedLine.of(past), directory, on=ON) == ()
    assert soundness(AskedLine.of(replace(past, end=past.start)), directory, on=ON) == ()
    backwards = replace(past, end=past.start - DAY)
    assert [fault.rule for fault in soundness(AskedLine.of(backwards), directory, on=ON)] == ["G1.113"]
    assert [fault.rule for fault in soundness(AskedLine.of(line(start=ON)), directory, on=ON)] == ["G1.86"]
    assert [fault.rule for fault in soundness(AskedLine.of(line(nature="M")), directory, on=ON)] == ["G1.84"]


def test_before_the_rules() -> None:
    """A rule binds from its day on."""
    early = judge_line(AskedLine.of(line("9998")), Directory(), emitter="0003", on=date(2026, 4, 29))
    assert early == ()


def test_every_rule_has_its_words_and_its_place() -> None:
    """No two rows of the table are the same rule on the same term; every reason code is one of G7.19 for F13."""
    keys = [(rule.stage, rule.id, rule.tag) for rule in RULES]
    assert len(keys) == len(set(keys))
    assert {rule.code for rule in RULES} == {"REJ_RG", "REJ_HAB", "REJ_COH", "REJ_VAL_INC"}
    assert all(rule.expected_fr and rule.remedy_fr != rule.remedy_en for rule in RULES)
