"""A file from the browser to its verdict: the form, the flow that is watched until it is judged.

A file that is too large is answered with the field's code, IRR_TAILLE_F. The page of a flow asks for itself again every
second while the platform judges.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from estafette.exchange.bodies import TooLarge
from estafette.formats.xml import Syntax, Unreadable, recognise
from estafette.lifecycle.reasons import REASONS
from estafette.platform.flows import Deposit, types_of
from estafette.platform.platform import Platform
from estafette.store.identity import Person
from estafette.store.queries import AnyRow
from estafette.values.limits import FILE_BYTES_MAX
from estafette.web.desk import Desk, tenant_of
from estafette.web.platform import signs
from estafette.web.platform.files import NoFile, uploaded
from estafette.web.platform.signs import Sign

REPEATED = "AlreadyExistingFlow"
"""The code of an acknowledgement (XP Z12-013 §3.7) for the very bytes of an earlier deposit."""

SAID_OF_REPEATED = (
    Sign("Fichier déjà déposé", "File deposited before"),
    Sign("Votre plateforme a déjà pris ce même fichier.", "Your platform has already taken this very file."),
)

ADVICE = {
    "IRR_VIDE_F": Sign("Vérifiez l'export de votre logiciel.", "Check what your software exports."),
    "IRR_SYNTAX": Sign(
        "Le fichier est abîmé ou ne suit pas son schéma : régénérez-le, ou signalez ce message à votre éditeur.",
        "The file is damaged or against its schema: make it again, or tell your software's vendor of this message.",
    ),
    "IRR_TYPE_F": Sign(
        "Déposez une facture UBL, CII ou Factur-X (un PDF qui contient sa facture en XML), ou un statut CDAR.",
        "Deposit an invoice in UBL, CII or Factur-X (a PDF that holds its invoice in XML), or a CDAR status.",
    ),
    "IRR_TAILLE_F": Sign(
        "Allégez ou retirez les pièces jointes, puis déposez de nouveau.",
        "Lighten or remove the attachments, then deposit again.",
    ),
    "IRR_ANTIVIRUS": Sign(
        "Retirez le fichier en cause, vérifiez le poste d'où il vient, puis déposez de nouveau.",
        "Remove the file at fault, check the computer it comes from, then deposit again.",
    ),
    "IRR_EXT_DOC": Sign(
        "Joignez un PDF, une image PNG ou JPEG, un CSV, un tableur XLSX ou ODS, ou un XML.",
        "Attach a PDF, a PNG or JPEG image, a CSV, an XLSX or ODS spreadsheet, or an XML.",
    ),
    "IRR_VID_PJ": Sign("Joignez de nouveau la pièce, ou retirez-la.", "Attach the document again, or remove it."),
    REPEATED: Sign("Il n'y a rien à faire : suivez le premier dépôt.", "Nothing to do: follow the first deposit."),
}
"""What to do about an irreceivable file, by the code of the field or of the acknowledgement."""


class Deposits:
    """The pages of a deposit."""

    def __init__(self, platform: Platform, desk: Desk, wake: Callable[[], None]) -> None:
        self._platform = platform
        self._desk = desk
        self._wake = wake

    async def form(self, request: Request, person: Person) -> Response:
        """Ask for a file; with one, keep it and lead to its flow."""
        siren = tenant_of(person)
        if request.method == "GET":
            return self._ask(request)
        try:
            name, data = await uploaded(request, self._desk, person, FILE_BYTES_MAX)
        except TooLarge:
            return self._ask(request, 413, fault="IRR_TAILLE_F")
        except NoFile:
            return self._ask(request, 400, fault="no file")
        syntax = await run_in_threadpool(_syntax, data)
        if not any(person.sends(flow_type) for flow_type in types_of(syntax)):
            raise HTTPException(403)
        row = await self._platform.deposit(siren, Deposit(syntax=syntax, name=name), data)
        self._wake()
        return RedirectResponse(f"/flows/{row['id']}", 303)

    async def flow(self, request: Request, person: Person) -> Response:
        """Show what became of a deposit."""
        siren = tenant_of(person)
        row = self._platform.flow(siren, request.path_params["flow_id"])
        if row is None or row["origin"] != "client" or not person.sees(row["flow_type"]):
            raise HTTPException(404)
        view = self._platform.invoice(siren, row["invoice_id"]) if row["invoice_id"] else None
        faults = [_irreceivable(detail) for detail in row["details"]]
        earlier = self._earlier(siren, row["details"])
        members = self._platform.members(siren, row["id"])
        values = {"flow": row, "view": view, "faults": faults, "earlier": earlier, "members": members, "signs": signs}
        return self._desk.render(request, "flow.html", 200, **values)

    def _earlier(self, siren: str, details: Sequence[Mapping[str, str]]) -> AnyRow | None:
        """Return the deposit of the company that a technical duplicate repeats."""
        messages = (detail["reasonMessage"] for detail in details if detail["reasonCode"] == REPEATED)
        named = (re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", message) for message in messages)
        return next((self._platform.flow(siren, found[0]) for found in named if found), None)

    def _ask(self, request: Request, status: int = 200, *, fault: str = "") -> Response:
        limit = FILE_BYTES_MAX // (1024 * 1024)
        return self._desk.render(request, "deposit.html", status, fault=fault, limit=limit, advice=ADVICE, signs=signs)


def _irreceivable(detail: Mapping[str, str]) -> tuple[Sign, Sign, Sign | None]:
    """Return a detail of an acknowledgement: its reason, what it says, what to do."""
    if detail["reasonCode"] == REPEATED:
        return (*SAID_OF_REPEATED, ADVICE[REPEATED])
    code, separator, text = detail["reasonMessage"].partition(": ")
    if not (separator and code in REASONS):
        code, text = detail["reasonCode"], detail["reasonMessage"]
    return signs.of_reason(code), signs.of_both(text), ADVICE.get(code)


def _syntax(data: bytes) -> str:
    """Return what the file says it is, so that the customer need not; the platform judges the rest."""
    try:
        return recognise(data).value
    except Unreadable:
        return Syntax.UNKNOWN.value
