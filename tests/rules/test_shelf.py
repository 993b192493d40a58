"""Packs added by a user: read as downloaded, compiled before they are kept, never half kept."""

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from estafette.formats.xml import parse
from estafette.rules import check, shelf
from estafette.rules.catalogue import BUILT_IN, Pack, packs_for
from estafette.rules.engine import engine_of
from estafette.rules.tree import plant
from estafette.simulation.invoices import invoice
from estafette.simulation.ubl import ubl

UBL = ubl(invoice(4, lines=2, credit=False))
NAMES = (
    '<ns prefix="ubl" uri="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'
    '<ns prefix="cbc" uri="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"/>'
    '<ns prefix="cac" uri="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"/>'
)


def schematron(body: str) -> bytes:
    """A Schematron of our own around some patterns."""
    return f'<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">{NAMES}{body}</schema>'.encode()


def zipped(**files: bytes) -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return buffer.getvalue()


HOUSE = schematron(
    '<let name="number" value="/ubl:Invoice/cbc:ID"/>'
    '<pattern id="p"><let name="lines" value="count(//cac:InvoiceLine)"/>'
    '<rule abstract="true" id="base"><assert id="H-1" test="string-length($number) &lt; 3" flag="warning">Number '
    '<value-of select="$number"/> is long (BT-1)</assert></rule>'
    '<rule context="ubl:Invoice"><extends rule="base"/><report id="H-2" test="$lines &gt; 1">Many lines</report></rule>'
    "</pattern>"
    '<pattern abstract="true" id="needs"><rule context="$where"><assert id="H-3" test="$what">Missing</assert></rule>'
    '</pattern><pattern is-a="needs" id="n1"><param name="where" value="cac:Price"/>'
    '<param name="what" value="cbc:BaseQuantity"/></pattern>'
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf of our own for each test."""
    monkeypatch.setenv("ESTAFETTE_PACKS", str(tmp_path / "packs"))
    return tmp_path / "packs"


def _found(pack: Pack) -> list[tuple[str, str, str]]:
    findings = engine_of(pack).judge(plant(parse(UBL).getroot()))
    return sorted((finding.id, finding.severity, finding.message) for finding in findings)


def test_a_schematron_with_lets_extends_and_abstract_patterns_is_compiled() -> None:
    """Schema and pattern lets, abstract rules and patterns, reports and messages are all understood."""
    (pack,) = shelf.add(HOUSE, "house-1.2.sch")
    assert pack.coordinate == "local:house-1.2:ubl:1.2"
    assert _found(pack) == [
        ("H-1", "warning", "Number F0000004 is long (BT-1)"),
        ("H-2", "fatal", "Many lines"),
        ("H-3", "fatal", "Missing"),
        ("H-3", "fatal", "Missing"),
    ]


def test_a_message_that_cannot_be_worked_out_is_said_beside_its_finding() -> None:
    """Where the official sheet stops in the middle of a message: the finding stands, and EST-SHEET names it."""
    body = '<assert id="M-1" flag="warning" test="false()">Seen <value-of select="xs:integer(cbc:ID)"/></assert>'
    (pack,) = shelf.add(schematron(f'<pattern><rule context="ubl:Invoice">{body}</rule></pattern>'), "house-1.3.sch")
    findings = engine_of(pack).judge(plant(parse(UBL).getroot()))
    assert {(finding.id, finding.severity) for finding in findings} == {("M-1", "warning"), ("EST-SHEET", "fatal")}
    (stopped,) = [finding for finding in findings if finding.id == "EST-SHEET"]
    assert stopped.value.startswith("M-1, message: ")


def test_the_xslt_of_schxslt_says_the_same_as_its_schematron() -> None:
    """A sheet in the manner of SchXslt: negated tests, a guard of patterns, the first rule of a pattern wins."""
    sheet = """<xsl:transform version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
      xmlns:svrl="http://purl.oclc.org/dsdl/svrl" xmlns:schxslt="https://doi.org/10.5281/zenodo.1495494"
      xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
      xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
      <xsl:template match="cac:InvoiceLine[cbc:ID = '1']" priority="2" mode="m1">
        <xsl:param name="schxslt:patterns-matched" as="xs:string*"/><xsl:variable name="q" select="cbc:Nothing"/>
        <xsl:choose><xsl:when test="$schxslt:patterns-matched[. = 'm1']"/><xsl:otherwise>
          <svrl:fired-rule/><xsl:if test="not(exists($q))"><svrl:failed-assert id="X-1" flag="warning">
          <svrl:text>No <xsl:value-of select="cbc:ID"/></svrl:text></svrl:failed-assert></xsl:if>
        </xsl:otherwise></xsl:choose></xsl:template>
      <xsl:template match="cac:InvoiceLine" priority="1" mode="m1"><xsl:choose>
        <xsl:when test="$schxslt:patterns-matched[. = 'm1']"/><xsl:otherwise><svrl:fired-rule/>
          <xsl:if test="cbc:ID"><svrl:successful-report id="X-2"><svrl:text>Seen</svrl:text></svrl:successful-report>
        </xsl:if></xsl:otherwise></xsl:choose></xsl:template></xsl:transform>"""
    (pack,) = shelf.add(sheet.encode(), "other.xslt")
    assert _found(pack) == [("X-1", "warning", "No 1"), ("X-2", "fatal", "Seen")]


def test_an_archive_is_taken_as_downloaded() -> None:
    """Included files are found beside, the XSLT is preferred to its source, other files are left."""
    part = b'<pattern xmlns="http://purl.oclc.org/dsdl/schematron"><rule context="ubl:Invoice"><assert id="I-1" '
    part += b'test="false()">No</assert></rule></pattern>'
    main = schematron('<include href="parts/one.sch"/>')
    (pack,) = shelf.add(zipped(rules__main_dot_sch=main, rules__parts__one_dot_sch=part, readme_dot_txt=b"x"), "a.zip")
    assert [identifier for identifier, _, _ in _found(pack)] == ["I-1"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<pattern><rule context="ubl:Invoice"><assert id="B-1" test="a:b(1)">x</assert></rule></pattern>', "B-1"),
        ('<pattern><rule context="ubl:Invoice"><assert id="B-2" test="1 +">x</assert></rule></pattern>', "B-2"),
        ('<pattern><rule context="ubl:Invoice"><assert id="B-3" test="$nope">x</assert></rule></pattern>', "$nope"),
        ('<pattern><rule context="1 + 1"><assert id="B-4" test="true()">x</assert></rule></pattern>', "1 + 1"),
        ('<include href="gone.sch"/>', "gone.sch"),
        ('<pattern><rule context="*"><assert id="B-5" test="doc(cbc:ID)">x</assert></rule></pattern>', "document()"),
        (
            '<pattern><rule context="*"><assert id="B-6" test="unparsed-text(\'/etc\')">x</assert></rule></pattern>',
            "unparsed-text",
        ),
    ],
)
def test_a_pack_that_does_not_compile_says_why_and_changes_nothing(body: str, said: str, folder: Path) -> None:
    """The refusal names the assertion or the reason, and even the good sheets of the archive are not kept."""
    with pytest.raises(shelf.RefusedPackError) as refused:
        shelf.add(zipped(good_dot_sch=HOUSE, bad_dot_sch=schematron(body)), "both.zip")
    assert said in str(refused.value)
    assert not folder.exists() or not any(folder.iterdir())


@pytest.mark.parametrize("data", [b"PK\x03\x04broken", b"", b"<a/>", schematron("")])
def test_what_is_no_pack_is_refused(data: bytes) -> None:
    """Broken archives and files without rules are refused, never kept."""
    with pytest.raises(shelf.RefusedPackError):
        shelf.add(data, "x.zip")


def test_names_in_an_archive_never_leave_the_shelf(folder: Path) -> None:
    """A path that climbs is only a name."""
    shelf.add(zipped(**{"../../evil.sch": HOUSE}), "climb.zip")
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()} == {
        path.name for path in folder.iterdir()
    }
    assert not (folder.parent / "evil.sch").exists()


def test_an_added_pack_judges_instead_of_the_one_it_takes_over() -> None:
    """A newer pack of a family replaces it from its day on; removing it gives the former back."""
    shelf.add(HOUSE, "EN16931-UBL-validation.sch", since=date(2027, 1, 1))
    known = shelf.known_packs()
    names = [pack.coordinate for pack in packs_for("UBL", "EN16931", date(2027, 1, 2), known)]
    assert names[0].startswith("cen:en16931:ubl:") and names[0] != "cen:en16931:ubl:1.3.16"
    assert packs_for("UBL", "EN16931", date(2026, 12, 31), known)[0].coordinate == "cen:en16931:ubl:1.3.16"
    assert "H-2" in check(UBL).fatal
    assert check(UBL, on=date(2026, 12, 31)).accepted
    assert shelf.remove(names[0])
    assert not shelf.remove(names[0])
    assert check(UBL).accepted


def test_the_pack_of_cen_gives_the_verdicts_of_cen() -> None:
    """With the CII pack of CEN added from its archive, every verdict of expected-cen.jsonl is equal."""
    corpus = Path(__file__).parents[2] / "../shared/corpus"
    archives = sorted((Path(__file__).parents[2] / "../shared").glob("**/en16931-cii-*.zip"))
    if not archives:
        pytest.skip("the archive of CEN is not there")
    shelf.add(archives[-1].read_bytes(), archives[-1].name)
    for line in (corpus / "expected-cen.jsonl").read_text().splitlines():
        case = json.loads(line)
        verdict = check((corpus / case["file"]).read_bytes())
        assert (sorted(verdict.fatal), sorted(verdict.warning)) == (case["fatal"], case["warning"]), case["file"]


def test_built_in_packs_have_distinct_coordinates_and_files() -> None:
    """The catalogue is coherent: every artefact is there, every coordinate is its own."""
    assert len({pack.coordinate for pack in BUILT_IN}) == len(BUILT_IN)
    assert all(pack.path.is_file() for pack in BUILT_IN)
