"""Whatever a document allows to be sent is answered as that document says: ours, and those published (schemathesis)."""

import contextlib
import copy
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import SerializationNotPossible
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from estafette.platform.flow_form import FlowProfile, FlowType, ProcessingRule

HERE = "100000009"
API = Path(__file__).parents[2] / "../shared/api"
EDITIONS = ("xp-z12-013-flow.json", "xp-z12-013-flow-1.2.0.json", "xp-z12-013-flow-1.3.0.json")
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 12
Client = Any

OF_1_3 = [set(get_args(kind)) for kind in (ProcessingRule, FlowProfile, FlowType)]

ALLOWED = frozenset({405, 406, 415})
"""What a router refuses by itself, which no edition declares and §4.1 allows."""


@pytest.fixture
def served(client: Client) -> Iterator[str]:
    """Give the address of the platform, as a real server has it."""
    server = uvicorn.Server(uvicorn.Config(client.running.application, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/flow-service"
    server.should_exit = True
    thread.join()


def patched(document: Any) -> Any:
    """Return a published document without the errors known in it: a format that its pattern belies, a list of webhooks
    that asks for another name than it gives, a null among texts; lists of 1.1 and 1.2 have the values of 1.3 too.
    """
    made = copy.deepcopy(document)
    for part in walked(made):
        if part.get("required") == ["count", "webhookIds"] and "webhooks" in part.get("properties", {}):
            part["required"] = ["count", "webhooks"]
        if part.get("format") == "byte" and part.get("pattern"):
            del part["format"]
        if isinstance(part.get("enum"), list):
            newer = {value for values in OF_1_3 if (values - {"Undefined"}) & set(part["enum"]) for value in values}
            part["enum"] = [value for value in {*part["enum"], *newer} if value is not None]
            part["enum"].sort()
    return made


def walked(value: Any) -> Iterator[dict[str, Any]]:
    """Give every object inside a document."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from walked(one)


def document_of(name: str, client: Client) -> Any:
    """Return a document, patched where it is a published one."""
    if name == "ours":
        return client.call("GET", "/flow-service/openapi.json", siren=None).json
    file = API / name
    if not file.exists():
        pytest.skip("the published documents are not beside the project")
    return patched(json.loads(file.read_text()))


BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("name", ["ours", *EDITIONS])
def test_every_answer_is_as_declared(client: Client, served: str, name: str, mode: GenerationMode) -> None:
    """No answer is an error of ours, of an undeclared status or kind, or of another shape than declared."""
    schema = schemathesis.openapi.from_dict(document_of(name, client))
    headers = {"Authorization": f"Bearer {client.tokens[HERE]}"}
    asked: list[int] = []

    def ask(case: Any) -> None:
        with contextlib.suppress(UnicodeEncodeError, SerializationNotPossible):  # what no client can write
            answer = case.call(base_url=served, headers=headers)
            asked.append(answer.status_code)
            if answer.status_code not in ALLOWED:
                case.validate_response(answer, checks=list(CHECKS), headers=headers)

    for found in schema.get_all_operations():
        with contextlib.suppress(Unsatisfiable):  # an operation that nothing wrong can be sent to
            BOUNDED(given(case=found.ok().as_strategy(generation_mode=mode))(ask))()
    assert len(asked) >= EXAMPLES
