"""Deposit by a folder: what is put in `in` is deposited, and comes out in `done` or `rejected` with its answer.

Under one root each company has its own folder, by its SIREN. It may be a network share: nothing is asked of it but to
list, read, write and rename, from time to time.

Theory of operation. A file is left alone until two visits in a row have seen it with the same size and date, and while
its name says that it is being written (`.part`, `.tmp` …). It is then deposited under a tracking identifier made of its
name and its bytes, and stays where it is until its answer is known; the answer is written, then the file is moved. So
nothing is remembered but what lies in the folders: a program that dies anywhere in between finds the same file again,
deposits it under the same identifier, which is the same deposit, and goes on.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePath

import structlog
from sqlalchemy import Connection, select

from estafette.exchange.sftp_terms import UNFINISHED
from estafette.formats.xml import recognise
from estafette.platform import receipts
from estafette.platform.flows import Deposit, Refusal
from estafette.platform.platform import Platform
from estafette.platform.receipts import Receipt
from estafette.platform.tables import company
from estafette.store.alarms import Condition
from estafette.values import limits

log = structlog.get_logger()

STUCK_AFTER = timedelta(minutes=15)
"""How long a folder may fail, or a file lie in it unjudged, before someone is told (ours)."""

Signature = tuple[int, int]
"""The size and date of a file: the same twice, it is written."""


@dataclass(slots=True)
class Tray:
    """Where one company's files come in and go out. `done` and `rejected` may be one; not `keeps`, originals go."""

    siren: str
    incoming: Path
    done: Path
    rejected: Path
    keeps: bool = True
    seen: dict[str, Signature] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    deposited: dict[str, tuple[Signature, str]] = field(default_factory=dict)
    """By file: what it was when it was deposited, and its flow."""

    def make(self) -> None:
        """The folders are there."""
        for folder in (self.incoming, self.done, self.rejected):
            folder.mkdir(parents=True, exist_ok=True)


class Folder:
    """The trays of every company of a platform, visited now and then.

    `tray_of` says where a company's are, `companies` whose there are, all when it is not given; `is_whole`: a file that
    can be seen is known to be written.
    """

    def __init__(
        self,
        platform: Platform,
        tray_of: Callable[[str], Tray],
        *,
        name: str,
        is_whole: bool = False,
        companies: Callable[[], list[str]] | None = None,
    ) -> None:
        self._platform = platform
        self._tray_of = tray_of
        self._name = name
        self._is_whole = is_whole
        self._companies = companies or (lambda: customers(platform))
        self._trays: dict[str, Tray] = {}
        self._failing: dict[str, tuple[datetime, str]] = {}

    async def visit(self) -> None:
        """Every tray has been looked at once; one that fails holds back no other."""
        for siren in self._companies():
            try:
                await self._visit(self._trays.setdefault(siren, self._tray_of(siren)))
            except OSError as fault:
                since, _text = self._failing.get(siren, (self._now(), ""))
                self._failing[siren] = (since, f"{type(fault).__name__}: {fault.strerror or fault}")
                log.warning("folder.failed", folder=self._name, siren=siren, error=str(fault))
            else:
                self._failing.pop(siren, None)

    def conditions(self, _connection: Connection, now: datetime) -> Iterator[Condition]:
        """Give the trays that fail, and those where a file has lain too long."""
        for siren, (since, text) in self._failing.items():
            if now - since > STUCK_AFTER:
                yield self._stuck(siren, since, text)
        for siren, tray in self._trays.items():
            lying = min(tray.since.items(), key=lambda item: item[1], default=None)
            if siren not in self._failing and lying and now - lying[1] > STUCK_AFTER:
                yield self._stuck(siren, lying[1], lying[0])

    def _stuck(self, siren: str, since: datetime, text: str) -> Condition:
        fr = f"Dépôt « {self._name} » de {siren} : rien n'avance. {text}"
        return Condition(
            "folder", f"{self._name}/{siren}", since, fr, f"{self._name} of {siren}: nothing moves. {text}"
        )

    def _now(self) -> datetime:
        return self._platform.home.actor.clock()

    async def _visit(self, tray: Tray) -> None:
        found = await asyncio.to_thread(_listed, tray)
        for gone in set(tray.since) - set(found):
            for memory in (tray.since, tray.seen, tray.deposited):
                memory.pop(gone, None)
        for name, signature in found.items():
            tray.since.setdefault(name, self._now())
            if self._is_whole or tray.seen.get(name) == signature:
                await self._take(tray, name, signature)
            tray.seen[name] = signature

    async def _take(self, tray: Tray, name: str, signature: Signature) -> None:
        """A file that is written is deposited, or answered once it was judged."""
        held = tray.deposited.get(name)
        if held is None or held[0] != signature:
            refusal = _too_large(signature)
            if refusal:
                await asyncio.to_thread(_answer, tray, name, receipts.refused(name, refusal), "")
                return
            data = await asyncio.to_thread(_read, tray.incoming / name, signature)
            if data is None:  # it changed meanwhile: somebody still writes it
                return
            held = tray.deposited[name] = (signature, await self._deposit(tray.siren, name, data))
        if answer := receipts.receipt(self._platform, tray.siren, name, held[1]):
            await asyncio.to_thread(_answer, tray, name, answer, held[1])

    async def _deposit(self, siren: str, name: str, data: bytes) -> str:
        mark = hashlib.sha256(name.encode(errors="surrogateescape") + b"\0" + data).hexdigest()[:40]
        shown = name.encode(errors="replace").decode()[-255:]
        deposit = Deposit(syntax=recognise(data).value, name=shown, tracking_id=f"{self._name}-{mark}")
        row = await self._platform.deposit(siren, deposit, data)
        self._platform.home.actor.worker.wake()
        return str(row["id"])


def customers(platform: Platform) -> list[str]:
    """Return the companies of a platform, by their SIREN."""
    with platform.home.actor.database.read() as connection:
        return list(connection.execute(select(company.c.siren).order_by(company.c.siren)).scalars())


def _listed(tray: Tray) -> dict[str, Signature]:
    """Return the files that may be taken, by name: no folder, no link, none hidden or said to be unfinished."""
    tray.make()
    found = {}
    with os.scandir(tray.incoming) as entries:
        for entry in entries:
            unfinished = entry.name.startswith((".", "~")) or entry.name.lower().endswith(UNFINISHED)
            if not unfinished and entry.is_file(follow_symlinks=False):
                seen = entry.stat(follow_symlinks=False)
                found[entry.name] = (seen.st_size, seen.st_mtime_ns)
            if len(found) >= limits.FOLDER_FILES_MAX:
                break
    return dict(sorted(found.items()))


def _read(file: Path, signature: Signature) -> bytes | None:
    """Return the bytes of a file, which is still what it was; None when it is not."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as handle:
        data = handle.read(limits.FILE_BYTES_MAX + 1)
        seen = os.fstat(handle.fileno())
    return data if (seen.st_size, seen.st_mtime_ns) == signature and len(data) == signature[0] else None


def _too_large(signature: Signature) -> Refusal | None:
    if signature[0] <= limits.FILE_BYTES_MAX:
        return None
    limit = limits.FILE_BYTES_MAX // 1024**2
    text = (
        f"IRR_TAILLE_F: {signature[0]} octets, la limite est {limit} Mo / {signature[0]} bytes, the limit is {limit} MB"
    )
    return Refusal("FileSizeExceeded", text)


def _answer(tray: Tray, name: str, answer: Receipt, flow_id: str) -> None:
    """The answer is written, then the file has left `in`: in this order, so that no file goes without its answer."""
    folder = tray.done if answer.is_good else tray.rejected
    out = folder / name
    answered = out.with_name(f"{name}.json")
    if out.exists() or (answered.exists() and answered.read_bytes() != answer.data):  # another of that name came before
        out = folder / f"{PurePath(name).stem}.{flow_id[:8] or 'refus'}{PurePath(name).suffix}"
    for ending, content in ((".json", answer.data), (".txt", answer.text)):
        _write(out.with_name(out.name + ending), content)
    if tray.keeps:
        (tray.incoming / name).replace(out)
    else:
        (tray.incoming / name).unlink()


def _write(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.part")
    draft.write_bytes(content)
    draft.replace(file)
