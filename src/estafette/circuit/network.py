"""Who the actors are, where each listens, and by which key it is known.

The network as shipped: the public portal, two partner platforms, the administration, each at its own port from a base.
A file `network.yaml` in the data folder moves actors elsewhere, and says on which engines they keep what they have:

    database: "postgresql+psycopg://estafette:${PGPASSWORD}@127.0.0.1/estafette"
    documents: "s3://estafette/documents?endpoint=https://s3.example:9000&region=eu-west-3"
    proxies: ["127.0.0.1", "10.0.0.0/8"]
    actors:
      platform-a: {database: "postgresql+psycopg://…?schema=pa"}
      platform-b: {url: "https://b.example", public_key: "base64…"}

`${NAME}` is the value of an environment variable: no secret needs to be in the file. A database for all has one schema
an actor, named after it; an object store for all has one folder an actor.
"""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
import yaml

from estafette.directory.readings import Readings
from estafette.exchange.keys import load_key, public_text
from estafette.exchange.post import Peer
from estafette.exchange.tls import Tls, WrongCertificate
from estafette.store.objects import ObjectPacks, WrongStore
from estafette.store.postgresql import WrongUrl, database_url

if TYPE_CHECKING:
    from estafette.exchange.sftp_client import SftpClient

PORT = 8400
"""The first of the addresses, unless another is asked."""

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

PORTAL = "PPF"
PORTAL_MATRICULE = "0000"
"""The portal as a recipient of statuses and as the platform of its direct users, unless `network.yaml` says another:
the specifications give none (lifecycle.md §7.1)."""

ADMINISTRATION = "DGFIP"


@dataclass(frozen=True, slots=True)
class Seat:
    """An actor's place in the network: its name on the command line, its identifier on the wire, its rank."""

    name: str
    kind: str
    identifier: str
    title: str
    rank: int


SEATS = (
    Seat("portal", "portal", PORTAL, "Portail public de facturation", 0),
    Seat("platform-a", "platform", "0003", "Relais Atlantique", 1),
    Seat("platform-b", "platform", "0005", "Relais Rhône", 2),
    Seat("administration", "administration", ADMINISTRATION, "Administration fiscale", 3),
)


class Sftp(msgspec.Struct, forbid_unknown_fields=True):
    """Where the companies of an actor deposit and fetch by SFTP."""

    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    host: str = "127.0.0.1"


class ToPortal(msgspec.Struct, forbid_unknown_fields=True):
    """How a platform reaches the portal by SFTP: where, and the files of its own key and of the portal's public key."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    key: str
    host_key: str
    host: str = "127.0.0.1"


class Certificate(msgspec.Struct, forbid_unknown_fields=True):
    """The PEM files by which an actor is known to the others over TLS; relative ones are in the data folder."""

    authorities: str
    certificate: str
    key: str


class Elsewhere(msgspec.Struct, forbid_unknown_fields=True):
    """Where an actor really is, its key when it does not live in this data folder, and what it is given to work with.

    `scanner`: where clamd listens, `tcp://127.0.0.1:3310` or `unix:/run/clamav/clamd.ctl`. `folder`: where companies
    deposit, each in the folder of its SIREN. `sftp`: where they deposit and fetch by SFTP.
    `partners`: where the portal takes and gives flows of platforms by SFTP; `portal`: how a platform goes there.
    `tls`: its certificate; its address is then https. `listen`: the address of this machine where it is served.
    `readings`: how the portal reads what the texts of the directory leave open.
    `directory`: whether the portal sends it at each change too (`on-change`), or by its calendar alone (`calendar`).
    `proxies`: who may say for whom it asks, instead of those of the whole file.
    """

    url: str | None = None
    public_key: str | None = None
    scanner: str | None = None
    folder: str | None = None
    sftp: Sftp | None = None
    partners: Sftp | None = None
    portal: ToPortal | None = None
    tls: Certificate | None = None
    listen: str = "127.0.0.1"
    database: str | None = None
    documents: str | None = None
    readings: Readings = Readings()
    directory: Literal["on-change", "calendar"] = "on-change"
    proxies: list[str] | None = None


class NetworkFile(msgspec.Struct, forbid_unknown_fields=True):
    """The file `network.yaml`. `portal_matricule`: see `PORTAL_MATRICULE`; the same for every actor, from the start.

    `proxies`: the addresses, or networks, of the reverse proxies before the actors. What they say of their visitors
    (`X-Forwarded-For`, `X-Forwarded-Proto`) is believed; of nobody else, and of nobody unless it is said here.
    `one_core`: whether a process that is busy keeps to one core of its machine (`circuit.cores`).
    """

    actors: dict[str, Elsewhere] = {}
    database: str | None = None
    documents: str | None = None
    proxies: list[str] = []
    one_core: bool = True
    portal_matricule: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}\Z")] = PORTAL_MATRICULE


class WrongNetwork(Exception):
    """The network file cannot be used."""


class Network:
    """The addresses and keys that this process trusts from the start; platforms are learnt from the directory."""

    def __init__(self, data: Path, port: int, *, database: str | None = None) -> None:
        self._data = data
        self._port = port
        read = _read(data / "network.yaml")
        self._moved = read.actors
        self._database_of_all = database or read.database
        self.portal_matricule = read.portal_matricule
        self.one_core = read.one_core
        self._documents_of_all = read.documents
        self._proxies_of_all = read.proxies

    def url(self, seat: Seat) -> str:
        """Return the address of an actor."""
        moved = self._moved.get(seat.name)
        scheme = "https" if moved and moved.tls else "http"
        return moved.url if moved and moved.url else f"{scheme}://127.0.0.1:{self._port + seat.rank}"

    def port(self, seat: Seat) -> int:
        """Return the port an actor listens on, when it is served here."""
        return self._port + seat.rank

    def folder(self, seat: Seat) -> Path:
        """Return where an actor lives, when it lives here."""
        return self._data / seat.name

    def deposits(self, seat: Seat) -> Path | None:
        """Return the folder where the customers of an actor deposit, when it has one; a relative one is in the data."""
        folder = self.settings(seat).folder
        return self._data / folder if folder else None

    def tls(self, seat: Seat) -> Tls | None:
        """Return the certificate of an actor, its files read once. Raises: WrongNetwork."""
        asked = self.settings(seat).tls
        if asked is None:
            return None
        tls = Tls(self._data / asked.authorities, self._data / asked.certificate, self._data / asked.key)
        try:
            tls.calling()
        except WrongCertificate as wrong:
            raise WrongNetwork(f"network.yaml: {seat.name}: {wrong}") from None
        return tls

    def to_portal(self, seat: Seat, account: str) -> "SftpClient | None":
        """Return how a platform goes to the portal by SFTP, its keys read once; None by HTTPS. Raises: WrongNetwork."""
        asked = self.settings(seat).portal
        if asked is None:
            return None
        from estafette.exchange.sftp_client import NoSuchKey, SftpClient  # noqa: PLC0415 — see `sftp_terms`

        client = SftpClient(asked.host, asked.port, account, self._data / asked.key, self._data / asked.host_key)
        try:
            client.check()
        except NoSuchKey as wrong:
            raise WrongNetwork(f"network.yaml: {seat.name}: portal: {wrong}") from None
        return client

    def settings(self, seat: Seat) -> Elsewhere:
        """Return what the file says of an actor."""
        return self._moved.get(seat.name, Elsewhere())

    def database(self, seat: Seat) -> Path | str:
        """Return where an actor keeps its records: a file, or the URL of a schema. Raises: WrongNetwork."""
        if own := self.settings(seat).database:
            return _url(own)
        if self._database_of_all:
            return _url(self._database_of_all, schema=seat.name.replace("-", "_"))
        return self.folder(seat) / "records.sqlite"

    def objects(self, seat: Seat) -> str | None:
        """Return the URL of the object store where an actor keeps its documents; none, in its folder.

        Raises: WrongNetwork.
        """
        own, every = self.settings(seat).documents, self._documents_of_all
        if own is None and every is None:
            return None
        url = urlsplit(_with_environment(own or every or ""))
        if not own:
            url = url._replace(path=f"{url.path.rstrip('/')}/{seat.name}")
        try:
            ObjectPacks(url.geturl())
        except WrongStore as wrong:
            raise WrongNetwork(f"network.yaml: documents: {wrong}") from None
        return url.geturl()

    def proxies(self, seat: Seat) -> list[str]:
        """Return the addresses and networks of the proxies that an actor believes."""
        own = self.settings(seat).proxies
        return self._proxies_of_all if own is None else own

    def peer(self, identifier: str) -> Peer | None:
        """Return the portal or the administration, by its identifier."""
        seat = next((seat for seat in SEATS if seat.identifier == identifier and seat.kind != "platform"), None)
        return Peer(seat.identifier, self.url(seat), self._public_key(seat)) if seat else None

    def _public_key(self, seat: Seat) -> str:
        moved = self._moved.get(seat.name)
        if moved and moved.public_key:
            return moved.public_key
        folder = self.folder(seat)
        folder.mkdir(parents=True, exist_ok=True)
        return public_text(load_key(folder / "key.pem"))


def _url(written: str, *, schema: str | None = None) -> str:
    """Return the URL of a database with its schema, that given unless it names its own. Raises: WrongNetwork."""
    try:
        url = database_url(_with_environment(written))
    except WrongUrl as wrong:
        raise WrongNetwork(f"database: {wrong}") from None
    if schema is not None and "schema" not in url.query:
        url = url.update_query_dict({"schema": schema})
    return url.render_as_string(hide_password=False)


def _with_environment(text: str) -> str:
    """Put the values of environment variables where the text names them. Raises: WrongNetwork."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise WrongNetwork(f"network.yaml: ${{{match[1]}}}: variable absente / variable not set")
        return os.environ[match[1]]

    return VARIABLE.sub(value, text)


def _read(file: Path) -> NetworkFile:
    if not file.exists():
        return NetworkFile()
    try:
        read: Any = yaml.safe_load(file.read_text()) or {}
        whole = msgspec.convert(read, NetworkFile)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as wrong:
        raise WrongNetwork(f"{file.name}: {' '.join(str(wrong).split())}") from None
    unknown = set(whole.actors) - {seat.name for seat in SEATS}
    if unknown:
        raise WrongNetwork(f"{file.name}: {', '.join(sorted(unknown))}?")
    for named in (*whole.proxies, *(one for actor in whole.actors.values() for one in actor.proxies or ())):
        try:
            ip_network(named)
        except ValueError as wrong:
            raise WrongNetwork(f"{file.name}: proxies: {wrong}") from None
    return whole
