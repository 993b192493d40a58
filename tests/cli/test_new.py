"""`estafette new`: a draft becomes a file that the official rules accept, or the reason why not."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from estafette.cli import new
from estafette.formats import json_form, read
from estafette.rules import check

app = typer.Typer()
new.register(app)
run = CliRunner()

DRAFT = """
number: F2026-42
date: 2026-09-15
nature: services
seller: {name: Atelier Caravelle, siren: 100000009, vat_number: auto, city: Lille}
buyer: {name: Maison Tilleul, siren: 200000008, city: Nantes}
lines:
  - {description: Conseil, quantity: 3, unit: jour, price: 450, vat: 20}
"""


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Write the draft in a file."""
    file = tmp_path / "draft.yaml"
    file.write_text(DRAFT)
    return file


@pytest.mark.parametrize("to", ["ubl", "cii", "facturx"])
def test_a_draft_becomes_a_document(draft: Path, to: str) -> None:
    """Each format is written, accepted by the rules, and says the amounts."""
    out = draft.with_suffix(".out")
    result = run.invoke(app, [str(draft), "--to", to, "-o", str(out)])
    assert (result.exit_code, result.stdout) == (0, f"{out}\n")
    assert check(out.read_bytes()).accepted
    assert str(read(out.read_bytes()).totals.amount_due) == "1620.00"


def test_a_draft_becomes_json(draft: Path) -> None:
    """Without a file to write to, the document is the standard output."""
    result = run.invoke(app, [str(draft), "--to", "json"])
    assert result.exit_code == 0
    assert json_form.read(result.stdout.encode()).number == "F2026-42"


@pytest.mark.parametrize(("lang", "word"), [("fr", "taux (BT-119)"), ("en", "rate (BT-119)")])
def test_figures_and_defaults_are_explained(draft: Path, lang: str, word: str) -> None:
    """Asked to explain, the verb tells each default with its source and each figure with its formula."""
    result = run.invoke(app, [str(draft), "--to", "ubl", "--explain", "--lang", lang])
    assert word in result.stderr
    assert "L441-10" in result.stderr
    assert "BT-115" in result.stderr


def test_a_wrong_draft_writes_nothing(draft: Path) -> None:
    """What is wrong is said with its place, and no file is written."""
    draft.write_text(DRAFT.replace("vat: 20", "vat: 19"))
    out = draft.with_suffix(".xml")
    result = run.invoke(app, [str(draft), "--to", "ubl", "-o", str(out)])
    assert (result.exit_code, out.exists()) == (2, False)
    assert "lines[0].vat (BT-151)" in result.stderr


def test_a_document_that_the_rules_reject_is_told(draft: Path) -> None:
    """A draft that asks for what the rules refuse is written, and the rule is named."""
    draft.write_text(DRAFT.replace("number: F2026-42", "number: F2026 42!"))
    result = run.invoke(app, [str(draft), "--to", "json"])
    assert result.exit_code == 1
    assert "BR-FR-02_BT-1" in result.stderr


def test_a_place_that_cannot_be_written_is_told(draft: Path) -> None:
    """An output that cannot be written is said, without a traceback."""
    result = run.invoke(app, [str(draft), "--to", "ubl", "-o", str(draft.parent)])
    assert result.exit_code == 2
    assert str(draft.parent) in result.stderr
