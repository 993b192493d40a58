"""An SFTP server where each account has an area of its own: it puts files in `depot`, and fetches them from `retrait`.

There is nothing else: no shell, no forwarding, no password, no other folder. An account has public keys, in a file of
its name (`authorized_keys` format). Every operation is checked here against the two folders, whatever the path looks
like; what is not needed to deposit and fetch is refused. `Terms` says what an actor grants: companies of a platform
have an account by SIREN, platforms one at the portal by application code.

An upload is written under a hidden name and takes its own when the client closes it: a file that can be seen is whole.
A connection that is lost leaves nothing.
"""

import os
import posixpath
import re
import stat
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import asyncssh
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from estafette.exchange.keys import load_key
from estafette.values import limits

log = structlog.get_logger()

DEPOT, RETRAIT = "depot", "retrait"
NAME_BYTES_MAX = 200
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp")
"""How programs end the names of files they are still writing, and rename once they have written them."""

LOGIN_S, IDLE_S = 30, 60
"""Seconds to sign in, and between two signs of life of a silent client (three are awaited)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an actor grants at its door.

    `admits` says why an account may not come in now, `may_put` why it may not put a file now, None when it may;
    `sessions_max` is for one account at once. `once`: a file of `retrait` is fetched once, and goes when its client has
    read it to its end and closed it; nothing else takes it away. `ciphers` are added to those offered.
    """

    account: re.Pattern[str] = re.compile(r"[0-9]{9}")
    admits: Callable[[str], str | None] = lambda _account: None
    may_put: Callable[[str], str | None] = lambda _account: None
    sessions_max: Callable[[], int] = lambda: limits.SFTP_CONNECTIONS_MAX
    file_bytes_max: Callable[[], int] = lambda: limits.FILE_BYTES_MAX
    once: bool = False
    ciphers: str = ""


COMPANIES = Terms()


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
    _fetching: set[Path] = field(default_factory=set)

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
            sftp_factory=lambda channel: _Area(channel, self),
            allow_scp=False,
            agent_forwarding=False,
            login_timeout=LOGIN_S,
            keepalive_interval=IDLE_S,
            **({"encryption_algs": self.terms.ciphers} if self.terms.ciphers else {}),
        )
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


@dataclass(slots=True)
class _Upload:
    """A file being written: where, under which name it will be seen, whether it went past the limit."""

    descriptor: int
    draft: Path
    wanted: Path
    is_too_large: bool = False


@dataclass(slots=True)
class _Fetch:
    """A file being fetched: where, and which parts of it the client has read."""

    descriptor: int
    place: Path
    read: dict[int, int] = field(default_factory=dict)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as a file does: clients ask which parts of it are data."""
        return os.lseek(self.descriptor, offset, whence)

    def is_whole(self) -> bool:
        """Tell whether every byte was read."""
        reached = 0
        for offset, length in sorted(self.read.items()):
            if offset > reached:
                return False
            reached = max(reached, offset + length)
        return reached >= os.fstat(self.descriptor).st_size


class _Area(asyncssh.SFTPServer):
    """The two folders of one account."""

    def __init__(self, channel: Any, door: Door) -> None:
        self._account = channel.get_connection().get_extra_info("username")
        self._door = door
        self._root = door.area(self._account)
        self._channel = channel
        super().__init__(channel, chroot=os.fsencode(self._root))

    # ------------------------------------------------------------------------------------------------ what is allowed

    def open(self, path: bytes, pflags: int, _attrs: asyncssh.SFTPAttrs) -> Any:
        """Open a file to fetch in `retrait`, or to put in `depot`."""
        folder, name = self._file(path)
        if not pflags & asyncssh.FXF_WRITE:
            return self._fetch(folder, name)
        if folder != DEPOT or pflags & (asyncssh.FXF_APPEND | asyncssh.FXF_READ):
            _refuse("on dépose des fichiers entiers dans depot / whole files are put in depot")
        self._check_room()
        if why := self._door.terms.may_put(self._account):
            raise asyncssh.SFTPFailure(why)
        wanted = self._root / DEPOT / name
        draft = wanted.with_name(f".{os.urandom(8).hex()}.part")
        return _Upload(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), draft, wanted)

    def _fetch(self, folder: str, name: str) -> _Fetch:
        place = self._root / folder / name
        if self._door.terms.once:
            if folder != RETRAIT:
                _refuse("on ne lit que dans retrait / one reads in retrait only")
            if place in self._door._fetching:
                raise asyncssh.SFTPFailure("déjà en cours de retrait / being fetched already")
        fetch = _Fetch(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), place)
        self._door._fetching.add(place)
        return fetch

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        """Read a part of a file being fetched."""
        if isinstance(file_obj, _Upload):
            _refuse("écriture seule / write only")
        data = os.pread(file_obj.descriptor, size, offset)
        if self._door.terms.once and data:
            file_obj.read[offset] = max(len(data), file_obj.read.get(offset, 0))
        return data

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        """Write a part of a file being put."""
        if not isinstance(file_obj, _Upload):
            _refuse("lecture seule / read only")
        most = self._door.terms.file_bytes_max()
        if offset + len(data) > most:
            file_obj.is_too_large = True
            raise asyncssh.SFTPFailure(f"IRR_TAILLE_F: {most >> 20} Mo au plus / at most {most >> 20} MB")
        return os.pwrite(file_obj.descriptor, data, offset)

    def close(self, file_obj: Any) -> None:
        """End with a file; one that was put can now be seen, unless the connection was lost or it was too large."""
        if isinstance(file_obj, _Fetch):
            self._end(file_obj)
            return
        os.close(file_obj.descriptor)
        if file_obj.is_too_large or self._channel.is_closing():
            file_obj.draft.unlink(missing_ok=True)
            return
        file_obj.draft.replace(_free(file_obj.wanted))
        self._door.closed()

    def _end(self, fetch: _Fetch) -> None:
        """End with a file that was fetched; where it is fetched once, it goes if it was had whole."""
        is_had = self._door.terms.once and fetch.is_whole() and not self._channel.is_closing()
        os.close(fetch.descriptor)
        self._door._fetching.discard(fetch.place)
        if is_had:
            fetch.place.unlink(missing_ok=True)

    def fstat(self, file_obj: Any) -> os.stat_result:
        """Tell the size of an open file."""
        return os.fstat(file_obj.descriptor)

    def stat(self, path: bytes) -> os.stat_result:
        """Tell what a file or a folder is."""
        return self._seen(path).lstat()

    lstat = stat

    def realpath(self, path: bytes) -> bytes:
        """Return the path as the account sees it."""
        return posixpath.normpath(posixpath.join(b"/", path))

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder; what is hidden, being written, is not shown."""
        place = self._seen(path)
        if not place.is_dir():
            raise asyncssh.SFTPNotADirectory("pas un dossier / not a folder")
        for entry in sorted(place.iterdir()):
            if not entry.name.startswith(".") and not entry.is_symlink():
                yield asyncssh.SFTPName(os.fsencode(entry.name), attrs=asyncssh.SFTPAttrs.from_local(entry.lstat()))

    def remove(self, path: bytes) -> None:
        """Take a file away: one fetched, or one put by mistake that was not taken yet."""
        folder, name = self._file(path)
        if self._door.terms.once and folder == RETRAIT:
            _refuse("un fichier part quand il a été retiré / a file goes once it was fetched")
        (self._root / folder / name).unlink()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give another name to a file of `depot`, as programs do once they have written it."""
        (before, old), (after, new) = self._file(oldpath), self._file(newpath)
        if before != DEPOT or after != DEPOT:
            _refuse("on renomme dans depot / one renames in depot")
        (self._root / DEPOT / old).replace(_free(self._root / DEPOT / new))
        self._door.closed()

    posix_rename = rename

    def ignore(self, *_asked: object) -> None:
        """Leave dates and rights as they are: clients set them by habit, and nothing depends on them."""

    setstat = lsetstat = fsetstat = fsync = ignore  # type: ignore[assignment]

    def refuse(self, *_asked: object) -> NoReturn:
        """Refuse what is not needed to put files and fetch them."""
        _refuse("depot et retrait seulement, sans lien ni dossier / depot and retrait only, no link, no folder")

    mkdir = rmdir = symlink = link = readlink = statvfs = fstatvfs = lock = unlock = refuse  # type: ignore[assignment]

    # ---------------------------------------------------------------------------------------------------------- places

    def _parts(self, path: bytes) -> tuple[str, ...]:
        """Return a path as folder and name, whatever dots it holds; one with strange characters is of nothing."""
        try:
            text = self.realpath(path).decode()
        except UnicodeDecodeError:
            raise asyncssh.SFTPNoSuchFile("UTF-8 ?") from None
        parts = PurePosixPath(text).parts[1:]
        strange = any(len(os.fsencode(part)) > NAME_BYTES_MAX or not part.isprintable() for part in parts)
        is_hidden = parts[1:2] and parts[1].startswith(".")
        if len(parts) > 2 or (parts and parts[0] not in (DEPOT, RETRAIT)) or strange or is_hidden:
            raise asyncssh.SFTPNoSuchFile(f"{text[:200]} : rien de tel / no such file")
        return parts

    def _file(self, path: bytes) -> tuple[str, str]:
        parts = self._parts(path)
        if len(parts) != 2:
            _refuse("un fichier de depot ou de retrait / a file of depot or retrait")
        return parts[0], parts[1]

    def _seen(self, path: bytes) -> Path:
        place = self._root.joinpath(*self._parts(path))
        if stat.S_ISLNK(place.lstat().st_mode):
            raise asyncssh.SFTPNoSuchFile("lien / link")
        return place

    def _check_room(self) -> None:
        """The depot takes one more file: neither too many nor too much wait in it."""
        sizes = [entry.stat().st_size for entry in os.scandir(self._root / DEPOT)]
        if len(sizes) >= limits.SFTP_FILES_MAX or sum(sizes) >= limits.FLOW_BYTES_MAX:
            raise asyncssh.SFTPFailure("depot plein : attendez les réponses / depot full: wait for the answers")


def _refuse(why: str) -> NoReturn:
    raise asyncssh.SFTPPermissionDenied(why)


def _free(wanted: Path) -> Path:
    """Return a name that nothing bears: a file that waits for its answer is never written over."""
    place, count = wanted, 1
    while place.exists():
        count += 1
        place = wanted.with_name(f"{wanted.stem}-{count}{wanted.suffix}")
    return place
