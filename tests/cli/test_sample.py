"""`estafette sample`: the invoice that was named, in the form that was asked, or one clear line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.command import one_line, run

from estafette.cli import sample
from estafette.formats import read
from estafette.formats.xml import Syntax, recognise
from estafette.simulation import samples


@pytest.mark.parametrize("name", samples.NAMES)
def test_a_factur_x_holds_the_sample_that_was_named(tmp_path: Path, name: str) -> None:
    """`--facturx` gives the named sample in a PDF, whatever syntax ours is kept in."""
    xml, pdf = tmp_path / "one.xml", tmp_path / "one.pdf"
    for file, options in ((xml, ()), (pdf, ("--facturx",))):
        done = run("sample", name, "--number", "S-1", "-o", str(file), *options)
        assert done.returncode == 0, done.stderr
    assert recognise(pdf.read_bytes()) is Syntax.FACTURX
    kept, made = read(xml.read_bytes()), read(pdf.read_bytes())
    assert (made.type_code, made.totals) == (kept.type_code, kept.totals)
    assert [line.item.name for line in made.lines] == [line.item.name for line in kept.lines]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is one line, exit 2."""
    file = tmp_path / "nowhere" / "one.xml"
    assert str(file) in one_line(run("sample", "service", "-o", str(file)))


def test_a_sample_is_dated_in_paris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just after midnight in Paris, the invoice is of the new day there, not of the day before elsewhere."""

    class Evening(datetime):
        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 8, 31, 22, 30, tzinfo=UTC)

    monkeypatch.setattr(sample, "datetime", Evening)
    sample.sample("service", output=tmp_path / "one.xml")
    made = read((tmp_path / "one.xml").read_bytes())
    assert (made.number, str(made.issue_date)) == ("F260901-003000", "2026-09-01")
