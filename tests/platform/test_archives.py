"""An archive is as many deposits as it has files, each answered by itself; what is hostile harms nothing."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

import pytest
from tests.platform.world import BUYER, DIRECT, SELLER, World, service

from estafette.formats.envelope import Irreceivable
from estafette.platform import archives
from estafette.values import limits


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Make a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], kinds: Mapping[str, bytes] | None = None) -> bytes:
    """Make a tar.gz; `kinds` gives the type of those that are no plain file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), (kinds or {}).get(name, tarfile.REGTYPE)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


FORMS = {"zip": zipped, "tar.gz": tarred}


def seen(world: World, archive: str) -> list[tuple[str, str, str]]:
    """Return what became of each file: its name, its acknowledgement, the code of its refusal or its standing."""
    return [(row["name"], row["acknowledgement"], _said(row)) for row in world.home(SELLER).members(SELLER, archive)]


def _said(row: Mapping[str, object]) -> str:
    details = row["details"]
    assert isinstance(details, list)
    return str(details[0]["reasonMessage"].partition(":")[0] if details else row["standing"] or "")


@pytest.mark.parametrize("form", FORMS)
def test_each_file_is_a_deposit(world: World, form: str) -> None:
    """Good files go their way, a bad one is rejected alone, whatever folders they were in."""
    good, bad, other = world.number(), world.number(), world.number()
    files = {
        f"septembre/{good}.xml": service(good),
        f"{bad}.xml": service(bad).replace(b">2400.00<", b">2500.00<"),
        "bruit.txt": b"bonjour",
        f"{other}.xml": service(other),
    }
    archive = world.deposit(FORMS[form](files), name=f"lot.{form}")
    assert world.flow(SELLER, archive)["acknowledgement"] == "Ok"
    assert seen(world, archive) == [
        (f"{good}.xml", "Ok", "live"),
        (f"{bad}.xml", "Ok", "rejected"),
        ("bruit.txt", "Error", "IRR_TYPE_F"),
        (f"{other}.xml", "Ok", "live"),
    ]
    assert world.statuses(BUYER, good) == world.statuses(BUYER, other) == "202 203"


def test_twice_is_once(world: World) -> None:
    """The same archive again is refused and named; its files in another archive are repeated one by one."""
    number, fresh = world.number(), world.number()
    files = {"a.xml": service(number)}
    archive = zipped(files)  # once: it holds the second at which it is made
    first = world.deposit(archive)
    again = world.flow(SELLER, world.deposit(archive, name="autre.zip"))
    assert again["details"][0]["reasonCode"] == "AlreadyExistingFlow"
    assert first in again["details"][0]["reasonMessage"]
    more = world.deposit(zipped({**files, "b.xml": service(fresh)}))
    assert [ack for _name, ack, _said in seen(world, more)] == ["Error", "Ok"]
    assert world.statuses(SELLER, number) == world.statuses(SELLER, fresh) == "200 201 202 203"


def test_the_archive_is_kept(world: World) -> None:
    """The very bytes of the archive can be had again under the digest of its flow."""
    data = zipped({"a.xml": service(world.number())})
    row = world.flow(SELLER, world.deposit(data))
    assert world.home(SELLER).document(row["sha256"]) == data


def test_what_is_announced_of_it_is_said_of_each(world: World) -> None:
    """Software that announces a syntax and a treatment announces those of every file."""
    good, other = world.number(), world.number()
    files = {"a.xml": service(good), "b.pdf": b"%PDF-1.7 rien"}
    archive = world.deposit(zipped(files), syntax="UBL", processing_rule="ArchiveOnly", tracking_id=f"lot-{good}")
    rows = world.home(SELLER).members(SELLER, archive)
    assert [(row["syntax"], row["tracking_id"]) for row in rows] == [("UBL", f"lot-{good}/1"), ("UBL", f"lot-{good}/2")]
    assert world.row(SELLER, good)["standing"] == "archived"
    assert world.invoices(SELLER, other) == []


def test_another_company_sees_nothing_of_it(world: World) -> None:
    """The files of an archive are its depositor's alone."""
    archive = world.deposit(zipped({"a.xml": service(world.number())}))
    assert world.home(DIRECT).members(DIRECT, archive) == []
    assert world.home(SELLER).members(BUYER, archive) == []


HOSTILE = {
    "traversal": ("../../etc/passwd", "IRR_NOM_F"),
    "absolute": ("/etc/passwd", "IRR_NOM_F"),
    "windows": ("C:\\boot.xml", "IRR_NOM_F"),
    "backslashes": ("..\\..\\boot.xml", "IRR_NOM_F"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("form", FORMS)
def test_hostile_names(form: str, case: str) -> None:
    """A name that leads out of the archive refuses its file alone, and is not kept as a path."""
    name, code = HOSTILE[case]
    bad, good = archives.members(FORMS[form]({name: b"<a/>", "b.xml": b"<b/>"}))
    assert bad.refusal
    assert bad.refusal.details["irr"] == code
    assert (good.name, good.data, good.refusal) == ("b.xml", b"<b/>", None)
    assert not set(bad.name) & set("/\\")


def test_links_and_devices() -> None:
    """A link or a device is refused alone, in both forms."""
    made = tarred({"lien": b"", "b.xml": b"<b/>"}, {"lien": tarfile.SYMTYPE})
    link, good = archives.members(made)
    assert (link.refusal is not None, good.data) == (True, b"<b/>")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zip_made:
        info = zipfile.ZipInfo("lien")
        info.external_attr = 0o120777 << 16
        zip_made.writestr(info, "/etc/passwd")
    (link,) = archives.members(buffer.getvalue())
    assert link.refusal
    assert link.refusal.details["irr"] == "IRR_TYPE_F"


def test_an_encrypted_file() -> None:
    """A file that wants a password is refused alone."""
    data = bytearray(zipped({"a.xml": b"<a/>"}))
    data[6] |= 1
    central = bytes(data).rindex(b"PK\x01\x02")
    data[central + 8] |= 1
    (member,) = archives.members(bytes(data))
    assert member.refusal
    assert "chiffré" in member.refusal.message


def test_an_archive_in_an_archive(world: World) -> None:
    """A nested archive is refused alone and never opened."""
    number = world.number()
    archive = world.deposit(zipped({"dedans.zip": zipped({"a.xml": service(number)})}))
    assert seen(world, archive) == [("dedans.zip", "Error", "IRR_TYPE_F")]
    assert world.invoices(SELLER, number) == []


def test_litter_is_left_out() -> None:
    """What desktops add to archives is no deposit."""
    files = {"__MACOSX/._a.xml": b"x", ".DS_Store": b"x", "a.xml": b"<a/>", "dossier/": b""}
    assert [member.name for member in archives.members(zipped(files))] == ["a.xml"]


DAMAGED = {
    "truncated zip": (lambda: zipped({"a.xml": b"<a/>" * 100})[:-30], "IRR_SYNTAX"),
    "empty zip": (lambda: zipped({}), "IRR_VIDE_F"),
    "truncated tar.gz": (lambda: tarred({"a.xml": b"<a/>" * 100})[:-20], "IRR_EXTRAC"),
    "gzip of something else": (lambda: gzip.compress(b"<Invoice/>"), "IRR_EXTRAC"),
    "gzip of nothing": (lambda: gzip.compress(b"\0" * 1024), "IRR_VIDE_F"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_archive_is_refused_whole(world: World, case: str) -> None:
    """An archive that cannot be opened is answered with the field's code; nothing of it is deposited."""
    make, code = DAMAGED[case]
    archive = world.deposit(make(), name="lot.zip")
    row = world.flow(SELLER, archive)
    assert (row["acknowledgement"], row["details"][0]["reasonMessage"].split(":")[0]) == ("Error", code)
    assert seen(world, archive) == []


def test_a_damaged_file_in_a_good_archive() -> None:
    """A file whose bytes do not match its checksum is refused alone."""
    data = bytearray(zipped({"a.xml": b"<a/>" * 50, "b.xml": b"<b/>"}))
    data[14] ^= 0xFF
    central = bytes(data).index(b"PK\x01\x02")
    data[central + 16] ^= 0xFF
    bad, good = archives.members(bytes(data))
    assert (bad.refusal is not None, good.data) == (True, b"<b/>")


@pytest.mark.parametrize("form", FORMS)
def test_bounds(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Files and extracted bytes are taken at the limit; one past it refuses the archive."""
    monkeypatch.setattr(limits, "ARCHIVE_FILES_MAX", 3)
    monkeypatch.setattr(limits, "ARCHIVE_EXTRACTED_BYTES_MAX", 30)
    files = {f"{place}.xml": b"x" * 10 for place in range(3)}
    assert len(list(archives.members(FORMS[form](files)))) == 3
    for over in ({**files, "3.xml": b""}, {**files, "0.xml": b"x" * 11}):
        with pytest.raises(Irreceivable) as caught:
            list(archives.members(FORMS[form](over)))
        assert caught.value.code == "IRR_TAILLE_F"


def test_a_bomb_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that swells is read to the bound and no further."""
    monkeypatch.setattr(limits, "FILE_BYTES_MAX", 1000)
    (member,) = archives.members(zipped({"a.xml": b"\0" * 10_000_000}))
    assert (member.refusal and member.refusal.details["irr"], member.data) == ("IRR_TAILLE_F", b"")
