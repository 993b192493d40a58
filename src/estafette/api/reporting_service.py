"""E-reporting over HTTP, for a company's software: hand in unit records, look at the drafts, send a period.

    POST /reporting/v1/records            a file of unit records, CSV or JSON, as the body (?name=, ?partial=yes)
    GET  /reporting/v1/drafts             every period: state, totals, limits, transmissions
    GET  /reporting/v1/drafts/{role}/{kind}/{day}               one period, its first 500 units of `count`, its controls
    GET  /reporting/v1/drafts/{role}/{kind}/{day}/document      the transmission as it would leave now (Flow 10)
    POST /reporting/v1/drafts/{role}/{kind}/{day}/transmission  send it now, once the period is over

`role` is SE or BY, `kind` transactions or payments, `day` any day of the period. These routes are ours: XP Z12-013 has
none for unit records. A whole Flow 10 is deposited by `POST /v1/flows` under the syntax FRR.
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from estafette.api.access import Access
from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, read_body
from estafette.formats.flux10 import Kind, Role
from estafette.platform.platform import Platform
from estafette.platform.reporting import NotYet
from estafette.platform.reporting_drafts import told
from estafette.platform.reporting_ledger import PeriodKey
from estafette.values.limits import REPORTING_FILE_BYTES_MAX

NAME_CHARACTERS_MAX = 255


def routes(platform: Platform, access: Access) -> list[Route]:
    """Return the routes; each asks for a token, and touches what is its company's."""
    reporting = platform.reporting

    async def records(request: Request) -> Response:
        siren = access.tenant(request, "report.write")
        try:
            data = await read_body(request, REPORTING_FILE_BYTES_MAX)
        except TooLarge:
            most = REPORTING_FILE_BYTES_MAX // (1024 * 1024)
            raise Problem(413, f"Le fichier dépasse {most} Mo. / The file exceeds {most} MB.") from None
        name = request.query_params.get("name", "records")[:NAME_CHARACTERS_MAX]
        partial = request.query_params.get("partial") == "yes"
        taken = await reporting.hand_in(siren, data, name=name, source="api", partial=partial)
        body = {
            "fileId": taken.identifier,
            "state": taken.state,
            "rows": taken.rows,
            "changes": taken.changes,
            "faults": [fault.row() for fault in taken.faults],
        }
        return _json(body, 422 if taken.state == "refused" else 200)

    async def drafts(request: Request) -> Response:
        siren = access.tenant(request, "flow.read")
        held = await run_in_threadpool(reporting.drafts, siren)
        return _json({"drafts": [told(each) for each in held]})

    async def draft(request: Request) -> Response:
        prepared = await reporting.draft(_key(request, access.tenant(request, "flow.read")))
        units = [
            {name: row[name] for name in ("id", "block", "day", "source", "source_id", "place", "reference", "data")}
            for row in prepared.draft.units
        ]
        faults = [fault.row() for fault in prepared.faults]
        return _json({**told(prepared.draft), "content": prepared.draft.content, "units": units, "faults": faults})

    async def document(request: Request) -> Response:
        prepared = await reporting.draft(_key(request, access.tenant(request, "flow.read")))
        return Response(prepared.data, media_type="application/xml")

    async def send(request: Request) -> Response:
        key = _key(request, access.tenant(request, "report.write"))
        try:
            await reporting.send(key)
        except NotYet as reason:
            raise Problem(422, str(reason)) from None
        return _json({"state": "asked"}, 202)

    one = "/reporting/v1/drafts/{role}/{kind}/{day}"
    served: list[tuple[str, Callable[[Request], Awaitable[Response]], str]] = [
        ("/reporting/v1/records", records, "POST"),
        ("/reporting/v1/drafts", drafts, "GET"),
        (one, draft, "GET"),
        (f"{one}/document", document, "GET"),
        (f"{one}/transmission", send, "POST"),
    ]
    return [Route(path, endpoint, methods=[method]) for path, endpoint, method in served]


def _key(request: Request, siren: str) -> PeriodKey:
    """Return the period that the address names. Raises: Problem 404."""
    said = request.path_params
    try:
        return PeriodKey(siren, Role(said["role"]), Kind(said["kind"]), date.fromisoformat(said["day"]))
    except ValueError:
        text = "SE ou BY, transactions ou payments, AAAA-MM-JJ. / SE or BY, transactions or payments, YYYY-MM-DD."
        raise Problem(404, text) from None


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
