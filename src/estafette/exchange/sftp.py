"""An SFTP server where each account has an area of its own: it puts files in `depot`, and fetches them from `retrait`.

There is nothing else: no shell, no forwarding, no password, no other folder. An account has public keys, in a file of
its name (`authorized_keys` format). `sftp_terms` says what an actor grants: companies of a platform have an account by
SIREN, platforms one at the portal by application code. What may be done in an area is in `sftp_area`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from estafette.exchange.keys import load_key
from estafette.exchange.sftp_area import DRAFT, Area, Held
from estafette.exchange.sftp_terms import COMPANIES, DEPOT, RETRAIT, Terms
from estafette.values import limits

log = structlog.get_logger()

LOGIN_S, IDLE_S = 30, 60
"""Seconds to sign in, and between two signs of life of a silent client (three are awaited)."""


@dataclass(slots=True)
class Door:
    """The server of one actor: its areas and keys under `folder`. `closed` is told when an upload is whole."""

    folder: Path
    host: str
    port: int
    closed: Callable[[], None] = lambda: None
    terms: Terms = COMPANIES
    _listening: asyncssh.SSHAcceptor | None = field(default=None)
    _connections: set[Any] = field(default_factory=set)
    _accounts: Counter[str] = field(default_factory=Counter)
    _held: Held = field(init=False)

    def __post_init__(self) -> None:
        """What the areas share is one for all connections."""
        self._held = Held(self.area, self.terms, self.closed)

    async def open(self) -> None:
        """Somebody listens at the address; nothing happens when somebody does already. Raises: OSError."""
        if self._listening is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._listening = await asyncssh.listen(
            self.host,
            self.port,
            server_factory=lambda: _Login(self),
            server_host_keys=[_host_key(self.folder / "host.pem")],
            sftp_factory=lambda channel: Area(channel, self._held),
            allow_scp=False,
            agent_forwarding=False,
            login_timeout=LOGIN_S,
            keepalive_interval=IDLE_S,
            **({"encryption_algs": self.terms.ciphers} if self.terms.ciphers else {}),
        )
        for draft in self.folder.glob(f"*/{DEPOT}/.*{DRAFT}"):  # what was being written when the server died
            draft.unlink(missing_ok=True)
        log.info("sftp.listening", host=self.host, port=self.port)

    async def close(self) -> None:
        """Nobody listens any more and every connection is cut."""
        if self._listening is not None:
            self._listening.close()
            for connection in tuple(self._connections):
                connection.abort()
            await self._listening.wait_closed()
            self._listening = None

    @property
    def listens_at(self) -> int:
        """The port, that which the system chose when 0 was asked."""
        return self._listening.get_port() if self._listening else 0

    def area(self, account: str) -> Path:
        """Return where an account's files are, made the first time."""
        area = self.folder / account
        for name in (DEPOT, RETRAIT):
            (area / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        return area

    def keys(self, account: str) -> Path:
        """Return the file of an account's public keys."""
        return self.folder / "keys" / account

    def accounts(self) -> list[str]:
        """Return the accounts that have keys."""
        folder = self.keys("")
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        return sorted(name for name in names if self.terms.account.fullmatch(name))

    def authorize(self, account: str, lines: str) -> int:
        """The account signs in with these keys and no other; returns how many. Raises: ValueError, nothing changed."""
        kept = [line.strip() for line in lines.splitlines() if line.strip() and not line.startswith("#")]
        keys = {asyncssh.import_public_key(line).public_data for line in kept}  # a key alone: options could command
        self._check_unique(account, keys)
        file = self.keys(account)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f".{account}")
        draft.write_text("".join(f"{line}\n" for line in kept))
        draft.replace(file)
        return len(kept)

    def _check_unique(self, account: str, keys: set[bytes]) -> None:
        """No other account signs in with one of these keys: a key says who comes. Raises: ValueError."""
        for other in self.accounts():
            lines = self.keys(other).read_text().splitlines() if other != account else []
            if keys & {asyncssh.import_public_key(line).public_data for line in lines}:
                raise ValueError("clé d'un autre compte / key of another account")


def _host_key(file: Path) -> asyncssh.SSHKey:
    """Return the key by which clients know the server, kept as the actor's own key is. Raises: UnreadableKey."""
    pem = load_key(file).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return asyncssh.import_private_key(pem)


class _Login(asyncssh.SSHServer):
    """Lets in who holds a key of the account that it names."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def connection_made(self, connection: asyncssh.SSHServerConnection) -> None:
        self._connection = connection
        self._account = ""
        self._door._connections.add(connection)
        if len(self._door._connections) > limits.SFTP_CONNECTIONS_MAX:
            connection.abort()

    def connection_lost(self, _fault: Exception | None) -> None:
        self._door._connections.discard(self._connection)
        self._door._accounts[self._account] -= 1

    def begin_auth(self, username: str) -> bool:
        keys = self._door.keys(username) if self._door.terms.account.fullmatch(username) else None
        if keys is not None and keys.exists():
            self._connection.set_authorized_keys(str(keys))
        return True

    def auth_completed(self) -> None:
        """Let in who proved itself, unless the terms are against it; only then is it told why."""
        terms, account = self._door.terms, str(self._connection.get_extra_info("username"))
        self._account = account
        self._door._accounts[account] += 1
        if self._door._accounts[account] > terms.sessions_max():
            self._connection.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, "trop de sessions / too many sessions")
        elif why := terms.admits(account):
            self._connection.disconnect(asyncssh.DISC_SERVICE_NOT_AVAILABLE, why)

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return False
