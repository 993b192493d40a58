"""How the portal's directory API says errors: `application/problem+json`, in the language that was asked."""

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from estafette.api.portal_directory_bodies import Erreur
from estafette.api.problems import Problem
from estafette.directory.updates import Fault

KIND = "application/problem+json"

TITLES = {
    400: ("Requête invalide", "Bad request"),
    401: ("Authentification nécessaire", "Authentication needed"),
    403: ("Accès refusé", "Access refused"),
    404: ("Ressource absente", "No such resource"),
    408: ("Délai dépassé", "Timed out"),
    422: ("Données refusées", "Data refused"),
    429: ("Trop d'appels", "Too many calls"),
}

Handler = Callable[[Request], Awaitable[Response]]


def guarded(handler: Handler) -> Handler:
    """Return the handler, what it refuses being said as this API says it."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except Problem as problem:
            return said(request, problem)

    return handle


def said(request: Request, problem: Problem) -> Response:
    """Return a problem as it travels."""
    language = language_of(request)
    is_english = language == "en"
    french, _, english = str(problem).partition(" / ")
    error = Erreur(
        type="about:blank",
        titre=TITLES.get(problem.status, (HTTPStatus(problem.status).phrase,) * 2)[is_english],
        statut=problem.status,
        detail=(english or french) if is_english else french,
        instance=request.url.path,
    )
    headers = {"Content-Language": language, **problem.headers}
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(msgspec.json.encode(error), problem.status, headers, media_type=KIND)


def refused(faults: Iterable[Fault]) -> Problem:
    """Return why a change is refused: 403 for who may not make it (REJ_HAB), 422 for what cannot be."""
    held = list(faults)
    status = 403 if any(fault.code == "REJ_HAB" for fault in held) else 422
    french = " ".join(f"{fault.code}, {fault.rule} : {fault.fr}" for fault in held)
    english = " ".join(f"{fault.code}, {fault.rule}: {fault.en}" for fault in held)
    return Problem(status, f"{french.replace(' / ', ' | ')} / {english.replace(' / ', ' | ')}")


def language_of(request: Request) -> str:
    """Return the language asked, French unless it is English."""
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "fr"
