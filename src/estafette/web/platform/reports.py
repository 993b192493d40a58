"""E-reporting at the desk: what will be reported of each period, what was, and everything a company may do about it.

/reports                                   every period, its state and deadline; the regime; the files handed in
/reports/files                             hand in a file of unit records (POST)
/reports/files/{id}                        what became of it, row by row
/reports/days                              enter a day's sales (POST)
/reports/regime                            say the VAT regime from a month on (POST)
/reports/{role}/{kind}/{day}               one period: units, totals, controls, transmissions; send it, withdraw a unit
/reports/{role}/{kind}/{day}/document      the transmission as it would leave now (Flow 10)
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.exchange.bodies import TooLarge
from estafette.formats.flux10 import Block, Kind, Role
from estafette.platform.flows import REPORTS
from estafette.platform.reporting import NotYet, Reporting, daily_total
from estafette.platform.reporting_ledger import PeriodKey
from estafette.platform.reporting_sending import Prepared
from estafette.reporting.calendar import REGIME_NAMES, Regime, RegimeChange
from estafette.reporting.columns import BY_NAME
from estafette.reporting.extraction import CATEGORIES
from estafette.store.identity import Person
from estafette.store.roles import Capability as C
from estafette.values.limits import REPORTING_FILE_BYTES_MAX
from estafette.web.desk import Desk, tenant_of
from estafette.web.platform import signs
from estafette.web.platform.files import NoFile, to_save, uploaded

KEYS = ("date", "category", "rate", "taxable_amount", "tax_amount")
"""What a day's sales need, named as in a file of unit records."""

Fault = tuple[str, str]


class Unread(Exception):
    """A form says something that cannot be: why, in French and in English."""


class ReportPages:
    """The pages of one company's e-reporting."""

    def __init__(self, reporting: Reporting, desk: Desk) -> None:
        self._reporting = reporting
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return the pages; whoever may deposit may report."""
        page, one = self._desk.signed_in, "/reports/{role}/{kind}/{day}"
        both = ["GET", "POST"]
        return [
            Route("/reports", page(self.periods)),
            Route("/reports/files", page(self.hand_in, post=C.DEPOSIT), methods=["POST"]),
            Route("/reports/files/{file_id}", page(self.file)),
            Route("/reports/days", page(self.enter, post=C.DEPOSIT), methods=["POST"]),
            Route("/reports/regime", page(self.regime, post=C.DEPOSIT), methods=["POST"]),
            Route(one, page(self.period, post=C.DEPOSIT), methods=both),
            Route(f"{one}/document", page(self.document)),
        ]

    async def periods(self, request: Request, person: Person) -> Response:
        """Show every period and what may be handed in."""
        return await self._overview(request, _reader(person))

    async def hand_in(self, request: Request, person: Person) -> Response:
        """Take a file of unit records and lead to what became of it."""
        siren = _writer(person)
        try:
            name, data = await uploaded(request, self._desk, person, REPORTING_FILE_BYTES_MAX)
        except TooLarge:
            most = REPORTING_FILE_BYTES_MAX // (1024 * 1024)
            too_large = f"Le fichier dépasse {most} Mo.", f"The file exceeds {most} MB."
            return await self._overview(request, siren, 413, fault=too_large)
        except NoFile:
            none = "Aucun fichier n'est arrivé : choisissez-en un.", "No file came: choose one."
            return await self._overview(request, siren, 400, fault=none)
        taken = await self._reporting.hand_in(siren, data, name=name, source="desk")
        return RedirectResponse(f"/reports/files/{taken.identifier}", 303)

    async def file(self, request: Request, person: Person) -> Response:
        """Show what became of a file, each bad row with what is expected there."""
        row = self._reporting.file(_reader(person), request.path_params["file_id"])
        if row is None:
            raise HTTPException(404)
        return self._desk.render(request, "report_file.html", file=row, signs=signs)

    async def enter(self, request: Request, person: Person) -> Response:
        """Put a day's sales in the ledger; said again for that day, category and rate, they replace."""
        siren = _writer(person)
        sent = await self._desk.form(request, person)
        try:
            said = _day_of_sales(sent, self._reporting.today())
        except Unread as unread:
            return await self._overview(request, siren, 422, fault=unread.args[0], sent=sent)
        key = f"desk:{said['date']}:{said['category']}:{said['rate']}"
        await self._reporting.enter(siren, daily_total(*(said[name] for name in KEYS)), key=key)
        return RedirectResponse(f"/reports/SE/transactions/{said['date']}", 303)

    async def regime(self, request: Request, person: Person) -> Response:
        """Take the VAT regime that the form says, from the month it says."""
        siren = _writer(person)
        sent = await self._desk.form(request, person)
        try:
            change = _regime(sent)
        except ValueError:
            unread = "Choisissez un régime et un mois.", "Choose a regime and a month."
            return await self._overview(request, siren, 422, fault=unread, sent=sent)
        try:
            await self._reporting.set_regime(siren, change)
        except NotYet as reason:
            return await self._overview(request, siren, 422, fault=(reason.fr, reason.en), sent=sent)
        return RedirectResponse("/reports", 303)

    async def period(self, request: Request, person: Person) -> Response:
        """Show one period whole; with a form, send it or withdraw one of its units."""
        if request.method == "GET":
            return self._show(request, await self._reporting.draft(_key(request, _reader(person))))
        key = _key(request, _writer(person))
        sent = await self._desk.form(request, person)
        if "unit" in sent:
            return await self._withdraw(request, key, sent["unit"])
        try:
            await self._reporting.send(key)
        except NotYet as reason:
            return self._show(request, await self._reporting.draft(key), 422, fault=(reason.fr, reason.en))
        return RedirectResponse(f"{request.url.path}#transmissions", 303)

    async def document(self, request: Request, person: Person) -> Response:
        """Give the transmission as it would leave now."""
        prepared = await self._reporting.draft(_key(request, _reader(person)))
        return to_save(f"{prepared.report.identifier}.xml", prepared.data)

    async def _withdraw(self, request: Request, key: PeriodKey, unit: str) -> Response:
        if not (unit.isascii() and unit.isdigit() and len(unit) < 19):
            raise HTTPException(404)
        if not await self._reporting.withdraw(key.siren, int(unit)):
            raise HTTPException(404)
        return RedirectResponse(f"{request.url.path}#units", 303)

    async def _overview(
        self,
        request: Request,
        siren: str,
        status: int = 200,
        *,
        fault: Fault | None = None,
        sent: Mapping[str, str] | None = None,
    ) -> Response:
        held = await run_in_threadpool(self._reporting.drafts, siren)
        values: dict[str, Any] = {
            "drafts": held,
            "files": self._reporting.files(siren),
            "regimes": self._reporting.regimes(siren),
            "regime_names": REGIME_NAMES,
            "categories": CATEGORIES,
            "fault": fault,
            "sent": sent or {},
            "today": self._reporting.today(),
            "limit": REPORTING_FILE_BYTES_MAX // (1024 * 1024),
            "signs": signs,
        }
        return self._desk.render(request, "reports.html", status, **values)

    def _show(self, request: Request, prepared: Prepared, status: int = 200, *, fault: Fault | None = None) -> Response:
        held = prepared.draft
        values = {
            "draft": held,
            "faults": [each.row() for each in prepared.faults],
            "units": [_shown(row) for row in held.units],
            "more": held.count - len(held.units),
            "fault": fault,
            "signs": signs,
        }
        return self._desk.render(request, "report.html", status, **values)


def _shown(row: RowMapping) -> dict[str, Any]:
    """Return a unit as a line of the page: day, what it is, its base and VAT, or what was cashed."""
    data = row["data"]
    block = Block(row["block"])
    parts = data.get("parts") or data.get("vat_breakdown") or []
    if block.kind is Kind.PAYMENTS:
        base, tax = sum((Decimal(part["amount"]) for part in parts), Decimal(0)), None
    elif block is Block.INVOICES:
        base, tax = Decimal(data.get("total_without_vat") or 0), Decimal(data.get("total_vat") or 0)
    else:
        base, tax = Decimal(data["taxable_amount"]), Decimal(data["tax_amount"])
    what = {"block": block, "day": row["day"], "base": base, "tax": tax, "currency": data.get("currency") or "EUR"}
    named = row["reference"] or data.get("number")
    return {**what, "id": row["id"], "category": data.get("category"), "number": named, "source": row["source"]}


def _key(request: Request, siren: str) -> PeriodKey:
    """Return the period that the address names. Raises: HTTPException 404."""
    said = request.path_params
    try:
        return PeriodKey(siren, Role(said["role"]), Kind(said["kind"]), date.fromisoformat(said["day"]))
    except ValueError:
        raise HTTPException(404) from None


def _day_of_sales(sent: Mapping[str, str], today: date) -> dict[str, Any]:
    """Return a day's sales as the form says them. Raises: Unread, by the first field that cannot be."""
    said: dict[str, Any] = {}
    for name in KEYS:
        column = BY_NAME[name]
        text = sent.get(name.replace("_", "-"), "").strip()
        try:
            said[name] = column.read(text)
        except ValueError:
            fr, en = column.expected
            raise Unread((f"{column.french} : « {text[:60]} » ; attendu : {fr}.",
                          f"{column.name}: “{text[:60]}”; expected: {en}.")) from None  # fmt: skip
    if said["date"] > today:
        raise Unread(("La date est dans le futur.", "The date is in the future."))
    return said


def _regime(sent: Mapping[str, str]) -> RegimeChange:
    """Return the regime that the form says. Raises: ValueError."""
    month = date.fromisoformat(f"{sent.get('month', '')}-01")
    return RegimeChange(month, Regime(sent.get("regime", "")), on_debits=sent.get("debits") == "yes")


def reads(person: Person) -> bool:
    """Tell whether a person may see reports."""
    return all(person.sees(flow_type) for flow_type in REPORTS)


def _reader(person: Person) -> str:
    """Return the SIREN of whoever may see reports. Raises: HTTPException 403."""
    if not reads(person):
        raise HTTPException(403)
    return tenant_of(person)


def _writer(person: Person) -> str:
    """Return the SIREN of whoever may report. Raises: HTTPException 403."""
    if not all(person.sends(flow_type) for flow_type in REPORTS):
        raise HTTPException(403)
    return tenant_of(person)
