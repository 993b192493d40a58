"""Software of a firm acts for its client as far as the client lets it, and no further."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.web.world import an_invoice

from estafette.simulation.ubl import ubl
from estafette.store.identity_accreditations import accredit, take_back
from estafette.store.identity_events import By

HERE, THERE = "100000009", "200000008"
INFO = {"flowSyntax": "UBL", "name": "facture.xml"}
NAMED = {"Organization-Id": HERE}


def let(client: Any, *flow_types: str, read: bool = True, write: bool = True) -> int:
    """The first company lets the second act for it."""
    with client.running.actor.database.begin() as connection:
        by = By("ada", HERE, client.now)
        kinds = {"may_read": read, "may_write": write, "flow_types": flow_types}
        return accredit(connection, by, holder=THERE, starts_on=client.now.date(), **kinds)


def deposit(client: Any, form: Callable[..., Any], *, info: Any = INFO) -> Any:
    """The firm deposits for its client."""
    body, headers = form(info, ubl(an_invoice()))
    return client.call("POST", "/v1/flows", siren=THERE, body=body, headers=headers | NAMED)


def seen(client: Any, siren: str, **headers: str) -> list[str]:
    """Give the flows that software finds."""
    body = b'{"where": {"updatedAfter": "2020-01-01T00:00:00Z"}}'
    answer = client.call("POST", "/v1/flows/search", siren=siren, body=body, headers=headers)
    return [row["flowId"] for row in answer.json["results"]]


def test_a_firm_deposits_and_reads_for_its_client(client: Any, form: Callable[..., Any]) -> None:
    """What the firm deposits is its client's; in its own name the firm has nothing of it."""
    let(client)
    flow = deposit(client, form).json["flowId"]
    client.work()
    assert flow in seen(client, HERE)
    assert flow in seen(client, THERE, **NAMED)
    assert seen(client, THERE) == []
    assert client.call("GET", f"/v1/flows/{flow}", siren=THERE).status == 404
    assert client.call("GET", f"/v1/flows/{flow}", siren=THERE, headers=NAMED).status == 200


@pytest.mark.parametrize("spelling", ["Organization-Id", "Organisation-Id"])
def test_without_accreditation_or_once_it_is_over(client: Any, spelling: str) -> None:
    """Naming an organization that did not let one, or does not any more, is refused: 403."""
    body = b'{"where": {"updatedAfter": "2020-01-01T00:00:00Z"}}'

    def status() -> int:
        answer = client.call("POST", "/v1/flows/search", siren=THERE, body=body, headers={spelling: HERE})
        return int(answer.status)

    assert status() == 403
    number = let(client)
    assert status() == 200
    with client.running.actor.database.begin() as connection:
        take_back(connection, By("ada", HERE, client.now), number)
    assert status() == 403


def test_reading_is_not_writing(client: Any, form: Callable[..., Any]) -> None:
    """Let to read, a firm deposits nothing, and is told which right it lacks."""
    let(client, write=False)
    answer = deposit(client, form)
    assert answer.status == 403
    assert 'scope="flow.write"' in answer.headers["www-authenticate"]


def test_one_type_of_flow_is_not_another(client: Any, form: Callable[..., Any]) -> None:
    """Let to handle invoices received, a firm sees nothing of those issued, and deposits no status."""
    info, headers = form(INFO, ubl(an_invoice()))
    flow = client.call("POST", "/v1/flows", siren=HERE, body=info, headers=headers).json["flowId"]
    client.work()
    let(client, "SupplierInvoice")
    assert flow in seen(client, HERE)
    assert flow not in seen(client, THERE, **NAMED)
    for wanted in ("Metadata", "Original", "ReadableView"):
        answer = client.call("GET", f"/v1/flows/{flow}", siren=THERE, headers=NAMED, query=f"docType={wanted}")
        assert answer.status == 404
    assert deposit(client, form, info={"flowSyntax": "CDAR", "name": "statut.xml"}).status == 403
