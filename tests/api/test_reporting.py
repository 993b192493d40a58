"""E-reporting over HTTP: records handed in, drafts looked at, a period sent; one company never sees another's."""

import json

import pytest
from tests.api.conftest import THERE, Client

from estafette.formats import flux10
from estafette.values.limits import REPORTING_FILE_BYTES_MAX

ROWS = b"id,date,category,rate,taxable_amount,tax_amount\nZ1,2026-08-31,TLB1,20,100.00,20.00\n"
PERIOD = "/reporting/v1/drafts/SE/transactions/2026-08-31"


def test_from_records_to_a_draft(client: Client) -> None:
    """What is handed in is in the draft at once, with its source, its totals and the file that would leave."""
    answer = client.call("POST", "/reporting/v1/records", body=ROWS, query="name=z.csv")
    assert (answer.status, answer.json["state"], answer.json["rows"]) == (200, "taken", 1)
    (listed,) = client.call("GET", "/reporting/v1/drafts").json["drafts"]
    assert (listed["state"], listed["type"], listed["totals"]["10.3"]) == (
        "ready",
        "IN",
        {"EUR": "100.00", "VAT": "20.00"},
    )
    shown = client.call("GET", PERIOD).json
    (unit,) = shown["units"]
    assert (unit["source"], unit["source_id"], unit["place"]) == ("file", answer.json["fileId"], 2)
    assert shown["faults"] == []
    report = flux10.read(client.call("GET", f"{PERIOD}/document").body)
    assert (report.type_code, report.daily_totals[0].category) == ("IN", "TLB1")


def test_the_same_file_twice_changes_nothing(client: Client) -> None:
    """Handed in again, the rows are the same ones."""
    assert client.call("POST", "/reporting/v1/records", body=ROWS).json["changes"] == 1
    assert client.call("POST", "/reporting/v1/records", body=ROWS).json["changes"] == 0


def test_bad_rows_are_answered(client: Client) -> None:
    """A file with a bad row is refused whole and each fault is told; its good rows are taken when asked for."""
    bad = ROWS + b"Z2,2026-08-31,TLB9,20,1,0.2\n"
    answer = client.call("POST", "/reporting/v1/records", body=bad)
    assert (answer.status, answer.json["state"]) == (422, "refused")
    (fault,) = answer.json["faults"]
    assert (fault["line"], fault["column"], fault["seen"]) == (3, "category", "TLB9")
    assert client.call("GET", "/reporting/v1/drafts").json["drafts"] == []
    partial = client.call("POST", "/reporting/v1/records", body=bad, query="partial=yes")
    assert (partial.status, partial.json["state"], partial.json["rows"]) == (200, "partial", 1)


def test_a_file_too_large(client: Client) -> None:
    """A file is read up to its limit, REPORTING_FILE_BYTES_MAX, and no further."""
    padding = b"\n" * (REPORTING_FILE_BYTES_MAX - len(ROWS))
    assert client.call("POST", "/reporting/v1/records", body=ROWS + padding).status == 200
    assert client.call("POST", "/reporting/v1/records", body=ROWS + padding + b"\n").status == 413


def test_sending(client: Client) -> None:
    """A period is sent once it is over, and only when there is something new to send."""
    day = json.dumps([{"date": "2026-09-01", "category": "TPS1", "rate": 10, "taxable_amount": 9, "tax_amount": 0.9}])
    assert client.call("POST", "/reporting/v1/records", body=day.encode()).status == 200
    current = "/reporting/v1/drafts/SE/transactions/2026-09-01"
    refused = client.call("POST", f"{current}/transmission")
    assert (refused.status, "2026-09-10" in refused.json["errorMessage"]) == (422, True)
    assert client.call("POST", "/reporting/v1/records", body=ROWS).status == 200
    assert client.call("POST", f"{PERIOD}/transmission").status == 202
    assert client.call("POST", "/reporting/v1/drafts/BY/transactions/2026-09-01/transmission").status == 422


@pytest.mark.parametrize("path", [PERIOD, f"{PERIOD}/document", "/reporting/v1/drafts"])
def test_of_another_company(client: Client, path: str) -> None:
    """Another company's token shows nothing of this one; no token shows nothing at all."""
    client.call("POST", "/reporting/v1/records", body=ROWS)
    assert b"100.00" not in client.call("GET", path, siren=THERE).body
    assert client.call("GET", path, siren=None).status == 401


@pytest.mark.parametrize("where", ["XX/transactions/2026-09-01", "SE/all/2026-09-01", "SE/payments/yesterday"])
def test_no_such_period(client: Client, where: str) -> None:
    """An address that names no period is not found, and says how periods are named."""
    answer = client.call("GET", f"/reporting/v1/drafts/{where}")
    assert (answer.status, "SE" in answer.json["errorMessage"]) == (404, True)
