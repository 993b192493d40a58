"""A sealed ZIP: any program reads it, and no byte of it can be changed unseen."""

import io
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estafette.exchange.keys import public_text, sign, verifies
from estafette.store import sealed_files
from estafette.store.sealed_files import Broken, Writer, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FILES = {"a/original.xml": b"<Invoice>" + b"x" * 500 + b"</Invoice>", "b.bin": bytes(range(200)), "é/vide": b""}


def sealed(folder: Path, files: dict[str, bytes] = FILES) -> bytes:
    """Write a sealed ZIP with these files; return its bytes."""
    writer = Writer(folder)
    for name, data in files.items():
        writer.add(name, data)
    writer.finish({"key": public_text(KEY)}, lambda data: sign(KEY, data))
    writer.close()
    return writer.file.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give a sealed ZIP."""
    return sealed(tmp_path_factory.mktemp("sealed"))


def test_any_program_reads_it(whole: bytes) -> None:
    """The standard library opens it, finds each file with its bytes, and the list of hashes."""
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in FILES} == FILES
        assert opened.namelist() == [*FILES, "SHA256SUMS", "signature.json"]
        assert opened.read("SHA256SUMS").decode().count("\n") == len(FILES)


def test_what_was_made_is_sound(whole: bytes) -> None:
    """It says what it holds and who signed it; a file that is asked for is heard whole."""
    heard: list[bytes] = []
    found = verify(io.BytesIO(whole), verifies, wanted=lambda name: heard.append if name == "b.bin" else None)
    assert (found.files, found.bytes, found.told["key"]) == (len(FILES) + 2, len(whole), public_text(KEY))
    assert b"".join(heard) == FILES["b.bin"]


def test_every_byte_counts(whole: bytes) -> None:
    """Each byte changed, by itself, is found; so is the file cut anywhere."""
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        with pytest.raises(Broken):
            verify(io.BytesIO(bytes(changed)), verifies)
        with pytest.raises(Broken):
            verify(io.BytesIO(whole[:place]), verifies)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_is_found(whole: bytes, data: st.DataObject) -> None:
    """Bytes put in, taken out or replaced anywhere, however many: found, and never anything but Broken."""
    place = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    changed = whole[:place] + put + whole[place + gone :]
    if changed != whole:
        with pytest.raises(Broken, match=" / "):
            verify(io.BytesIO(changed), verifies)


def test_another_key_is_not_taken_for_this_one(whole: bytes, tmp_path: Path) -> None:
    """Made anew by somebody else with one file changed, it bears another key, which whoever verifies can see."""
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    writer = Writer(tmp_path)
    writer.add("a/original.xml", b"forged")
    writer.finish({"key": public_text(other)}, lambda data: sign(other, data))
    writer.close()
    found = verify(io.BytesIO(writer.file.read_bytes()), verifies)
    assert found.told["key"] != verify(io.BytesIO(whole), verifies).told["key"]
    lying = Writer(tmp_path / "lying")
    lying.finish({"key": public_text(KEY)}, lambda data: sign(other, data))
    lying.close()
    with pytest.raises(Broken, match=r"signature\.json"):
        verify(io.BytesIO(lying.file.read_bytes()), verifies)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(st.text("abé/", min_size=1, max_size=8), st.binary(max_size=300), max_size=6),
    died=st.integers(0, 6),
)
def test_whoever_dies_goes_on(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], died: int) -> None:
    """Dying after any file, with anything written since the last state, the result is the same to the byte."""
    folder = tmp_path_factory.mktemp("died")
    state: dict[str, int] = {}
    for place, (name, data) in enumerate(files.items()):
        writer = Writer(folder)
        writer.resume(state)
        writer.add(name, data)
        if place != died:
            state = writer.state()
            writer.close()
            continue
        writer.add("garbage", b"never kept")
        writer.state()
        writer.close()
        writer = Writer(folder)
        writer.resume(state)
        writer.add(name, data)
        state = writer.state()
        writer.close()
    for _ in range(2):  # the end too may be written twice
        writer = Writer(folder)
        writer.resume(state)
        writer.finish({"key": public_text(KEY)}, lambda data: sign(KEY, data))
        writer.close()
    assert writer.file.read_bytes() == sealed(tmp_path_factory.mktemp("straight"), files)


def test_what_is_no_package() -> None:
    """An empty file, another ZIP, noise: said so, nothing else."""
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as other:
        other.writestr("a", "b")
    for data in (b"", b"noise" * 100, plain.getvalue()):
        with pytest.raises(Broken):
            verify(io.BytesIO(data), verifies)


def test_past_four_gibibytes() -> None:
    """A file that begins past 4 GiB, and a directory that ends there, are written as ZIP64 has them."""
    entry = sealed_files.Entry(b"a", 0, 0, 0, 0)
    assert len(entry.listed(2**32)) == len(entry.listed(0)) + 12
    assert sealed_files._end(1, 2**32, 10).startswith(b"PK\x06\x06")
    assert sealed_files._end(1, 10, 10).startswith(b"PK\x05\x06")
