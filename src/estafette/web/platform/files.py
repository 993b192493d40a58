"""Files in and out of the desk: one that comes is read no further than its limit, one that leaves is never shown."""

import asyncio
from contextlib import suppress
from pathlib import PurePath
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from estafette.exchange.bodies import TooLarge, bounded
from estafette.store.identity import Person
from estafette.values.limits import FLOW_BYTES_MAX
from estafette.web.desk import SECURITY, Desk

FORM_OVERHEAD = 64 * 1024
"""What the form adds around the file."""

NAME_CHARACTERS_MAX = 255

DRAIN_S = 60.0
"""How long a browser may go on sending what is not taken, before it is answered all the same."""


class NoFile(Exception):
    """The form came without a file."""


async def uploaded(request: Request, desk: Desk, person: Person, most: int) -> tuple[str, bytes]:
    """Return the field `file` of a form: its name and its bytes, `most` of them at most.

    Raises: TooLarge, once all is sent and the browser will read an answer; NoFile; HTTPException 403 when the form is
    not one of ours.
    """
    sent = await _form(request, most)
    try:
        desk.check(str(sent.get("csrf", "")), person)
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise NoFile
        data = await file.read()
    finally:
        await sent.close()
    if len(data) > most:
        raise TooLarge
    return PurePath(file.filename.replace("\\", "/")).name[-NAME_CHARACTERS_MAX:], data


def to_save(name: str, data: bytes) -> Response:
    """Return bytes to be saved, never shown: they came from someone else."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(
        data, media_type="application/octet-stream", headers={**SECURITY, "Content-Disposition": disposition}
    )


async def _form(request: Request, most: int) -> FormData:
    """Read the form. Raises: NoFile, TooLarge."""
    try:
        return await bounded(request, most + FORM_OVERHEAD).form(max_files=1, max_fields=5)
    except MultiPartException as damaged:
        raise NoFile from damaged
    except TooLarge:
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout(DRAIN_S):
                await _drain(request)
        raise


async def _drain(request: Request) -> None:
    """Let go of what is still to come, up to the largest envelope."""
    seen = 0
    while seen <= FLOW_BYTES_MAX:
        message = await request.receive()
        seen += len(message.get("body", b""))
        if not message.get("more_body"):
            return
