"""The first start: the platforms registered, the directory filled, the pilot team admitted, its accounts opened.

Everything goes through the actors' own doors, over HTTP, as it would for anybody; each step is idempotent, so that a
start cut short is finished by the next. What people need to enter is written in `credentials.yaml`, for its owner only.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml

from estafette.circuit.network import PORT, PORTAL_MATRICULE, SEATS, Network, Seat
from estafette.circuit.operators import operator_token
from estafette.exchange.keys import load_key, public_text

Say = Callable[[str], None]

SUBMITTED_AT = "2023-06-20T10:00:00+02:00"
"""When the team's file of the announced campaign was submitted: within its days."""

MIRRORS_S = 60.0
"""How long the copies of the directory may take."""

WITHOUT_TEAM = (
    "Aucun compte : l'équipe entre au premier démarrage de tous les acteurs ensemble, sans --only. / "
    "No account yet: the team enters when all the actors first start together, without --only."
)
"""Said when some actors are served on a folder where all have never been."""

TEAM_STATES = ("ADMITTED", "ONBOARDING", "READY", "ACTIVE")
"""What the team goes through before it exchanges."""


class Company(msgspec.Struct, frozen=True):
    """A company of the team, on one platform."""

    actor: str
    siren: str
    name: str
    login: str
    status_address: str


class Team(msgspec.Struct, frozen=True):
    """The file `team.yaml`."""

    units: list[dict[str, Any]]
    establishments: list[dict[str, Any]]
    routing_codes: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    companies: list[Company]

    def register(self, portal: str) -> dict[str, Any]:
        """Return what the portal, under its matricule, is told of who can be reached where."""
        told = {name: getattr(self, name) for name in ("units", "establishments", "routing_codes")}
        own = {PORTAL_MATRICULE: portal}
        lines = [{**line, "matricule": own.get(line["matricule"], line["matricule"])} for line in self.lines]
        return {**told, "lines": lines}

    @property
    def addresses(self) -> int:
        """How many lines count: a mask takes one away."""
        natures = [line.get("nature", "D") for line in self.lines]
        return natures.count("D") - natures.count("M")


class Entry(msgspec.Struct):
    """How one enters one desk, and one API."""

    actor: str
    login: str
    password: str
    siren: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class SeedFailed(Exception):
    """An actor did not take a step of the first start: which, and what it answered, on one line."""


class UnreadableCredentials(SeedFailed):
    """The file of the credentials is damaged: where and how, on one line."""


class At(msgspec.Struct, frozen=True):
    """Where an actor answers, from this process or another."""

    seat: Seat
    url: str
    folder: Path
    public_key: str


def ready(data: Path, say: Say) -> Callable[[Network, Sequence[Seat]], Awaitable[None]]:
    """Return what is done once every actor answers: the first team when all are here, then the addresses."""

    async def announce(network: Network, seats: Sequence[Seat]) -> None:
        served = [_at(network, seat) for seat in seats]
        is_seeded = (data / "seeded").exists()
        if len(served) == len(SEATS):
            async with aiohttp.ClientSession() as session:
                seed = _Seed(data, served, say, session)
                try:
                    await (seed.move() if is_seeded else seed.run())
                except aiohttp.ClientError as fault:
                    raise SeedFailed(str(fault)) from None
        elif not is_seeded:
            say(WITHOUT_TEAM)
        _addresses(data, served, say)

    return announce


async def silent(_network: Network, _seats: Sequence[Seat]) -> None:
    """Do and say nothing: another process does."""


def _at(network: Network, seat: Seat) -> At:
    folder = network.folder(seat)
    return At(seat, network.url(seat), folder, public_text(load_key(folder / "key.pem")))


def credentials(data: Path) -> list[Entry]:
    """Return the entries of this data folder, none before the first start. Raises: UnreadableCredentials."""
    file = data / "credentials.yaml"
    try:
        return msgspec.convert(yaml.safe_load(file.read_text()), list[Entry]) if file.exists() else []
    except (OSError, yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as fault:
        raise UnreadableCredentials(f"{file}: illisible / unreadable: {' '.join(str(fault).split())}") from None


def _addresses(data: Path, served: list[At], say: Say) -> None:
    held: dict[str, list[Entry]] = {}
    for entry in credentials(data):
        held.setdefault(entry.actor, []).append(entry)
    say("")
    for one in served:
        say(f"  {one.seat.title:<32} {one.url}")
        for entry in held.get(one.seat.name, ()):
            say(f"      {entry.login:<16} {entry.password}")
    say("")
    say("Prêt. Ctrl-C pour arrêter. / Ready. Ctrl-C to stop.")


class _Seed:
    """One start of the whole circuit."""

    def __init__(self, data: Path, served: list[At], say: Say, session: aiohttp.ClientSession) -> None:
        self._data = data
        self._served = {one.seat.name: one for one in served}
        self._say = say
        self._session = session
        self._portal = Network(data, PORT).portal_matricule
        self._team = msgspec.convert(yaml.safe_load(_read("team.yaml")), Team)

    async def run(self) -> None:
        """The team takes part."""
        steps = (
            ("Immatriculation des plateformes / Registering the platforms", self._platforms),
            ("Annuaire / Directory", self._directory),
            ("Comptes des entreprises / Accounts of the companies", self._companies),
            ("Équipe du pilote / Pilot team", self._pilot),
            ("Copies de l'annuaire / Copies of the directory", self._mirrors),
        )
        for number, (title, step) in enumerate(steps, start=1):
            self._say(f"[{number}/{len(steps)}] {title} …")
            await step()
        (self._data / "seeded").touch()

    async def move(self) -> None:
        """The platforms that now answer elsewhere than their registration says are told where."""
        for held in await self._get("administration", "/api/registrations"):
            one = next((one for one in self._served.values() if one.seat.identifier == held["matricule"]), None)
            if one is not None and held["url"] != one.url:
                link = {"application_code": f"PA{held['matricule']}", "url": one.url}
                link["public_key"] = one.public_key
                await self._post("administration", f"/api/registrations/{held['id']}/connection", link)

    async def _post(self, actor: str, path: str, body: bytes | dict[str, Any]) -> Any:
        one = self._served[actor]
        headers = {"Authorization": f"Bearer {operator_token(one.folder)}"}
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        async with self._session.post(one.url + path, data=data, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise SeedFailed(f"{actor} {path}: {answer.status} {' '.join(text.split())[:500]}")
            return msgspec.json.decode(text or "null")

    async def _platforms(self) -> None:
        for name in ("platform-a", "platform-b"):
            one = self._served[name]
            form = yaml.safe_load(_example(f"{name}.yaml"))
            form["connection"] = {
                "application_code": f"PA{one.seat.identifier}",
                "url": one.url,
                "public_key": one.public_key,
            }
            file = yaml.safe_dump(form, allow_unicode=True).encode()
            await self._decide("/api/registrations", file, "REGISTERED", ("COMPLETE", "UNDER_REVIEW"))

    async def _decide(self, path: str, file: bytes, outcome: str, undecided: tuple[str, ...]) -> dict[str, Any]:
        """Submit a file, have it reviewed where it is, and decided; what was decided before is left as it is."""
        held: dict[str, Any] = await self._post("administration", path, file)
        one = f"{path.partition('?')[0]}/{held['id']}"
        if held["findings"]:
            raise SeedFailed(f"{path}: {held['findings']}")
        if held["state"] == undecided[0] and len(undecided) > 1:
            held = await self._post("administration", f"{one}/review", b"")
        if held["state"] == undecided[-1]:
            held = await self._post("administration", f"{one}/decision", {"outcome": outcome, "reason": "Pilote"})
        return held

    async def _directory(self) -> None:
        await self._post("portal", "/operator/v1/directory", self._team.register(self._portal))

    async def _companies(self) -> None:
        entries = {(entry.actor, entry.login): entry for entry in credentials(self._data)}
        for company in self._team.companies:
            key = (company.actor, company.login)
            entries.setdefault(key, _new_entry(company.actor, company.login, company.siren))
        entries.setdefault(("administration", "agent"), _new_entry("administration", "agent", None))
        _keep(self._data, list(entries.values()))
        for company in self._team.companies:
            entry = entries[company.actor, company.login]
            opening = {
                "siren": company.siren,
                "name": company.name,
                "status_address": company.status_address,
                "login": entry.login,
                "password": entry.password,
                "client_id": entry.client_id,
                "client_secret": entry.client_secret,
            }
            await self._post(company.actor, "/operator/v1/companies", opening)
        agent = entries["administration", "agent"]
        account = {"login": agent.login, "password": agent.password}
        await self._post("administration", "/operator/v1/accounts", account)

    async def _pilot(self) -> None:
        await self._post("administration", "/api/pilot/campaigns", _example("campaign.yaml"))
        path = f"/api/pilot/applications?submitted_at={SUBMITTED_AT}"
        held = await self._decide(path, _example("application.yaml"), "SELECTED", ("COMPLETE",))
        for state in TEAM_STATES[TEAM_STATES.index(held["team_state"]) + 1 :]:
            await self._post("administration", f"/api/pilot/applications/{held['id']}/team", {"state": state})

    async def _mirrors(self) -> None:
        """Wait until each platform's copy of the directory knows every address of the team. Raises: SeedFailed."""
        name = ""
        try:
            async with asyncio.timeout(MIRRORS_S):
                for name in ("platform-a", "platform-b", "portal"):
                    while (await self._get(name, "/operator/v1/state"))["directory_lines"] < self._team.addresses:
                        await asyncio.sleep(0.02)
        except TimeoutError:
            late = f"copie de l'annuaire incomplète après {MIRRORS_S:.0f} s, relancer"
            raise SeedFailed(f"{name}: {late} / copy of the directory incomplete, start again") from None

    async def _get(self, actor: str, path: str) -> Any:
        one = self._served[actor]
        headers = {"Authorization": f"Bearer {operator_token(one.folder)}"}
        async with self._session.get(one.url + path, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.json()


def _new_entry(actor: str, login: str, siren: str | None) -> Entry:
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    if siren is None:
        return Entry(actor, login, password)
    return Entry(actor, login, password, siren, f"{login}-si", secrets.token_urlsafe(24))


def _keep(data: Path, entries: list[Entry]) -> None:
    text = yaml.safe_dump(msgspec.to_builtins(entries), allow_unicode=True, sort_keys=False)
    draft = data / "credentials.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    draft.rename(data / "credentials.yaml")


def _read(name: str) -> bytes:
    return (resources.files("estafette.circuit") / name).read_bytes()


def _example(name: str) -> bytes:
    return (resources.files("estafette.administration") / "examples" / name).read_bytes()
