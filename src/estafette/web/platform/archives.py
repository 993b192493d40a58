"""The archives at the desk: what is kept and until when, holds, restitution packages, the company's audit log.

/archives                           search by period, number, counterpart; set and release a hold (POST)
/archives/invoices/{id}/proof       what is recorded of one invoice: hashes, statuses, answers, journal (JSON)
/archives/packages                  the packages asked for; ask for one (POST)
/archives/packages/{id}             the file of one
/archives/journal                   the audit log of the company, its signed roots; verify it now (POST)

Whoever reads may search; a restitution is asked for by administrators and accountants of the company itself, a hold is
set and the audit log read by its administrators.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.keys import verifies
from estafette.platform import keeping_portability, keeping_register
from estafette.platform.keeping_contents import Criteria
from estafette.platform.keeping_package import PURPOSES, Asked, NotPossible
from estafette.platform.keeping_writer import LANGUAGES
from estafette.platform.platform import Platform
from estafette.store import holds, verification
from estafette.store.holds import NotAHold, Scope
from estafette.store.identity import Person
from estafette.store.roles import Capability as C
from estafette.web.desk import SECURITY, Desk, language_of, tenant_of
from estafette.web.platform import signs
from estafette.web.platform.files import to_save

ROWS_A_PAGE = 50
PAGES_MAX = 20_000
EVENTS_SHOWN = 100
ROOTS_SHOWN = 31
SIDES = {"issued": "CustomerInvoice", "received": "SupplierInvoice"}

Fault = tuple[str, str]


class Unread(Exception):
    """A form says something that cannot be: why, in French and in English."""


class ArchivePages:
    """The pages of one company's archives."""

    def __init__(self, platform: Platform, desk: Desk, wake: Callable[[], None]) -> None:
        self._platform = platform
        self._database = platform.home.actor.database
        self._desk = desk
        self._wake = wake

    def routes(self) -> list[BaseRoute]:
        """Return the pages."""
        both, page = ["GET", "POST"], self._desk.signed_in
        return [
            Route("/archives", page(self.archives, post=C.ADMINISTER), methods=both),
            Route("/archives/invoices/{invoice_id}/proof", page(self.proof)),
            Route("/archives/packages", page(self.packages, get=C.RESTITUTE, post=C.RESTITUTE), methods=both),
            Route("/archives/packages/{package_id}", page(self.fetch, get=C.RESTITUTE)),
            Route("/archives/journal", page(self.journal, get=C.ADMINISTER), methods=both),
        ]

    # -------------------------------------------------------------------------------------------------- the archives

    async def archives(self, request: Request, person: Person) -> Response:
        """Show what is kept, and until when; with a form, set or release a hold."""
        if request.method != "POST":
            return await self._archives(request, person, request.query_params)
        sent = await self._desk.form(request, person)
        try:
            self._hold(tenant_of(person), person, sent)
        except (NotAHold, Unread) as refused:
            words = refused.args[0] if isinstance(refused, Unread) else (refused.fr, refused.en)
            return await self._archives(request, person, sent, 422, fault=words)
        return RedirectResponse("/archives#holds", 303)

    def _hold(self, siren: str, person: Person, sent: Mapping[str, str]) -> None:
        now, by = self._desk.clock(), f"login:{person.login}"
        with self._database.begin() as connection:
            if "release" in sent:
                number = sent["release"]
                if not (number.isascii() and number.isdigit() and len(number) < 18):
                    raise HTTPException(404)
                if not holds.release(connection, siren, int(number), by=by, now=now):
                    raise HTTPException(404)
                return
            scope = Scope(_day(sent, "from"), _day(sent, "to"), _text(sent, "counterpart"), _text(sent, "number"))
            until, today = _day(sent, "until"), self._desk.today()
            reason = sent.get("reason", "")
            holds.place(connection, siren, scope, reason=reason, until=until, by=by, now=now, today=today)

    async def _archives(
        self,
        request: Request,
        person: Person,
        asked: Mapping[str, str],
        status: int = 200,
        *,
        fault: Fault | None = None,
    ) -> Response:
        siren, page = tenant_of(person), _page(asked.get("page", ""))
        try:
            criteria = Criteria(siren, _day(asked, "from"), _day(asked, "to"), _text(asked, "counterpart"))
        except Unread as unread:
            criteria, status, fault = Criteria(siren), 422, unread.args[0]
        found = await run_in_threadpool(self._found, person, criteria, asked, page)
        rows, more = found["rows"][:ROWS_A_PAGE], len(found["rows"]) > ROWS_A_PAGE
        named = ("from", "to", "number", "counterpart", "side")
        kept = urlencode({name: asked[name] for name in named if asked.get(name)})
        values = {**found, "rows": rows, "more": more, "page": page, "asked": asked, "kept": kept, "fault": fault}
        return self._desk.render(request, "archives.html", status, today=self._desk.today(), signs=signs, **values)

    def _found(self, person: Person, criteria: Criteria, asked: Mapping[str, str], page: int) -> dict[str, Any]:
        sides = tuple(side for side in SIDES if person.sees(SIDES[side]) and asked.get("side") in (None, "", side))
        number = (_text(asked, "number") or "")[:100]
        offset = (page - 1) * ROWS_A_PAGE
        said: dict[str, Any] = {
            "retention": self._platform.packages.retention,
            "on": self._desk.today(),
            "number": number,
        }
        with self._database.read() as connection:
            rows = keeping_register.search(
                connection, criteria, sides=sides, limit=ROWS_A_PAGE + 1, offset=offset, **said
            )
            gone = keeping_register.gone(connection, criteria, number=number) if sides else []
            leaves = keeping_portability.leaving(connection, criteria.siren)
            return {"rows": rows, "gone": gone, "holds": holds.every(connection, criteria.siren), "leaves": leaves}

    async def proof(self, request: Request, person: Person) -> Response:
        """Give what is recorded of one invoice."""
        siren, identifier = tenant_of(person), request.path_params["invoice_id"]
        view = self._platform.invoice(siren, identifier)
        if view is None or not person.sees(SIDES[view.row["side"]]):
            raise HTTPException(404)
        retention, on = self._platform.packages.retention, self._desk.today()
        with self._database.read() as connection:
            made = keeping_register.proof(connection, siren, identifier, retention=retention, on=on)
        if made is None:
            raise HTTPException(404)
        return to_save(f"{view.row['number']}.proof.json", made)

    # -------------------------------------------------------------------------------------------------- the packages

    async def packages(self, request: Request, person: Person) -> Response:
        """Show the packages of the company; with a form, ask for one."""
        siren = tenant_of(person)
        if request.method != "POST":
            return self._packages(request, siren)
        sent = await self._desk.form(request, person)
        try:
            asked = _asked(sent, language_of(request))
            with self._database.begin() as connection:
                self._platform.packages.ask(connection, siren, asked, by=f"login:{person.login}")
        except (NotPossible, Unread) as refused:
            words = refused.args[0] if isinstance(refused, Unread) else (refused.fr, refused.en)
            return self._packages(request, siren, 422, fault=words, sent=sent)
        self._wake()
        return RedirectResponse("/archives/packages?follow=1", 303)

    def _packages(
        self,
        request: Request,
        siren: str,
        status: int = 200,
        *,
        fault: Fault | None = None,
        sent: Mapping[str, str] | None = None,
    ) -> Response:
        rows = self._platform.packages.every(siren)
        is_making = any(row["state"] == "asked" for row in rows)
        follows = is_making and request.query_params.get("follow") == "1"
        values = {"rows": rows, "fault": fault, "sent": sent or {}, "is_making": is_making, "follows": follows}
        return self._desk.render(request, "archive_packages.html", status, **values)

    async def fetch(self, request: Request, person: Person) -> Response:
        """Give the file of a package."""
        siren, identifier = tenant_of(person), request.path_params["package_id"]
        file = self._platform.packages.fetch(siren, identifier)
        if file is None:
            raise HTTPException(404)
        name = f"{siren}-{identifier[:8]}.zip"
        return FileResponse(file, media_type="application/zip", filename=name, headers=SECURITY)

    # --------------------------------------------------------------------------------------------------- the journal

    async def journal(self, request: Request, person: Person) -> Response:
        """Show the audit log of the company; with a form, verify it."""
        siren = tenant_of(person)
        report = None
        if request.method == "POST":
            await self._desk.form(request, person)
            report = await run_in_threadpool(self._verified, siren)
        about = request.query_params.get("about", "").strip()[:200]
        before = request.query_params.get("before", "")
        place = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
        with self._database.read() as connection:
            events = keeping_register.journal(connection, siren, limit=EVENTS_SHOWN, before=place, about=about)
            roots = keeping_register.daily_roots(connection, siren, limit=ROOTS_SHOWN)
            count = keeping_register.length(connection, siren)
        shown = [{**each, "at": datetime.fromisoformat(each["at"]) if each["at"] else None} for each in events]
        found = {"events": shown, "roots": roots, "count": count}
        asked: dict[str, Any] = {"report": report, "about": about, "before": place, "full": EVENTS_SHOWN}
        return self._desk.render(request, "archive_journal.html", 200, **found, **asked)

    def _verified(self, siren: str) -> verification.Report:
        actor = self._platform.home.actor
        with self._database.read() as connection:
            today = self._desk.today()
            return verification.verify(connection, key=actor.public_key, verifies=verifies, chain=siren, on=today)


def _asked(sent: Mapping[str, str], language: str) -> Asked:
    purpose = sent.get("purpose", "tenant")
    wanted = sent.get("language") or language
    if purpose not in PURPOSES or wanted not in LANGUAGES:
        raise HTTPException(400)
    return Asked(_day(sent, "from"), _day(sent, "to"), _text(sent, "counterpart"), purpose, wanted)


def _day(sent: Mapping[str, str], name: str) -> date | None:
    text = sent.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        shown = text[:20]
        raise Unread((f"« {shown} » n'est pas une date (AAAA-MM-JJ).", f"“{shown}” is no date (YYYY-MM-DD).")) from None


def _text(sent: Mapping[str, str], name: str) -> str | None:
    text = sent.get(name, "").strip()
    if name == "counterpart":
        text = text.replace(" ", "")[:20]
    return text[:255] or None


def _page(text: str) -> int:
    return min(max(int(text), 1), PAGES_MAX) if text.isascii() and text.isdigit() and len(text) < 6 else 1
