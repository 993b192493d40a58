"""The flow client of mcp-facture-electronique-fr, which assistants speak through, runs as it is against the system."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mcp_einvoicing_core.http_client import TokenCache
from mcp_facture_electronique_fr.clients.flow_client import FlowClient
from mcp_facture_electronique_fr.config import PAConfig
from tests.clients.conftest import Seat, invoice, until

from estafette.formats import cdar

Run = Callable[[Awaitable[Any]], Any]


def configured(seat: Seat) -> PAConfig:
    """Return what the client is told of the platform: two addresses, credentials, the company that it acts for."""
    return PAConfig(
        pa_base_url_flow=f"{seat.url}/flow-service",
        pa_token_url=f"{seat.url}/oauth2/token",
        pa_client_id=seat.client_id,
        pa_client_secret=seat.secret,
        pa_organization_id=seat.entry.siren,
        ppf_annuaire_base_url=f"{seat.url}/ppf",
        _env_file=None,
    )


@pytest.fixture
def loop() -> Iterator[Run]:
    """Give what runs a coroutine to its end, always in the same loop: the client keeps its connections."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def ours(loop: Run, supplier: Seat) -> Iterator[FlowClient]:
    """The supplier's client."""
    client = FlowClient(configured(supplier), TokenCache())
    yield client
    loop(client.aclose())


@pytest.fixture
def theirs(loop: Run, customer: Seat) -> Iterator[FlowClient]:
    """The customer's client."""
    client = FlowClient(configured(customer), TokenCache())
    yield client
    loop(client.aclose())


def test_a_deposit_followed(loop: Run, ours: FlowClient) -> None:
    """Health, deposit with its hash and tracking id, metadata, bytes and search answer as the client expects."""
    assert loop(ours.healthcheck())["http_status"] == 200
    document, track = invoice("MCP-1"), "MCP-1"
    flow = loop(
        ours.submit_flow(
            document, "MCP-1.xml", "UBL", processing_rule="B2B", flow_type="CustomerInvoice", tracking_id=track,
            sha256=hashlib.sha256(document).hexdigest(),
        )
    )  # fmt: skip
    settled = until(lambda: loop(ours.get_flow(flow["flowId"])), is_settled)
    assert (settled["acknowledgement"]["status"], settled["trackingId"]) == ("Ok", track)
    assert settled["processingRuleSource"] == "Input"
    assert loop(ours.get_flow(flow["flowId"], "Original")) == document
    asked = {"updated_after": "2020-01-01T00:00:00Z", "flow_direction": "Out", "tracking_id": track, "limit": 100}
    assert [one["flowId"] for one in loop(ours.search_flows(**asked))["results"]] == [flow["flowId"]]


def test_a_wrong_hash_is_refused(loop: Run, ours: FlowClient) -> None:
    """A file that is not the one that was hashed makes no flow; the client has the code and the words."""
    with pytest.raises(Exception, match="sha256") as refused:
        loop(ours.submit_flow(b"<x/>", "x.xml", "UBL", tracking_id="MCP-HASH", sha256="0" * 64))
    assert refused.value.status_code == 422  # type: ignore[attr-defined]
    found = loop(ours.search_flows(tracking_id="MCP-HASH"))
    assert found["results"] == []


def test_a_status_of_its_own_making(loop: Run, ours: FlowClient, theirs: FlowClient) -> None:
    """The customer's assistant approves the invoice that it received; the supplier's reads the status that came."""
    number, today = "MCP-EXCHANGE", datetime.now(UTC).date().isoformat()
    document = invoice(number)
    since = loop(ours.submit_flow(document, f"{number}.xml", "UBL"))["submittedAt"]

    def received() -> list[str]:
        flows = loop(
            theirs.search_flows(updated_after=since, flow_type="SupplierInvoice", flow_direction="In", limit=100)
        )["results"]
        return [one["flowId"] for one in flows if loop(theirs.get_flow(one["flowId"], "Original")) == document]

    (held,) = until(received, bool)
    flow = loop(
        theirs.submit_lifecycle_status(
            held, "Approved", invoice_id=number, invoice_issue_date=today, issuer_party_id="200000008",
            issuer_party_name="Maison Tilleul", issuer_role_code="BY", recipient_party_id="100000009",
            recipient_party_name="Atelier Caravelle", recipient_role_code="SE",
        )
    )  # fmt: skip
    settled = until(lambda: loop(theirs.get_flow(flow["flowId"])), is_settled)
    assert settled["acknowledgement"]["status"] == "Ok", settled["acknowledgement"]
    assert settled["trackingId"] == held

    def told() -> set[str]:
        flows = loop(
            ours.search_flows(updated_after=since, flow_type="CustomerInvoiceLC", flow_direction="In", limit=100)
        )["results"]
        messages = [cdar.read(loop(ours.get_flow(one["flowId"], "Original"))) for one in flows]
        return {message.status for message in messages if message.object_identifier == number}

    assert "205" in until(told, lambda seen: "205" in seen)


def is_settled(flow: dict[str, Any]) -> bool:
    """Tell whether a flow is acknowledged."""
    return bool(flow["acknowledgement"]["status"] != "Pending")
