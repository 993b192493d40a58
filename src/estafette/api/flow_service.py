"""The Flow Service of XP Z12-013: a company's software deposits a file, follows it, and fetches what concerns it.

`POST /v1/flows` answers 202 as soon as the file is kept; what becomes of it is read by `POST /v1/flows/search` and
`GET /v1/flows/{flowId}`, or told to a webhook (`webhooks`). One tenant sees its own flows only, each client as it wants
to see them (`platform.views`).
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

import msgspec
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from estafette import readable
from estafette.api.access import Access, Caller
from estafette.api.contract import BYTES, EVERYWHERE, FORM, JSON, Operation, Parameter
from estafette.api.cursors import Cursors
from estafette.api.decoding import decode, decode_body
from estafette.api.documents import HEADER, account
from estafette.api.flow_models import FlowInfo, FullFlowInfo, SearchFlowContent, SearchFlowParams, spelled
from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, bounded
from estafette.exchange.keys import derived
from estafette.formats.xml import Syntax, Unreadable, recognise
from estafette.platform.flow_form import Flow, instant
from estafette.platform.flows import Deposit, types_of
from estafette.platform.platform import PIECE_BYTES, Platform
from estafette.platform.views import View
from estafette.readable import forms
from estafette.readable.forms import Form
from estafette.store.queries import AnyRow
from estafette.values.limits import FILE_BYTES_MAX

PREFIXES = ("", "/flow-service", "/afnor-flow")
"""The service is served at the root and under the prefixes that clients expect."""

FORM_OVERHEAD = 64 * 1024
"""What the multipart form adds around the file: boundaries and flowInfo."""

DOC_TYPES = ("Metadata", "Original", "Converted", "ReadableView")

FLOW_ID = Parameter("flowId", "path", {"type": "string", "maxLength": 64})
DOC_TYPE = Parameter("docType", "query", {"type": "string", "enum": list(DOC_TYPES), "default": "Metadata"})
CONVERTED_TO = Parameter("to", "query", {"type": "string", "enum": list(Form)}, "Form of docType=Converted (ours).")


class FlowService:
    """The service of one platform. `wake` tells its worker that there is something to judge."""

    def __init__(self, platform: Platform, access: Access, wake: Callable[[], None]) -> None:
        self._platform = platform
        self._access = access
        self._wake = wake
        self._cursors = Cursors(derived(platform.home.actor.key, "cursor"))

    def operations(self) -> list[Operation]:
        """Return what is served."""
        throttled = (*EVERYWHERE, 429)
        return [
            Operation(
                method="POST",
                path="/v1/flows",
                identifier="createFlow",
                summary="Déposer un fichier. / Deposit a file.",
                endpoint=self.deposit,
                body=(FORM, (FlowInfo,)),
                answers={202: {JSON: FullFlowInfo}},
                refusals=(*throttled, 413, 422),
                scope="flow.write",
            ),
            Operation(
                method="POST",
                path="/v1/flows/search",
                identifier="searchFlows",
                summary="Chercher des flux. / Search flows.",
                endpoint=self.search,
                body=(JSON, (SearchFlowParams,)),
                answers={200: {JSON: SearchFlowContent}},
                refusals=throttled,
                scope="flow.read",
            ),
            Operation(
                method="GET",
                path="/v1/flows/{flowId}",
                identifier="getFlow",
                summary="Lire un flux ou son fichier. / Read a flow or its file.",
                endpoint=self.get,
                parameters=(FLOW_ID, DOC_TYPE, CONVERTED_TO),
                answers={200: {JSON: Flow, BYTES: None}},
                refusals=(*throttled, 404),
                scope="flow.read",
            ),
            Operation(
                method="GET",
                path="/v1/healthcheck",
                identifier="getHealth",
                summary="Le service répond. / The service answers.",
                endpoint=self.health,
                answers={200: {}},
                refusals=(500, 503),
                tag="Supervisor",
            ),
        ]

    async def deposit(self, request: Request) -> Response:
        """Take a file: it is kept, and will be judged."""
        caller = self._access.caller(request, "flow.write")
        async with _parts(request) as (info, file):
            _check_type(caller, info.flow_syntax)
            row = await self._kept(caller.siren, info, file)
        self._wake()
        taken = FullFlowInfo(
            flow_id=row["id"],
            submitted_at=instant(row["submitted_at"]),
            name=row["name"],
            flow_syntax=row["syntax"],
            processing_rule=_known(row["processing_rule"]),
            flow_profile=_known(row["profile"]),
            tracking_id=row["tracking_id"],
            sha256=row["sha256"],
        )
        return _json(taken, 202)

    async def _kept(self, siren: str, info: FlowInfo, file: UploadFile) -> AnyRow:
        """Keep the file: in memory when it is small, else piece by piece and away from the event loop."""
        deposit = Deposit(
            syntax=info.flow_syntax,
            name=info.name or "document",
            tracking_id=info.tracking_id,
            processing_rule=info.processing_rule,
            profile=info.flow_profile if info.flow_profile != "Undefined" else None,
        )
        if (file.size or 0) <= PIECE_BYTES:
            data = await file.read()
            _check_sum(info, hashlib.sha256(data).hexdigest())
            return await self._platform.deposit(siren, deposit, data)
        _check_sum(info, await run_in_threadpool(_digest, file.file))
        sha256 = await run_in_threadpool(self._platform.keep, file.file, file.size or 0)
        return await self._platform.deposit_kept(siren, deposit, sha256)

    async def search(self, request: Request) -> Response:
        """Give a page of the flows that meet the criteria."""
        caller = self._access.caller(request, "flow.read")
        asked = await decode_body(request, SearchFlowParams, limit=FORM_OVERHEAD, prepare=spelled)
        where = asked.where.criteria()
        if not where:
            raise Problem(400, "where: au moins un critère. / At least one criterion.")
        if asked.cursor is not None:
            after = self._cursors.read(caller.siren, asked.where, asked.cursor)
            where["updated_after"] = max(after, where.get("updated_after", after))
        view = self._view(caller)
        rows = self._platform.search(caller.siren, where, asked.limit + 1, view)
        page = rows[: asked.limit]
        following = len(rows) > asked.limit
        content = SearchFlowContent(
            limit=asked.limit,
            filters=asked.where,
            results=[view.form(row) for row in page],
            next_cursor=self._cursors.write(caller.siren, asked.where, page[-1]["updated_at"]) if following else None,
        )
        return _json(content)

    async def get(self, request: Request) -> Response:
        """Give what is known of a flow, or its file in the form that is asked for."""
        caller = self._access.caller(request, "flow.read")
        row, view = self._platform.flow(caller.siren, request.path_params["flowId"]), self._view(caller)
        if row is None or (view.only is not None and row["flow_type"] not in view.only):
            raise Problem(404, "Flux inconnu. / Unknown flow.")
        wanted = request.query_params.get("docType", "Metadata")
        if wanted == "Metadata":
            return _json(view.form(row))
        if wanted not in DOC_TYPES:
            raise Problem(400, f"docType: {wanted}? → {', '.join(DOC_TYPES)}")
        name = row["name"]
        if wanted == "Original":
            return await self._original(row["sha256"], name)
        document = await run_in_threadpool(self._platform.document, row["sha256"])
        if wanted == "ReadableView":
            return await run_in_threadpool(_readable, document, name)
        return await run_in_threadpool(_converted, document, name, _converted_form(request, document))

    async def _original(self, sha256: str, name: str) -> Response:
        """Send the bytes that came; of a large file memory holds a piece."""
        size = await run_in_threadpool(self._platform.document_size, sha256)
        if size <= PIECE_BYTES:
            return _file(await run_in_threadpool(self._platform.document, sha256), name)
        file = await run_in_threadpool(self._platform.open_document, sha256)
        pieces = iter(partial(file.read, PIECE_BYTES), b"")
        headers = {**_named(name), "Content-Length": str(size)}
        return StreamingResponse(iterate_in_threadpool(pieces), media_type=BYTES, headers=headers)

    async def health(self, _request: Request) -> Response:
        """Say that the service answers: no token is asked, a bad one is passed over."""
        return Response(status_code=200)

    def _view(self, caller: Caller) -> View:
        return replace(self._platform.view(caller.client_id), only=caller.acting.flow_types("flow.read"))


def _known(value: str) -> Any:
    return None if value == "Undefined" else value


def _check_type(caller: Caller, syntax: str) -> None:
    """Raises: Problem 403, when none of the types that the file can turn out to be is let."""
    if not any(caller.acting.may("flow.write", flow_type) for flow_type in types_of(syntax)):
        text = f"flowSyntax {syntax} : hors de ce qui vous est confié. / Outside of what was entrusted to you."
        raise Problem(403, text)


@asynccontextmanager
async def _parts(request: Request) -> AsyncIterator[tuple[FlowInfo, UploadFile]]:
    """Read the two parts of a deposit; the file is on the disk past a megabyte. Raises: Problem 400, 413."""
    try:
        form = await bounded(request, FILE_BYTES_MAX + FORM_OVERHEAD).form(max_files=2, max_fields=5)
    except TooLarge:
        raise _too_large() from None
    except HTTPException as malformed:  # what Starlette makes of a malformed form
        text = "multipart/form-data : formulaire mal formé ou d'un autre type. / Malformed, or of another type"
        raise Problem(400, f"{text}: {malformed.detail}") from None
    try:
        info, file = form.get("flowInfo"), form.get("file")
        raw = await info.read() if isinstance(info, UploadFile) else (info or "").encode()
        if not isinstance(file, UploadFile):
            raise Problem(400, "Partie « file » absente. / Part 'file' missing.")
        if (file.size or 0) > FILE_BYTES_MAX:
            raise _too_large()
        decoded = decode(raw, FlowInfo, prepare=spelled)
        if decoded.name is None and file.filename:
            decoded = msgspec.structs.replace(decoded, name=file.filename[:255])
        yield decoded, file
    finally:
        await form.close()


def _too_large() -> Problem:
    return Problem(413, "Le fichier dépasse 100 Mo (IRR_TAILLE_F). / The file exceeds 100 MB.")


def _check_sum(info: FlowInfo, sha256: str) -> None:
    """Raises: Problem 422, when the client announced another fingerprint than that of the bytes."""
    if info.sha256 and info.sha256 != sha256:
        text = f"sha256 ne correspond pas au fichier ({sha256}). / sha256 does not match the file."
        raise Problem(422, text, code="CHECKSUM_MISMATCH")


def _digest(file: BinaryIO) -> str:
    """Return the SHA-256 of a file, read piece by piece, and leave it at its beginning."""
    digest = hashlib.sha256()
    for piece in iter(partial(file.read, PIECE_BYTES), b""):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


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


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON)


def _file(data: bytes, name: str) -> Response:
    """Send the bytes as a file."""
    return Response(data, media_type=BYTES, headers=_named(name))


def _named(name: str) -> dict[str, str]:
    """Name a file, reduced to what a header can hold."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return {"Content-Disposition": f"attachment;filename={safe}"}
