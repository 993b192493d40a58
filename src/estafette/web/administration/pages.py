"""Every page of the administration: where it is, what it shows, what may be done there.

/                                            what each view is for
/returns                                     the returns that have something in them
/returns/{siren}/{yyyy-mm}                   the CA3 of a company and month
/returns/{siren}/{yyyy-mm}/{line}/{column}   the invoices behind a cell
/facts/{seller}/{year}/{number}              what is known of an invoice, and what it puts on the returns
/registrations, /registrations/new           the files, and the deposit of one
/registrations/{id}                          a file: what it lacks, its review, its decision, its terms
/platforms                                   the public list, for everyone
/pilot, /pilot/new                           campaigns and applications, and the deposit of one
/pilot/{id}                                  an application: what it lacks, its decision, its team
/activity                                    turnover by sector and week
/alerts, /alerts/{id}                        alerts, and one with its evidence and decision
/api/…                                       the same as JSON (`twins`)
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from estafette.administration.administration import Administration
from estafette.store.identity import Person
from estafette.web.administration import twins
from estafette.web.administration.activity import ActivityPages
from estafette.web.administration.alerts import AlertPages
from estafette.web.administration.pilot import PilotPages
from estafette.web.administration.registrations import RegistrationPages
from estafette.web.administration.returns import ReturnPages
from estafette.web.desk import Desk


def routes(administration: Administration, desk: Desk) -> list[BaseRoute]:
    """Return the pages of the administration and their twins under /api/, which the operator's token guards."""
    parts = (
        ReturnPages(administration, desk),
        RegistrationPages(administration, desk),
        PilotPages(administration, desk),
        ActivityPages(administration, desk),
        AlertPages(administration, desk),
    )

    async def home(request: Request, _person: Person) -> Response:
        return desk.render(request, "home.html")

    pages = [route for part in parts for route in part.routes()]
    return [Route("/", desk.signed_in(home)), *pages, *twins.routes(administration)]
