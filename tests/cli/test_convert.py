"""`estafette convert`: another form, an account of each term, exit codes that a script can act on."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from estafette.cli import app
from estafette.formats import Syntax, json_form, read, write
from estafette.formats.conversion import EN16931, EXTENDED_CTC_FR
from estafette.formats.xml import is_pdf
from estafette.rules import check
from estafette.simulation import samples

DAY = date(2026, 9, 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sample of ours, in UBL."""
    file = tmp_path / "one.xml"
    file.write_bytes(samples.load("service", number="F-1", issue_date=DAY))
    return file


@pytest.mark.parametrize("target", ["ubl", "cii", "facturx"])
def test_what_is_converted_is_accepted_and_says_the_same(source: Path, tmp_path: Path, target: str) -> None:
    """Nothing is lost, the official rules accept the result, and it is the same invoice."""
    done = CliRunner().invoke(app, ["convert", str(source), "--to", target, "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    data = (tmp_path / "out").read_bytes()
    assert check(data).accepted
    assert read(data).totals == read(source.read_bytes()).totals


def test_json_reads_back(source: Path, tmp_path: Path) -> None:
    """The JSON form holds the whole invoice."""
    CliRunner().invoke(app, ["convert", str(source), "--to", "json", "-o", str(tmp_path / "out")])
    assert json_form.read((tmp_path / "out").read_bytes()) == read(source.read_bytes())


def test_the_account_is_for_machines_too(source: Path, tmp_path: Path) -> None:
    """`--json` tells the fate of each term."""
    done = CliRunner().invoke(app, ["convert", str(source), "--to", "cii", "-o", str(tmp_path / "out"), "--json"])
    told = json.loads(done.stderr)
    assert told["source"] == sha256(source.read_bytes()).hexdigest()
    assert {"term": "BT-1", "fate": "kept", "fr": "", "en": ""} in told["outcomes"]


def test_a_folder_is_converted_file_by_file(source: Path, tmp_path: Path) -> None:
    """One that is unreadable is said and stops no other; the exit code is the worst."""
    (tmp_path / "bad.xml").write_bytes(b"<not an invoice")
    done = CliRunner().invoke(app, ["convert", str(tmp_path), "--to", "cii", "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "IRR_SYNTAX" in done.stderr
    assert check((tmp_path / "out" / "one.cii.xml").read_bytes()).accepted
    assert source.exists()


def test_json_has_no_profile(source: Path) -> None:
    """The JSON form is the whole model: a profile asked for it is a mistake."""
    assert CliRunner().invoke(app, ["convert", str(source), "--to", "json", "--profile", "en16931"]).exit_code == 2


def test_a_folder_needs_somewhere_to_go(tmp_path: Path) -> None:
    """Without -o, a folder is refused."""
    assert CliRunner().invoke(app, ["convert", str(tmp_path), "--to", "cii"]).exit_code == 2


def test_a_narrower_profile(tmp_path: Path) -> None:
    """From EXTENDED to EN 16931: the loss is told, the readable version attached and told, the rules accept."""
    invoice = read(samples.load("service", number="F-1", issue_date=DAY))
    file = tmp_path / "extended.xml"
    file.write_bytes(
        write(replace(invoice, specification_identifier=EXTENDED_CTC_FR, contract_reference="C", contract_date=DAY),
              Syntax.CII)
    )  # fmt: skip
    for form in ("ubl", "cii", "facturx"):
        out = tmp_path / "out"
        asked = ["convert", str(file), "--to", form, "--profile", "en16931", "-o", str(out)]
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 1, done.output
        assert "added" in done.stderr
        assert check(out.read_bytes()).accepted
        narrowed = read(out.read_bytes())
        assert (narrowed.specification_identifier, narrowed.contract_date) == (EN16931, None)
        attached = [each for each in narrowed.supporting_documents if each.description == "LISIBLE"]
        assert [is_pdf(each.content or b"") for each in attached] == ([] if form == "facturx" else [True])


def test_several_sellers_are_not_narrowed(tmp_path: Path) -> None:
    """An invoice of several sellers has no core form, and the answer says why."""
    invoice = read(samples.load("service", number="F-1", issue_date=DAY))
    file = tmp_path / "several.xml"
    file.write_bytes(
        write(replace(invoice, specification_identifier=EXTENDED_CTC_FR, business_process="S8"), Syntax.CII)
    )
    done = CliRunner().invoke(app, ["convert", str(file), "--to", "ubl", "--profile", "en16931"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "BT-23 = S8" in done.stderr
