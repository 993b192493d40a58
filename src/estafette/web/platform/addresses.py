"""Where the company receives, by the directory: its addresses, what was asked for it, moving them here or away.

/addresses     the addresses of the copy, the requests and their answers; move (POST)

Only who administers the company may ask: a move follows a formal agreement with the platform.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from estafette.directory.resolution import CHORUS_PRO, FICTIVE
from estafette.formats.directory_entries import DirectoryLine
from estafette.platform.addresses import CannotAsk
from estafette.platform.platform import Platform
from estafette.store.identity import Person
from estafette.store.roles import Capability as C
from estafette.web.desk import Desk, tenant_of
from estafette.web.platform import signs
from estafette.web.platform.signs import Sign

HERE = Sign("Reçue ici", "Received here", "good")
ELSEWHERE = Sign("Reçue par une autre plateforme", "Received by another platform")
NOWHERE = Sign("Aucune plateforme choisie", "No platform chosen", "wait")
PUBLIC = Sign("Reçue par Chorus Pro", "Received by Chorus Pro")


class AddressPages:
    """The page of one company's addresses."""

    def __init__(self, platform: Platform, desk: Desk, wake: Callable[[], None]) -> None:
        self._platform = platform
        self._desk = desk
        self._wake = wake

    def routes(self) -> list[BaseRoute]:
        """Return the page and its form."""
        return [Route("/addresses", self._desk.signed_in(self.addresses, post=C.ADMINISTER), methods=["GET", "POST"])]

    async def addresses(self, request: Request, person: Person) -> Response:
        """Show the addresses; with a form, ask the directory for a move."""
        if request.method != "POST":
            return self._show(request, person)
        sent = await self._desk.form(request, person)
        try:
            on = _agreed_day(sent)
            self._platform.move_addresses(tenant_of(person), on, arrives=sent.get("move") == "arrive")
        except CannotAsk as fault:
            return self._show(request, person, 422, (fault.fr, fault.en))
        self._wake()
        return RedirectResponse("/addresses#requests", 303)

    def _show(
        self, request: Request, person: Person, status: int = 200, fault: tuple[str, str] | None = None
    ) -> Response:
        found = self._platform.addresses(tenant_of(person))
        today = self._desk.today()
        lines = [(line, self._place(line), _time(line, today)) for line in found.lines]
        return self._desk.render(
            request,
            "addresses.html",
            status,
            lines=[each for each in lines if each[2] is not None],
            requests=found.requests,
            signs=signs,
            fault=fault,
            tomorrow=today + timedelta(days=1),
        )

    def _place(self, line: DirectoryLine) -> Sign:
        """Say where an address is received, without naming another platform: annex 3 keeps that for platforms."""
        if line.matricule == FICTIVE:
            return NOWHERE
        if line.matricule == CHORUS_PRO:
            return PUBLIC
        return HERE if line.matricule == self._platform.home.identity.matricule else ELSEWHERE


def _time(line: DirectoryLine, today: date) -> Sign | None:
    """Say when an address holds; None for one whose end is past."""
    if line.end is not None and line.end <= today:
        return None
    if line.start > today:
        return Sign("À venir", "To come", "wait")
    return Sign("En vigueur", "In force", "good") if line.end is None else Sign("Prend fin", "Ends", "wait")


def _agreed_day(sent: Mapping[str, str]) -> date:
    """Return the day that a form says, once its agreement is given. Raises: CannotAsk."""
    text = sent.get("day", "")
    if sent.get("agreed") != "yes":
        fr = "Confirmez l'accord formel de l'entreprise."
        raise CannotAsk(fr, "Confirm the formal agreement of the company.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CannotAsk(f"« {text[:20]} » n'est pas un jour.", f"“{text[:20]}” is not a day.") from None
