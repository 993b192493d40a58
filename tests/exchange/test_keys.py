"""A signature proves who sent and that nothing was changed."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from estafette.exchange.keys import UnreadableKey, load_key, public_text, sign, verifies

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@given(data=st.binary(max_size=300))
def test_what_is_signed_verifies(data: bytes) -> None:
    """The holder's signature verifies with its public key, and with no other."""
    signature = sign(KEY, data)
    assert verifies(public_text(KEY), signature, data)
    assert not verifies(public_text(OTHER), signature, data)


@given(data=st.binary(min_size=1, max_size=300), place=st.integers(0), bit=st.integers(0, 7))
def test_one_bit_changed_does_not(data: bytes, place: int, bit: int) -> None:
    """Bytes of which a single bit was changed do not verify."""
    altered = bytearray(data)
    altered[place % len(data)] ^= 1 << bit
    assert not verifies(public_text(KEY), sign(KEY, data), bytes(altered))


@given(public=st.text(max_size=60), signature=st.text(max_size=100))
def test_malformed_is_a_no(public: str, signature: str) -> None:
    """Whatever stands for a key or a signature is a no, never an error."""
    assert not verifies(public, sign(KEY, b"x"), b"x")
    assert not verifies(public_text(KEY), signature, b"x")


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    """The key of a folder is the same ever after; only its owner may read it."""
    file = tmp_path / "key.pem"
    first = load_key(file)
    assert public_text(load_key(file)) == public_text(first)
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["key.pem"]
    assert len(public_text(first)) == 44


def test_a_draft_left_by_a_killed_program_is_no_key(tmp_path: Path) -> None:
    """A draft half written is replaced, and is never taken for the key."""
    (tmp_path / "key.new").write_bytes(b"-----BEGIN PRIV")
    assert public_text(load_key(tmp_path / "key.pem")) == public_text(load_key(tmp_path / "key.pem"))


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    """A key of another algorithm is not used, and the file that holds it is named."""
    pem = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(UnreadableKey, match=r"key\.pem"):
        load_key(tmp_path / "key.pem")
