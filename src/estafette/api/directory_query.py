"""What software asks of the Directory Service, understood: a search or a selection, whatever edition it speaks.

Older words are taken for those of 1.3: `sortingOrder` and `champ` in an order, the French words of the first clients,
`contains` where 1.2 and 1.3 have `strict`. What is not understood, or cannot be answered, is said with what can be
asked instead; it is never ignored, for the answer would be taken for another.
"""

from collections.abc import Collection, Mapping
from typing import Any, get_args

import msgspec
from starlette.requests import Request

from estafette.api.decoding import told
from estafette.api.directory_models import (
    Search,
    SearchDirectoryLine,
    SearchRoutingCode,
    SearchSiren,
    SearchSiret,
)
from estafette.api.problems import Problem
from estafette.exchange.bodies import TooLarge, read_body
from estafette.platform.mirror_search import (
    ESTABLISHMENT_COLUMNS,
    LINE_COLUMNS,
    ROUTING_CODE_COLUMNS,
    UNIT_COLUMNS,
    Criterion,
    Operator,
    Query,
)
from estafette.values.limits import DIRECTORY_SEARCH_BYTES_MAX

COLUMNS: Mapping[type[Search], Collection[str]] = {
    SearchSiren: UNIT_COLUMNS,
    SearchSiret: ESTABLISHMENT_COLUMNS,
    SearchRoutingCode: ROUTING_CODE_COLUMNS,
    SearchDirectoryLine: LINE_COLUMNS,
}
"""What the copy can be searched and ordered by, for each kind of search."""

WORDS = {
    "filtres": "filters", "tris": "sorting", "champs": "fields", "champ": "field", "inclure": "include",
    "limite": "limit", "ignorer": "ignore", "valeur": "value", "ordre": "order", "sortingOrder": "order",
}  # fmt: skip
"""What older clients call what 1.3 calls otherwise."""

VALUES = {"contient": "contains", "ascendant": "ascending", "descendant": "descending"}

FIELDS = {"managesLegalCommitmentCode": "managesLegalCommitment", "pm": "pmStatus", "businessName": "name"}
"""Fields of an establishment that the published examples and answers call otherwise than the list of fields does."""

NAMES: Mapping[str, str] = {
    "businessName": "name",
    "routingCodeName": "name",
    "entityType": "entity_type",
    "administrativeStatus": "status",
    "facilityType": "kind",
    "addressLines": "street",
    "postalCode": "postal_code",
    "countrySubdivision": "subdivision",
    "locality": "city",
    "addressingIdentifier": "address",
    "addressingSuffix": "suffix",
    "routingIdentifierType": "scheme",
    "instructions": "diffusion",
    "siretInstructions": "diffusion",
    "pmStatus": "is_contracting_authority",
    "pmOnly": "is_contracting_authority_only",
    "managesPaymentStatus": "manages_payment_status",
    "managesLegalCommitment": "commitment_required",
    "managesLegalCommitmentCode": "commitment_required",
    "managesLegalCommitmentOrService": "commitment_or_service_required",
    "serviceCodeStatus": "service_required",
}
"""What the wire calls what the directory calls otherwise; the rest has one name."""

CODES = {"Public": "P", "PrivateVatRegistered": "A", "C": "I"}
"""What the directory calls the values of its lists otherwise: types of entities, and what is closed."""


async def search_of(request: Request, shape: type[Search]) -> Search:
    """Return the search that the body is; none at all is a search for everything. Raises: Problem 400."""
    try:
        raw = await read_body(request, DIRECTORY_SEARCH_BYTES_MAX)
    except TooLarge:
        size = DIRECTORY_SEARCH_BYTES_MAX // 1024
        raise Problem(400, f"La recherche dépasse {size} Kio. / The search exceeds {size} KiB.") from None
    try:
        said = msgspec.json.decode(raw) if raw.strip() else {}
        return msgspec.convert(_renamed(said, shape), shape)
    except (ValueError, RecursionError) as wrong:
        raise Problem(400, f"{told(str(wrong), shape)} — {_choices(shape)}") from None


def query_of(asked: Search) -> Query:
    """Return what is asked of the copy. Raises: Problem 501, for an order that cannot be had."""
    given = msgspec.to_builtins(asked.filters)
    return Query(
        criteria=tuple(_criterion(type(asked), name, part["op"], part["value"]) for name, part in given.items()),
        order=tuple((_sorted_by(type(asked), key.field), key.order == "descending") for key in asked.sorting),
        limit=asked.limit,
        ignore=asked.ignore,
    )


def chosen(request: Request, name: str, shape: type[Search]) -> frozenset[str]:
    """Return the `fields` or the `include` of a request, separated by commas or repeated. Raises: Problem 400."""
    allowed = _listed(shape, name)
    given = [one.strip() for text in request.query_params.getlist(name) for one in text.split(",")]
    wanted = frozenset(_field(one, allowed) for one in given if one)
    if unknown := wanted - allowed:
        raise Problem(400, f"{name}: {', '.join(sorted(unknown))}? → {', '.join(sorted(allowed))}")
    return wanted


def _renamed(said: Any, shape: type[Search]) -> Any:
    """Give a search in the words of 1.3; an absent or empty value is no criterion."""
    if not isinstance(said, dict):
        return said
    renamed = {WORDS.get(name, name): value for name, value in said.items() if value is not None}
    if isinstance(filters := renamed.get("filters"), dict):
        parts = {name: _words(part) for name, part in filters.items()}
        renamed["filters"] = {name: part for name, part in parts.items() if not _is_empty(part)}
    for name in ("fields", "sorting"):
        if isinstance(items := renamed.get(name), list):
            renamed[name] = [_words(item) if name == "sorting" else item for item in items]
    allowed = _listed(shape, "fields")
    if isinstance(items := renamed.get("fields"), list):
        renamed["fields"] = [_field(item, allowed) if isinstance(item, str) else item for item in items]
    return renamed


def _words(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    named = {WORDS.get(name, name): value for name, value in part.items() if value is not None}
    return {
        name: VALUES.get(value, value) if name != "value" and isinstance(value, str) else value
        for name, value in named.items()
    }


def _is_empty(part: Any) -> bool:
    return part is None or (isinstance(part, dict) and part.get("value") == "")


def _field(name: str, allowed: Collection[str]) -> str:
    return name if name in allowed else FIELDS.get(name, name)


def _listed(shape: type[Search], name: str) -> frozenset[str]:
    """Name what the `fields` or the `include` of a search may hold."""
    described = next((field for field in msgspec.structs.fields(shape) if field.name == name), None)
    return frozenset(get_args(get_args(described.type)[0])) if described else frozenset()


def _choices(shape: type[Search]) -> str:
    """Say what can be asked."""
    filters = next(field for field in msgspec.structs.fields(shape) if field.name == "filters")
    names = ", ".join(field.encode_name for field in msgspec.structs.fields(filters.type))
    operators = ", ".join(operator.value for operator in Operator)
    return f"filters: {names}; op: {operators}; fields: {', '.join(sorted(_listed(shape, 'fields')))}"


def _criterion(shape: type[Search], name: str, op: str, value: str) -> Criterion:
    """Return a criterion; a whole number is looked for as such, and so is what comes from a list."""
    is_listed = name in ("entityType", "administrativeStatus", "facilityType")
    is_whole = is_listed or len(value) == {"siren": 9, "siret": 14}.get(name)
    operator = Operator.STRICT if is_whole else Operator(op)
    return Criterion(_name(shape, name), operator, CODES.get(value, value) if is_listed else value)


def _sorted_by(shape: type[Search], field: str) -> str:
    name = _name(shape, field)
    if name not in COLUMNS[shape]:
        orders = [one for one in sorted(_listed(shape, "fields")) if _name(shape, one) in COLUMNS[shape]]
        raise Problem(501, f"sorting: {field}? → {', '.join(orders)}", code="NOT_IMPLEMENTED")
    return name


def _name(shape: type[Search], field: str) -> str:
    if field == "routingIdentifier":
        return "code" if shape is SearchRoutingCode else "routing"
    return NAMES.get(field, field)
