"""Who speaks at the portal's directory API: the software of a registered platform, by a token of the portal."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request

from estafette.api.problems import Problem, too_many
from estafette.exchange.throttle import Rate
from estafette.portal import platform_clients
from estafette.portal.directory_limits import DirectoryLimits, Limit
from estafette.portal.platform_clients import Speaker
from estafette.store import audit, identity
from estafette.store.database import Database
from estafette.values.moments import paris_day

READ, WRITE = "annuaire.read", "annuaire.write"


class PlatformAccess:
    """Tells who speaks, no faster than a platform may; its clients share one quota."""

    def __init__(self, database: Database, clock: Callable[[], datetime], limits: DirectoryLimits) -> None:
        self._database = database
        self._clock = clock
        day = paris_day(clock())
        self._calls = Rate(limits.at(Limit.CALLS_A_MINUTE, day), burst=limits.at(Limit.CALLS_AT_ONCE, day))

    def speaker(self, request: Request, scope: str) -> Speaker:
        """Return who speaks, allowed to do what `scope` says.

        Raises: Problem 401 without a valid token; 403 for who is no registered platform, or lacks the scope; 429.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise Problem(401, "Jeton d'accès absent. / Access token missing.")
        now = self._clock()
        with self._database.read() as connection:
            holder = identity.holder(connection, value.strip(), now=now)
            if holder is None:
                raise Problem(401, "Jeton d'accès inconnu ou expiré. / Access token unknown or expired.")
            found = platform_clients.speaker(connection, holder, on=paris_day(now))
        if found is None:
            fr = "Réservé aux plateformes immatriculées."
            raise Problem(403, f"{fr} / For registered platforms only.")
        if scope not in found.scopes:
            headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
            text = f"Ce client n'a pas le droit « {scope} ». / This client lacks the scope '{scope}'."
            raise Problem(403, text, headers=headers)
        if wait := self._calls.take(found.platform.matricule, now):
            raise too_many(wait)
        audit.set_actor(f"client:{holder.client_id}")
        return found


def attached(request: Request) -> frozenset[str]:
    """Return the SIREN of `PPF-Rattachements` (SIREN/SIRET/service, separated by commas); none when it is not given.

    Raises: Problem 400.
    """
    given = [one.strip() for text in request.headers.getlist("ppf-rattachements") for one in text.split(",")]
    sirens = [one.split("/")[0] for one in given if one]
    if wrong := [one for one in sirens if not (len(one) == 9 and one.isascii() and one.isdecimal())]:
        raise Problem(400, f"PPF-Rattachements: {wrong[0][:20]}? → SIREN[/SIRET[/service]]")
    return frozenset(sirens)
