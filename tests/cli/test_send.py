"""`estafette send` on the running circuit: every file gets the answer of its platform, on lines that people read."""

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import pikepdf
import pytest
from tests.cli.command import Done, one_line, run
from tests.running import Circuit, free_ports

from estafette.simulation import samples
from estafette.values.limits import FILE_BYTES_MAX
from estafette.values.moments import paris_day


def good(number: str = "", sample: str = "service") -> bytes:
    """Return a good invoice of today, under a number nobody has had."""
    return samples.load(sample, number=number or f"S{uuid4().hex[:12]}", issue_date=paris_day(datetime.now(UTC)))


def send(circuit: Circuit, file: Path, *options: str) -> Done:
    """Send a file to the running circuit."""
    return run("send", str(file), "--data", str(circuit.data), "--port", str(circuit.port), *options)


def blank_pdf() -> bytes:
    """Return a sound PDF in which there is no invoice."""
    paper = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(paper)
    return paper.getvalue()


def bomb() -> bytes:
    """Return an invoice that brings entities which would fill the memory."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head, _, body = good().decode().partition("?>")
    doctype = f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]>'
    return f"{head}?>{doctype}{body}".replace("Atelier Caravelle", "&e9;").encode()


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "not XML": (lambda: b"numero;montant\nF1;120,00\n", "IRR_TYPE_F"),
    "empty": (lambda: b"", "IRR_VIDE_F"),
    "XML of another kind": (lambda: b'<?xml version="1.0"?><catalogue><livre/></catalogue>', "IRR_TYPE_F"),
    "half an invoice": (lambda: good()[:1500], "IRR_SYNTAX"),
    "broken PDF": (lambda: samples.facturx_from(good(sample="service-cii"))[:200], "IRR_SYNTAX"),
    "PDF without an invoice": (blank_pdf, "IRR_TYPE_F"),
    "entity bomb": (bomb, "IRR_SYNTAX"),
    "wrong character set": (lambda: good().decode().encode("latin-1"), "IRR_SYNTAX"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_inadmissible(circuit: Circuit, tmp_path: Path, kind: str) -> None:
    """What is no invoice is refused by the platform with the code of the field, exit 1, never a traceback."""
    make, code = BAD[kind]
    (tmp_path / "bad.xml").write_bytes(make())
    done = send(circuit, tmp_path / "bad.xml")
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert done.stdout.startswith("501 irrecevable / inadmissible\n")
    assert code in done.stdout


def test_200_megabytes(circuit: Circuit, tmp_path: Path) -> None:
    """A file of 200 MB is refused for its size, exit 1, as text and as JSON."""
    file = tmp_path / "big.xml"
    file.touch()
    os.truncate(file, 2 * FILE_BYTES_MAX)
    done = send(circuit, file, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = msgspec.json.decode(done.stdout)
    assert told["status"] == "413"
    assert told["faults"][0]["errorCode"] == "FILE_SIZE_EXCEEDED"
    assert "IRR_TAILLE_F" in told["faults"][0]["errorMessage"]


@pytest.mark.parametrize(
    ("changes", "expected", "code"),
    [
        ({"200000008": "800000002", "FR37800000002": "FR20800000002"}, "- hors facturation", 0),
        ({'"0225">200000008<': '"0225">200000008_ACHATS<'}, "213 rejetée", 1),
    ],
    ids=["customer", "address"],
)
def test_unknown_to_the_directory(
    circuit: Circuit, tmp_path: Path, changes: dict[str, str], expected: str, code: int
) -> None:
    """A customer unknown to the directory is set aside, an unknown address of a known one is rejected."""
    data = good().decode()
    for seen, written in changes.items():
        assert seen in data
        data = data.replace(seen, written)
    (tmp_path / "one.xml").write_text(data)
    done = send(circuit, tmp_path / "one.xml")
    assert done.stdout.startswith(expected), done.stdout + done.stderr
    assert done.returncode == code


def test_the_same_twice(circuit: Circuit, tmp_path: Path) -> None:
    """The same file again is a technical duplicate; the same number with other content is rejected as a duplicate."""
    number = f"S{uuid4().hex[:12]}"
    file, other = tmp_path / "one.xml", tmp_path / "other.xml"
    file.write_bytes(good(number))
    other.write_bytes(good(number, "service-10"))
    assert send(circuit, file).stdout.startswith("200 ")
    again, same_number = send(circuit, file), send(circuit, other)
    assert (again.returncode, same_number.returncode) == (1, 1)
    assert "AlreadyExistingFlow" in again.stdout
    assert same_number.stdout.startswith("213 ")
    assert "DOUBLON" in same_number.stdout


def test_a_rejected_file_can_be_sent_again(circuit: Circuit, tmp_path: Path) -> None:
    """Each run is a deposit of its own: the file of a rejected invoice is judged again, not answered from memory."""
    file = tmp_path / "one.xml"
    file.write_bytes(good().replace(b">2400.00<", b">2500.00<"))
    first, again = (msgspec.json.decode(send(circuit, file, "--json").stdout) for _run in range(2))
    assert (first["status"], again["status"]) == ("213", "213")
    assert first["flow"]["flowId"] != again["flow"]["flowId"]


def test_an_account_that_does_not_exist(circuit: Circuit, tmp_path: Path) -> None:
    """`--as` names nobody: the companies there are are told, exit 2."""
    (tmp_path / "one.xml").write_bytes(good())
    assert "fournisseur" in one_line(send(circuit, tmp_path / "one.xml", "--as", "nobody"))


def test_nobody_listens(circuit: Circuit, tmp_path: Path) -> None:
    """With nobody at the address the command says so at once, exit 2."""
    (tmp_path / "one.xml").write_bytes(good())
    port = free_ports(4)
    line = one_line(run("send", str(tmp_path / "one.xml"), "--data", str(circuit.data), "--port", str(port)))
    assert f":{port + 1} (platform-a)" in line


def test_a_folder_never_started(tmp_path: Path) -> None:
    """A data folder without credentials is said, exit 2; so is one whose credentials cannot be read."""
    (tmp_path / "one.xml").write_bytes(good())
    command = ("send", str(tmp_path / "one.xml"), "--data", str(tmp_path))
    assert "not started yet" in one_line(run(*command))
    (tmp_path / "credentials.yaml").write_text("[{actor: 1")
    assert "credentials.yaml" in one_line(run(*command))
