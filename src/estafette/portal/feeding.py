"""A file of a feed into the directory, to its end or from where it was cut short, and what became of each row.

Each few thousand rows are one transaction, in which the file's own row says how far it is: a load that is killed goes
on from there, and a file that was loaded to its end is not loaded again. Rows that are refused are kept in a file
beside the data, with their line, what was seen and what is expected; they stop nothing.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from estafette.directory.resolution import CHORUS_PRO
from estafette.formats.sirene import Wrong
from estafette.portal import directory_words, feeds, public_feed
from estafette.portal.feed_files import Feed, Record, fingerprint, opened, records
from estafette.portal.feed_tables import feed_load
from estafette.portal.feeds import Effect
from estafette.portal.register import Register
from estafette.portal.register import Source as By
from estafette.store.database import Database
from estafette.values.limits import FEED_CHUNK_ROWS

AUTHORS = {Feed.STOCK: "INSEE", Feed.DAILY: "INSEE", Feed.TAX: "DGFiP", Feed.CHORUS_PRO: CHORUS_PRO}
SOURCES = {Feed.STOCK: By.SIRENE, Feed.DAILY: By.SIRENE, Feed.TAX: By.TAX, Feed.CHORUS_PRO: By.CHORUS_PRO}

Say = Callable[["Report"], None]


@dataclass(slots=True)
class Report:
    """How far a file is and what it did; `share` from 0 to 1; `rejects`: where its refused rows are kept."""

    file: str
    feed: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    passed: int = 0
    rejected: int = 0
    share: float = 0.0
    resumed_after: int = 0
    already_loaded: bool = False
    rejects: str | None = None
    first_rejects: list[dict[str, Any]] = field(default_factory=list)

    def count(self, rows: int, effect: Effect, share: float) -> None:
        """What some more rows did is in it."""
        self.rows += rows
        self.added += effect.added
        self.changed += effect.changed
        self.same += effect.same
        self.passed += effect.passed
        self.rejected += len(effect.rejected)
        self.share = share


class _Undone(Exception):
    """A dry run takes back what it did."""


class Feeding:
    """The feeds of one directory. `rejects`: the folder where refused rows are kept."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime], rejects: Path) -> None:
        self._database = database
        self._clock = clock
        self._rejects = rejects

    def load(self, file: Path, feed: Feed, *, is_dry: bool = False, say: Say = lambda _report: None) -> Report:
        """The directory says what the file says; `say` is told after each part. Raises: WrongFile, OSError.

        A dry run counts the same and writes nothing, each part as if it were alone.
        """
        report = Report(file.name, str(feed))
        mark = fingerprint(file)
        with opened(file) as source:
            after = 0 if is_dry else self._begin(file, feed, mark, report)
            if report.already_loaded:
                return report
            kept = _Rejects(self._rejects / f"{file.name}-{mark[:8]}.jsonl", after, is_dry=is_dry)
            for chunk in _chunks(records(source, feed, after=after)):
                effect = self._apply(file, feed, mark, chunk, kept)
                report.count(len(chunk), effect, min(source.position() / source.size, 1.0))
                say(report)
        report.share = 1.0
        report.rejects, report.first_rejects = kept.path, kept.first
        if not is_dry:
            self._end(feed, mark)
        return report

    def _begin(self, file: Path, feed: Feed, mark: str, report: Report) -> int:
        """Return the line after which there is something to load."""
        with self._database.begin() as connection:
            held = connection.execute(select(feed_load).where(*_mine(feed, mark))).first()
            if held is None:
                row = {"feed": feed, "name": file.name[:100], "fingerprint": mark, "started_at": self._clock()}
                connection.execute(insert(feed_load).values(**row, line=0, rows=0, written=0, rejected=0))
                return 0
            if feed is Feed.CHORUS_PRO and _is_overtaken(connection, held):
                again = {
                    "started_at": self._clock(),
                    "ended_at": None,
                    "line": 0,
                    "rows": 0,
                    "written": 0,
                    "rejected": 0,
                }
                connection.execute(update(feed_load).where(*_mine(feed, mark)).values(again))
                return 0
        report.already_loaded = held.ended_at is not None
        report.resumed_after = held.line
        return int(held.line)

    def _apply(self, file: Path, feed: Feed, mark: str, chunk: list[Record], kept: "_Rejects") -> Effect:
        effect = Effect()
        with suppress(_Undone), self._database.begin() as connection:
            message = f"{file.name[:80]}:{chunk[0].line}-{chunk[-1].line}"
            register = Register(
                connection, at=self._clock(), source=SOURCES[feed], author=AUTHORS[feed], message=message
            )
            is_public = feed is Feed.CHORUS_PRO
            effect = public_feed.apply(register, chunk) if is_public else feeds.apply(register, feed, chunk)
            kept.add(effect.rejected)  # before it is known how far the file is: what goes on from there is whole
            if kept.is_dry:
                _undo()
            self._advance(connection, feed, mark, chunk, effect)
        return effect

    def _advance(self, connection: Connection, feed: Feed, mark: str, chunk: list[Record], effect: Effect) -> None:
        """The file is so far, in the transaction that took it there."""
        held = connection.execute(select(feed_load).where(*_mine(feed, mark))).one()
        values = {
            "line": chunk[-1].line,
            "rows": held.rows + len(chunk),
            "written": held.written + effect.added + effect.changed,
            "rejected": held.rejected + len(effect.rejected),
            "units_until": max(held.units_until or feeds.EPOCH, effect.units_until),
            "establishments_until": max(held.establishments_until or feeds.EPOCH, effect.establishments_until),
        }
        connection.execute(update(feed_load).where(*_mine(feed, mark)).values(values))

    def _end(self, feed: Feed, mark: str) -> None:
        now = self._clock()
        with self._database.begin() as connection:
            connection.execute(update(feed_load).where(*_mine(feed, mark)).values(ended_at=now))

    def settle(self) -> int:
        """The directory says what the tax register says today, of those whose day has come; how many."""
        done = 0
        while True:
            with self._database.begin() as connection:
                register = Register(connection, at=self._clock(), source=By.TAX, author=AUTHORS[Feed.TAX])
                settled = feeds.apply_due(register)
            done += settled
            if settled < feeds.DUE_AT_ONCE:
                return done

    def gather(self) -> int:
        """Companies are found by the words of all that is new; returns how many versions were."""
        done = 0
        while True:
            with self._database.begin(durable=False) as connection:
                gathered = directory_words.gather(connection)
            done += gathered
            if not gathered:
                return done


class _Rejects:
    """The file of refused rows, one JSON object a line; begun again where a load that was cut short goes on."""

    def __init__(self, file: Path, after: int, *, is_dry: bool) -> None:
        self.is_dry = is_dry
        self._file = None if is_dry else file
        self.first: list[dict[str, Any]] = []
        if self._file is not None and self._file.exists():
            held = [line for line in self._file.read_text().splitlines() if _line_of(line) <= after]
            self._file.write_text("".join(f"{line}\n" for line in held))

    @property
    def path(self) -> str | None:
        """Tell where it is, when there is one."""
        return str(self._file) if self._file is not None and self._file.exists() else None

    def add(self, rejected: Iterable[tuple[int, Wrong]]) -> None:
        """These rows are in the file."""
        rows = [
            {"line": line, "field": wrong.field, "seen": wrong.seen, "fr": wrong.fr, "en": wrong.en}
            for line, wrong in sorted(rejected, key=lambda one: one[0])
        ]
        self.first += rows[: max(10 - len(self.first), 0)]
        if rows and self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as stream:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _line_of(reject: str) -> int:
    """Return the line that a reject is about; past the end for one that was cut short, which comes again."""
    try:
        return int(json.loads(reject)["line"])
    except ValueError:
        return sys.maxsize


def _is_overtaken(connection: Connection, held: Row[Any]) -> bool:
    """Tell whether another file of the feed came since: rows without a date say what is so now, once more."""
    others = (feed_load.c.feed == held.feed, feed_load.c.id != held.id)
    later = select(feed_load.c.id).where(*others, feed_load.c.started_at >= held.started_at)
    return connection.execute(later.limit(1)).first() is not None


def _undo() -> None:
    raise _Undone


def _mine(feed: Feed, mark: str) -> tuple[Any, ...]:
    return feed_load.c.feed == feed, feed_load.c.fingerprint == mark


def _chunks(found: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(found, FEED_CHUNK_ROWS)):
        yield chunk
