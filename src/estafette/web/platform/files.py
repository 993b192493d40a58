"""Files in and out of the desk: one that comes is read no further than its limit, one that leaves is never shown."""

from pathlib import PurePath
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from estafette.exchange.bodies import TooLarge, bounded
from estafette.store.identity import Person
from estafette.web.desk import SECURITY, Desk

FORM_OVERHEAD = 64 * 1024
"""What the form adds around the file."""

NAME_CHARACTERS_MAX = 255


class NoFile(Exception):
    """The form came without a file."""


async def uploaded(request: Request, desk: Desk, person: Person, most: int) -> tuple[str, bytes]:
    """Return the field `file` of a form: its name and its bytes, `most` of them at most.

    Raises: TooLarge; NoFile; HTTPException 400 for what is no form, 403 when the form is not one of ours.
    """
    sent = await bounded(request, most + FORM_OVERHEAD).form(max_files=1, max_fields=5)
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
