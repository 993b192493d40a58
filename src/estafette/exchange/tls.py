"""Mutual TLS between actors: each shows a certificate, and a message counts only from whom its certificate names.

A certificate names actors by its subject's common name, or by addresses `urn:estafette:actor:<identifier>` among its
alternative names: the portal answers for several. The signature of each message stands on top, as without TLS. The
pages and services of an actor are behind the same address: a browser shows no certificate there, an actor must.

Whom to trust is a file of certificates of authorities, given beside the actor's own; the system's are not looked at.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ADDRESS = "urn:estafette:actor:"
SCOPE = "estafette.actors"
"""Where a request says which actors its connection is of."""


class WrongCertificate(Exception):
    """The files of a certificate cannot be used."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The files (PEM) of an actor: the authorities it trusts, its own certificate with its chain, the key of it."""

    authorities: Path
    certificate: Path
    key: Path

    def serving(self) -> dict[str, Any]:
        """Return what makes a server of it, as uvicorn asks: a certificate is asked of clients, who may have none."""
        return {
            "ssl_certfile": str(self.certificate),
            "ssl_keyfile": str(self.key),
            "ssl_ca_certs": str(self.authorities),
            "ssl_cert_reqs": ssl.CERT_OPTIONAL,
            "http": CertifiedProtocol,
        }

    def calling(self) -> ssl.SSLContext:
        """Return how this actor calls another: it shows its certificate and trusts its authorities only.

        Raises: WrongCertificate, naming the file.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(self.authorities)
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as fault:
            files = ", ".join(map(str, (self.authorities, self.certificate, self.key)))
            raise WrongCertificate(f"tls: {files}: {fault}") from None
        return context


def actors_of(certificate: bytes) -> frozenset[str]:
    """Return the identifiers of the actors that a certificate (DER) names."""
    held = x509.load_der_x509_certificate(certificate)
    names = {str(one.value) for one in held.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    try:
        others = held.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return frozenset(names)
    addresses = others.get_values_for_type(x509.UniformResourceIdentifier)  # type: ignore[attr-defined]
    return frozenset(names | {one.removeprefix(ADDRESS) for one in addresses if one.startswith(ADDRESS)})


def certified(scope: Scope | Mapping[str, Any]) -> frozenset[str]:
    """Return the actors that the connection of a request is of; none without a certificate."""
    return frozenset(scope.get("extensions", {}).get(SCOPE, ()))


class CertifiedProtocol(HttpToolsProtocol):
    """The server's protocol, which tells each request whom the certificate of its connection names."""

    _actors: frozenset[str] = frozenset()

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once a connection; TLS has verified it."""
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        shown = secured.getpeercert(binary_form=True) if secured else None
        self._actors = actors_of(shown) if shown else frozenset()

    def on_message_begin(self) -> None:
        """Tell each request of the connection."""
        super().on_message_begin()
        self.scope.setdefault("extensions", {})[SCOPE] = dict.fromkeys(self._actors, True)
