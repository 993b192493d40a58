"""The command line: readable, for machines, with exit codes that scripts can use."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from estafette.cli import check, rules
from estafette.rules.remedies import remedy, written
from estafette.simulation.cii import cii
from estafette.simulation.invoices import invoice
from estafette.simulation.ubl import ubl

GOOD = ubl(invoice(4, lines=2, credit=False))
BAD = GOOD.replace(b">380<", b">999<")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Run the command as a user would, with a shelf of its own."""
    monkeypatch.setenv("ESTAFETTE_PACKS", str(tmp_path / "packs"))
    app = typer.Typer()
    check.register(app)
    rules.register(app)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_exit_codes(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """0 all accepted, 1 some rejected, 2 unreadable or wrong usage."""
    (tmp_path / "good.xml").write_bytes(GOOD)
    (tmp_path / "bad.xml").write_bytes(BAD)
    (tmp_path / "ugly.xml").write_bytes(b"?")
    assert run("check", tmp_path / "good.xml").exit_code == 0
    assert run("check", tmp_path / "good.xml", tmp_path / "bad.xml").exit_code == 1
    assert run("check", tmp_path / "ugly.xml").exit_code == 2
    assert run("check", tmp_path / "absent.xml").exit_code == 2
    assert run("check", tmp_path / "good.xml", "--pack", "no:such").exit_code == 2


def test_folders_and_archives_are_opened(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Every document of a folder, a ZIP and a tar.gz gets its line of JSON, then totals are not mixed in."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/one.xml", GOOD)
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("two.xml")
        member.size = len(BAD)
        tar.addfile(member, io.BytesIO(BAD))
    (tmp_path / "c.xml").write_bytes(cii(invoice(4)))
    lines = [json.loads(line) for line in run("check", "--json", tmp_path).stdout.splitlines()]
    assert [(Path(line["file"]).name, line["accepted"]) for line in lines] == [
        ("one.xml", True),
        ("b.tar.gz!two.xml", False),
        ("c.xml", True),
    ]
    assert set(lines[1]) == {"file", "accepted", "syntax", "profile", "packs", "schema", "findings", "fatal", "warning"}


def test_a_damaged_archive_does_not_stop_the_others(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """An archive that cannot be opened is named, has its line as unreadable, and what follows is judged; exit 2."""
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "b.tar.gz").write_bytes(b"\x1f\x8b and no more")
    (tmp_path / "c.xml").write_bytes(GOOD)
    done = run("check", "--json", tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.exit_code == 2
    assert [line["accepted"] for line in lines] == [False, False, True]
    assert all(name in done.output for name in ("a.zip: ", "b.tar.gz: "))


def test_the_report_and_the_page_say_what_to_do(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Identifier, place and both remedies are there."""
    (tmp_path / "bad.xml").write_bytes(BAD)
    said = run("check", tmp_path / "bad.xml").stdout
    assert all(word in said for word in ("REJETÉ", "BR-CL-01", "cbc:InvoiceTypeCode", "Prenez BT-3", "Take BT-3"))
    run("check", tmp_path / "bad.xml", "--html", tmp_path / "page.html")
    assert "BR-CL-01" in (tmp_path / "page.html").read_text()


def test_on_judges_as_of_a_day(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The French rules only warn before September 2026."""
    (tmp_path / "old.xml").write_bytes(GOOD.replace(b">M1<", b">M3<"))
    assert run("check", tmp_path / "old.xml", "--on", "2026-08-01").exit_code == 0
    assert run("check", tmp_path / "old.xml", "--on", "2026-09-01").exit_code == 1


def test_packs_are_listed_shown_added_and_removed(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The life of a pack on the command line."""
    assert "cen:en16931:ubl:1.3.16" in run("rules", "list").stdout
    assert "BT-112 = BT-109 + BT-110" in run("rules", "show", "BR-CO-15").stdout
    assert run("rules", "show", "BR-NO-99").exit_code == 2
    sheet = tmp_path / "mine-2.0.sch"
    sheet.write_text(
        '<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern><rule context="*:Invoice">'
        '<assert id="MINE-1" test="false()">No</assert></rule></pattern></schema>'
    )
    assert run("rules", "add", sheet).stdout.strip() == "local:mine-2.0:any:2.0"
    (tmp_path / "good.xml").write_bytes(GOOD)
    said = run("check", "--json", tmp_path / "good.xml", "--pack", "local:mine-2.0:any:2.0").stdout
    assert json.loads(said)["fatal"] == ["MINE-1"]
    assert run("rules", "remove", "local:mine-2.0:any:2.0").exit_code == 0
    assert run("rules", "remove", "local:mine-2.0:any:2.0").exit_code == 2
    sheet.write_text("<a/>")
    assert run("rules", "add", sheet).exit_code == 2


def test_remedies_are_written_for_the_identifiers_that_users_meet() -> None:
    """At least 120 identifiers have a remedy, in both languages, one sentence each."""
    assert len(written()) >= 120
    for identifier in written():
        french, english = remedy(identifier)
        assert french.strip().endswith((".", "…", "»")) or french
        assert french and english and french != english, identifier
