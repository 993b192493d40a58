"""An address leads to its platform on the day it is sent, exactly, or the reason why not is told."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.directory import DirectoryLine, Grain, Outcome, resolve

ON = date(2027, 3, 31)
DAY = timedelta(days=1)
SIREN, SIRET = "100000009", "10000000900017"


def line(matricule: str = "0003", **more: object) -> DirectoryLine:
    """A line at the grain of the SIREN, open since February."""
    known = {"siren": SIREN, "matricule": matricule, "start": date(2027, 2, 1), "instance": 1}
    return DirectoryLine(**(known | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "outcome", "matricule"),
    [
        (line(), Outcome.PLATFORM, "0003"),
        (line("9999"), Outcome.CHORUS_PRO, "9999"),
        (line("9998"), Outcome.NOT_TRANSMITTED, "9998"),
        (line(effective_end=ON), Outcome.GRACE, "0003"),
        (line(effective_end=ON - DAY, end=ON + DAY), Outcome.GRACE, "0003"),
        (line(effective_end=ON + DAY), Outcome.PLATFORM, "0003"),
        (line("0004"), Outcome.GRACE, "0004"),
        (line(start=ON), Outcome.PLATFORM, "0003"),
        (line(end=ON + DAY), Outcome.PLATFORM, "0003"),
        (line(start=ON + DAY), Outcome.UNKNOWN_ADDRESS, None),
        (line(end=ON), Outcome.UNKNOWN_ADDRESS, None),
        (line(suffix="A"), Outcome.UNKNOWN_ADDRESS, None),
        (line(nature="M"), Outcome.UNKNOWN_ADDRESS, None),
    ],
)
def test_outcomes(held: DirectoryLine, outcome: Outcome, matricule: str | None) -> None:
    """Each kind of line, and each edge of its dates, gives its outcome."""
    found = resolve(SIREN, "0225", [held], on=ON, legal_unit_known=True, unregistered={"0004"})
    assert (found.outcome, found.matricule, found.is_contradictory) == (outcome, matricule, False)


def test_who_is_not_there() -> None:
    """Without a line, the legal unit decides between an unknown address and someone outside e-invoicing."""
    assert resolve(SIREN, "0225", [], on=ON, legal_unit_known=False).outcome is Outcome.NOT_IN_DIRECTORY
    assert resolve(SIREN, "0225", [], on=ON, legal_unit_known=True).outcome is Outcome.UNKNOWN_ADDRESS


def test_only_the_scheme_of_the_directory() -> None:
    """The same value under another scheme is no address of the directory."""
    assert resolve(SIREN, "0002", [line()], on=ON, legal_unit_known=True).outcome is Outcome.UNKNOWN_ADDRESS


@given(st.sampled_from([SIREN, f"{SIREN}_{SIRET}", f"{SIREN}_{SIRET}_A", f"{SIREN}_A", f"{SIREN}_a"]))
def test_no_grain_falls_back_to_another(address: str) -> None:
    """Only the line of that very address answers, however close the others are."""
    lines = {
        SIREN: line("0001"),
        f"{SIREN}_{SIRET}": line("0002", siret=SIRET),
        f"{SIREN}_{SIRET}_A": line("0003", siret=SIRET, routing_code="A"),
        f"{SIREN}_A": line("0004", suffix="A"),
    }
    others = [held for at, held in lines.items() if at != address]
    assert resolve(address, "0225", others, on=ON, legal_unit_known=True).outcome is Outcome.UNKNOWN_ADDRESS
    found = resolve(address, "0225", lines.values(), on=ON, legal_unit_known=True)
    assert found.line is lines.get(address)


def test_change_of_platform() -> None:
    """The published portability: the old platform to the eve, the new one from the closing day, nobody in between."""
    old = line("0005", instance=1)
    closed = line("0005", end=ON, instance=2)
    new = line("0003", start=ON, end=date(2027, 12, 31), instance=3)
    asked = [
        resolve(SIREN, "0225", [new, closed, old], on=day, legal_unit_known=True).matricule
        for day in (ON - DAY, ON, date(2027, 12, 30), date(2027, 12, 31))
    ]
    assert asked == ["0005", "0003", "0003", None]


def test_a_masked_line_never_starts() -> None:
    """A line masked before it starts does not receive; defined again after the mask, it does."""
    future = line(suffix="B", start=ON, instance=1)
    mask = line(suffix="B", start=ON, nature="M", instance=2)
    again = line("0007", suffix="B", start=ON, instance=3)
    address = f"{SIREN}_B"
    assert resolve(address, "0225", [mask, future], on=ON, legal_unit_known=True).matricule is None
    assert resolve(address, "0225", [mask, again, future], on=ON, legal_unit_known=True).matricule == "0007"


def test_a_contradiction_is_told() -> None:
    """Two lines that hold at once: the last defined answers, and the contradiction is said."""
    lines = [line("0005", instance=9), line("0003", start=date(2027, 3, 1), instance=4)]
    found = resolve(SIREN, "0225", lines, on=ON, legal_unit_known=True)
    assert (found.matricule, found.is_contradictory) == ("0005", True)


@pytest.mark.parametrize(
    ("held", "motive"),
    [
        (line(), "C"),
        (line(start=ON), "C"),
        (line(start=ON + DAY), "V"),
        (line(end=ON), ""),
        (line(end=ON + DAY), "C"),
        (line(effective_end=ON, end=ON + DAY), "C"),
        (line(start=ON + DAY, end=ON + DAY), ""),
        (line(nature="M", start=ON + DAY), ""),
    ],
)
def test_what_a_full_export_shows(held: DirectoryLine, motive: str) -> None:
    """A full export shows what is in force, what is to come, and what may still be used until the day agreed."""
    assert held.motive_in_full(ON) == motive


def test_grains() -> None:
    """Each address says its grain and writes itself."""
    grains = {held.grain: held.address for held in (line(), line(siret=SIRET), line(suffix="A"))}
    code = line(siret=SIRET, routing_code="A_B")
    assert grains == {Grain.SIREN: SIREN, Grain.SIRET: f"{SIREN}_{SIRET}", Grain.SUFFIX: f"{SIREN}_A"}
    assert (code.grain, code.address) == (Grain.ROUTING_CODE, f"{SIREN}_{SIRET}_A_B")
