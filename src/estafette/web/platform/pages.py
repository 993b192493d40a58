"""Every page of a company: where it is, what it shows, what may be done there.

/                                what asks for attention, the latest invoices
/issued…, /received…             every invoice, fifty a page, searched, exported (`lists`)
/deposits                        the latest deposits
/deposit, /flows/{id}            a file and its verdict
/invoices/{id}                   one invoice whole, and the answers possible now
/invoices/{id}/original          the file as it came
/invoices/{id}/readable          the invoice and its life cycle as a PDF
/invoices/{id}/documents/{n}     a document joined to the invoice (BG-24)
/reports…                        e-reporting (`reports`)
/addresses                       where the company receives, by the directory (`addresses`)
/archives…                       what is kept, holds, restitution, the audit log (`archives`)
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import RowMapping, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.formats.xml import Unreadable
from estafette.lifecycle.contents import REQUESTED_ACTIONS
from estafette.lifecycle.guards import StatusEvent
from estafette.platform.answers import NotAllowed
from estafette.platform.platform import InvoiceView, Platform
from estafette.platform.retransmission import CannotSend
from estafette.platform.tables import company
from estafette.readable import pdf
from estafette.store.database import Database
from estafette.store.identity import Person
from estafette.store.roles import Capability as C
from estafette.web.access import AccessPages
from estafette.web.desk import Desk, language_of, tenant_of
from estafette.web.platform import answers, signs
from estafette.web.platform.addresses import AddressPages
from estafette.web.platform.answers import Unclear
from estafette.web.platform.archives import ArchivePages
from estafette.web.platform.attention import SHOWN_FOR, concerns
from estafette.web.platform.deposits import Deposits
from estafette.web.platform.files import to_save
from estafette.web.platform.lists import ROWS_A_PAGE, SIDES, Lists
from estafette.web.platform.reports import ReportPages, reads

LATEST = 8
LOOKED_AT = 2000
"""The invoices of each side, the latest, among which attention is looked for."""

LINES_SHOWN = 500
"""Lines of one invoice on its page; the original has them all."""


def routes(platform: Platform, desk: Desk, wake: Callable[[], None]) -> list[BaseRoute]:
    """Return the company's pages; `wake` rings the platform's worker after something was written."""
    desk.name_of = partial(_name_of, platform.home.actor.database)
    pages, deposits = Pages(platform, desk, wake), Deposits(platform, desk, wake)
    both = ["GET", "POST"]
    return [
        Route("/", desk.signed_in(pages.home)),
        *Lists(platform, desk).routes(),
        Route("/deposits", desk.signed_in(pages.deposits)),
        Route("/deposit", desk.signed_in(deposits.form, get=C.DEPOSIT, post=C.DEPOSIT), methods=both),
        Route("/flows/{flow_id}", desk.signed_in(deposits.flow)),
        Route("/invoices/{invoice_id}", desk.signed_in(pages.invoice, post=C.ANSWER), methods=both),
        Route("/invoices/{invoice_id}/original", desk.signed_in(pages.original)),
        Route("/invoices/{invoice_id}/readable", desk.signed_in(pages.readable)),
        Route("/invoices/{invoice_id}/documents/{place:row}", desk.signed_in(pages.supporting_document)),
        *ReportPages(platform.reporting, desk).routes(),
        *AddressPages(platform, desk, wake).routes(),
        *ArchivePages(platform, desk, wake).routes(),
        *AccessPages(desk).routes(),
    ]


class Pages:
    """The pages of one company."""

    def __init__(self, platform: Platform, desk: Desk, wake: Callable[[], None]) -> None:
        self._platform = platform
        self._desk = desk
        self._wake = wake

    async def home(self, request: Request, person: Person) -> Response:
        """Show what asks for attention, then the latest invoices of each side."""
        siren = tenant_of(person)
        issued, received = [await self._latest(siren, side) if person.sees(SIDES[side]) else [] for side in SIDES]
        failed = self._platform.reporting.failed(siren, since=self._desk.clock() - SHOWN_FOR) if reads(person) else []
        found = concerns(received, issued, self._flows(person, siren), failed, on=self._desk.today())
        latest = {"issued": issued[:LATEST], "received": received[:LATEST]}
        return self._desk.render(request, "home.html", concerns=found, latest=latest, signs=signs)

    async def _latest(self, siren: str, side: str) -> list[dict[str, Any]]:
        """Return the latest invoices of a side, read away from the loop: they may be thousands."""
        return await run_in_threadpool(self._platform.invoices, siren, side, LOOKED_AT)

    async def deposits(self, request: Request, person: Person) -> Response:
        """Show the latest deposits."""
        rows = self._flows(person, tenant_of(person), ROWS_A_PAGE)
        return self._desk.render(request, "deposits.html", rows=rows, signs=signs)

    async def invoice(self, request: Request, person: Person) -> Response:
        """Show an invoice whole; with a form, set the status it says."""
        siren = tenant_of(person)
        view = self._view(request, person)
        answers_it = person.may(C.ANSWER) and person.sends(SIDES[view.row["side"]] + "LC")
        if request.method != "POST":
            return self._show(request, view, answers_it=answers_it)
        sent = await self._desk.form(request, person)
        if not answers_it:
            raise HTTPException(403)
        view = self._view(request, person)
        try:
            if "again" in sent:
                self._platform.send_again(siren, view.row["id"])
            else:
                self._platform.answer(siren, view.row["id"], answers.read(sent, view))
        except CannotSend as refused:
            return self._show(request, view, 422, sent=sent, fault=(refused.fr, refused.en))
        except Unclear as unclear:
            return self._show(request, view, 422, sent=sent, fault=(unclear.fr, unclear.en))
        except NotAllowed as refused:
            return self._show(request, view, 422, sent=sent, fault=(refused.refusal.fr, refused.refusal.en))
        self._wake()
        return RedirectResponse(f"/invoices/{view.row['id']}#life-cycle", 303)

    async def original(self, request: Request, person: Person) -> Response:
        """Give the very file that came."""
        siren = tenant_of(person)
        if not is_readable(self._view(request, person)):
            raise HTTPException(404)
        name, data = self._platform.original(siren, request.path_params["invoice_id"])
        return to_save(name, data)

    async def readable(self, request: Request, person: Person) -> Response:
        """Give the invoice as a PDF in the reader's language, its life cycle included."""
        view = self._view(request, person)
        if not is_readable(view):
            raise HTTPException(404)
        events = [StatusEvent(each["status"], each["set_at"], each["emitter_role"]) for each in view.events]
        try:
            made = await run_in_threadpool(pdf, view.invoice, language=language_of(request), statuses=events)
        except Unreadable as too_long:
            raise HTTPException(404) from too_long
        return to_save(f"{view.row['number']}.pdf", made)

    async def supporting_document(self, request: Request, person: Person) -> Response:
        """Give a document that the invoice holds (BT-125)."""
        view = self._view(request, person)
        joined = view.invoice.supporting_documents[request.path_params["place"] :][:1]
        if not joined or joined[0].content is None or not is_readable(view):
            raise HTTPException(404)
        return to_save(joined[0].filename or joined[0].reference or "document", joined[0].content)

    def _flows(self, person: Person, siren: str, *limit: int) -> list[RowMapping]:
        rows = self._platform.flows(siren, *limit)
        return [row for row in rows if person.sees(row["flow_type"])]

    def _view(self, request: Request, person: Person) -> InvoiceView:
        """Return the invoice. Raises: HTTPException 404 when it is not the company's, or not within what is let."""
        view = self._platform.invoice(tenant_of(person), request.path_params["invoice_id"])
        if view is None or not person.sees(SIDES[view.row["side"]]):
            raise HTTPException(404)
        return view

    def _show(
        self,
        request: Request,
        view: InvoiceView,
        status: int = 200,
        *,
        sent: Mapping[str, str] | None = None,
        fault: tuple[str, str] | None = None,
        answers_it: bool = True,
    ) -> Response:
        values: dict[str, Any] = {
            "view": view,
            "readable": is_readable(view),
            "forms": answers.forms(view) if answers_it else (),
            "ours": answers.count_of_ours(view),
            "ours_to_answer": answers_it,
            "sent": sent or {},
            "fault": fault,
            "actions": REQUESTED_ACTIONS,
            "lines_max": LINES_SHOWN,
            "decimal": Decimal,
            "signs": signs,
        }
        return self._desk.render(request, "invoice.html", status, **values)


def is_readable(view: InvoiceView) -> bool:
    """Tell whether the company may read the document: one rejected at reception is announced, not handed over."""
    return not (view.row["side"] == "received" and view.row["standing"] == "rejected")


def _name_of(database: Database, siren: str) -> str | None:
    with database.read() as connection:
        return connection.execute(select(company.c.name).where(company.c.siren == siren)).scalar()
