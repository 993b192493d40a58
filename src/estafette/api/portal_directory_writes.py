"""The writes of the portal's directory API (1.11.0): routing codes and lines, through the one register of the portal.

A change is judged by the very rules of a file of updates (F13), and refused with their codes: 403 for what is not for
this platform (REJ_HAB), 422 for the rest. An instance names what it is a version of, replaced since or not, so that a
change sent twice is made once. Deleting a line masks it, before it starts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from estafette.api import portal_directory_bodies as wire
from estafette.api.contract import JSON, Operation, Parameter
from estafette.api.decoding import decode_body
from estafette.api.portal_directory_access import WRITE, attached
from estafette.api.portal_directory_errors import Handler, guarded, language_of, refused
from estafette.api.portal_directory_service import ID_INSTANCE, REFUSALS, AnnuaireService, answer, instance_of
from estafette.api.problems import Problem
from estafette.directory import DirectoryLine, RoutingCode
from estafette.directory.readings import Readings
from estafette.directory.updates import Fault
from estafette.portal import holdings
from estafette.portal.register import Decision, Register, Source
from estafette.values.limits import DIRECTORY_SEARCH_BYTES_MAX

ATTACHED = Parameter(
    "PPF-Rattachements",
    "header",
    {"type": "array", "items": {"type": "string", "maxLength": 209}},
    "SIREN/SIRET/service pour lesquels on agit. / SIREN/SIRET/service acted for.",
)


class AnnuaireWrites:
    """The writes of the API; `changed` is called in the transaction of each that changes the directory."""

    def __init__(self, service: AnnuaireService, changed: Callable[[Connection], None], readings: Readings) -> None:
        self._service = service
        self._changed = changed
        self._readings = readings

    def operations(self) -> list[Operation]:
        """Return what is served."""
        code, line = "/code-routage", "/ligne-annuaire"
        written = wire.WrittenRoutingCode
        made = [
            _operation("POST", code, self._create_code, wire.CreateRoutingCode, written),
            _operation("PUT", code, self._put_code, wire.PutRoutingCode, written, is_partial=True),
            _operation(
                "PATCH", code, self._patch_code, wire.PatchRoutingCode, wire.WrittenRoutingCode, is_partial=True
            ),
            _operation("POST", line, self._create_line, wire.CreateLine, wire.WrittenLine),
            _operation("PUT", line, self._put_line, wire.PutLine, wire.WrittenLine),
            _operation("PATCH", line, self._patch_line, wire.PatchLine, wire.WrittenLine),
            _operation("DELETE", line, self._mask_line, None, None),
        ]
        return [replace(one, endpoint=guarded(self._spoken(one.endpoint))) for one in made]

    def _spoken(self, handler: Handler) -> Handler:
        """Return the handler, given who speaks before anything is read of what they say."""

        async def handle(request: Request) -> Response:
            request.state.speaker = self._service.access.speaker(request, WRITE)
            return await handler(request)

        return handle

    # -------------------------------------------------------------------------------------------------- routing codes

    async def _create_code(self, request: Request) -> Response:
        asked = await _body(request, wire.CreateRoutingCode)
        code = RoutingCode(
            siret=asked.siret,
            code=asked.identifiant_routage,
            name=asked.libelle_code_routage,
            scheme=asked.type_identifiant_routage or "0224",
            status=_status(asked.etat_administratif),
            commitment_required=asked.gestion_engagement_juridique or None,
            **_address(asked.adresse or wire.WrittenAddress()),
        )

        def change(register: Register) -> Decision:
            held = register.routing_code(code.siret, code.code)
            if held is not None and replace(held, instance=0) != code:
                return Decision(faults=(_already(code),))
            return self._code(register, code, nature=asked.nature_etablissement)

        return await self._write(request, asked.siret[:9], change, partial(_written_code, code), 201)

    async def _put_code(self, request: Request) -> Response:
        asked = await _body(request, wire.PutRoutingCode)
        return await self._change_code(request, asked, _address(asked.adresse or wire.WrittenAddress()))

    async def _patch_code(self, request: Request) -> Response:
        asked = await _body(request, wire.PatchRoutingCode)
        return await self._change_code(request, asked, _address(asked.adresse) if asked.adresse else {})

    async def _change_code(self, request: Request, asked: Any, place: dict[str, Any]) -> Response:
        held: RoutingCode = self._held(request, RoutingCode)
        told = {
            "scheme": asked.type_identifiant_routage,
            "name": asked.libelle_code_routage,
            "status": UNSET if asked.etat_administratif is UNSET else _status(asked.etat_administratif),
        }
        changes = {name: value for name, value in told.items() if value is not UNSET} | place

        def change(register: Register) -> Decision:
            now = register.routing_code(held.siret, held.code) or held
            return self._code(register, replace(now, **changes))

        return await self._write(request, held.siret[:9], change, partial(_written_code, held))

    def _code(self, register: Register, code: RoutingCode, *, nature: str = "Privé") -> Decision:
        """Put a routing code; those of public entities come from Chorus Pro."""
        unit = register.legal_unit(code.siret[:9])
        if nature == "Public" or (unit is not None and unit.entity_type == "P"):
            return Decision(faults=(_PUBLIC,))
        return register.put_routing_code(code)

    # ----------------------------------------------------------------------------------------------------------- lines

    async def _create_line(self, request: Request) -> Response:
        asked = await _body(request, wire.CreateLine)
        told, period = asked.information_adressage, asked.periode_effet
        line = DirectoryLine(
            siren=told.siren,
            siret=told.siret or None,
            routing_code=told.identifiant_routage or None,
            suffix=told.suffixe_adressage or None,
            matricule=told.matricule_plateforme,
            start=period.date_debut_effet,
            end=period.date_fin_effet,
        )

        def change(register: Register) -> Decision:
            return register.define(line)

        return await self._write(request, line.siren, change, partial(_written_line, line), 201)

    async def _put_line(self, request: Request) -> Response:
        asked = await _body(request, wire.PutLine)
        changes = {"matricule": asked.matricule_plateforme, "end": asked.date_fin_effet}
        return await self._change_line(request, changes)

    async def _patch_line(self, request: Request) -> Response:
        asked = await _body(request, wire.PatchLine)
        told = {"matricule": asked.matricule_plateforme, "end": asked.date_fin_effet}
        return await self._change_line(request, {name: value for name, value in told.items() if value is not UNSET})

    async def _change_line(self, request: Request, changes: dict[str, Any]) -> Response:
        held: DirectoryLine = self._held(request, DirectoryLine)

        def change(register: Register) -> Decision:
            return register.define(replace(_now(register, held), **changes))

        return await self._write(request, held.siren, change, partial(_written_line, held))

    async def _mask_line(self, request: Request) -> Response:
        held: DirectoryLine = self._held(request, DirectoryLine)

        def change(register: Register) -> Decision:
            return register.mask(_now(register, held))

        return await self._write(request, held.siren, change, None, 204)

    # ---------------------------------------------------------------------------------------------------------- writing

    def _held(self, request: Request, kind: type[Any]) -> Any:
        """Return what the version of the path is of. Raises: Problem 400, 404."""
        with self._service.actor.database.read() as connection:
            held = holdings.by_instance(connection, kind, instance_of(request))
        if held is None:
            raise Problem(404, "Absent de l'annuaire. / Not in the directory.")
        return held

    async def _write(
        self,
        request: Request,
        siren: str,
        change: Callable[[Register], Decision],
        written: Callable[[int], Any] | None,
        status: int = 200,
    ) -> Response:
        """The change is made, or Raises: Problem 403, 422."""
        matricule = request.state.speaker.platform.matricule
        if (sirens := attached(request)) and siren not in sirens:
            raise Problem(403, f"PPF-Rattachements : {siren} n'en est pas. / {siren} is not among them.")
        actor, message = self._service.actor, request.headers.get("request-id")

        def apply(connection: Connection) -> Decision:
            register = Register(
                connection,
                at=actor.clock(),
                source=Source.API,
                author=matricule,
                message=(message or "")[:120] or None,
            )
            register.readings = self._readings
            decided = change(register)
            if register.has_changed:
                self._changed(connection)
            return decided

        decision = await actor.database.write(apply)
        actor.worker.wake()
        if decision.faults:
            raise refused(decision.faults)
        if written is None:
            return Response(status_code=status, headers={"Content-Language": language_of(request)})
        return answer(request, written(decision.instance or 0), status)


def _now(register: Register, held: DirectoryLine) -> DirectoryLine:
    """Return the version that counts of the line that one was of."""
    same = (line for line in register.lines(held.address) if line.start == held.start)
    return next(same, held)


def _written_code(code: RoutingCode, instance: int) -> wire.WrittenRoutingCode:
    return wire.WrittenRoutingCode(id_instance=instance, siret=code.siret, identifiant_routage=code.code)


def _written_line(line: DirectoryLine, instance: int) -> wire.WrittenLine:
    return wire.WrittenLine(id_instance=instance, identifiant_adressage=line.address, date_debut_effet=line.start)


async def _body(request: Request, shape: type[Any]) -> Any:
    return await decode_body(request, shape, limit=DIRECTORY_SEARCH_BYTES_MAX)


def _status(state: str) -> str:
    return "A" if state == "A" else "I"


def _address(told: wire.WrittenAddress) -> dict[str, Any]:
    """Return the address as the directory calls its parts; an empty text is none."""
    names = ("line_1", "line_2", "line_3", "postal_code", "subdivision", "city", "country")
    return {name: value or None for name, value in zip(names, msgspec.structs.astuple(told), strict=True)}


_PUBLIC = Fault(
    "REJ_HAB",
    "REJ_HAB",
    "Les codes routage des entités publiques viennent de Chorus Pro.",
    "The routing codes of public entities come from Chorus Pro.",
    ("IdSIRET",),
)


def _already(code: RoutingCode) -> Fault:
    return Fault(
        "REJ_COH",
        "G1.92",
        f"Le code {code.code} existe déjà pour ce SIRET, autrement : modifiez-le (PATCH).",
        f"Code {code.code} already exists for that SIRET, otherwise: change it (PATCH).",
        ("IdRoutage",),
    )


def _operation(method: str, path: str, handler: Any, body: Any, written: Any, *, is_partial: bool = False) -> Operation:
    named = f"{path.strip('/').replace('-', '_')}_{method.lower()}"
    is_new = method == "POST"
    answers: dict[int, Any] = {201 if is_new else 200: {JSON: written}} if written else {204: {}}
    return Operation(
        method,
        path if is_new else f"{path}/id-instance:{{id-instance}}",
        named,
        "Écriture. / Write.",
        handler,
        answers | ({206: {}} if is_partial else {}),
        refusals=REFUSALS,
        body=(JSON, (body,)) if body else None,
        parameters=(ATTACHED,) if is_new else (ATTACHED, ID_INSTANCE),
        scope=WRITE,
        tag="Code routage" if path == "/code-routage" else "Ligne annuaire",
        route="" if is_new else f"{path}/id-instance:{{instance}}",
    )
