"""The verbs over HTTP do what those of the command line do, for any bearer of a token, and say what is wrong."""

import base64
import json
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from estafette.formats import Syntax, json_form, read, write
from estafette.formats.conversion import EXTENDED_CTC_FR
from estafette.invoice import Invoice, Line
from estafette.rules import check
from estafette.simulation import samples
from estafette.values import limits

Client = Any
DAY = date(2026, 9, 1)
SAMPLE = samples.load("service", number="F-1", issue_date=DAY)
VERBS = ("convert", "show", "complete", "diff", "check")
DRAFT = b"""
number: F2026-42
date: 2026-09-15
nature: services
seller: {name: Atelier Caravelle, siren: 100000009, vat_number: auto, city: Lille}
buyer: {name: Maison Tilleul, siren: 200000008, city: Nantes}
lines:
  - {description: Conseil, quantity: 3, unit: jour, price: 450, vat: 20}
"""


def post(client: Client, verb: str, data: bytes, query: str = "", **headers: str) -> Any:
    """Send a document to a verb."""
    return client.call("POST", f"/v1/{verb}", body=data, query=query, headers=headers)


def files(**contents: bytes) -> tuple[bytes, dict[str, str]]:
    """Write a form of files."""
    head = 'Content-Disposition: form-data; name="{0}"; filename="{0}.xml"\r\n\r\n'
    parts = [b"--frontier\r\n" + head.format(name).encode() + data + b"\r\n" for name, data in contents.items()]
    return b"".join(parts) + b"--frontier--\r\n", {"Content-Type": "multipart/form-data; boundary=frontier"}


@pytest.mark.parametrize(
    ("to", "kind"), [("ubl", "application/xml"), ("cii", "application/xml"), ("facturx", "application/pdf")]
)
def test_what_is_converted_is_accepted(shared_client: Client, to: str, kind: str) -> None:
    """The answer is the document, which the official rules accept, with the account of its terms beside it."""
    answer = post(shared_client, "convert", SAMPLE, f"to={to}")
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert check(answer.body).accepted
    account = json.loads(answer.headers["estafette-losses"])
    assert account["lost"] == 0
    assert account["kept"] > 20
    assert read(answer.body).totals == read(SAMPLE).totals


def test_the_model_as_json_and_back(shared_client: Client) -> None:
    """A document becomes JSON, and the JSON a document again, which says the same."""
    there = post(shared_client, "convert", SAMPLE, "to=json")
    assert json_form.read(there.body) == read(SAMPLE)
    back = post(shared_client, "convert", there.body, "to=ubl")
    assert read(back.body) == read(SAMPLE)


def test_the_account_of_each_term(shared_client: Client) -> None:
    """Asked for JSON, the answer holds the document and the fate of every term, in two languages."""
    data = write(replace(read(SAMPLE), lines=(replace(read(SAMPLE).lines[0], total_with_vat=12),)), Syntax.CII)
    answer = post(shared_client, "convert", data, "to=ubl", Accept="application/json")
    assert read(base64.b64decode(answer.json["document"])).number == "F-1"
    (lost,) = [one for one in answer.json["outcomes"] if one["fate"] == "lost"]
    assert lost["term"] == "EXT-FR-FE-184"
    assert lost["why_fr"]
    assert lost["why_en"]


def test_a_long_account_is_its_counts(shared_client: Client) -> None:
    """What does not fit into a header is counted there, and nothing breaks the header."""
    strange = b"".join(b"<cbc:Colour%d>rouge \xc3\xa9</cbc:Colour%d>" % (one, one) for one in range(200))
    data = SAMPLE.replace(b"</cbc:ID>", b"</cbc:ID>" + strange, 1)
    answer = post(shared_client, "convert", data, "to=cii")
    account = json.loads(answer.headers["estafette-losses"])
    assert (account["lost"], "outcomes" in account) == (200, False)


def test_a_narrower_profile_brings_the_readable_version(shared_client: Client) -> None:
    """From EXTENDED-CTC-FR to EN 16931 with a loss, the readable version is attached as LISIBLE, and it is said."""
    invoice = replace(read(SAMPLE), specification_identifier=EXTENDED_CTC_FR, contract_date=DAY)
    answer = post(shared_client, "convert", write(invoice, Syntax.CII), "to=cii&profile=en16931")
    account = json.loads(answer.headers["estafette-losses"])
    fates = {one["term"]: one["fate"] for one in account["outcomes"]}
    assert (fates["BT-24"], fates["BG-24"], "lost" in fates.values()) == ("moved", "added", True)
    assert [one.description for one in read(answer.body).supporting_documents][-1] == "LISIBLE"


@pytest.mark.parametrize(("form", "begins"), [("html", b"<!doctype html"), ("pdf", b"%PDF-")])
def test_what_is_shown(shared_client: Client, form: str, begins: bytes) -> None:
    """The readable form comes as a page or a PDF, in either language."""
    for language in ("fr", "en"):
        answer = post(shared_client, "show", SAMPLE, f"form={form}&lang={language}")
        assert answer.status == 200
        assert answer.body[:20].lower().startswith(begins.lower())


def test_a_draft_is_completed(shared_client: Client) -> None:
    """A draft in YAML or JSON becomes an invoice, with each figure explained and each default told."""
    as_json = json.dumps(
        {
            "number": "F2026-42", "date": "2026-09-15", "nature": "services",
            "seller": {"name": "Atelier Caravelle", "siren": "100000009", "vat_number": "auto", "city": "Lille"},
            "buyer": {"name": "Maison Tilleul", "siren": "200000008", "city": "Nantes"},
            "lines": [{"description": "Conseil", "quantity": "3", "unit": "jour", "price": "450", "vat": "20"}],
        }
    )  # fmt: skip
    answers = [post(shared_client, "complete", data) for data in (DRAFT, as_json.encode())]
    assert answers[0].json == answers[1].json
    made = answers[0].json
    due = next(one for one in made["figures"] if one["term"] == "BT-115")
    assert due["value"] == made["invoice"]["totals"]["amount_due"] == "1620.00"
    assert "BT-112" in due["fr"]
    assert made["defaults"]
    document = post(shared_client, "convert", json.dumps(made["invoice"]).encode(), "to=ubl")
    assert check(document.body).accepted


def test_two_invoices_are_compared(shared_client: Client) -> None:
    """Two documents, whatever their syntaxes, are compared by business term."""
    other = write(replace(read(SAMPLE), number="F-2"), Syntax.CII)
    body, headers = files(a=SAMPLE, b=other)
    answer = shared_client.call("POST", "/v1/diff", body=body, headers=headers)
    assert [(one["term"], one["first"], one["second"]) for one in answer.json["differences"]] == [
        ("BT-1", "F-1", "F-2")
    ]


def test_a_document_is_judged(shared_client: Client) -> None:
    """The verdict of the official rules comes whole; what cannot be read is judged too."""
    assert post(shared_client, "check", SAMPLE, "on=2026-09-01").json["accepted"]
    wrong = write(replace(read(SAMPLE), number=None), Syntax.UBL)
    assert not post(shared_client, "check", wrong).json["accepted"]
    assert not post(shared_client, "check", b"%PDF-1.7 half").json["accepted"]


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_without_a_token(shared_client: Client, verb: str) -> None:
    """Without a token, or with one that is none, nothing is done."""
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        answer = shared_client.call("POST", f"/v1/{verb}", siren=None, body=SAMPLE, headers=headers)
        assert (answer.status, answer.json["errorCode"]) == (401, "MISSING_TOKEN")


WRONG = [
    ("convert", "", SAMPLE, 400), ("convert", "to=edifact", SAMPLE, 400),
    ("convert", "to=ubl&profile=minimum", SAMPLE, 400), ("convert", "to=json&profile=en16931", SAMPLE, 400),
    ("convert", "to=ubl", b"", 422),
    ("convert", "to=ubl", b"<x/>", 422), ("convert", "to=ubl", b'{"number": 1}', 422),
    ("convert", "to=ubl", b'{"number": "F\\u0000"}', 422), ("convert", "to=ubl", b"%PDF-1.7", 422),
    ("show", "form=png", SAMPLE, 400), ("show", "lang=de", SAMPLE, 400), ("show", "", b"junk", 422),
    ("complete", "", b"", 422), ("complete", "", b"number: [", 422), ("diff", "", SAMPLE, 400),
    ("check", "on=yesterday", SAMPLE, 400),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "query", "data", "status"), WRONG)
def test_what_is_wrong_is_told(shared_client: Client, verb: str, query: str, data: bytes, status: int) -> None:
    """Whatever is wrong, the answer has the published shape and says it in two languages."""
    answer = post(shared_client, verb, data, query)
    assert (answer.status, set(answer.json)) == (status, {"type", "errorCode", "errorMessage"})
    assert answer.json["errorMessage"]


@pytest.mark.parametrize(
    ("verb", "query", "limit"),
    [("convert", "to=ubl", limits.FILE_BYTES_MAX), ("complete", "", limits.DRAFT_BYTES_MAX), ("diff", "", None)],
)
def test_a_body_without_end_is_cut(shared_client: Client, verb: str, query: str, limit: int | None) -> None:
    """A body past its limit is refused there, whatever its headers said, and not read further."""
    limit = limit or 2 * limits.FILE_BYTES_MAX
    head = b'--frontier\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n' if verb == "diff" else b" "
    pieces = (b" " * (limit // 8) if number else head for number in range(100))
    headers = {"Content-Type": "multipart/form-data; boundary=frontier"} if verb == "diff" else {}
    answer = shared_client.call("POST", f"/v1/{verb}", body=pieces, query=query, headers=headers)
    assert answer.status == 413
    assert shared_client.given <= 10 * (limit // 8) + len(head)


def test_a_flow_in_another_form(client: Client) -> None:
    """A deposited invoice is given in the other syntax, or in the form asked for; the original stays as it came."""
    flow = client.deposit({"flowSyntax": "UBL", "name": "F-1.xml"}, SAMPLE).json["flowId"]
    path = f"/v1/flows/{flow}"
    other = client.call("GET", path, query="docType=Converted")
    assert "filename=F-1.cii.xml" in other.headers["content-disposition"]
    assert other.headers["link"] == '<?docType=Original>; rel="original"'
    account = json.loads(other.headers["estafette-losses"])
    assert account["source"] == client.call("GET", path).json["sha256"]
    assert check(other.body).syntax == "CII"
    assert read(other.body).totals == read(SAMPLE).totals
    assert client.call("GET", path, query="docType=Converted&to=facturx").body.startswith(b"%PDF-")
    assert json_form.read(client.call("GET", path, query="docType=Converted&to=json").body) == read(SAMPLE)
    assert client.call("GET", path, query="docType=Converted&to=edifact").status == 400
    assert client.call("GET", path, query="docType=Original").body == SAMPLE


def test_a_line_that_groups_is_lost_in_the_core() -> None:
    """Lines that only group are told as lost under EN 16931, whose totals would count them."""
    from estafette.formats.conversion import EN16931, Fate, of_invoice

    invoice = Invoice(number="F1", lines=(Line(identifier="1", subtype="GROUP"), Line(identifier="2")))
    made = of_invoice(invoice, Syntax.CII, profile=EN16931)
    assert [line.identifier for line in read(made.document).lines] == ["2"]
    assert "BG-25" in {one.term for one in made.of(Fate.LOST)}
