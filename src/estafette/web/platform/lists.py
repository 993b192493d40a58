"""The lists of invoices at the desk: what a person looks for among them, page by page, and the same for a spreadsheet.

/issued, /received                   search by number, counterpart, days of issue, where they stand
/issued/export, /received/export     what is found, in CSV
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.platform.invoice_list import Sought
from estafette.platform.keeping_index import csv_line
from estafette.platform.platform import Platform
from estafette.store.identity import Person
from estafette.web.desk import Desk, language_of, tenant_of
from estafette.web.platform import signs
from estafette.web.platform.files import to_save
from estafette.web.platform.signs import Sign

ROWS_A_PAGE = 50
PAGES_MAX = 20_000
EXPORTED_MAX = 20_000
"""Invoices in one file (our bound): a company with more asks for a shorter period."""

TOO_MANY = "Trop de factures pour un fichier", "Too many invoices for one file"
WHAT_THEN = (
    f"Plus de {EXPORTED_MAX} factures répondent à ces critères : exportez une période plus courte.",
    f"More than {EXPORTED_MAX} invoices meet these criteria: export a shorter period.",
)

SIDES = {"issued": "CustomerInvoice", "received": "SupplierInvoice"}
"""The type of flow (XP Z12-013 §3.6) under which the invoices of each side go, where an accreditation is limited."""

STANDS: Mapping[str, tuple[Sign, Sought]] = {
    "open": (
        Sign("En attente du client ou de vous", "Waiting for the customer or for you"),
        Sought(statuses=frozenset({"200", "201", "202", "203", "204", "209"})),
    ),
    "disputed": (
        Sign("En litige, suspendues, approuvées en partie", "Disputed, suspended, partly approved"),
        Sought(statuses=frozenset({"206", "207", "208"})),
    ),
    "approved": (Sign("Approuvées, non payées", "Approved, not paid"), Sought(statuses=frozenset({"205", "214"}))),
    "paid": (Sign("Payées ou encaissées", "Paid or collected"), Sought(statuses=frozenset({"211", "212"}))),
    "ended": (
        Sign("Refusées, rejetées, annulées, non arrivées", "Refused, rejected, cancelled, not arrived"),
        Sought(statuses=frozenset({"210", "213", "220", "221", "501"})),
    ),
    "refused": (
        Sign("Données rejetées par l'administration", "Data rejected by the administration"),
        Sought(declared=frozenset({"rejected", "irreceivable"})),
    ),
    "undelivered": (
        Sign("Déposées, non transmises", "Submitted, not transmitted"),
        Sought(standings=frozenset({"undelivered"})),
    ),
    "reported": (Sign("E-reporting", "E-reporting"), Sought(standings=frozenset({"reportable"}))),
    "archived": (Sign("Archivées seulement", "Archived only"), Sought(standings=frozenset({"archived"}))),
}
"""Where invoices may be sought to stand."""

COLUMNS = {
    "fr": ("numero", "date", "echeance", "type", "tiers", "siren", "montant_ttc", "devise", "statut", "administration"),
    "en": ("number", "date", "due", "type", "counterpart", "siren", "total_with_vat", "currency", "status", "state"),
}


class Lists:
    """The lists of one company."""

    def __init__(self, platform: Platform, desk: Desk) -> None:
        self._platform = platform
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return the pages."""
        page = self._desk.signed_in
        return [
            Route("/issued", page(self.issued)),
            Route("/issued/export", page(self.issued_file)),
            Route("/received", page(self.received)),
            Route("/received/export", page(self.received_file)),
        ]

    async def issued(self, request: Request, person: Person) -> Response:
        """Show the invoices the company issued."""
        return await self._list(request, person, "issued")

    async def received(self, request: Request, person: Person) -> Response:
        """Show the invoices the company received."""
        return await self._list(request, person, "received")

    async def issued_file(self, request: Request, person: Person) -> Response:
        """Give the invoices the company issued that are sought, in CSV."""
        return await self._file(request, person, "issued")

    async def received_file(self, request: Request, person: Person) -> Response:
        """Give the invoices the company received that are sought, in CSV."""
        return await self._file(request, person, "received")

    async def _list(self, request: Request, person: Person, side: str) -> Response:
        asked, page = request.query_params, _page(request.query_params.get("page", ""))
        rows = await self._rows(person, side, asked, ROWS_A_PAGE + 1, (page - 1) * ROWS_A_PAGE)
        if not rows and page > 1:
            raise HTTPException(404)
        named = ("number", "counterpart", "from", "to", "stands")
        kept = urlencode({name: asked[name] for name in named if asked.get(name)})
        values: dict[str, Any] = {"side": side, "rows": rows[:ROWS_A_PAGE], "more": len(rows) > ROWS_A_PAGE}
        values |= {"page": page, "asked": asked, "kept": kept, "stands": STANDS, "signs": signs}
        return self._desk.render(request, "list.html", **values)

    async def _file(self, request: Request, person: Person, side: str) -> Response:
        rows = await self._rows(person, side, request.query_params, EXPORTED_MAX + 1, 0)
        if len(rows) > EXPORTED_MAX:  # a file that leaves some out says nothing of it once it is opened
            back = f"/{side}?{request.url.query}"
            return self._desk.notice(request, 422, TOO_MANY, WHAT_THEN, back=back)
        data = await run_in_threadpool(_csv, rows, side, language_of(request))
        return to_save(f"{tenant_of(person)}-{side}.csv", data)

    async def _rows(
        self, person: Person, side: str, asked: Mapping[str, str], limit: int, offset: int
    ) -> list[dict[str, Any]]:
        if not person.sees(SIDES[side]):
            raise HTTPException(403)
        return await run_in_threadpool(
            self._platform.invoices, tenant_of(person), side, limit, offset, sought=_sought(asked)
        )


def _sought(asked: Mapping[str, str]) -> Sought:
    """Return what the address asks for; what cannot be read is not asked."""
    _words, stands = STANDS.get(asked.get("stands", ""), (None, Sought()))
    return Sought(
        number=asked.get("number", "").strip()[:100],
        counterpart=asked.get("counterpart", "").strip()[:100],
        starts_on=_day(asked.get("from", "")),
        ends_on=_day(asked.get("to", "")),
        statuses=stands.statuses,
        standings=stands.standings,
        declared=stands.declared,
    )


def _csv(rows: list[dict[str, Any]], side: str, language: str) -> bytes:
    """Return the file of these rows, which spreadsheets are told is UTF-8 (its mark of order)."""
    return b"\xef\xbb\xbf" + "".join(_lines(rows, side, language)).encode()


def _lines(rows: list[dict[str, Any]], side: str, language: str) -> Iterator[str]:
    """Write the rows as spreadsheets read them: in French, the comma before the cents."""
    other = "buyer" if side == "issued" else "seller"

    def word(sign: Sign) -> str:
        return sign.fr if language == "fr" else sign.en

    yield csv_line(COLUMNS[language])
    for row in rows:
        amount = "" if row["total_with_vat"] is None else f"{row['total_with_vat']:f}"
        yield csv_line(
            (
                row["number"], row["issue_date"], row["due_date"] or "", row["type_code"], row[f"{other}_name"],
                row[f"{other}_siren"], amount.replace(".", ",") if language == "fr" else amount, row["currency"],
                word(signs.of_invoice(row)), word(signs.of_declared(row["declared"])),
            )
        )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        return None


def _page(text: str) -> int:
    return min(max(int(text), 1), PAGES_MAX) if text.isascii() and text.isdigit() and len(text) < 6 else 1
