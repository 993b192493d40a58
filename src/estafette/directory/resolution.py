"""From the address written in an invoice to the platform that receives it: an exact match, or the reason why not.

The address is that of BT-49, or of BT-34 on a self-billed invoice; the day is that of the sending, not of the invoice.

Source: external specifications v3.2, general file §3.5 and annex 3; directory.md §11.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from estafette.formats.directory_entries import DirectoryLine

SCHEME = "0225"
"""The only scheme of the addresses of the directory."""

FICTIVE, CHORUS_PRO = "9998", "9999"
"""Registration numbers that are no platform to send to: none chosen yet; the public entities (annex 7, G1.112)."""


class Outcome(StrEnum):
    """What becomes of an invoice, by its address."""

    PLATFORM = "platform"
    """It goes to that platform."""
    CHORUS_PRO = "chorus pro"
    """It goes to the public entities' platform."""
    GRACE = "grace"
    """It may still go to that platform, which is closing the line or has lost its registration: expect a failure."""
    NOT_TRANSMITTED = "not transmitted"
    """The addressee has chosen no platform: submitted, not transmitted (200, NON_TRANSMISE); its data are still due."""
    UNKNOWN_ADDRESS = "unknown address"
    """The addressee is in the directory, not that address: rejected (213, REJ_ADR)."""
    NOT_IN_DIRECTORY = "not in directory"
    """The addressee is not in the directory: no e-invoice, the sale is e-reported (10.3, 10.4)."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The outcome, the platform where there is one, the line it was read on, whether lines contradict each other."""

    outcome: Outcome
    matricule: str | None = None
    line: DirectoryLine | None = None
    is_contradictory: bool = False
    """Several lines hold: the directory forbids it (G1.86); the last defined was taken, someone must be told."""


def resolve(
    address: str,
    scheme: str,
    lines: Iterable[DirectoryLine],
    *,
    on: date,
    legal_unit_known: bool,
    unregistered: Collection[str] = (),
) -> Resolution:
    """Tell where an invoice to an address goes on a day.

    `lines`: every version that is known of that address, at least. `legal_unit_known`: whether the addressee's SIREN is
    in the directory. `unregistered`: the platforms whose registration is not in force that day.
    """
    held = _holding(address, scheme, lines, on)
    if not held:
        return Resolution(Outcome.UNKNOWN_ADDRESS if legal_unit_known else Outcome.NOT_IN_DIRECTORY)
    line = max(held, key=lambda line: line.instance)
    return Resolution(_outcome(line, on, unregistered), line.matricule, line, len(held) > 1)


def current(lines: Iterable[DirectoryLine]) -> tuple[DirectoryLine, ...]:
    """Give the lines that count: of each address and start the last version, unless that version masks it.

    Nothing is ever deleted: a line that changes, or is masked, is a new version (annex 3, DT-7-1, DT-7-3).
    """
    last: dict[tuple[str, date], DirectoryLine] = {}
    for line in sorted(lines, key=lambda line: line.instance):
        last[line.address, line.start] = line
    return tuple(line for line in last.values() if line.nature == "D")


def _holding(address: str, scheme: str, lines: Iterable[DirectoryLine], on: date) -> list[DirectoryLine]:
    if scheme != SCHEME:
        return []
    return [line for line in current(line for line in lines if line.address == address) if line.covers(on)]


def _outcome(line: DirectoryLine, on: date, unregistered: Collection[str]) -> Outcome:
    if line.matricule == FICTIVE:
        return Outcome.NOT_TRANSMITTED
    if line.matricule == CHORUS_PRO:
        return Outcome.CHORUS_PRO
    is_closing = line.effective_end is not None and line.effective_end <= on
    return Outcome.GRACE if is_closing or line.matricule in unregistered else Outcome.PLATFORM
