"""A throw-away authority: certificates for the actors of a test, each in files of its own."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from estafette.exchange.tls import ADDRESS, Tls

NOW = datetime.now(UTC)  # TLS looks at the real clock


class Authority:
    """Signs certificates; its own is in `authorities.pem`."""

    def __init__(self, folder: Path, name: str = "autorité") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.file = folder / "authorities.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def certify(self, *actors: str, days: int = 1, named: str = "") -> Tls:
        """Give the files of an actor: the first is its common name, the others its addresses, on this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, named or actors[0])])
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        names += [x509.UniformResourceIdentifier(f"{ADDRESS}{actor}") for actor in actors[0 if named else 1 :]]
        made = self._builder(subject, key, days=days).add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate, private = (self.folder / f"{actors[0]}{end}" for end in (".pem", ".key"))
        certificate.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Tls(self.file, certificate, private)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int = 1
    ) -> x509.CertificateBuilder:
        begins = NOW - timedelta(days=10)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(NOW + timedelta(days=days))
        )
