"""`estafette convert`: another form, an account of each term, exit codes that a script can act on."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from estafette.cli import app
from estafette.formats import json_form, read
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
    assert {"term": "BT-1", "fate": "kept", "fr": "", "en": ""} in told["outcomes"]


def test_a_folder_is_converted_file_by_file(source: Path, tmp_path: Path) -> None:
    """One that is unreadable is said and stops no other; the exit code is the worst."""
    (tmp_path / "bad.xml").write_bytes(b"<not an invoice")
    done = CliRunner().invoke(app, ["convert", str(tmp_path), "--to", "cii", "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "IRR_SYNTAX" in done.stderr
    assert check((tmp_path / "out" / "one.cii.xml").read_bytes()).accepted
    assert source.exists()


def test_a_folder_needs_somewhere_to_go(tmp_path: Path) -> None:
    """Without -o, a folder is refused."""
    assert CliRunner().invoke(app, ["convert", str(tmp_path), "--to", "cii"]).exit_code == 2
