"""Calling only whom the whole Internet can call: no program here is led to an address behind our own walls.

An address given by a customer is checked twice: when it is given, and each time it is called, on the very addresses
that the connection is made to (a name may be made to mean another address in between).
"""

import socket
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

ADDRESS_CHARACTERS_MAX = 2048
_TRANSLATED = IPv6Network("64:ff9b::/96")


class NotPublic(OSError):
    """The address is not one to call. `fr` and `en` say why."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(f"{fr} / {en}")
        self.fr = fr
        self.en = en


class PublicResolver(AbstractResolver):
    """Finds the addresses of a name, all of which must be public unless `private` ones are allowed (a test network)."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where the name leads. Raises: NotPublic, OSError."""
        found = await self._names.resolve(host, port, family)
        for each in found:
            _check(each["host"], private=self._private)
        return found

    async def close(self) -> None:
        """Let go of nothing: threads of the loop are used."""


async def check_address(url: str, *, private: bool = False) -> None:
    """Nothing is wrong with an address to call now. Raises: NotPublic.

    It is https, names its host and nobody's password, and leads to public addresses only.
    """
    host, port = parse(url, private=private)
    try:
        if not _is_literal(host, private=private):
            await PublicResolver(private=private).resolve(host, port)
    except NotPublic:
        raise
    except OSError:
        raise NotPublic(f"nom inconnu : {host}", f"unknown name: {host}") from None


def parse(url: str, *, private: bool = False) -> tuple[str, int]:
    """Return the host and the port of an address to call. Raises: NotPublic."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotPublic("adresse mal formée", "malformed address") from None
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes:
        raise NotPublic("l'adresse doit être en https", "the address must be https")
    if not host or not url.isascii() or len(url) > ADDRESS_CHARACTERS_MAX or set(url) & set(" \t\r\n\\"):
        raise NotPublic("adresse mal formée", "malformed address")
    if parts.username is not None or parts.fragment:
        raise NotPublic("ni mot de passe ni fragment dans l'adresse", "no password nor fragment in the address")
    _is_literal(host, private=private)
    return host, port or (443 if parts.scheme == "https" else 80)


def _is_literal(host: str, *, private: bool) -> bool:
    """Tell whether the host is an address itself. Raises: NotPublic."""
    try:
        ip_address(host)
    except ValueError:
        return False
    _check(host, private=private)
    return True


def _check(host: str, *, private: bool) -> None:
    """Raises: NotPublic for an address that not everybody can call."""
    if not private and not is_public(host):
        fr, en = f"adresse privée ou réservée : {host}", f"private or reserved address: {host}"
        raise NotPublic(fr, en)


def is_public(host: str) -> bool:
    """Tell whether an address is one of the whole Internet, whatever it is wrapped in.

    >>> [is_public(one) for one in ("127.0.0.1", "10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "8.8.8.8")]
    [False, False, False, False, True]
    """
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            return is_public(str(ip_address(int(address) & 0xFFFFFFFF)))
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast
