"""The tables of the documentation say what is: every test that they name is there, every rule and every limit too."""

import ast
import re
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from estafette.formats.flow_limits import ROWS, Row

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
CONCENTRATOR = (ROOT / "docs" / "concentrator.md").read_text()
ANNEX_7 = (ROOT / "docs" / "rules" / "annex-7.md").read_text()
NAMED = re.compile(r"`([a-z_0-9/]+\.py)::(test_\w+)`")
SPREADSHEETS = sorted((ROOT.parent / "shared" / "specs").glob("*Annexe_7*.xlsx"))
FLOWS = ("F1", "F6", "F10", "F13", "F14")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def found_in(file: str) -> set[str]:
    """Name the tests of a file."""
    return {node.name for node in ast.parse((TESTS / file).read_text()).body if isinstance(node, ast.FunctionDef)}


def rules() -> list[tuple[str, str, str]]:
    """Return the rows of the table of annex 7: rule, flow, test or reason."""
    rows = re.findall(r"^\| ([GPS]\d\.\d+) \| (F\d+) \| (.+) \|$", ANNEX_7, re.MULTILINE)
    return [(rule, flow, said) for rule, flow, said in rows]


@pytest.mark.parametrize("page", [CONCENTRATOR, ANNEX_7], ids=["concentrator", "annex 7"])
def test_every_test_that_is_named_exists(page: str) -> None:
    """What a page calls a test is one."""
    named = NAMED.findall(page)
    assert len(named) > 40
    assert {f"{file}::{test}" for file, test in named if test not in found_in(file)} == set()


def test_every_case_has_its_test() -> None:
    """Every row of the cases that are refused names a test."""
    table = CONCENTRATOR[CONCENTRATOR.index("| Case |") : CONCENTRATOR.index("The codes of attachments")]
    cases = [line for line in table.splitlines()[2:] if line]
    assert len(cases) > 40
    assert [line for line in cases if not NAMED.search(line)] == []


def test_every_code_of_the_specifications_is_there() -> None:
    """The published codes are all in the page, and so are those that we send."""
    codes = "TAILLE UNICITE VIDE FORM TYPE ANTIVIRUS CODE_INTER EXTRAC CODE_APP VIDE_F TYPE_F SYNTAX TAILLE_F NOM_F"
    wanted = {f"IRR_{code}" for code in codes.split()} | {"IRR_TAILLE_PJ", "IRR_NOM_PJ", "IRR_VID_PJ", "IRR_EXT_DOC"}
    wanted |= {f"REJ_{code}" for code in ["SEMAN", "UNI", "COH", "INC", "INEX", "RG", "HAB", "ENCAISSEMENT", "PER"]}
    assert {code for code in wanted if not re.search(rf"\b{code}\b", CONCENTRATOR)} == set()


@pytest.mark.parametrize(("rule", "flow", "said"), rules())
def test_a_rule_has_its_test_or_its_reason(rule: str, flow: str, said: str) -> None:
    """The file of the test speaks of the rule, or of that under which it is told; what has no test says why."""
    named = NAMED.findall(said)
    assert named or said.startswith("none: "), flow
    if said.startswith("as "):
        rule = said.split(":", maxsplit=1)[0].removeprefix("as ")
    spoken = [(TESTS / file).read_text() for file, _test in named]
    if any(file.startswith("portal/") for file, _test in named):
        spoken.append((TESTS / "portal" / "envelopes.py").read_text())
    whole_schema = "the official schema" in said or "what we write" in said
    assert whole_schema or not named or any(re.search(rf"\b{re.escape(rule)}\b", text) for text in spoken)


def _sheet(file: Path, number: int) -> list[dict[str, str]]:
    """Read a sheet of a workbook: its rows, by the letter of the column."""
    with ZipFile(file) as workbook:
        strings = ElementTree.fromstring(workbook.read("xl/sharedStrings.xml"))  # noqa: S314
        shared = ["".join(text.text or "" for text in one.iter(f"{MAIN}t")) for one in strings]
        sheet = ElementTree.fromstring(workbook.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
    rows = []
    for row in sheet.iter(f"{MAIN}row"):
        cells = {}
        for cell in row:
            value = cell.find(f"{MAIN}v")
            if value is not None and value.text:
                text = shared[int(value.text)] if cell.get("t") == "s" else value.text
                cells[re.sub(r"\d", "", cell.get("r", ""))] = text
        rows.append(cells)
    return rows


@pytest.mark.skipif(not SPREADSHEETS, reason="the annexes of the specifications are not beside the repository")
def test_no_rule_of_annex_7_is_missing() -> None:
    """Every rule that the annex ticks for a flow has its row, and no other has."""
    ticked = {
        (row["B"], flow)
        for row in _sheet(SPREADSHEETS[-1], 2)
        for column, flow in zip("DEFGH", FLOWS, strict=True)
        if re.fullmatch(r"[GPS]\d\.\d+", row.get("B", "")) and row.get(column, "").strip()
    }
    listed = [(rule, flow) for rule, flow, _said in rules()]
    assert len(listed) == len(set(listed))
    assert set(listed) == ticked


def shown(row: Row) -> str:
    """Write a limit as the page has it."""
    since = f"{row.since:%Y-%m-%d}" if row.since.year > 1 else ""
    until = f"{row.until:%Y-%m-%d}" if row.until.year < 9999 else ""
    return f"| `{row.limit}` | {row.value} | {since} | {until} | {row.source} |"


def test_the_limits_are_those_of_the_table() -> None:
    """Every limit is in the page, with its value, its days and its source."""
    assert [line for line in map(shown, ROWS) if line not in CONCENTRATOR] == []
