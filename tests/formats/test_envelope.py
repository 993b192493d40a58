"""Envelopes are named, packed and unpacked as the portal wants; a bad one is refused with its code."""

import gzip
import io
import tarfile
import tracemalloc
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.formats.envelope import FlowName, Interface, Irreceivable, interface
from estafette.formats.flow_archive import WIDEST, Bounds, pack, unpack
from estafette.values import limits

NAME = "FFE0614A_AAA123_AAA1230614000000000000001.tar.gz"
TODAY = date(2026, 9, 1)


def archive(*members: tuple[tarfile.TarInfo, bytes], mode: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive made of any members, good or bad."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=mode) as made:
        for member, content in members:
            made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, content: bytes = b"<a/>", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def refused(data: bytes, name: str = NAME, bounds: Bounds = WIDEST) -> Irreceivable:
    """Why a flow is refused."""
    with pytest.raises(Irreceivable) as caught:
        list(unpack(name, data, bounds=bounds))
    assert caught.value.reason_fr != caught.value.reason_en
    return caught.value


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,150}", fullmatch=True).map(lambda stem: f"{stem}.xml")
files = st.dictionaries(names, st.binary(min_size=1, max_size=2000), min_size=1, max_size=5)


@given(files)
def test_packed_then_unpacked(held: dict[str, bytes]) -> None:
    """What is packed is unpacked, whole and in the order of the names; the order given changes nothing."""
    packed = pack(held)
    assert list(unpack(NAME, packed)) == sorted(held.items())
    assert pack(dict(reversed(list(held.items())))) == packed


def test_the_same_bytes_tomorrow() -> None:
    """An archive carries neither clock nor user: its bytes are known."""
    assert pack({"a.xml": b"<a/>"})[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    with tarfile.open(fileobj=io.BytesIO(pack({"a.xml": b"<a/>"}))) as made:
        (info,) = made.getmembers()
    assert (info.mtime, info.uid, info.gid, info.uname) == (0, 0, 0, "")


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are refused or understood, never anything else."""
    for name in (NAME, NAME.replace(".tar.gz", ".xml")):
        try:
            list(unpack(name, data))
        except Irreceivable as caught:
            assert caught.code.startswith("IRR_")


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_byte_changed(at: int, flip: int) -> None:
    """An archive with one byte changed gives what was packed, or is refused: never something else."""
    held = {"a.xml": b"<a>" + b"1" * 700 + b"</a>", "b.xml": b"<b/>"}
    good = bytearray(pack(held))
    good[at % len(good)] ^= flip
    try:
        got = dict(unpack(NAME, bytes(good)))
    except Irreceivable:
        return
    assert got == held


@pytest.mark.parametrize("cut", [1, 9, 20, 60, -9, -1])
def test_a_truncated_archive(cut: int) -> None:
    """An archive cut anywhere is refused."""
    assert refused(pack({"a.xml": b"<a/>", "b.xml": b"<b/>"})[:cut]).code == "IRR_EXTRAC"


def test_an_archive_without_its_end() -> None:
    """An archive that stops after a whole member, or has something after its end, is refused."""
    raw = gzip.decompress(pack({"a.xml": b"<a/>"}))
    assert refused(gzip.compress(raw[:1024])).code == "IRR_EXTRAC"
    assert refused(gzip.compress(raw + b"x")).code == "IRR_EXTRAC"
    assert refused(gzip.compress(raw[:1024] + b"y" * 512 + raw[1024:])).code == "IRR_EXTRAC"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../a.xml", "IRR_NOM_F"),
        ("/etc/a.xml", "IRR_NOM_F"),
        ("sub/a.xml", "IRR_NOM_F"),
        ("sub\\a.xml", "IRR_NOM_F"),
        ("a\x07.xml", "IRR_NOM_F"),
        ("é.xml", "IRR_NOM_F"),
        (".xml", "IRR_NOM_F"),
        ("..", "IRR_NOM_F"),
        ("a.exe", "IRR_TYPE_F"),
        ("a.XML", "IRR_TYPE_F"),
        ("a" * 300 + ".xml", "IRR_TYPE_F"),
    ],
)
@pytest.mark.parametrize("mode", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_of_files(name: str, code: str, mode: int) -> None:
    """A path, a folder, a strange character or another extension is refused, naming the file harmlessly."""
    caught = refused(archive(member(name), mode=mode))
    assert caught.code == code
    assert caught.file.isprintable()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"S"]
)
def test_what_is_no_file(kind: bytes) -> None:
    """Links, devices, pipes and sparse files are refused."""
    caught = refused(archive(member("a.xml", b"", type=kind, linkname="/etc/passwd")))
    assert (caught.code, caught.file) == ("IRR_TYPE_F", "a.xml")


def test_folders_and_leading_dots() -> None:
    """What `tar czf x.tar.gz .` makes is understood: the folder is passed over, `./` is dropped."""
    data = archive(member("./", b"", type=tarfile.DIRTYPE), member("./a.xml"))
    assert list(unpack(NAME, data)) == [("a.xml", b"<a/>")]


@pytest.mark.parametrize("mode", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names(mode: int) -> None:
    """A name longer than the old header allows is read in both dialects."""
    name = "a" * 200 + ".xml"
    assert list(unpack(NAME, archive(member(name), mode=mode))) == [(name, b"<a/>")]


def test_empty_things() -> None:
    """An empty flow, an empty archive and an empty file have each their code."""
    assert refused(b"").code == "IRR_VIDE"
    assert refused(archive()).code == "IRR_VIDE"
    assert refused(archive(member("a.xml", b""))).code == "IRR_VIDE_F"


def test_the_same_name_twice() -> None:
    """A name that comes twice is refused."""
    assert refused(archive(member("a.xml"), member("a.xml"))).code == "IRR_NOM_F"


def test_a_file_at_the_limit_and_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the largest size is taken, one byte more is refused, alone or in an archive."""
    bounds, plain = Bounds(file_bytes=1000), NAME.replace(".tar.gz", ".xml")
    assert list(unpack(NAME, archive(member("a.xml", b"x" * 1000)), bounds=bounds)) == [("a.xml", b"x" * 1000)]
    assert list(unpack(plain, b"x" * 1000, bounds=bounds)) == [(plain, b"x" * 1000)]
    assert refused(archive(member("a.xml", b"x" * 1001)), bounds=bounds).code == "IRR_TAILLE_F"
    assert refused(b"x" * 1001, plain, bounds=bounds).code == "IRR_TAILLE_F"
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 1000)
    with pytest.raises(ValueError, match="no such file"):
        pack({"a.xml": b"x" * 1001})


def test_a_flow_at_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that has exactly as many files and bytes as allowed is taken; one past them is not."""
    data = pack({f"{at}.xml": b"<a/>" for at in range(3)})
    extracted = len(gzip.decompress(data))
    monkeypatch.setattr(limits, "FLOW_BYTES_MAX", len(data))
    assert len(list(unpack(NAME, data, bounds=Bounds(files=3, extracted_bytes=extracted)))) == 3
    for past in (Bounds(files=2), Bounds(extracted_bytes=extracted - 1)):
        assert refused(data, bounds=past).code == "IRR_TAILLE"
    assert (WIDEST.files, WIDEST.extracted_bytes) == (limits.FLOW_FILES_MAX, limits.FLOW_EXTRACTED_BYTES_MAX)
    swelling = gzip.compress(bytes(2**20))
    assert refused(swelling, bounds=Bounds(extracted_bytes=2**19)).code == "IRR_TAILLE"
    monkeypatch.setattr(limits, "FLOW_BYTES_MAX", len(data) - 1)
    assert refused(data).code == "IRR_TAILLE"


def test_read_as_it_lies() -> None:
    """A flow that is not given whole is read as one that is, empty ones too."""
    data = pack({f"{at}.xml": b"<a/>" for at in range(3)})
    assert list(unpack(NAME, io.BufferedReader(io.BytesIO(data)))) == list(unpack(NAME, data))
    with pytest.raises(Irreceivable) as caught:
        list(unpack(NAME, io.BufferedReader(io.BytesIO())))
    assert caught.value.code == "IRR_VIDE"


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.DIRTYPE])
def test_a_bomb_takes_no_memory(kind: bytes) -> None:
    """An archive of kilobytes that announces a gigabyte is refused before it takes 20 MB of memory."""
    info = tarfile.TarInfo("a.xml")
    info.type, info.size = kind, 2**30
    bomb = gzip.compress(info.tobuf(tarfile.USTAR_FORMAT)) + gzip.compress(bytes(2**23)) * 128
    tracemalloc.start()
    try:
        assert refused(bomb).code in {"IRR_TAILLE_F", "IRR_EXTRAC"}
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_data_of_invoices_travel_in_archives() -> None:
    """Flow 1 is never a plain file; a status may be."""
    assert refused(b"<a/>", "FFE0111A_AAA123_AAA1230111000000000000001.xml").code == "IRR_TYPE"
    assert list(unpack("FFE0614A_AAA123_AAA1230614000000000000001.xml", b"<a/>"))


def test_what_is_not_packed() -> None:
    """No file, an empty file, a path: nothing is packed."""
    for held in ({}, {"a.xml": b""}, {"../a.xml": b"<a/>"}, {"a.txt": b"a"}):
        with pytest.raises(ValueError, match="file"):
            pack(held)


@pytest.mark.parametrize("extension", ["", ".tar.gz", ".xml"])
def test_names_of_flows(extension: str) -> None:
    """A name is read with its extension or without, and written back."""
    stem = "FFE0111A_AAA123_AAA1230111000000000000001"
    name = FlowName.parse(stem + extension)
    assert name == FlowName("FFE0111A", "AAA123", "AAA1230111000000000000001")
    assert (str(name), name.archive) == (stem, stem + ".tar.gz")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "IRR_FORM"),
        ("FFE0111A", "IRR_FORM"),
        ("FFE0111A_AAA123_AAA123011100000000000000", "IRR_FORM"),
        ("FFE0111A_AAA123_AAA12301110000000000000011", "IRR_FORM"),
        ("FFE0111A_AAA12_AAA1230111000000000000001", "IRR_FORM"),
        ("ffe0111a_aaa123_aaa1230111000000000000001.xml", "IRR_FORM"),
        ("../FFE0111A_AAA123_AAA1230111000000000000001", "IRR_FORM"),
        ("FFE0111A_AAA123_AAA1230111000000000000001.zip", "IRR_TYPE"),
        ("FFE0111A_AAA123_AAA1230111000000000000001.tar", "IRR_TYPE"),
        ("FFE0111A_AAA123_AAA1230111000000000000001\n", "IRR_FORM"),
    ],
)
def test_bad_names_of_flows(text: str, code: str) -> None:
    """A bad name and a bad extension have each their code."""
    with pytest.raises(Irreceivable) as caught:
        FlowName.parse(text)
    assert caught.value.code == code


def test_acknowledgements() -> None:
    """An acknowledgement has the name of the flow with F become C, answers it, and is never answered."""
    name = FlowName.numbered("FFE0604A", application_code="AAA123", number=7, emitter="PPF001")
    assert str(name) == "FFE0604A_AAA123_PPF0010604000000000000007"
    answer = name.acknowledgement
    assert str(answer) == "CFE0604A_AAA123_PPF0010604000000000000007"
    assert answer.acknowledged == name
    with pytest.raises(ValueError, match="never"):
        _ = answer.acknowledgement
    with pytest.raises(ValueError, match="not an"):
        _ = name.acknowledged


@pytest.mark.parametrize(("code", "number"), [("AAA123", 10**15), ("AAA123", -1), ("AAA12", 1), ("aaa123", 1)])
def test_names_that_cannot_be_made(code: str, number: int) -> None:
    """A number of sixteen digits, or a bad application code, makes no name."""
    with pytest.raises(ValueError, match=r"number|parts"):
        FlowName.numbered("FFE0614A", application_code=code, number=number)


def test_interfaces() -> None:
    """Each interface says what it carries and which way; its acknowledgement goes the other way; others are unknown."""
    data = interface("FFE0111A", on=TODAY)
    assert isinstance(data, Interface)
    assert (data.flow, data.to_portal, data.archive_only) == ("F1", True, True)
    assert interface("CFE0111A", on=TODAY).to_portal is False
    assert interface("FFE1435A", on=TODAY).to_portal is False
    for code in ("FFE9999A", "XFE0111A", "CFE9999A"):
        with pytest.raises(Irreceivable) as caught:
            interface(code, on=TODAY)
        assert caught.value.code == "IRR_CODE_INTER"
