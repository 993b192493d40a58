"""What is asked of the portal's directory API, understood: a search, a selection, a day; or what is wrong with it.

A filter given as a bare value, as some clients write it, is taken for one with the operator it has anyway.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import UNSET
from starlette.requests import Request

from estafette.api import portal_directory_searches as wire
from estafette.api.decoding import decode
from estafette.api.problems import Problem
from estafette.directory import DirectoryLine, Establishment, LegalUnit, RoutingCode
from estafette.exchange.bodies import TooLarge, read_body
from estafette.portal.directory_search import Asked, Criterion
from estafette.values.limits import DIRECTORY_SEARCH_BYTES_MAX

Search = TypeVar("Search", wire.SearchSiren, wire.SearchSiret, wire.SearchRoutingCode, wire.SearchLine)

_PLACE = {
    "adresse": "street", "lignesAdresse": "street", "codePostal": "postal_code", "subDivisionPays": "subdivision",
    "localite": "city",
}  # fmt: skip
_HISTORY = {"dateDefinition": "recorded_at", "dateDebutEffet": "recorded_at", "idInstance": "instance",
            "creePar": "author"}  # fmt: skip
_FLAGS = {
    "moa": "is_contracting_authority", "moaUniquement": "is_contracting_authority_only",
    "gestionStatutMiseEnPaiement": "manages_payment_status", "gestionEngagementJuridique": "commitment_required",
    "gestionEngagementJuridiqueOuService": "commitment_or_service_required", "gestionCodeService": "service_required",
}  # fmt: skip
NAMES: Mapping[type[Any], Mapping[str, str]] = {
    LegalUnit: _HISTORY | {
        "siren": "siren", "raisonSociale": "name", "typeEntite": "entity_type", "diffusible": "diffusion",
        "etatAdministratif": "status", "masque": "status",
    },
    Establishment: _HISTORY | _PLACE | _FLAGS | {
        "siret": "siret", "siren": "siren", "denomination": "name", "typeEtablissement": "kind",
        "diffusible": "diffusion", "etatAdministratif": "status", "masque": "status",
    },
    RoutingCode: _HISTORY | _PLACE | {
        "siret": "siret", "typeIdentifiantRoutage": "scheme", "libelleCodeRoutage": "name",
        "identifiantRoutage": "code", "gestionEngagementJuridique": "commitment_required",
        "etatAdministratif": "status", "masque": "status",
    },
    DirectoryLine: _HISTORY | {
        "identifiantAdressage": "address", "siren": "siren", "siret": "siret", "identifiantRoutage": "routing",
        "suffixeAdressage": "suffix", "matriculePlateforme": "matricule", "dateFinEffet": "end",
        "dateFinEffective": "effective_end", "dateDebutEffet": "start", "masque": "nature",
    },
}  # fmt: skip
"""What the wire calls the columns that each kind is looked for and ordered by."""

VALUES = {"Publique": "P", "Privée assujettie": "A", "C": "I", "F": "I"}
"""What the directory calls the values of its lists otherwise."""


async def search_of(request: Request, shape: type[Search]) -> Search:
    """Return the search that the body is; none at all is a search for everything. Raises: Problem 400."""
    try:
        raw = await read_body(request, DIRECTORY_SEARCH_BYTES_MAX)
    except TooLarge:
        size = DIRECTORY_SEARCH_BYTES_MAX // 1024
        raise Problem(400, f"La recherche dépasse {size} Kio. / The search exceeds {size} KiB.") from None
    return decode(raw if raw.strip() else b"{}", shape, prepare=_filled)


def asked_of(search: Any, kind: type[Any], *, page: int, page_max: int) -> Asked:
    """Return what a search asks of the directory; a page is never longer than `page_max`."""
    filters = msgspec.structs.asdict(search.filtres)
    history = filters.pop("historisation")
    names = {field.name: field.encode_name for field in msgspec.structs.fields(search.filtres)}
    criteria = [
        _criterion(NAMES[kind][names[name]], names[name], one) for name, one in filters.items() if one is not UNSET
    ]
    return Asked(
        criteria=tuple(criteria),
        order=tuple((NAMES[kind][one.champ], one.ordre == "descendant") for one in search.tris if one.champ),
        limit=min(page if search.limite is UNSET else search.limite, page_max),
        ignore=search.ignorer,
        **_times(history),
    )


def chosen(request: Request, name: str, allowed: Any) -> frozenset[str]:
    """Return the `champs` or the `inclure` of a request, separated by commas or repeated. Raises: Problem 400."""
    known = frozenset(get_args(allowed))
    given = [one.strip() for text in request.query_params.getlist(name) for one in text.split(",")]
    wanted = frozenset(one for one in given if one)
    if unknown := wanted - known:
        raise Problem(400, f"{name}: {', '.join(sorted(unknown))[:200]}? → {', '.join(sorted(known))}")
    return wanted


def day_of(request: Request) -> date | None:
    """Return the `dateObservation` of a request. Raises: Problem 400."""
    text = request.query_params.get("dateObservation")
    if text is None:
        return None
    try:
        return msgspec.convert(text, date, strict=False)
    except msgspec.ValidationError:
        raise Problem(400, f"dateObservation : {text[:20]}? → 2026-09-01") from None


def _filled(said: Any) -> Any:
    """Give each filter its value by name; what is null is not asked."""
    if not isinstance(said, dict):
        return said
    made = {name: value for name, value in said.items() if value is not None}
    if isinstance(filters := made.get("filtres"), dict):
        given = {name: one for name, one in filters.items() if one is not None}
        made["filtres"] = {
            name: _filters(one) if name == "historisation" else _filter(one) for name, one in given.items()
        }
    return made


def _filters(said: Any) -> Any:
    return {name: _filter(one) for name, one in said.items() if one is not None} if isinstance(said, dict) else said


def _filter(said: Any) -> Any:
    return {"valeur": said} if isinstance(said, str | bool) else said


def _criterion(name: str, field: str, one: Any) -> Criterion:
    value = None if one.valeur is UNSET else one.valeur
    is_listed = field in ("typeEntite", "etatAdministratif")
    said = VALUES.get(str(value), value) if is_listed else value
    return Criterion(name, said, contains=one.op == "contient")


def _times(history: Any) -> dict[str, Any]:
    """Return the times of a search, and whose versions."""
    if history is UNSET:
        return {}

    def value(one: Any) -> Any:
        return None if one is UNSET or one.valeur is UNSET else one.valeur

    return {
        "on": value(history.date_observation),
        "since": value(history.date_debut_recherche),
        "until": value(history.date_fin_recherche),
        "author": value(history.cree_par),
        "is_audit": bool(value(history.mode_audit)),
    }
