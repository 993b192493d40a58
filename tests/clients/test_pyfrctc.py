"""pyfrctc, which installed ERP modules speak through, runs as it is against the whole system.

It deposits, polls, fetches, asks the directory, makes statuses and reads ours, as those modules do.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pyfrctc
import pytest
from pyfrctc import pyfrctc as core
from tests.clients.conftest import Seat, invoice, until

ODOO_POLL = ["SupplierInvoice", "CustomerInvoiceLC", "SupplierInvoiceLC"]
DEPOSITS = 250

Session = Any


def opened(seat: Seat, name: str) -> Session:
    """Open a session as a module does: the platform is known by its two addresses, the token kept by the caller."""
    token = f"{seat.url}/oauth2/token"
    core.PLATFORMS[name] = {
        "afnor_base_url": seat.url, "token_url": token, "authorize_url": f"{seat.url}/oauth2/authorize", "label": name,
    }  # fmt: skip
    kept: dict[str, Any] = {}
    session = pyfrctc.get_session(
        name,
        "client_credentials",
        "the company",
        lambda _method: {"access_token": None, "expires_at": None},
        kept.update,
        seat.client_id,
        client_secret=seat.secret,
    )
    assert kept["expires_at"] > datetime.now(UTC).timestamp()
    return session


pytestmark = pytest.mark.usefixtures("insecure")


@pytest.fixture(scope="module")
def ours(supplier: Seat) -> Iterator[Session]:
    """The supplier's session."""
    with opened(supplier, "ours-a") as session:
        yield session


@pytest.fixture(scope="module")
def theirs(customer: Seat) -> Iterator[Session]:
    """The customer's session."""
    with opened(customer, "ours-b") as session:
        yield session


def settled(session: Session, flow: str) -> dict[str, Any]:
    """Return the metadata of a flow once it is acknowledged."""
    return until(lambda: pyfrctc.get_flow_metadata_parsed(session, flow), lambda seen: seen["state"] != "sent")


def polled(session: Session, since: datetime, types: list[str] = ODOO_POLL) -> list[dict[str, Any]]:
    """Return what a module sees when it polls: what came in since a moment."""
    return list(pyfrctc.search_flows_parsed(session, since, ["in"], types))


@pytest.mark.parametrize("service", ["flow", "directory"])
def test_health(ours: Session, service: str) -> None:
    """Both services say that they are there."""
    assert pyfrctc.healthcheck(ours, type=service) is True


def test_deposit_follow_and_fetch(ours: Session) -> None:
    """A deposit answers 202 at once, is followed to its acknowledgement, and comes back byte for byte."""
    document = invoice("PYF-1")
    flow = pyfrctc.send_flow_parsed(ours, document, "PYF-1.xml", "UBL", "B2B")
    assert flow["submitted_at"] <= datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=1)
    metadata = settled(ours, flow["flowId"])
    assert (metadata["state"], metadata["flow_direction"], metadata["name"]) == ("done", "out", "PYF-1.xml")
    assert pyfrctc.get_flow(ours, flow["flowId"], "Original") == document
    assert pyfrctc.get_flow(ours, flow["flowId"], "ReadableView").startswith(b"%PDF")


def test_a_deposit_that_cannot_be_taken(ours: Session) -> None:
    """A file that is no invoice is acknowledged in error, with the four words that the client needs to show it."""
    flow = pyfrctc.send_flow_parsed(ours, b"<nothing/>", "nothing.xml", "CII", "B2B")
    metadata = settled(ours, flow["flowId"])
    assert metadata["state"] == "error"
    assert "Error on" in metadata["ap_error_details"]


def test_a_whole_exchange(ours: Session, theirs: Session) -> None:
    """The customer polls the invoice and approves it with a CDAR of the client's own making; the supplier reads it.

    The statuses that the supplier polls on its way are read by the client's own parser, against its own schema.
    """
    since = datetime.now(UTC) - timedelta(hours=1)
    number = "PYF-EXCHANGE"
    document = invoice(number)
    flow = pyfrctc.send_flow_parsed(ours, document, f"{number}.xml", "UBL", "B2B")
    assert settled(ours, flow["flowId"])["state"] == "done"

    def received() -> list[bytes]:
        found = polled(theirs, since, ["SupplierInvoice"])
        return [pyfrctc.get_flow(theirs, one["flowId"], "Original") for one in found]

    assert document in until(received, lambda documents: document in documents)
    answer = pyfrctc.send_flow_parsed(theirs, approval(number), f"{number}_205.xml", "CDAR", "NotApplicable")
    acknowledged = settled(theirs, answer["flowId"])
    assert acknowledged["state"] == "done", acknowledged

    def statuses() -> list[dict[str, Any]]:
        found = polled(ours, since, ["CustomerInvoiceLC"])
        messages = [pyfrctc.parse_cdar(pyfrctc.get_flow(ours, one["flowId"], "Original")) for one in found]
        return [message for message in messages if message["invoice_number"] == number]

    told = until(statuses, lambda seen: "205" in [message["status_code"] for message in seen])
    assert {"200", "202", "203", "205"} <= {message["status_code"] for message in told}
    assert {message["invoice_issuer"]["0002"] for message in told} == {"100000009"}


def approval(number: str) -> bytes:
    """Return a CDAR that the client makes: the customer approves the invoice (205)."""
    now = datetime.now(UTC)
    made = {
        "MDT-2": "REGULATED", "MDT-3": "urn.cpro.gouv.fr:1p0:CDV:invoice", "MDT-4": f"{number}_205_PYF",
        "MDT-5": "Approuvée", "MDT-8": now, "MDT-21": "WK",
        "MDT-38": {"0002": "200000008"}, "MDT-39": "Maison Tilleul", "MDT-40": "BY",
        "MDT-57": {"0002": "100000009"}, "MDT-58": "Atelier Caravelle", "MDT-59": "SE",
        "MDT-73": "100000009_STATUTS", "MDT-73-1": "0225",
        "MDT-74": False, "MDT-77": 23, "MDT-78": now, "MDT-87": number, "MDT-88": "1", "MDT-91": "380",
        "MDT-95": now, "MDT-100": now.date(), "MDT-105": "205", "MDT-106": "Approuvée",
        "MDT-129": {"0002": "100000009"},
    }  # fmt: skip
    return bytes(pyfrctc.generate_cdar(made))


def test_the_directory(ours: Session) -> None:
    """Units, establishments and lines are told in words that the client understands whole."""
    assert pyfrctc.get_directory_siren_parsed(ours, "200 000 008") == {
        "name": "Maison Tilleul", "closed": False, "entity_type": "private", "siren": "200000008",
    }  # fmt: skip
    assert pyfrctc.get_directory_siren_parsed(ours, "732829320") == {"entity_type": "no", "siren": "732829320"}
    hall = pyfrctc.get_directory_siret_parsed(ours, "40000000600009")
    assert (hall["city"], hall["zip"], hall["street"]) == ("Valbrune", "05100", "Hôtel de ville")
    assert (hall["b2g_service_required"], hall["b2g_service_or_commitment_required"]) == (False, True)
    assert pyfrctc.get_directory_siret_parsed(ours, "73282932000074") == {
        "entity_type": "no",
        "siret": "73282932000074",
    }
    mill = pyfrctc.get_directory_siret_parsed(ours, "30000000700017")
    assert (mill["street"], mill["city"]) == (None, "Châteauroux")


def test_the_lines_of_the_directory(ours: Session) -> None:
    """Addresses of every grain are told with their state: in force, to come, without a platform; one masked is not."""
    lines = pyfrctc.get_directory_lines_parsed(ours, "200000008")
    assert {address: (line["type"], line["state"]) for address, line in lines.items()} == {
        "200000008": ("siren", "active"),
        "200000008_20000000800025": ("siret", "active"),
        "200000008_COMPTABILITE": ("suffix", "upcoming"),
    }
    hall = pyfrctc.get_directory_siret_parsed(ours, "40000000600009")
    desks = pyfrctc.get_directory_lines_parsed(ours, "40000000600009", siret_parsed=hall)
    desk = desks["400000006_40000000600009_VOIRIE"]
    assert (desk["routing_code_name"], desk["commitment_required"]) == ("Service de la voirie", True)
    assert pyfrctc.get_directory_lines_parsed(ours, "700000003")["700000003"]["state"] == "disabled"
    assert list(pyfrctc.get_directory_lines_parsed(ours, "300000007")) == ["300000007"]
    assert pyfrctc.get_directory_lines_parsed(ours, "732829320") == {}


def test_deposits_at_once_are_all_found(ours: Session) -> None:
    """Two hundred and fifty deposits at once have as many flows; paging as the client does finds each of them."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    document = invoice("PYF-MANY")

    def deposit(number: int) -> str:
        content = document.replace(b"PYF-MANY", f"PYF-MANY-{number}".encode())
        flow = pyfrctc.send_flow_parsed(ours, content, f"PYF-MANY-{number}.xml", "UBL", "B2B")
        return str(flow["flowId"])

    with ThreadPoolExecutor(DEPOSITS) as pool:
        deposited = set(pool.map(deposit, range(DEPOSITS)))
    assert len(deposited) == DEPOSITS
    found = [flow["flowId"] for flow in pyfrctc.search_flows_parsed(ours, since, ["out"], None)]
    assert deposited <= set(found)
    until(
        lambda: pyfrctc.search_flows_parsed(ours, since, ["out"], ["CustomerInvoice"]),
        lambda flows: deposited <= {flow["flowId"] for flow in flows if flow["state"] == "done"},
    )
