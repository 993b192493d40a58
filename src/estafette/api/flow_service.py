"""The Flow Service of XP Z12-013: a company's software deposits a file, follows it, and fetches what concerns it.

`POST /v1/flows` answers 202 as soon as the file is kept; what becomes of it is read by `POST /v1/flows/search` and
`GET /v1/flows/{flowId}`. One tenant, that of the token, sees its own flows only.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import RowMapping
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette import readable
from estafette.api.access import Access
from estafette.api.decoding import decode, decode_body
from estafette.api.documents import HEADER, account
from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, bounded
from estafette.formats.xml import Syntax, Unreadable, recognise
from estafette.platform.flows import Deposit, types_of
from estafette.platform.platform import Platform
from estafette.readable import forms
from estafette.readable.forms import Form
from estafette.store.identity_accreditations import UNDEFINED, Acting
from estafette.values.limits import FILE_BYTES_MAX

FORM_OVERHEAD = 64 * 1024
"""What the multipart form adds around the file: boundaries and flowInfo."""

ProcessingRule = Literal[
    "B2B", "B2BInt", "B2C", "B2G", "B2GInt", "B2GOutOfScope", "OutOfScope", "ArchiveOnly", "NotApplicable"
]


Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class FlowInfo(msgspec.Struct, rename="camel", frozen=True):
    """What the client says of its file."""

    flow_syntax: Literal["CII", "UBL", "Factur-X", "CDAR", "FRR"]
    name: Annotated[str, msgspec.Meta(max_length=255, min_length=1)] | None = None
    tracking_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    processing_rule: ProcessingRule | None = None
    flow_profile: Literal["Basic", "CIUS", "Extended-CTC-FR", "Undefined"] | None = None
    sha256: Annotated[str, msgspec.Meta(pattern="^[a-f0-9]{64}$")] | None = None


class Where(msgspec.Struct, rename="camel", frozen=True, omit_defaults=True):
    """The criteria of a search; all of them hold."""

    updated_after: Moment | None = None
    updated_before: Moment | None = None
    processing_rule: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    flow_type: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None
    flow_direction: Annotated[list[Literal["In", "Out"]], msgspec.Meta(min_length=1)] | None = None
    tracking_id: str | None = None
    ack_status: Literal["Pending", "Ok", "Error"] | None = None


class Search(msgspec.Struct, frozen=True):
    """A page of a search."""

    where: Where
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25
    cursor: str | None = None


def routes(platform: Platform, access: Access, wake: Callable[[], None]) -> list[Route]:
    """Return the routes of the service, at the root and under the prefixes that clients expect."""

    async def take(request: Request) -> Response:
        caller = access.caller(request, "flow.write")
        info, data = await _deposit(request)
        if info.sha256 and info.sha256 != hashlib.sha256(data).hexdigest():
            raise Problem(
                422, "sha256 ne correspond pas au fichier. / sha256 does not match.", code="CHECKSUM_MISMATCH"
            )
        if not any(caller.acting.may("flow.write", flow_type) for flow_type in types_of(info.flow_syntax)):
            raise Problem(403, "Délégation : pas pour ce type de flux. / Delegation: not for this type of flow.")
        deposit = Deposit(
            syntax=info.flow_syntax,
            name=info.name or "document",
            tracking_id=info.tracking_id,
            processing_rule=info.processing_rule,
            profile=info.flow_profile,
        )
        row = await platform.deposit(caller.siren, deposit, data)
        wake()
        body = {**_identity(row), "submittedAt": instant(row["submitted_at"]), "sha256": row["sha256"]}
        return JSONResponse(body, 202)

    async def search(request: Request) -> Response:
        caller = access.caller(request, "flow.read")
        asked = await decode_body(request, Search, limit=FORM_OVERHEAD)
        named = {name: getattr(asked.where, name) for name in Where.__struct_fields__}
        where = {name: value for name, value in named.items() if value is not None}
        if not where:
            raise Problem(400, "where: au moins un critère. / At least one criterion.")
        if (types := _types(caller.acting, where.get("flow_type"))) is not None:
            where["flow_type"] = types
        rows = platform.search(caller.siren, {**where, **_after(asked.cursor)}, asked.limit)
        body = {"limit": asked.limit, "filters": msgspec.to_builtins(asked.where), "results": [_flow(r) for r in rows]}
        if len(rows) == asked.limit:
            body["nextCursor"] = base64.urlsafe_b64encode(rows[-1]["updated_at"].isoformat().encode()).decode()
        return JSONResponse(body)

    async def get(request: Request) -> Response:
        caller = access.caller(request, "flow.read")
        row = platform.flow(caller.siren, request.path_params["flow_id"])
        if row is None or not caller.acting.reads(row["flow_type"]):
            raise Problem(404, "Flux inconnu. / Unknown flow.")
        wanted = request.query_params.get("docType", "Metadata")
        if wanted == "Metadata":
            return JSONResponse(_flow(row))
        if wanted == "Original":
            return _file(platform.document(row["sha256"]), row["name"])
        if wanted == "ReadableView":
            return await run_in_threadpool(_readable, platform.document(row["sha256"]), row["name"])
        if wanted == "Converted":
            document = platform.document(row["sha256"])
            form = _converted_form(request, document)
            return await run_in_threadpool(_converted, document, row["name"], form)
        raise Problem(400, f"docType: {wanted}?")

    async def health(_request: Request) -> Response:
        return Response(status_code=200)

    served = [
        ("/v1/flows", take, ["POST"]),
        ("/v1/flows/search", search, ["POST"]),
        ("/v1/flows/{flow_id}", get, ["GET"]),
        ("/v1/healthcheck", health, ["GET"]),
    ]
    return [
        Route(prefix + path, endpoint, methods=methods)
        for prefix in ("", "/flow-service", "/afnor-flow")
        for path, endpoint, methods in served
    ] + [Route(path, access.token, methods=["POST"]) for path in ("/oauth2/token", "/oauth/token")]


def _types(acting: Acting, asked: list[str] | None) -> list[str] | None:
    """Return the types of flow to look for: those asked, no more than a delegation lets; None: every type."""
    let = acting.flow_types("flow.read")
    if let is None:
        return asked
    held = sorted(let | {UNDEFINED} if acting.reads(UNDEFINED) else let)
    return held if asked is None else [each for each in asked if each in held]


def instant(value: datetime) -> str:
    """Write an instant as the API does: RFC 3339, UTC, three digits of milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _deposit(request: Request) -> tuple[FlowInfo, bytes]:
    """Read the two parts. Raises: Problem 400, 413."""
    try:
        async with bounded(request, FILE_BYTES_MAX + FORM_OVERHEAD).form(max_files=2, max_fields=5) as form:
            info, file = form.get("flowInfo"), form.get("file")
            raw = await info.read() if isinstance(info, UploadFile) else (info or "").encode()
            data = await file.read() if isinstance(file, UploadFile) else None
    except TooLarge:
        raise Problem(413, "Le fichier dépasse 100 Mo (IRR_TAILLE_F). / The file exceeds 100 MB.") from None
    except HTTPException as malformed:  # what Starlette makes of a malformed form
        raise Problem(400, f"multipart/form-data: {malformed.detail}") from None
    if data is None:
        raise Problem(400, "Partie « file » absente. / Part 'file' missing.")
    if len(data) > FILE_BYTES_MAX:
        raise Problem(413, "Le fichier dépasse 100 Mo (IRR_TAILLE_F). / The file exceeds 100 MB.")
    decoded = decode(raw, FlowInfo)
    if decoded.name is None and isinstance(file, UploadFile) and file.filename:
        decoded = msgspec.structs.replace(decoded, name=file.filename[:255])
    return decoded, data


def _after(cursor: str | None) -> dict[str, datetime]:
    if cursor is None:
        return {}
    try:
        after = datetime.fromisoformat(base64.urlsafe_b64decode(cursor).decode())
    except (binascii.Error, ValueError):
        after = None
    if after is None or after.tzinfo is None:
        raise Problem(400, "cursor: inconnu. / Unknown cursor.")
    return {"updated_after": after}


def _identity(row: RowMapping) -> dict[str, Any]:
    body = {
        "flowId": row["id"],
        "flowSyntax": row["syntax"],
        "name": row["name"],
        "processingRule": row["processing_rule"],
        "flowProfile": row["profile"],
    }
    return body | ({"trackingId": row["tracking_id"]} if row["tracking_id"] else {})


def _flow(row: RowMapping) -> dict[str, Any]:
    acknowledgement: dict[str, Any] = {"status": row["acknowledgement"]}
    if row["details"]:
        acknowledgement["details"] = row["details"]
    standing = {"invoiceStanding": row["standing"], "invoiceExplanation": row["explanation"]} if row["standing"] else {}
    return {
        **_identity(row),
        **standing,
        "flowDirection": row["direction"],
        "flowType": row["flow_type"],
        "processingRuleSource": row["processing_rule_source"],
        "submittedAt": instant(row["submitted_at"]),
        "updatedAt": instant(row["updated_at"]),
        "acknowledgement": acknowledgement,
        "sha256": row["sha256"],
    }


def _readable(document: bytes, name: str) -> Response:
    """Send the readable form, the sender's own where it is one (XP Z12-013 §5.4.2). Raises: Problem 404."""
    try:
        return _file(readable.view(document), f"{name.rpartition('.')[0] or name}.pdf")
    except Unreadable as unreadable:
        raise _unavailable("ReadableView") from unreadable


def _converted_form(request: Request, document: bytes) -> Form:
    """Return the form that is asked for, or the syntax that the document is not in. Raises: Problem 400."""
    wanted = request.query_params.get("to")
    if wanted is None:
        return Form.CII if recognise(document) is Syntax.UBL else Form.UBL
    if wanted not in set(Form):
        raise Problem(400, f"to: {wanted}? → {', '.join(Form)}")
    return Form(wanted)


def _converted(document: bytes, name: str, form: Form) -> Response:
    """Send the document in another form, with the account of its terms and the place of the original. Raises: 404."""
    try:
        made = forms.converted(document, form)
    except Unreadable as unreadable:
        raise _unavailable("Converted") from unreadable
    answer = _file(made.document, f"{name.rpartition('.')[0] or name}{forms.ENDINGS[form]}")
    answer.headers[HEADER] = account(made)
    answer.headers["Link"] = '<?docType=Original>; rel="original"'
    return answer


def _unavailable(form: str) -> Problem:
    return Problem(404, f"{form}: pas de cette forme pour ce flux. / Not available for this flow.")


def _file(data: bytes, name: str) -> Response:
    """Send the bytes as a file; the name is reduced to what a header can hold."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {"Content-Disposition": f"attachment;filename={safe}"}
    return Response(data, media_type="application/octet-stream", headers=headers)
