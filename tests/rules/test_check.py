"""`check` answers any bytes with a verdict that can be acted upon."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from estafette.rules import Severity, check
from estafette.rules.report import as_html, as_json, as_text, totals
from estafette.simulation.cii import cii
from estafette.simulation.documents import document
from estafette.simulation.invoices import invoice
from estafette.simulation.mutations import mutants
from estafette.simulation.ubl import ubl
from estafette.values.limits import XML_DEPTH_MAX

UBL = ubl(invoice(4, lines=2, credit=False))
CII = cii(invoice(4, lines=2, credit=False))
HOSTILE = {
    "nothing": b"",
    "words": b"bonjour",
    "binary": bytes(range(256)),
    "cut": UBL[: len(UBL) // 2],
    "not a PDF": b"%PDF-1.7\nnothing",
    "entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "laughs": b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
    "entity in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a []><a/>'.encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bytes_that_are_no_document_are_rejected_with_a_finding_of_ours(name: str) -> None:
    """Nothing raises: the verdict says what is wrong under our prefix, with a remedy in both languages."""
    verdict = check(HOSTILE[name])
    assert not verdict.accepted
    assert all(finding.id.startswith("EST-") for finding in verdict.findings)
    assert all(finding.remedy_fr and finding.remedy_en for finding in verdict.findings)


def test_depth_at_the_limit_is_read_and_one_past_it_is_refused() -> None:
    """The bound on nested elements is the one of `values.limits`."""
    assert check(b"<a>" * XML_DEPTH_MAX + b"</a>" * XML_DEPTH_MAX).fatal == {"EST-SYNTAX"}
    assert check(b"<a>" * (XML_DEPTH_MAX + 1) + b"</a>" * (XML_DEPTH_MAX + 1)).fatal == {"EST-LIMIT"}


def test_a_good_invoice_is_accepted_by_the_packs_of_its_profile() -> None:
    """The verdict names syntax, profile and packs by coordinate."""
    verdict = check(UBL)
    assert (verdict.accepted, verdict.syntax, verdict.profile) == (True, "UBL", "EN16931")
    assert verdict.packs == ("cen:en16931:ubl:1.3.16", "fr.ctc:flux2:ubl:1.4.0.04")


def test_the_rules_do_not_run_when_the_schema_refuses() -> None:
    """As in the official chain: schema findings alone, with element and line."""
    verdict = check(UBL.replace(b"<cbc:IssueDate>", b"<cbc:IssueDate>x"))
    assert not verdict.accepted
    assert not verdict.packs
    assert verdict.schema[0].id == "EST-XSD"
    assert "IssueDate" in verdict.schema[0].value


def test_a_finding_says_what_where_seen_and_what_to_do() -> None:
    """Identifier, severity, terms, path, line, value, message and remedies are all there."""
    finding = next(item for item in check(UBL.replace(b">380<", b">999<")).findings if item.id == "BR-CL-01")
    assert finding.severity is Severity.FATAL
    assert finding.path == "/Invoice/cbc:InvoiceTypeCode"
    assert finding.line == 2
    assert finding.value == "999"
    assert finding.remedy_fr.startswith("Prenez BT-3")
    assert finding.remedy_en.startswith("Take BT-3")


def test_one_mistake_reads_as_one() -> None:
    """A wrong sum of lines breaks several rules: the others name the first as their cause."""
    head, tail = UBL.split(b"<cac:LegalMonetaryTotal>")
    rest = tail.partition(b"</cbc:LineExtensionAmount>")[2]
    wrong = b'<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">1.00</cbc:LineExtensionAmount>'
    causes = {finding.id: finding.cause for finding in check(head + wrong + rest).findings}
    assert causes["BR-CO-10"] == ""
    assert causes["BR-CO-13"] == "BR-CO-10"


def test_what_repeats_is_put_under_its_first_occurrence() -> None:
    """The same rule that says the same in many places is one cause and its followers, each with its place."""
    findings = check(UBL.replace(b' currencyID="EUR"', b' currencyID="ZZZ"')).findings
    currencies = [finding for finding in findings if finding.id == "BR-CL-03"]
    assert [finding.cause for finding in currencies].count("") == 1
    assert len({finding.path for finding in currencies}) == len(currencies) > 5


def test_where_the_official_sheet_stops_we_say_so_and_go_on() -> None:
    """A repeated element that a rule supposes single gives EST-SHEET, and the other rules still speak."""
    from estafette.formats.xml import parse
    from estafette.rules.catalogue import BUILT_IN
    from estafette.rules.engine import engine_of
    from estafette.rules.tree import plant

    pack = next(pack for pack in BUILT_IN if pack.coordinate.startswith("cen:en16931:ubl"))
    twice = UBL.replace(b"<cbc:ProfileID>", b"<cbc:InvoiceTypeCode/><cbc:ProfileID>").replace(
        b"<cbc:TaxExclusiveAmount",
        b'<cbc:TaxExclusiveAmount currencyID="EUR">1</cbc:TaxExclusiveAmount><cbc:TaxExclusiveAmount',
    )
    found = {finding.id for finding in engine_of(pack).judge(plant(parse(twice).getroot()))}
    assert "EST-SHEET" in found
    assert len(found) > 1


def test_severities_follow_the_calendar_of_application() -> None:
    """Until 31 August 2026 the French rules warn; then they reject."""
    wrong = UBL.replace(b">M1<", b">M3<")
    assert "BR-FR-08_BT-23" in check(wrong, on=date(2026, 8, 31)).warning
    assert check(wrong, on=date(2026, 8, 31)).accepted
    assert "BR-FR-08_BT-23" in check(wrong, on=date(2026, 9, 1)).fatal
    assert check(wrong).fatal == check(wrong, on=date(2026, 9, 1)).fatal


def test_reports_name_every_finding() -> None:
    """Text, JSON and HTML carry the same identifiers, and escape what they show."""
    verdict = check(UBL.replace(b">380<", b">&lt;b&gt;<"))
    assert "BR-CL-01" in as_text("f.xml", verdict)
    assert b'"fatal":["' in as_json("f.xml", verdict)
    page = as_html([("<f>.xml", verdict)])
    assert "BR-CL-01" in page
    assert "<b>" not in page
    assert totals([verdict]).startswith("0 accepté(s), 1 rejeté(s), 0 illisible(s)")


@pytest.mark.parametrize("kind", ["cdar", "flux10", "flux10-payments"])
def test_messages_other_than_invoices_are_judged_too(kind: str) -> None:
    """Life-cycle statuses and e-reporting have their own syntax and packs."""
    verdict = check(document(kind, 3))
    assert verdict.accepted
    assert verdict.syntax in {"CDAR", "FLUX10"}
    assert len(verdict.packs) == 1


def test_threads_that_judge_at_once_do_not_mix_their_verdicts() -> None:
    """Six threads over good, bad and refused documents give what one gives."""
    documents = [each for kind in ("ubl", "cii", "cdar") for each in mutants(document(kind, 1), 1, 12)]
    alone = [check(data) for data in documents]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(check, documents * 3)) == alone * 3
