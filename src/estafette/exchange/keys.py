"""The key by which an actor signs what it sends (Ed25519, RFC 8032)."""

import base64
import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class UnreadableKey(OSError):
    """The file is there and holds no key that signs: it is left as it is, and its owner restores it."""


def load_key(file: Path) -> Ed25519PrivateKey:
    """Return the key kept in this file, made the first time and readable by its owner only. Raises: UnreadableKey."""
    if not file.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        make_secret(file, pem)
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UnreadableKey(f"{file.name}: pas de clé Ed25519 / no Ed25519 key")
    return key


def make_secret(file: Path, data: bytes) -> None:
    """The file holds these bytes, for its owner only, or those that another process put there first; never half."""
    descriptor, draft = mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    with suppress(FileExistsError):
        os.link(draft, file)
    Path(draft).unlink()


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half, in base64 (44 characters)."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def sign(key: Ed25519PrivateKey, data: bytes) -> str:
    """Return the signature of these bytes, in base64."""
    return base64.b64encode(key.sign(data)).decode()


def verifies(public: str, signature: str, data: bytes) -> bool:
    """Tell whether the holder of this public key signed these bytes; malformed input is a no."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(base64.b64decode(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def derived(key: Ed25519PrivateKey, purpose: str) -> bytes:
    """Return 256 bits that only the holder of the key can make, others for each purpose (HKDF, RFC 5869)."""
    return HKDF(SHA256(), length=32, salt=None, info=f"estafette: {purpose}".encode()).derive(key.private_bytes_raw())


def sealing_key(key: Ed25519PrivateKey) -> Fernet:
    """Return what seals the secrets that must be read again, derived from the key of the actor."""
    return Fernet(base64.urlsafe_b64encode(derived(key, "sealed secrets")))
