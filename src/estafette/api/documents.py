"""The verbs of the command line over HTTP, for any bearer of a token: convert, show, complete, compare, check.

A document comes as the body, in any form (UBL, CII, Factur-X, JSON), and nothing of it is kept. The work is done away
from the event loop, two at a time.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any, TypeVar

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from estafette import readable
from estafette.api.access import Access
from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, bounded, read_body
from estafette.formats import json_form
from estafette.formats.conversion import PROFILES, Conversion, Fate
from estafette.formats.xml import TOO_BIG, Unreadable
from estafette.invoice import complete, drafts
from estafette.invoice.comparison import differences
from estafette.invoice.mistakes import Mistaken
from estafette.readable import forms
from estafette.readable.forms import Form
from estafette.rules import check, report
from estafette.values.limits import DRAFT_BYTES_MAX, FILE_BYTES_MAX

HEADER = "Estafette-Losses"
"""Where a converted document says what is not kept as it was."""

HEADER_BYTES_MAX = 4 * 1024
"""An account longer than this gives its counts only: servers and clients refuse long headers (our bound)."""

FORM_OVERHEAD = 64 * 1024
"""What a multipart form adds around its files."""

WORK = ThreadPoolExecutor(max_workers=2, thread_name_prefix="documents")
"""Where documents are worked on: two at a time bound the memory, whatever the number of requests."""

Answer = TypeVar("Answer")


def routes(access: Access) -> list[Route]:
    """Return the routes of the verbs, which ask for a token, and of the JSON Schema of the JSON form, which is public.

    Whatever is wrong is told as a Problem, in the published shape.
    """

    async def convert(request: Request) -> Response:
        access.tenant(request)
        form = _chosen(request, "to", Form)
        profile = request.query_params.get("profile")
        names = {short: name for name, short in PROFILES.items()}
        if profile not in {None, *names}:
            raise Problem(400, f"profile: {profile}? → {', '.join(names)}")
        if profile and form is Form.JSON:
            raise Problem(400, "profile: JSON n'en a pas. / JSON has none.")
        data = await _body(request, FILE_BYTES_MAX)
        made = await _worked(partial(forms.converted, data, form, profile=names.get(profile or "")))
        if "application/json" in request.headers.get("accept", "") and form is not Form.JSON:
            return _json(
                {"document": base64.b64encode(made.document).decode(), "source": made.source, "outcomes": made.outcomes}
            )
        return Response(made.document, media_type=forms.MEDIA_TYPES[form], headers={HEADER: account(made)})

    async def show(request: Request) -> Response:
        access.tenant(request)
        language = request.query_params.get("lang", "fr")
        if language not in readable.LANGUAGES:
            raise Problem(400, f"lang: {language}? → {', '.join(readable.LANGUAGES)}")
        wanted = request.query_params.get("form", "html")
        if wanted not in {"html", "pdf"}:
            raise Problem(400, f"form: {wanted}? → html, pdf")
        data = await _body(request, FILE_BYTES_MAX)
        if wanted == "pdf":
            page = await _worked(lambda: readable.pdf(forms.read(data), language=language))
            return Response(page, media_type="application/pdf")
        text = await _worked(lambda: readable.html(forms.read(data), language=language))
        return Response(text, media_type="text/html", headers={"Content-Security-Policy": "sandbox"})

    async def completed(request: Request) -> Response:
        access.tenant(request)
        data = await _body(request, DRAFT_BYTES_MAX)
        return _json(await _worked(partial(_completion, data)))

    async def diff(request: Request) -> Response:
        access.tenant(request)
        first, second = await _pair(request)
        return _json({"differences": await _worked(lambda: differences(forms.read(first), forms.read(second)))})

    async def judge(request: Request) -> Response:
        access.tenant(request)
        day = _day(request)
        data = await _body(request, FILE_BYTES_MAX)
        verdict = await _worked(partial(check, data, on=day))
        name = request.query_params.get("name", "document")
        return Response(report.as_json(name, verdict), media_type="application/json")

    async def schema(_request: Request) -> Response:
        return Response(msgspec.json.encode(json_form.schema()), media_type="application/schema+json")

    verbs = {"convert": convert, "show": show, "complete": completed, "diff": diff, "check": judge}
    served = [Route(f"/v1/{name}", verb, methods=["POST"]) for name, verb in verbs.items()]
    return [*served, Route("/v1/invoice.schema.json", schema)]


def account(made: Conversion) -> str:
    """Write on one line of ASCII what is not kept as it was, by term, or how many where that is too long."""
    counts = {"source": made.source, **{fate.value: len(made.of(fate)) for fate in Fate}}
    told = [
        {"term": one.term, "fate": one.fate, "fr": one.why_fr, "en": one.why_en}
        for one in made.outcomes
        if one.fate is not Fate.KEPT
    ]
    whole = json.dumps({**counts, "outcomes": told})
    return whole if len(whole) <= HEADER_BYTES_MAX else json.dumps(counts)


def _completion(data: bytes) -> dict[str, Any]:
    """Give the invoice that a draft makes, each figure with its formula in words, and what was filled in."""
    understood = drafts.understand(drafts.parse(data))
    completion = complete(understood.invoice)
    figures = [
        {"term": one.term, "path": one.path, "value": one.value, "fr": one.text("fr"), "en": one.text("en")}
        for one in completion.figures
    ]
    return {"invoice": completion.invoice, "figures": figures, "defaults": understood.defaults}


async def _worked(work: Callable[[], Answer]) -> Answer:
    """Do the work in its threads. Raises: Problem, in the words of what refused."""
    try:
        return await asyncio.get_running_loop().run_in_executor(WORK, work)
    except Unreadable as unreadable:
        raise problem_of(unreadable) from None
    except Mistaken as mistaken:
        texts = [f"{one.text('fr')} / {one.text('en')}" for one in mistaken.mistakes]
        raise Problem(422, "\n".join(texts)) from None


def problem_of(unreadable: Unreadable) -> Problem:
    """Return the Problem that tells why a document cannot be read: its code of the field, both languages, where."""
    where = f" ({unreadable.where})" if unreadable.where else ""
    text = f"{unreadable.code}: {unreadable.reason_fr} / {unreadable.reason_en}{where}"
    return Problem(413 if unreadable.code == TOO_BIG else 422, text)


async def _body(request: Request, limit: int) -> bytes:
    try:
        return await read_body(request, limit)
    except TooLarge:
        raise _too_large(limit) from None


async def _pair(request: Request) -> tuple[bytes, bytes]:
    """Read the two files of the form. Raises: Problem 400, 413."""
    try:
        async with bounded(request, 2 * FILE_BYTES_MAX + FORM_OVERHEAD).form(max_files=2, max_fields=2) as form:
            files = [form.get(name) for name in ("a", "b")]
            first, second = [await each.read() if isinstance(each, UploadFile) else None for each in files]
    except TooLarge:
        raise _too_large(FILE_BYTES_MAX) from None
    except HTTPException as malformed:  # what Starlette makes of a malformed form
        raise Problem(400, f"multipart/form-data: {malformed.detail}") from None
    if first is None or second is None:
        raise Problem(400, "Deux fichiers sont attendus, « a » et « b ». / Two files are expected, 'a' and 'b'.")
    return first, second


def _too_large(limit: int) -> Problem:
    size = limit // (1024 * 1024)
    return Problem(413, f"Plus de {size} Mo (IRR_TAILLE_F). / More than {size} MB.")


def _chosen(request: Request, name: str, choices: type[Form]) -> Form:
    given = request.query_params.get(name, "")
    if given not in set(choices):
        raise Problem(400, f"{name}: {given}? → {', '.join(choices)}")
    return choices(given)


def _day(request: Request) -> date | None:
    given = request.query_params.get("on")
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise Problem(400, f"on: {given}? → AAAA-MM-JJ / YYYY-MM-DD") from None


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
