"""The pages of registration: files, their deposit, review and decision; and the public list of platforms."""

from collections.abc import Callable

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.administration import journal, registration
from estafette.administration.administration import Administration
from estafette.administration.completeness import RegistrationForm, missing_tests
from estafette.administration.examples import example
from estafette.administration.files import WrongFile, read
from estafette.administration.journal import Act, NotAllowed
from estafette.administration.registration import SUBJECT, State
from estafette.store.identity import Person
from estafette.store.roles import Capability
from estafette.vat.forms import Text
from estafette.web.administration.forms import Sent, read_form
from estafette.web.desk import Desk

EXAMPLES = ("platform-a", "platform-b")


class RegistrationPages:
    """The pages of registration."""

    def __init__(self, administration: Administration, desk: Desk) -> None:
        self._administration = administration
        self._database = administration.actor.database
        self._desk = desk

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        both = ["GET", "POST"]
        return [
            Route("/platforms", self.public_list),
            Route("/registrations", self._desk.signed_in(self.list)),
            Route("/registrations/new", self._desk.signed_in(self.new, post=Capability.DECIDE), methods=both),
            Route("/registrations/{id:row}", self._desk.signed_in(self.one, post=Capability.DECIDE), methods=both),
        ]

    async def public_list(self, request: Request) -> Response:
        """Show the registered platforms to everyone, without their numbers."""
        with self._database.read() as connection:
            first, second = registration.public_list(connection)
        return self._desk.render(request, "platforms.html", first=first, second=second)

    async def list(self, request: Request, _person: Person) -> Response:
        """Show every file."""
        with self._database.read() as connection:
            files = registration.files(connection)
        return self._desk.render(request, "registrations.html", files=files)

    async def new(self, request: Request, person: Person) -> Response:
        """Take a file, or say what is wrong with it."""
        if request.method == "GET":
            return self._deposit(request, content=_example(request))
        sent = await read_form(self._desk, request, person)
        try:
            form = read(sent.content, RegistrationForm)
        except WrongFile as wrong:
            return self._deposit(request, 422, content=sent.shown, findings=wrong.findings)
        with self._database.begin() as connection:
            file_id = registration.submit(connection, form, act=self._administration.act(person.role))
        return RedirectResponse(f"/registrations/{file_id}", 303)

    async def one(self, request: Request, person: Person) -> Response:
        """Show a file; with a form, do what it asks."""
        file_id = request.path_params["id"]
        if request.method == "GET":
            return self._show(request, file_id)
        sent = await read_form(self._desk, request, person)
        try:
            with self._database.begin() as connection:
                self._do(connection, file_id, sent, self._administration.act(person.role))
        except NotAllowed as refused:
            return self._show(request, file_id, 422, fault=refused.text)
        except WrongFile as wrong:
            fault = Text(*(f"{wrong.findings[0].path} : {text}" for text in wrong.findings[0][3:5]))
            return self._show(request, file_id, 422, fault=fault)
        except KeyError:
            raise HTTPException(404) from None
        return RedirectResponse(f"/registrations/{file_id}", 303)

    def _do(self, connection: Connection, file_id: int, sent: Sent, act: Act) -> None:
        reason = sent.fields.get("reason", "")
        deeds: dict[str, Callable[[], None]] = {
            "review": lambda: registration.review(connection, file_id, act=act),
            "supplement": lambda: registration.supplement(
                connection, file_id, read(sent.content, RegistrationForm), act=act
            ),
            "lift": lambda: self._administration.lift_reservation(
                connection, file_id, read(sent.content, RegistrationForm), act=act
            ),
            "withdraw": lambda: self._administration.withdraw(connection, file_id, reason=reason, act=act),
        }
        if sent.deed in deeds:
            deeds[sent.deed]()
        elif sent.deed in registration.DECISIONS:
            self._administration.decide(connection, file_id, State(sent.deed), reason=reason, act=act)
        else:
            raise HTTPException(400)

    def _show(self, request: Request, file_id: int, status: int = 200, *, fault: Text | None = None) -> Response:
        with self._database.read() as connection:
            try:
                file = registration.one(connection, file_id)
            except KeyError:
                raise HTTPException(404) from None
            entries = journal.read(connection, SUBJECT, file_id)
            terms = journal.terms(connection, SUBJECT, file_id)
        values = {"file": file, "entries": entries, "terms": terms, "fault": fault}
        return self._desk.render(request, "registration.html", status, **values, absent=missing_tests(file.form))

    def _deposit(self, request: Request, status: int = 200, *, content: str, findings: object = ()) -> Response:
        heading = Text("Déposer un dossier d'immatriculation", "Deposit a registration file")
        values = {"content": content, "findings": findings, "examples": EXAMPLES, "heading_text": heading}
        return self._desk.render(request, "deposit.html", status, **values, kinds=(), replay=False)


def _example(request: Request) -> str:
    name = request.query_params.get("example", "")
    return example(name).decode() if name in EXAMPLES else ""
