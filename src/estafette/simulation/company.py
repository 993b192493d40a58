"""A company's software, as it speaks to its platform: deposits, follows, answers, over HTTP and nothing else.

It knows nothing but the address of the platform and its own credentials. A call that finds nobody is made again until
the deadline: platforms restart, and every deposit carries a tracking identifier under which it counts once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import aiohttp
import msgspec

from estafette.formats import Unreadable, cdar, read
from estafette.formats.status_message import Characteristic, Detail, Note, Role, StatusMessage
from estafette.lifecycle.messages import InvoiceReference, between_platforms, company_party

POLL = 0.03
"""Seconds between two looks at what one waits for."""

Seen = TypeVar("Seen")


class TooLong(Exception):
    """What was waited for did not come before the deadline."""


class Refused(aiohttp.ClientError):
    """The platform refused the request: its HTTP status, its error code, its words (XP Z12-013 §2.7)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Reference:
    """The invoice one speaks of: what identifies it."""

    number: str
    issue_date: date
    seller: str
    buyer: str
    type_code: str = "380"

    @classmethod
    def of(cls, document: bytes) -> "Reference":
        """Return the reference of a document. Raises: Unreadable."""
        held = read(document)
        parties = held.seller_siren or "", held.buyer_siren or ""
        return cls(held.number, held.issue_date or date.min, *parties, held.type_code)


@dataclass(slots=True)
class Company:
    """One company and its platform. `patience` is in seconds."""

    siren: str
    role: Role
    url: str
    client_id: str
    client_secret: str
    session: aiohttp.ClientSession
    patience: float = 30.0
    _token: str = field(default="", repr=False)

    async def deposit(self, data: bytes, *, syntax: str, name: str, tracking_id: str, **info: str) -> dict[str, Any]:
        """The file is deposited and acknowledged; returns its flow."""
        flow = await self.hand_in(data, syntax=syntax, name=name, tracking_id=tracking_id, **info)
        return await self.until(lambda: self.flow(flow["flowId"]), lambda seen: _status(seen) != "Pending")

    async def hand_in(self, data: bytes, *, syntax: str, name: str, tracking_id: str, **info: str) -> dict[str, Any]:
        """The file is deposited; returns its flow, pending."""
        stated = {"flowSyntax": syntax, "name": name, "trackingId": tracking_id, **info}

        async def send() -> dict[str, Any]:
            form = aiohttp.FormData()
            form.add_field("flowInfo", msgspec.json.encode(stated).decode(), content_type="application/json")
            form.add_field("file", data, filename=name, content_type="application/octet-stream")
            return await self._call("POST", "/v1/flows", data=form)

        return await self._insist(send)

    async def flow(self, identifier: str) -> dict[str, Any]:
        """Return a flow as it is now."""
        return await self._call("GET", f"/v1/flows/{identifier}")

    async def original(self, identifier: str) -> bytes:
        """Return the file of a flow, byte for byte."""
        return await self._insist(lambda: self._bytes(f"/v1/flows/{identifier}?docType=Original"))

    async def received(self, kinds: list[str]) -> list[dict[str, Any]]:
        """Return every flow of these types that the platform gave, oldest first."""
        return await self._flows({"flowType": kinds, "flowDirection": ["In"]})

    async def invoices(self, number: str) -> list[Reference]:
        """Return the invoices of this number that the company was given, or deposited and that could be taken."""
        found = set()
        for flow in await self._flows({"flowType": ["SupplierInvoice", "CustomerInvoice"], "ackStatus": "Ok"}):
            try:
                about = Reference.of(await self.original(flow["flowId"]))
            except Unreadable:
                continue
            if about.number == number:
                found.add(about)
        return sorted(found, key=lambda about: (about.seller, about.issue_date))

    async def _flows(self, criteria: dict[str, Any]) -> list[dict[str, Any]]:
        """Return every flow that meets the criteria, oldest update first, page by page."""
        found: list[dict[str, Any]] = []
        after = datetime(2000, 1, 1, tzinfo=UTC).isoformat()
        while True:
            where = {"updatedAfter": after, **criteria}
            page = await self._call("POST", "/v1/flows/search", json={"limit": 100, "where": where})
            found += page["results"]
            if len(page["results"]) < 100:
                return found
            after = page["results"][-1]["updatedAt"]

    async def statuses(self, about: Reference) -> list[StatusMessage]:
        """Return the statuses of an invoice that the platform gave, in the order they came."""
        messages = []
        for flow in await self.received(["CustomerInvoiceLC", "SupplierInvoiceLC"]):
            if flow["name"].startswith(f"{about.number}_"):
                message = cdar.read(await self._bytes(f"/v1/flows/{flow['flowId']}?docType=Original"))
                if message.object_identifier == about.number:
                    messages.append(message)
        return messages

    async def say(
        self,
        status: str,
        about: Reference,
        *,
        reason: str = "",
        action: str = "",
        comment: str = "",
        amounts: tuple[tuple[Decimal, Decimal | None], ...] = (),
        occasion: str = "",
    ) -> dict[str, Any]:
        """The company's status is deposited as a CDAR; `amounts` are (amount with VAT, rate or None).

        The same status said again is the same message, unless it is of another `occasion` (a second payment).
        """
        now = datetime.now(UTC)
        identifier = "_".join(filter(None, (about.number, status, self.role.value, occasion)))
        message = between_platforms(
            status,
            identifier=identifier,
            invoice=InvoiceReference(
                number=about.number,
                type_code=about.type_code,
                issue_date=about.issue_date,
                seller_siren=about.seller,
                received_at=now,
            ),
            issuer=company_party(self.role, self.siren),
            recipients=[self._other(about)],
            set_at=now,
            issued_at=now,
            details=_details(status, (reason, action, comment), amounts, now.date()),
        )
        name = f"{about.number}_{status}.xml"
        return await self.deposit(cdar.write(message), syntax="CDAR", name=name, tracking_id=identifier)

    def _other(self, about: Reference) -> Any:
        if self.role is Role.SELLER:
            return company_party(Role.BUYER, about.buyer, address=about.buyer)
        return company_party(Role.SELLER, about.seller, address=about.seller)

    async def report_records(self, data: bytes, *, name: str, partial: bool = False) -> dict[str, Any]:
        """The file of unit records is handed in; returns what became of it, `refused` and its faults included."""
        where = f"{self.url}/reporting/v1/records"
        asked = {"name": name, "partial": "yes" if partial else "no"}
        async with self.session.post(where, params=asked, data=data, headers=await self._headers()) as answer:
            if answer.status != 422:
                await _check(answer)
            body: dict[str, Any] = await answer.json()
            return body

    async def report_drafts(self) -> list[dict[str, Any]]:
        """Return every period of e-reporting, the latest first."""
        found: list[dict[str, Any]] = (await self._call("GET", "/reporting/v1/drafts"))["drafts"]
        return found

    async def report_draft(self, period: str) -> dict[str, Any]:
        """Return one period, named `SE/transactions/2026-09-14`: any day of it will do."""
        return await self._call("GET", f"/reporting/v1/drafts/{period}")

    async def report_document(self, period: str) -> bytes:
        """Return the transmission of a period as it would leave now (Flow 10)."""
        return await self._bytes(f"/reporting/v1/drafts/{period}/document")

    async def report_send(self, period: str) -> None:
        """The period will be sent now. Raises: Refused, when it is not over or has nothing new."""
        await self._call("POST", f"/reporting/v1/drafts/{period}/transmission")

    async def until(self, look: Callable[[], Awaitable[Seen]], enough: Callable[[Seen], bool]) -> Seen:
        """Look until it is enough; returns what was then seen. Raises: TooLong, with what was last seen."""
        deadline = time.monotonic() + self.patience
        seen = await self._insist(look)
        while not enough(seen):
            if time.monotonic() > deadline:
                raise TooLong(repr(seen)[:500])
            await asyncio.sleep(POLL)
            seen = await self._insist(look)
        return seen

    async def _insist(self, call: Callable[[], Awaitable[Seen]]) -> Seen:
        """Make the call until somebody answers. Raises: TooLong."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return await call()
            except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as nobody:
                if time.monotonic() > deadline:
                    raise TooLong(f"{self.url}: {nobody}") from None
                await asyncio.sleep(POLL)

    async def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        async with self.session.request(method, self.url + path, headers=await self._headers(), **request) as answer:
            await _check(answer)
            body: dict[str, Any] = await answer.json()
            return body

    async def _bytes(self, path: str) -> bytes:
        async with self.session.get(self.url + path, headers=await self._headers()) as answer:
            await _check(answer)
            return await answer.read()

    async def _headers(self) -> dict[str, str]:
        if not self._token:
            grant = {"grant_type": "client_credentials", "client_id": self.client_id}
            form = {**grant, "client_secret": self.client_secret}
            async with self.session.post(f"{self.url}/oauth2/token", data=form) as answer:
                await _check(answer)
                self._token = (await answer.json())["access_token"]
        return {"Authorization": f"Bearer {self._token}"}


async def _check(answer: aiohttp.ClientResponse) -> None:
    """Let a good answer through. Raises: Refused, with the words of the platform (of RFC 6749 for a token)."""
    if answer.ok:
        return
    try:
        told = msgspec.json.decode(await answer.read(), type=dict[str, Any])
    except msgspec.MsgspecError:
        told = {}
    code = told.get("errorCode") or told.get("error") or answer.reason
    message = told.get("errorMessage") or told.get("error_description") or answer.url.path
    raise Refused(answer.status, str(code), str(message))


def _status(flow: dict[str, Any]) -> str:
    return str(flow["acknowledgement"]["status"])


def _details(
    status: str,
    said: tuple[str, str, str],
    amounts: tuple[tuple[Decimal, Decimal | None], ...],
    today: date,
) -> tuple[Detail, ...]:
    """Give what goes with a status; `said` are the reason, the action asked for and the comment."""
    reason, action, comment = said
    kind, on = ("MEN", None) if status == "212" else ("MPA", today)
    data = tuple(
        Characteristic(type_code=kind, amount=amount, currency="EUR", percent=rate, changed=False, on=on)
        for amount, rate in amounts
    )
    if not (data or any(said)):
        return ()
    notes = (Note(comment),) if comment else ()
    return (Detail(reason_code=reason, requested_action=action, notes=notes, characteristics=data),)
