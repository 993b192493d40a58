"""Packs in an S3-compatible store, reached by a URL; several machines may share it.

    s3://bucket/prefix?endpoint=https://s3.example:9000&region=eu-west-3

Credentials are those of the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, or the role of the machine), or
stand in the URL as `s3://key:secret@bucket/…`. What one transaction has to keep is one object, never changed again: so
many small documents cost one request, and reading one asks for its bytes only. Names are those of packs in a folder, so
that a folder may be copied to a bucket, or back, as it is.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store

from estafette.store.packs import Added

if TYPE_CHECKING:
    from obstore import PutMode

SCHEME = "s3"
PARAMETERS = frozenset({"endpoint", "region"})

TIMEOUT, CONNECT_TIMEOUT = timedelta(seconds=20), timedelta(seconds=5)
"""How long one request may take (our bounds); a job that meets a store that is gone is tried again later."""

RETRIES, RETRY_FOR = 2, timedelta(seconds=20)

ERASE_TRIES = 10
"""An object is written again so many times when others change it too."""

PROBE = "probe"
"""The object that is written to see whether one can."""


class WrongStore(Exception):
    """The URL of an object store cannot be used: why, without its secrets."""


class ObjectPacks:
    """Packs that are objects of a bucket, each written once and whole."""

    def __init__(self, url: str) -> None:
        self._store = _store(url)

    def append(self, parts: Sequence[bytes]) -> Added:
        """The parts are one new object, which the store has acknowledged."""
        pack = uuid4().hex
        self._put(_key(pack), b"".join(parts))
        return Added(pack, 0)

    def read(self, pack: str, start: int, length: int) -> bytes:
        """Return bytes of an object. Raises: FileNotFoundError, OSError when the store does not answer."""
        try:
            return bytes(obstore.get_range(self._store, _key(pack), start=start, length=length))
        except BaseError as fault:
            raise OSError(_told(fault)) from None

    def loose(self, name: str) -> bytes:
        """Say that there is none: objects are younger than packs."""
        raise FileNotFoundError(name)

    def erase(self, pack: str, start: int, length: int) -> None:
        """The object is written again without these bytes; versions that a bucket keeps are for its owner to expire."""
        for _ in range(ERASE_TRIES):
            try:
                held = obstore.get(self._store, _key(pack))
                blank = bytearray(held.bytes())
                blank[start : start + length] = bytes(len(blank[start : start + length]))
                unchanged: PutMode = {"e_tag": held.meta["e_tag"]}
                obstore.put(self._store, _key(pack), bytes(blank), mode=unchanged, use_multipart=False)
            except PreconditionError:  # another process erased something else of it meanwhile
                continue
            except FileNotFoundError:
                return
            except BaseError as fault:
                raise OSError(_told(fault)) from None
            return
        raise OSError(f"{pack}: changed each time it was to be erased")

    def erase_loose(self, name: str) -> None:
        """Do nothing: there is none."""

    def drop(self, pack: str) -> bool:
        """The object is gone: nothing is ever added to it."""
        try:
            obstore.delete(self._store, _key(pack))
        except FileNotFoundError:
            return True
        except BaseError as fault:
            raise OSError(_told(fault)) from None
        return True

    def check(self) -> None:
        """An object can be written. Raises: OSError."""
        self._put(PROBE, b"\0")

    def close(self) -> None:
        """Let go of nothing: connections end by themselves."""

    def _put(self, key: str, data: bytes) -> None:
        try:
            obstore.put(self._store, key, data, use_multipart=False)
        except (BaseError, FileNotFoundError) as fault:  # a bucket that is not there, too
            raise OSError(_told(fault)) from None


def is_object_store(where: str) -> bool:
    """Tell whether this names an object store."""
    return where.startswith(f"{SCHEME}:")


def _key(pack: str) -> str:
    return f"{pack[:2]}/{pack}.pack"


def _told(fault: Exception) -> str:
    """Say a fault of the store on one line of reasonable length."""
    return " ".join(str(fault).split())[:300]


def _store(url: str) -> S3Store:
    """Return the store of a URL; nothing is asked of it yet. Raises: WrongStore."""
    try:
        parts = urlsplit(url)
        given = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
        bucket, user, password = parts.hostname, parts.username, parts.password
    except ValueError:
        raise WrongStore("s3://bucket/prefix?endpoint=https://host&region=name") from None
    if parts.scheme != SCHEME or not bucket:
        raise WrongStore(f"{parts.scheme}: s3://bucket/prefix")
    if unknown := sorted(set(given) - PARAMETERS):
        raise WrongStore(f"{', '.join(unknown)}? → {', '.join(sorted(PARAMETERS))}")
    settings = {name: values[-1] for name, values in given.items()}
    if user and password:
        settings |= {"access_key_id": unquote(user), "secret_access_key": unquote(password)}
    try:
        return S3Store(
            bucket,
            prefix=parts.path.strip("/") or None,
            config=settings,  # type: ignore[arg-type]
            client_options={
                "timeout": TIMEOUT,
                "connect_timeout": CONNECT_TIMEOUT,
                "allow_http": settings.get("endpoint", "").startswith("http:"),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": RETRY_FOR},
        )
    except BaseError as fault:
        raise WrongStore(_told(fault)) from None
