"""Suppliers and customers of the bench: those of the first start, then as many more as asked."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from msgspec.structs import replace

from bench.actors import Actors
from estafette.invoice.model import Identifier, Invoice, Party

SECRET = "a-secret-of-the-bench-only"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Tenant:
    """A supplier with its token, and the customer it sells to; None where they are those of the samples."""

    token: str
    seller: str | None = None
    buyer: str | None = None

    def of(self, invoice: Invoice) -> Invoice:
        """Return the invoice between these two."""
        if self.seller is None or self.buyer is None:
            return invoice
        return replace(invoice, seller=_named(invoice.seller, self.seller), buyer=_named(invoice.buyer, self.buyer))


def _named(party: Party, siren: str) -> Party:
    address = Identifier(siren, "0225")
    return replace(
        party,
        legal_registration_identifier=Identifier(siren, "0002"),
        vat_identifier=_vat(siren),
        electronic_address=address,
        identifiers=(),
    )


def _vat(siren: str) -> str:
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def siren(number: int) -> str:
    """Return the SIREN of that number: eight digits and the one that Luhn's formula gives."""
    body = f"{number:08d}"
    total = sum(sum(divmod(int(digit) * (2 if place % 2 else 1), 10)) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


async def tenants_of(actors: Actors, count: int) -> list[Tenant]:
    """Return so many pairs, each known to its platform and to the directory."""
    async with aiohttp.ClientSession() as session:
        entry = actors.entries.by_login["fournisseur"]
        tenants = [Tenant(await _token(session, actors, str(entry.client_id), str(entry.client_secret)))]
        pairs = [(siren(50_000_000 + number), siren(60_000_000 + number)) for number in range(1, count)]
        if not pairs:
            return tenants
        for pair in pairs:
            for actor, one in zip(("platform-a", "platform-b"), pair, strict=True):
                await _post(session, actors, actor, "/operator/v1/companies", _opening(one))
        units = [{"siren": one, "name": f"Société {one}", "entity_type": "A"} for pair in pairs for one in pair]
        lines = [
            {"siren": one, "matricule": matricule, "start": "2024-01-01"}
            for pair in pairs
            for one, matricule in zip(pair, ("0003", "0005"), strict=True)
        ]
        await _post(session, actors, "portal", "/operator/v1/directory", {"units": units, "lines": lines})
        await _until_known(actors, len(lines))
        tokens = [await _token(session, actors, f"bench-{seller}", SECRET) for seller, _buyer in pairs]
    return tenants + [Tenant(token, *pair) for token, pair in zip(tokens, pairs, strict=True)]


def _opening(one: str) -> dict[str, Any]:
    return {
        "siren": one,
        "name": f"Société {one}",
        "status_address": one,
        "login": f"bench-{one}",
        "password": SECRET,
        "client_id": f"bench-{one}",
        "client_secret": SECRET,
    }


async def _until_known(actors: Actors, lines: int) -> None:
    """Wait until both platforms have the lines in their copies of the directory."""
    for actor in ("platform-a", "platform-b"):
        while len(actors.query(actor, "SELECT address FROM mirror_line")) < lines:
            await actors.moment()


async def _post(session: aiohttp.ClientSession, actors: Actors, actor: str, path: str, body: dict[str, Any]) -> None:
    headers = actors.entries.operators[actor]
    async with session.post(actors.urls[actor] + path, data=msgspec.json.encode(body), headers=headers) as answer:
        answer.raise_for_status()


async def _token(session: aiohttp.ClientSession, actors: Actors, client_id: str, secret: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    async with session.post(f"{actors.urls['platform-a']}/oauth2/token", data=form) as answer:
        answer.raise_for_status()
        return str((await answer.json())["access_token"])
