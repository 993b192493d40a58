"""What a company fetches by SFTP: the invoices and statuses the platform has for it, each a file laid in its `retrait`.

How far one is, is a mark beside the area: the moment of the last flow laid there. The file is written before the mark,
so a program that dies in between lays the same file again under the same name; one fetched and removed does not come
back.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path, PurePath

import structlog
from sqlalchemy import RowMapping

from estafette.platform.platform import Platform
from estafette.values import limits

log = structlog.get_logger()

PAGE = 100


class Retrieval:
    """Lays out what is new for each of these companies. `out_of` gives the folder of one, `mark_of` its mark."""

    def __init__(
        self,
        platform: Platform,
        companies: Callable[[], Iterable[str]],
        *,
        out_of: Callable[[str], Path],
        mark_of: Callable[[str], Path],
    ) -> None:
        self._platform = platform
        self._companies = companies
        self._out_of = out_of
        self._mark_of = mark_of

    async def visit(self) -> None:
        """What each company was given since the last visit lies in its folder; one that fails holds back no other."""
        for siren in self._companies():
            try:
                await asyncio.to_thread(self._lay_out, siren)
            except OSError as fault:
                log.warning("retrieval.failed", siren=siren, error=str(fault))

    def _lay_out(self, siren: str) -> None:
        out, mark = self._out_of(siren), self._mark_of(siren)
        while sum(1 for _file in out.iterdir()) < limits.SFTP_FILES_MAX:
            rows = self._platform.search(siren, {"flow_direction": ["In"], **_after(mark)}, PAGE)
            for row in rows:
                _write(out / _name(row), self._platform.document(row["sha256"]))
                _write(mark, row["updated_at"].isoformat().encode())
            if len(rows) < PAGE:
                return


def _after(mark: Path) -> dict[str, datetime]:
    try:
        return {"updated_after": datetime.fromisoformat(mark.read_text())}
    except (FileNotFoundError, ValueError):  # from the beginning: what was fetched comes once more, nothing is lost
        return {}


def _name(row: RowMapping) -> str:
    """Return the name of a file: its own, in safe characters, and the beginning of its flow."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in PurePath(row["name"]).name)
    path = PurePath(safe.lstrip(".") or "flux")
    return f"{path.stem[:120]}.{row['id'][:8]}{path.suffix[:20]}"


def _write(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.part")
    draft.write_bytes(content)
    draft.replace(file)
