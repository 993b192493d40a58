"""Reading the forms of the desk: bounded, with the token of the session, a deed and perhaps a file in YAML."""

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from estafette.exchange.bodies import TooLarge, bounded
from estafette.store.identity import Person
from estafette.values.limits import REGISTRATION_BYTES_MAX, REGISTRATION_FORM_BYTES_MAX
from estafette.web.desk import Desk

FIELDS_MAX = 20
"""Fields of a form; ours have fewer than ten."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form said: `deed` is the button that was pressed."""

    fields: dict[str, str]
    file: bytes | None = None

    @property
    def deed(self) -> str:
        """What is asked."""
        return self.fields.get("deed", "")

    @property
    def content(self) -> bytes:
        """The file sent, else what was typed or pasted with the line ends of a file."""
        if self.file is not None:
            return self.file
        return self.fields.get("content", "").replace("\r\n", "\n").encode()

    @property
    def shown(self) -> str:
        """The file as a form shows it again; empty when it is none that a person could correct there."""
        if self.file is None:
            return self.fields.get("content", "")
        return self.file.decode(errors="replace") if len(self.file) <= REGISTRATION_BYTES_MAX else ""


async def read_form(desk: Desk, request: Request, person: Person) -> Sent:
    """Return what the form said, with its file if any. Raises: HTTPException 403 (not our page), 400, 413."""
    try:
        sent = await bounded(request, REGISTRATION_FORM_BYTES_MAX).form(max_files=1, max_fields=FIELDS_MAX)
    except TooLarge:
        raise HTTPException(413) from None
    try:
        desk.check(str(sent.get("csrf", "")), person)
        file = sent.get("file")
        data = await file.read() if isinstance(file, UploadFile) and file.filename else None
    finally:
        await sent.close()
    return Sent({name: value for name, value in sent.items() if isinstance(value, str)}, data)
