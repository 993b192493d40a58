"""Which versions of the lines count, and which of them an export shows.

Nothing is ever deleted: a line that changes, or is masked, is a new version of the same address and start. So the
directory has two times: when a line holds, and when one knew of it.

Source: external specifications v3.2, annex 3 (DT-7-1, DT-7-3), general file §3.5.3.
"""

from collections.abc import Iterable
from datetime import date, datetime

from estafette.formats.directory_entries import DirectoryLine
from estafette.values.moments import paris_day


def current(lines: Iterable[DirectoryLine]) -> tuple[DirectoryLine, ...]:
    """Give the lines that count: of each address and start the last version, unless that version masks it."""
    last: dict[tuple[str, date], DirectoryLine] = {}
    for line in sorted(lines, key=lambda line: line.instance):
        last[line.address, line.start] = line
    return tuple(line for line in last.values() if line.nature == "D")


def as_known(lines: Iterable[DirectoryLine], moment: datetime) -> tuple[DirectoryLine, ...]:
    """Give the lines that counted as one knew them at a moment; a version without a moment was always known."""
    return current(line for line in lines if line.defined_at is None or line.defined_at <= moment)


def motives_in_differential(line: DirectoryLine, *, previous: datetime, produced: datetime) -> tuple[str, ...]:
    """Give why a differential export shows a line, once a motive: P takes effect, S ceases, N newly defined.

    Why a full export shows it is `DirectoryLine.motive_in_full`.
    """
    day = paris_day(produced)
    is_definition = line.nature == "D"
    motives = (
        ("P", is_definition and line.start == day),
        ("S", is_definition and _effective_end(line) == day),
        ("N", line.defined_at is not None and previous <= line.defined_at < produced),
    )
    return tuple(motive for motive, holds in motives if holds)


def _effective_end(line: DirectoryLine) -> date | None:
    return line.effective_end or line.end
