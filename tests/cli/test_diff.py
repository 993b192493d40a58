"""`estafette diff`: what two invoices say otherwise, whatever their syntaxes."""

import doctest
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from msgspec.structs import replace
from typer.testing import CliRunner

from estafette.cli import diff
from estafette.formats import Invoice, Syntax, json_form, read, write
from estafette.invoice import Note, comparison
from estafette.invoice.comparison import differences
from estafette.simulation import samples

app = typer.Typer()
diff.register(app)
run = CliRunner()


def sample(**terms: object) -> Invoice:
    """Give our sample of a service, with changes."""
    return replace(read(samples.load("service", number="F1", issue_date=date(2026, 9, 1))), **terms)


def test_the_examples_hold() -> None:
    """What the module shows is what it does."""
    assert doctest.testmod(comparison).failed == 0


@pytest.mark.parametrize("suffix", ["cii", "json"])
def test_syntaxes_do_not_differ(tmp_path: Path, suffix: str) -> None:
    """The same invoice in two syntaxes says the same."""
    ubl, other = tmp_path / "a.xml", tmp_path / f"a.{suffix}"
    ubl.write_bytes(write(sample(), Syntax.UBL))
    other.write_bytes(json_form.write(sample()) if suffix == "json" else write(sample(), Syntax.CII))
    result = run.invoke(app, [str(ubl), str(other)])
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_difference_has_its_term_and_place(tmp_path: Path) -> None:
    """A difference is told by term, name, place and both values, for people and for programs."""
    invoice = sample()
    dearer = replace(invoice.lines[0], price=replace(invoice.lines[0].price, net=Decimal("1.5")))
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    first.write_bytes(write(invoice, Syntax.UBL))
    second.write_bytes(write(replace(invoice, lines=(dearer, *invoice.lines[1:])), Syntax.CII))
    result = run.invoke(app, [str(first), str(second)])
    assert result.exit_code == 1
    assert "BT-146" in result.stdout
    assert "Prix net" in result.stdout
    told = json.loads(run.invoke(app, [str(first), str(second), "--json"]).stdout)
    (found,) = told["differences"]
    place = f"lines[{invoice.lines[0].identifier}].price.net"
    assert (found["term"], found["place"], found["second"]) == ("BT-146", place, "1.5")


def test_what_repeats_is_paired_by_its_name() -> None:
    """Notes in another order are the same notes; a changed one is told alone; one that is missing has no value."""
    invoice = sample()
    assert differences(invoice, replace(invoice, notes=invoice.notes[::-1])) == ()
    changed = (replace(invoice.notes[0], text="Autre"), *invoice.notes[1:])
    (found,) = differences(invoice, replace(invoice, notes=changed))
    assert (found.term, found.place, found.second) == ("BT-22", "notes[PMT].text", "Autre")
    without = differences(invoice, replace(invoice, notes=invoice.notes[1:]))
    assert {(each.term, each.second) for each in without} == {("BT-21", None), ("BT-22", None)}


def test_what_has_no_name_is_paired_by_order() -> None:
    """Two notes of one subject are compared in their order."""
    one, other = (sample(notes=(Note("a", "AAI"), Note(text, "AAI"))) for text in "bc")
    (found,) = differences(one, other)
    assert (found.place, found.first, found.second) == ("notes[1].text", "b", "c")


def test_numbers_are_compared_as_numbers() -> None:
    """A quantity of 1 and one of 1.00 are the same."""
    invoice = sample()
    longer = replace(invoice.lines[0], quantity=Decimal(str(invoice.lines[0].quantity)) * Decimal("1.000"))
    assert differences(invoice, replace(invoice, lines=(longer, *invoice.lines[1:]))) == ()


def test_folders_are_compared_by_name(tmp_path: Path) -> None:
    """In two folders the same names are compared, one that is alone is a difference, and a total closes the list."""
    for side, number in (("a", "F1"), ("b", "F2")):
        folder = tmp_path / side
        folder.mkdir()
        (folder / "same.xml").write_bytes(write(sample(), Syntax.UBL))
        (folder / "other.xml").write_bytes(write(sample(number=number), Syntax.UBL))
    (tmp_path / "a" / "alone.xml").write_bytes(write(sample(), Syntax.UBL))
    result = run.invoke(app, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert result.exit_code == 1
    assert "1 = · 2 ≠ · 0 ?" in result.stdout
    assert "alone.xml" in result.stderr
    lines = run.invoke(app, [str(tmp_path / "a"), str(tmp_path / "b"), "--json"]).stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["alone.xml", "other.xml", "same.xml"]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A file that is no invoice ends with 2 and its reason, in the language asked for."""
    good, bad = tmp_path / "a.xml", tmp_path / "b.xml"
    good.write_bytes(write(sample(), Syntax.UBL))
    bad.write_bytes(b"<Report/>")
    result = run.invoke(app, [str(good), str(bad)])
    assert result.exit_code == 2
    assert "n'est pas une facture" in result.stderr
    assert "no invoice" in run.invoke(app, [str(good), str(bad), "--lang", "en"]).stderr
    assert run.invoke(app, [str(good), str(tmp_path)]).exit_code == 2


def test_what_no_term_says_is_counted(tmp_path: Path) -> None:
    """An element that no term knows is no difference, and is counted."""
    first, second = tmp_path / "a.xml", tmp_path / "b.xml"
    data = write(sample(), Syntax.UBL)
    first.write_bytes(data)
    second.write_bytes(data.replace(b"</cbc:ID>", b"</cbc:ID><cbc:Colour>red</cbc:Colour>", 1))
    result = run.invoke(app, [str(first), str(second)])
    assert result.exit_code == 0
    assert "0 + 1" in result.stderr


def test_empty_folders_are_a_wrong_usage(tmp_path: Path) -> None:
    """Two folders without files are not the same: there is nothing to compare."""
    for side in "ab":
        (tmp_path / side).mkdir()
    assert run.invoke(app, [str(tmp_path / "a"), str(tmp_path / "b")]).exit_code == 2
