"""Reading the forms of the desk: bounded, with the token of the session, a deed and perhaps a file in YAML."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from estafette.exchange.bodies import TooLarge, bounded
from estafette.store.identity import Person
from estafette.values.limits import REGISTRATION_FORM_BYTES_MAX
from estafette.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form said: `deed` is the button that was pressed."""

    fields: dict[str, str]

    @property
    def deed(self) -> str:
        """What is asked."""
        return self.fields.get("deed", "")

    @property
    def content(self) -> bytes:
        """The file typed or pasted, with the line ends of a file."""
        return self.fields.get("content", "").replace("\r\n", "\n").encode()


async def read_form(desk: Desk, request: Request, person: Person) -> Sent:
    """Return what the form said. Raises: HTTPException 403 (not our page), 413."""
    try:
        return Sent(await desk.form(bounded(request, REGISTRATION_FORM_BYTES_MAX), person))
    except TooLarge:
        raise HTTPException(413) from None
