"""`estafette show`: an invoice on the terminal or in a file, and what is told when it cannot be."""

from datetime import date
from pathlib import Path

import pikepdf
import pytest
import typer
from tests.formats.test_facturx_writing import CII, helvetica
from typer.testing import CliRunner, Result

from estafette.cli import show
from estafette.formats import facturx_writing
from estafette.readable import facturx
from estafette.simulation import samples

UBL = samples.load("service", number="F2026-0001", issue_date=date(2026, 9, 1))


def run(*arguments: object) -> Result:
    """Run the verb."""
    app = typer.Typer()
    show.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(("language", "words"), [
    ("fr", ("Facture commerciale F2026-0001", "Vendeur – Atelier Caravelle", "2\u202f400,00\u00a0EUR")),
    ("en", ("Invoice F2026-0001", "Seller – Atelier Caravelle", "2,400.00\u00a0EUR")),
])  # fmt: skip
def test_on_the_terminal(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    """An invoice is shown in the language asked for."""
    (tmp_path / "f.xml").write_bytes(UBL)
    shown = run(tmp_path / "f.xml", "--lang", language)
    assert shown.exit_code == 0
    assert all(word in shown.stdout for word in words)


def test_in_files(tmp_path: Path) -> None:
    """A PDF and a page are written where they are asked, and named."""
    (tmp_path / "f.xml").write_bytes(UBL)
    pdf, html = tmp_path / "f.pdf", tmp_path / "f.html"
    shown = run(tmp_path / "f.xml", "--pdf", pdf, "--html", html)
    assert shown.stdout.split() == [str(pdf), str(html)]
    assert "Atelier Caravelle" in html.read_text(encoding="utf-8")
    with pikepdf.open(pdf) as document:
        assert len(document.pages) == 1


def test_what_is_wrong_in_a_pdf(tmp_path: Path) -> None:
    """Of a PDF, what is not as PDF/A-3 requires is told apart from the invoice; of a good one, nothing."""
    (tmp_path / "good.pdf").write_bytes(facturx(CII))
    (tmp_path / "poor.pdf").write_bytes(facturx_writing.write(CII, pdf=helvetica()))
    assert run(tmp_path / "good.pdf").stderr == ""
    poor = run(tmp_path / "poor.pdf")
    assert poor.exit_code == 0
    assert "EST-PDF-FONT: Une police n'est pas embarquée. (/Helvetica)" in poor.stderr
    assert "A font is not embedded." in run(tmp_path / "poor.pdf", "--lang", "en").stderr


def test_what_cannot_be_shown(tmp_path: Path) -> None:
    """A file that is no invoice, a language that is not written, a folder that is not there: code 2 and a reason."""
    (tmp_path / "n.xml").write_bytes(b"<n/>")
    (tmp_path / "f.xml").write_bytes(UBL)
    wrong = run(tmp_path / "n.xml")
    assert wrong.exit_code == 2
    assert "n'est pas une facture" in wrong.stderr
    assert run(tmp_path / "f.xml", "--lang", "de").exit_code == 2
    assert run(tmp_path / "none.xml").exit_code == 2
    lost = run(tmp_path / "f.xml", "--pdf", tmp_path / "none" / "f.pdf")
    assert lost.exit_code == 2
    assert "f.pdf" in lost.stderr
