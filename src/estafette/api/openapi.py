"""The document of an API (OpenAPI 3.1), made of its table of operations and of the models they name, not by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from estafette.api.contract import BYTES, FORM, JSON, Operation, Parameter
from estafette.api.problems import CODES, Error
from estafette.store.roles import SCOPES, Scope

VERSION = "1.3.0"
"""The edition of XP Z12-013 that the names are of."""

TOKEN_PATH = "/oauth2/token"  # noqa: S105 — an address, no secret

HEADERS = (
    Parameter("Request-Id", "header", {"type": "string", "format": "uuid"}, "Rendu dans la réponse. / Given back."),
    Parameter("Organization-Id", "header", {"type": "string"}, "SIREN au nom duquel on agit. / SIREN acted for."),
)
REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Edition:
    """What all operations of an API have: its version, how it says errors, its headers, its scopes.

    `is_closed`: what needs no token has neither its headers nor its default, an error of that shape for any status.
    """

    version: str = VERSION
    error: type[msgspec.Struct] = Error
    error_kind: str = JSON
    headers: tuple[Parameter, ...] = HEADERS
    scopes: Mapping[str, Scope] = field(default_factory=lambda: SCOPES)
    is_closed: bool = False


XP_Z12_013 = Edition()


def document(
    title: str, operations: Iterable[Operation], *, server: str, edition: Edition = XP_Z12_013
) -> dict[str, Any]:
    """Return the document of these operations, served under `server`."""
    served = list(operations)
    models: list[Any] = [edition.error, *(model for each in served for model in _models(each))]
    schemas, components = msgspec.json.schema_components(models, ref_template=REFERENCE)
    references = {repr(model): schema for model, schema in zip(models, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for each in served:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, references, edition)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": edition.version},
        "servers": [{"url": server}],
        "security": [{"BearerAuth": []}, {"OAuth2": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security(edition.scopes)},
    }


def _models(operation: Operation) -> list[Any]:
    """Return the models that an operation names."""
    sent = list(operation.body[1]) if operation.body else []
    given = [model for kinds in operation.answers.values() for model in kinds.values() if model is not None]
    return sent + given


def _operation(operation: Operation, references: Mapping[str, Any], edition: Edition) -> dict[str, Any]:
    is_open = edition.is_closed and operation.scope is None
    headers = () if is_open else edition.headers
    made: dict[str, Any] = {
        "operationId": operation.identifier,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [_parameter(each) for each in (*operation.parameters, *headers)],
        "responses": {
            **{str(status): _answer(kinds, references) for status, kinds in operation.answers.items()},
            **{str(status): _refusal(status, references, edition) for status in sorted(operation.refusals)},
        },
    }
    if edition.is_closed and not is_open:
        made["responses"]["default"] = _refusal(None, references, edition)
    if operation.body:
        made["requestBody"] = _body(*operation.body, references)
    if operation.scope:
        made["security"] = [{"BearerAuth": []}, {"OAuth2": [operation.scope]}]
    return made


def _parameter(parameter: Parameter) -> dict[str, Any]:
    about = {"description": parameter.description} if parameter.description else {}
    required = parameter.place == "path"
    return {"name": parameter.name, "in": parameter.place, "required": required, "schema": parameter.schema, **about}


def _body(kind: str, models: Sequence[Any], references: Mapping[str, Any]) -> dict[str, Any]:
    choices = [references[repr(model)] for model in models]
    schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
    if kind != FORM:
        return {"required": True, "content": {kind: {"schema": schema}}}
    parts = {"flowInfo": schema, "file": {"type": "string", "contentMediaType": BYTES}}
    encoding = {"flowInfo": {"contentType": JSON}, "file": {"contentType": "application/pdf, application/xml"}}
    form = {"type": "object", "required": ["file", "flowInfo"], "properties": parts}
    return {"required": True, "content": {kind: {"schema": form, "encoding": encoding}}}


def _answer(kinds: Mapping[str, Any], references: Mapping[str, Any]) -> dict[str, Any]:
    if not kinds:
        return {"description": "Vide. / Empty."}
    content = {kind: {"schema": references[repr(model)]} if model else {} for kind, model in kinds.items()}
    return {"description": "Fait. / Done.", "content": content}


def _refusal(status: int | None, references: Mapping[str, Any], edition: Edition) -> dict[str, Any]:
    headers = {"Retry-After": {"schema": {"type": "integer"}}} if status == 429 else {}
    content = {edition.error_kind: {"schema": references[repr(edition.error)]}}
    made = {"description": CODES[status] if status else "Erreur. / Error.", "content": content}
    return {**made, "headers": headers} if headers else made


def _security(known: Mapping[str, Scope]) -> dict[str, Any]:
    scopes = {scope.code: f"{scope.fr} / {scope.en}" for scope in known.values()}
    flow = {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": scopes}}
    return {"BearerAuth": {"type": "http", "scheme": "bearer"}, "OAuth2": {"type": "oauth2", "flows": flow}}
