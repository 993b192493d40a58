"""The operator's routes of the connections of platforms to the portal: `/operator/v1/connections`.

`PUT …/{code}` declares one: its protocol, the interfaces it is subscribed to, its last day, and for SFTP the public
keys or the X.509 certificate by which its platform signs in; a certificate also ends the connection when it expires.
Declaring twice is declaring once. `GET` tells what was declared and what came lately. `POST …/{code}/purged` lays out
again what was purged before the platform fetched it.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, Table, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from estafette.api.decoding import decode_body
from estafette.api.problems import Problem
from estafette.formats import envelope
from estafette.formats.envelope import Irreceivable
from estafette.portal.connections import lately
from estafette.portal.hall import Hall, Partner
from estafette.portal.intake_tables import refused_flow, sequence_gap
from estafette.portal.partner_areas import lay_again, waiting
from estafette.portal.partners import Declared, declare, declared
from estafette.values.moments import paris_day

if TYPE_CHECKING:
    from estafette.exchange.sftp import Door

BODY_MAX = 64 * 1024
SHOWN_MAX = 30
"""Flows turned away, and gaps, shown of one partner: the latest."""

Text = Annotated[str, msgspec.Meta(max_length=20_000)]


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator declares of a connection."""

    protocol: Literal["https", "sftp"]
    interfaces: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=20)] | None = None
    until: date | None = None
    keys: Annotated[tuple[Text, ...], msgspec.Meta(max_length=20)] | None = None
    certificate: Text | None = None


def routes(hall: Hall, door: "Door | None") -> list[Route]:
    """Return the routes."""
    actor = hall.actor

    async def put(request: Request) -> Response:
        code = request.path_params["code"]
        asked = await decode_body(request, Declaration, limit=BODY_MAX)
        with actor.database.read() as connection:
            if code not in {one.application_code for one in hall.partners(connection)}:
                raise Problem(404, f"{code[:6]} : aucun raccordement / no such connection")
        said = _said(asked, actor.clock())
        keys = _authorized(door, code, asked)
        await actor.database.write(lambda connection: declare(connection, code, said, now=actor.clock()))
        return JSONResponse(_shown(code, said) | {"keys": keys})

    async def every(_request: Request) -> Response:
        with actor.database.read() as connection:
            partners = hall.partners(connection)
            return JSONResponse([_lately(connection, one, actor.clock) for one in partners])

    async def again(request: Request) -> Response:
        code = request.path_params["code"]
        laid = await actor.database.write(lambda connection: lay_again(connection, code, now=actor.clock()))
        if not laid:
            raise Problem(404, f"{code[:6]} : rien de purgé / nothing was purged")
        return JSONResponse({"laid": laid})

    path = "/operator/v1/connections"
    return [
        Route(path, every),
        Route(f"{path}/{{code}}", put, methods=["PUT"]),
        Route(f"{path}/{{code}}/purged", again, methods=["POST"]),
    ]


def _said(asked: Declaration, now: datetime) -> Declared:
    """Return what is declared; a certificate bounds it. Raises: Problem."""
    for interface in asked.interfaces or ():
        try:
            envelope.interface(interface, on=paris_day(now))
        except Irreceivable as unknown:
            raise Problem(400, f"interfaces: {unknown.reason_fr} / {unknown.reason_en}") from None
    until = asked.until
    if asked.certificate:
        last = _certificate(asked.certificate).not_valid_after_utc.date()
        if last < paris_day(now):
            raise Problem(400, f"certificate: expiré le {last} / expired on {last}")
        until = min(until or last, last)
    return Declared(asked.protocol, None if asked.interfaces is None else frozenset(asked.interfaces), until)


def _authorized(door: "Door | None", code: str, asked: Declaration) -> int | None:
    """The platform signs in with these keys; returns how many, None when none was said. Raises: Problem."""
    lines = list(asked.keys or ())
    if asked.certificate:
        key = _certificate(asked.certificate).public_key()
        lines.append(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
    if asked.keys is None and not asked.certificate:
        return None
    if door is None:
        raise Problem(400, "keys: le portail ne sert pas SFTP ici / the portal serves no SFTP here (network.yaml)")
    try:
        return door.authorize(code, "\n".join(lines))
    except ValueError as wrong:
        raise Problem(400, f"keys: une clé publique OpenSSH chacune / one OpenSSH public key each. {wrong}") from None


def _certificate(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as wrong:
        raise Problem(400, f"certificate: X.509 PEM ? {wrong}") from None
    return certificate


def _shown(code: str, said: Declared) -> dict[str, Any]:
    return {
        "application_code": code,
        "protocol": said.protocol,
        "interfaces": None if said.interfaces is None else sorted(said.interfaces),
        "until": said.until.isoformat() if said.until else None,
    }


def _lately(connection: Connection, partner: Partner, clock: Callable[[], datetime]) -> dict[str, Any]:
    code = partner.application_code
    return _shown(code, declared(connection, code)) | {
        "matricule": partner.matricule,
        "flows_last_hour": lately(connection, partner.matricule, clock()),
        "waiting": [
            {"file": name, "since": since.isoformat()} for name, since in waiting(connection, code)[:SHOWN_MAX]
        ],
        "refused": _last(connection, refused_flow, partner, "file_name", "code"),
        "gaps": _last(connection, sequence_gap, partner, "flow_name", "missing"),
    }


def _last(connection: Connection, table: Table, partner: Partner, *names: str) -> list[dict[str, Any]]:
    query = select(*(table.c[name] for name in names), table.c.recorded_at).where(table.c.partner == partner.matricule)
    rows = connection.execute(query.order_by(table.c.id.desc()).limit(SHOWN_MAX)).mappings()
    return [{**{name: row[name] for name in names}, "at": row["recorded_at"].isoformat()} for row in rows]
