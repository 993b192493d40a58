"""The area of one account at an SFTP door: every operation, checked against its two folders, whatever the path.

What is not needed to put a file in `depot` and to fetch one from `retrait` is refused. An upload is written under a
hidden name and takes its own when the client closes it: a file that can be seen is whole. A session that is cut leaves
nothing, and fetches nothing.
"""

import os
import posixpath
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import asyncssh

from estafette.exchange.sftp_terms import DEPOT, RETRAIT, UNFINISHED, Terms
from estafette.values import limits

NAME_BYTES_MAX = 200
DRAFT = ".part"
"""How the hidden name of a file that is being written ends."""


@dataclass(slots=True)
class _Upload:
    """A file being written: where, under which name it was asked for, whether it went past the limit."""

    descriptor: int
    draft: Path
    name: str
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


@dataclass(slots=True)
class Held:
    """What the connections of one door share: the areas, the terms, who is told of an upload, what is being fetched."""

    area: Callable[[str], Path]
    terms: Terms
    closed: Callable[[], None]
    fetching: set[Path] = field(default_factory=set)


class Area(asyncssh.SFTPServer):
    """The two folders of one account, as one connection may use them."""

    def __init__(self, channel: Any, held: Held) -> None:
        self._account = channel.get_connection().get_extra_info("username")
        self._held, self._terms = held, held.terms
        self._root = held.area(self._account)
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
        if why := self._terms.may_put(self._account):
            raise asyncssh.SFTPFailure(why)
        draft = self._wanted(name).with_name(f".{os.urandom(8).hex()}{DRAFT}")
        return _Upload(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), draft, name)

    def _fetch(self, folder: str, name: str) -> _Fetch:
        place = self._root / folder / name
        if self._terms.once:
            if folder != RETRAIT:
                _refuse("on ne lit que dans retrait / one reads in retrait only")
            if place in self._held.fetching:
                raise asyncssh.SFTPFailure("déjà en cours de retrait / being fetched already")
        fetch = _Fetch(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), place)
        self._held.fetching.add(place)
        return fetch

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        """Read a part of a file being fetched."""
        if isinstance(file_obj, _Upload):
            _refuse("écriture seule / write only")
        data = os.pread(file_obj.descriptor, size, offset)
        if self._terms.once and data:
            file_obj.read[offset] = max(len(data), file_obj.read.get(offset, 0))
        return data

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        """Write a part of a file being put."""
        if not isinstance(file_obj, _Upload):
            _refuse("lecture seule / read only")
        most = self._terms.file_bytes_max()
        if offset + len(data) > most:
            file_obj.is_too_large = True
            raise asyncssh.SFTPFailure(f"IRR_TAILLE_F: {most >> 20} Mo au plus / at most {most >> 20} MB")
        return os.pwrite(file_obj.descriptor, data, offset)

    def close(self, file_obj: Any) -> None:
        """End with a file; one that was put can now be seen, unless the session was cut or it was too large."""
        if isinstance(file_obj, _Fetch):
            self._end(file_obj)
            return
        os.close(file_obj.descriptor)
        if file_obj.is_too_large or self._is_cut():
            file_obj.draft.unlink(missing_ok=True)
            return
        try:
            file_obj.draft.replace(self._wanted(file_obj.name))
        except asyncssh.SFTPFailure:
            file_obj.draft.unlink(missing_ok=True)
            raise
        self._held.closed()

    def _end(self, fetch: _Fetch) -> None:
        """End with a file that was fetched; where it is fetched once, it goes if it was had whole."""
        is_had = self._terms.once and fetch.is_whole() and not self._is_cut()
        os.close(fetch.descriptor)
        self._held.fetching.discard(fetch.place)
        if is_had:
            fetch.place.unlink(missing_ok=True)

    def _is_cut(self) -> bool:
        """Tell whether it is not the client that closes a file, but the end of its session, which closes what was open.

        A program that dies may end its channel in order (its `ssh` sends the end of what it reads); the library tells a
        file closed so from one that its client closed by nothing public.
        """
        return bool(self._channel.is_closing() or self._channel._recv_state != "open")

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
        if self._terms.once and folder == RETRAIT:
            _refuse("un fichier part quand il a été retiré / a file goes once it was fetched")
        (self._root / folder / name).unlink()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give another name to a file of `depot`, as programs do once they have written it."""
        (before, old), (after, new) = self._file(oldpath), self._file(newpath)
        if before != DEPOT or after != DEPOT:
            _refuse("on renomme dans depot / one renames in depot")
        (self._root / DEPOT / old).replace(self._wanted(new))
        self._held.closed()

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

    def _wanted(self, name: str) -> Path:
        """Return where a file that is put will be seen, over nothing that waits for its answer.

        Where names mean something, one of them waits at a time. What its name says unfinished waits for nothing: left
        by a program that was cut, it is written over when the program tries again.
        """
        wanted = self._root / DEPOT / name
        if name.lower().endswith(UNFINISHED):
            return wanted
        if self._terms.once and wanted.exists():
            raise asyncssh.SFTPFailure(f"{name} : déjà déposé, attendez sa réponse / already put, wait for its answer")
        return _free(wanted)

    def _check_room(self) -> None:
        """The depot takes one more file: neither too many nor too much wait in it."""
        sizes = [entry.stat().st_size for entry in os.scandir(self._root / DEPOT)]
        if len(sizes) >= limits.SFTP_FILES_MAX or sum(sizes) >= limits.FLOW_BYTES_MAX:
            raise asyncssh.SFTPFailure("depot plein : attendez les réponses / depot full: wait for the answers")


def _refuse(why: str) -> NoReturn:
    raise asyncssh.SFTPPermissionDenied(why)


def _free(wanted: Path) -> Path:
    """Return a name that nothing bears."""
    place, count = wanted, 1
    while place.exists():
        count += 1
        place = wanted.with_name(f"{wanted.stem}-{count}{wanted.suffix}")
    return place
