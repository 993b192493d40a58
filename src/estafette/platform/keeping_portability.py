"""Changing platform: a company that leaves keeps being served for a year, one that comes brings its archives.

Leaving. Whether the company asks here or its new platform closes our lines, what the copy of the directory says is
looked at from time to time: a customer all of whose lines here end is recorded as leaving. Its portability package is
made by itself, free; its invoices and their statuses go on being handled, and nothing of it is purged, for the year
that follows.

Coming. A package made by another platform is read here: its invoices join the archives of the company as they were,
original, statuses and proof, and nothing of them is declared or sent again. Reading it twice changes nothing.

Source: CGI, ann. II, art. 242 nonies E ter and E quater; DGFiP, guide of the conformity audit v1.3, A4.2.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, insert, not_, or_, select, update

from estafette.exchange.keys import verifies
from estafette.platform.home import Home
from estafette.platform.keeping_package import Asked, NotPossible, Packages
from estafette.platform.keeping_tables import departure, imported
from estafette.platform.mirror import Mirror
from estafette.platform.mirror_tables import is_current, mirror_line
from estafette.platform.tables import company, event, invoice
from estafette.store import audit
from estafette.store.database import Database
from estafette.store.documents import Documents
from estafette.store.sealed_check import check
from estafette.store.sealed_files import SIGNATURE, SIGNATURE_BYTES_MAX
from estafette.values.limits import FILE_BYTES_MAX
from estafette.values.moments import paris_day
from estafette.values.retention import Kind
from estafette.values.working_days import working_day_after

OBJECTION_DAYS, LINE_DAYS = 5, 15
"""Working days: to object to a change of platform, to have the new line in the directory (art. 242 nonies E ter)."""

FICTIVE = "9998"
BATCH = 50
PROOF_BYTES_MAX = 16 * 1024 * 1024


class NotTaken(Exception):
    """A package that is not read here: why, in both languages."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr, self.en = fr, en


# --------------------------------------------------------------------------------------------------------- leaving


class Departures:
    """Looks for the customers that leave, from time to time."""

    def __init__(self, home: Home, packages: Packages) -> None:
        self._home = home
        self._packages = packages

    async def visit(self) -> None:
        """Every customer that leaves is recorded, its package asked for; one that comes back leaves no more."""
        await self._home.actor.database.write(self.look)

    def look(self, connection: Connection) -> None:
        """As `visit`, in this transaction."""
        now = self._home.actor.clock()
        today = paris_day(now)
        for row in _leaving(connection, self._home, today):
            self._leave(connection, row, now=now, today=today)
        for siren in _back(connection, self._home):
            mine = (departure.c.siren == siren, departure.c.withdrawn_at.is_(None))
            connection.execute(update(departure).where(*mine).values(withdrawn_at=now))
            audit.record(connection, siren, "departure.withdrawn", at=now, about=siren)

    def _leave(self, connection: Connection, row: dict[str, Any], *, now: datetime, today: date) -> None:
        serves = self._packages.retention.until(Kind.PORTABILITY, row["start"], on=today)
        try:
            identifier = self._packages.ask(connection, row["siren"], Asked(purpose="portability"), by="platform")
        except NotPossible:  # some are being made already: the next visit asks again
            return
        days = {
            "agreed_on": today, "objection_until": working_day_after(today, OBJECTION_DAYS),
            "line_until": working_day_after(today, LINE_DAYS), "serves_until": serves,
        }  # fmt: skip
        said = {"siren": row["siren"], "matricule": row["matricule"], "package_id": identifier}
        connection.execute(insert(departure).values(**said, **days, recorded_by="platform", recorded_at=now))
        told = {name: str(value) for name, value in days.items()}
        audit.record(connection, row["siren"], "departure.recorded", at=now, about=row["siren"], **told)


def _leaving(connection: Connection, home: Home, today: date) -> list[dict[str, Any]]:
    """Return the customers all of whose lines here end, not recorded yet: from which day, and for which platform."""
    ends = func.coalesce(mirror_line.c.effective_end, mirror_line.c.end)
    recorded = and_(
        departure.c.siren == mirror_line.c.siren,
        or_(departure.c.withdrawn_at.is_(None), departure.c.agreed_on == today),
    )
    query = (
        select(mirror_line.c.siren, func.max(ends).label("start"))
        .join(company, company.c.siren == mirror_line.c.siren)
        .where(*_ours(home), not_(exists().where(recorded)))
        .group_by(mirror_line.c.siren)
        .having(func.count(ends) == func.count())
        .order_by(mirror_line.c.siren)
    )
    rows = connection.execute(query).all()
    return [{"siren": row.siren, "start": row.start, "matricule": _next(connection, home, row)} for row in rows]


def _next(connection: Connection, home: Home, row: Any) -> str:
    """Return the platform that has the company's address from that day on; empty when none has."""
    others = mirror_line.c.matricule.not_in([*sorted(home.identity.matricules), FICTIVE])
    lines = (is_current(mirror_line), mirror_line.c.siren == row.siren, mirror_line.c.nature == "D")
    mine = (*lines, mirror_line.c.start >= row.start, others)
    first = select(mirror_line.c.matricule).where(*mine).order_by(mirror_line.c.start).limit(1)
    return connection.execute(first).scalar() or ""


def _back(connection: Connection, home: Home) -> list[str]:
    """Return the customers recorded as leaving that have a line here which goes on."""
    goes_on = and_(mirror_line.c.end.is_(None), mirror_line.c.effective_end.is_(None))
    here = exists().where(mirror_line.c.siren == departure.c.siren, *_ours(home), goes_on)
    query = select(departure.c.siren).where(departure.c.withdrawn_at.is_(None), here).distinct()
    return list(connection.execute(query.order_by(departure.c.siren)).scalars())


def _ours(home: Home) -> tuple[ColumnElement[bool], ...]:
    """Hold for the lines of the copy that are this platform's; one that was masked is there as its mask, alone."""
    ours = mirror_line.c.matricule.in_(sorted(home.identity.matricules))
    return is_current(mirror_line), ours, mirror_line.c.nature == "D"


def leaving(connection: Connection, siren: str) -> RowMapping | None:
    """Return how a company leaves, None when it does not."""
    query = select(departure).where(departure.c.siren == siren, departure.c.withdrawn_at.is_(None))
    return connection.execute(query.order_by(departure.c.agreed_on.desc())).mappings().first()


# ---------------------------------------------------------------------------------------------------------- coming


@dataclass(slots=True)
class Taken:
    """What came of a package: invoices taken, had already, and without an original to keep."""

    taken: int = 0
    had: int = 0
    without: int = 0


def signer(connection: Connection, file: Path) -> str:
    """Return the key of the platform that a package says it is of, as the directory tells it. Raises: NotTaken."""
    try:
        with zipfile.ZipFile(file) as package:
            told = msgspec.json.decode(_read(package, SIGNATURE, SIGNATURE_BYTES_MAX), type=dict[str, Any])
    except (zipfile.BadZipFile, KeyError, msgspec.DecodeError, msgspec.ValidationError, OSError, RuntimeError):
        raise NotTaken("Ce n'est pas un dossier scellé.", "This is no sealed package.") from None
    peer = Mirror().peer(connection, str(told.get("matricule")))
    if peer is None:
        raise NotTaken("Plateforme inconnue de l'annuaire : dites sa clé (--key).", "Unknown platform: say its key.")
    return peer.public_key


def read_package(
    file: Path,
    siren: str,
    *,
    key: str,
    database: Database,
    documents: Documents,
    now: Callable[[], datetime],
) -> Taken:
    """The invoices of a package that another platform made are in the archives of the company.

    Each batch is one transaction; a package read before, or half read, is read again and changes nothing more.
    Raises: sealed_files.Broken, when a byte is not as it was signed by that key; NotTaken.
    """
    with file.open("rb") as opened:
        told = check(opened, verifies, key=key).verified.told
    if told.get("siren") != siren:
        said = str(told.get("siren"))[:20]
        raise NotTaken(f"Ce dossier est celui de {said}.", f"This package is that of {said}.")
    with database.read() as connection:
        if connection.execute(select(company.c.siren).where(company.c.siren == siren)).first() is None:
            raise NotTaken(f"{siren} n'est pas client ici.", f"{siren} is no customer here.")
    taken = Taken()
    with zipfile.ZipFile(file) as package:
        folders = groupby(package.namelist(), key=lambda name: "/".join(name.split("/")[:4]))
        files = ((folder, list(names)) for folder, names in folders if folder.startswith("documents/"))
        while some := list(islice(files, BATCH)):
            with database.begin() as connection:
                for folder, names in some:
                    _take(connection, documents, package, folder, names, told, taken, now())
    return taken


def _take(  # noqa: PLR0917 — one invoice, in its transaction
    connection: Connection,
    documents: Documents,
    package: zipfile.ZipFile,
    folder: str,
    names: list[str],
    told: dict[str, Any],
    taken: Taken,
    now: datetime,
) -> None:
    data = _read(package, f"{folder}/proof.json", PROOF_BYTES_MAX)
    proof = msgspec.json.decode(data)
    said = proof["invoice"]
    original = next((name for name in names if PurePosixPath(name).stem == "original"), None)
    identifier = str(uuid5(NAMESPACE_URL, f"estafette:{told['matricule']}:{said['id']}"))
    if original is None:
        taken.without += 1
        return
    if _is_had(connection, told["siren"], identifier, said):
        taken.had += 1
        return
    sha256 = documents.put(_read(package, original, FILE_BYTES_MAX))
    connection.execute(insert(invoice).values(_row(told, said, identifier, sha256)))
    by_hash = {documents.put(body): name for name, body in _bodies(package, names)}
    for each in proof["statuses"]:
        if each["sha256"] in by_hash:
            connection.execute(insert(event).values(_event(each, identifier)))
    kept = [("proof.json", documents.put(data))]
    kept += [(name.removeprefix(f"{folder}/"), digest) for digest, name in by_hash.items() if "/state/" in name]
    connection.execute(
        insert(imported), [{"invoice_id": identifier, "name": name, "sha256": digest} for name, digest in kept]
    )
    about = {"number": said["number"], "sha256": sha256, "platform": told["matricule"], "package": told["package"]}
    audit.record(connection, told["siren"], "imported", at=now, about=identifier, **about)
    taken.taken += 1


def _is_had(connection: Connection, siren: str, identifier: str, said: dict[str, Any]) -> bool:
    """Tell whether the company has the invoice here: from this package, or otherwise."""
    same = and_(
        invoice.c.siren == siren, invoice.c.side == said["side"], invoice.c.seller_siren == said["seller_siren"],
        invoice.c.number == said["number"], invoice.c.year == said["year"], invoice.c.standing != "rejected",
    )  # fmt: skip
    mine = or_(invoice.c.id == identifier, same) if said["standing"] != "rejected" else invoice.c.id == identifier
    return connection.execute(select(invoice.c.id).where(mine)).first() is not None


def _row(told: dict[str, Any], said: dict[str, Any], identifier: str, sha256: str) -> dict[str, Any]:
    """Return the record of an invoice that came so: as it was, but archived, and of no exchange of ours."""
    named = ("side", "seller_siren", "seller_name", "buyer_siren", "buyer_name", "number", "year", "type_code",
             "currency", "syntax", "file_name")  # fmt: skip
    whence = f"{told['platform']} ({told['matricule']})"
    explanation = {
        "fr": f"Reprise de {whence}, où elle a été échangée : originale, statuts et preuve sont conservés ici.",
        "en": f"Taken over from {whence}, where it was exchanged: original, statuses and proof are kept here.",
        "faults": [],
    }
    return {
        **{name: said[name] for name in named}, "id": identifier, "siren": told["siren"], "sha256": sha256,
        "standing": "rejected" if said["standing"] == "rejected" else "archived",
        "issue_date": date.fromisoformat(said["issue_date"]),
        "due_date": date.fromisoformat(said["due_date"]) if said["due_date"] else None,
        "total_with_vat": Decimal(said["total_with_vat"]) if said["total_with_vat"] is not None else None,
        "received_at": datetime.fromisoformat(said["received_at"]), "explanation": explanation,
    }  # fmt: skip


def _event(said: dict[str, Any], identifier: str) -> dict[str, Any]:
    named = ("message_id", "status", "emitter_role", "received", "reasons", "characteristics", "comment", "sha256")
    moments = {name: datetime.fromisoformat(said[name]) for name in ("set_at", "recorded_at")}
    return {**{name: said[name] for name in named}, **moments, "invoice_id": identifier}


def _bodies(package: zipfile.ZipFile, names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Give the statuses and what the State was told."""
    for name in names:
        if "/statuses/" in name or "/state/" in name:
            yield name, _read(package, name, FILE_BYTES_MAX)


def _read(package: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a file of a package, no longer than it may be. Raises: NotTaken."""
    with package.open(name) as opened:
        data = io.BytesIO(opened.read(most + 1)).getvalue()
    if len(data) > most:
        raise NotTaken(f"{name} : trop long.", f"{name}: too long.")
    return data
