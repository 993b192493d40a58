"""Our document of the portal's directory API differs from the published one only where it is written why, and holds."""

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.errors import SerializationNotPossible
from tests.api.portal import API, Portal, again, opened
from tests.api.test_fuzzing import ALLOWED, BOUNDED, CHECKS
from tests.api.test_openapi import differences, operations

DOC = (Path(__file__).parents[2] / "docs/directory-api.md").read_text()
PUBLISHED = Path(__file__).parents[2] / "../shared/api/ppf-directory-1.11.0.json"

DEVIATIONS: dict[str, str] = {
    "required POST /ligne-annuaire body $.periodeEffet": "a line needs a day",
    "required POST /ligne-annuaire body $.informationAdressage": "a line needs an address",
}
"""Where our document differs from the published one, and why; docs/directory-api.md tells it."""

LISTED = ("typeEtablissement", "diffusible", "etatAdministratif", "typeEntite", "natureEtablissement",
          "typePlateforme", "statutPlateforme")  # fmt: skip
"""What has a list of values: how long they are is said by the list."""

QUICK = settings(BOUNDED, max_examples=3)

SENT = (("ours", GenerationMode.POSITIVE), ("ours", GenerationMode.NEGATIVE), ("published", GenerationMode.POSITIVE))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give a portal that is filled."""
    made = opened(tmp_path_factory.mktemp("portal"))
    yield made
    made.running.actor.database.close()


@pytest.fixture(scope="module")
def ours(portal: Portal) -> Any:
    """Give our own document, as it is served to anyone."""
    answer = portal.ask_api("GET", "/openapi.json", who=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json


@pytest.fixture(scope="module")
def contract() -> Any:
    """Give the published contract, where it is beside the project."""
    if not PUBLISHED.exists():
        pytest.skip("the published contract is not beside the project")
    return json.loads(PUBLISHED.read_text())


def told(ours: Any, published: Any) -> set[str]:
    """Tell where two documents differ."""
    found = differences(ours, published)
    return {one for one in found if not (one.startswith("length") and set(one.split(".")) & set(LISTED))}


def test_it_differs_only_where_it_is_written_why(contract: Any, ours: Any) -> None:
    """Paths, methods, parameters, codes, fields, what is required, values, lengths: the same, or in the table."""
    assert told(ours, contract) == set(DEVIATIONS)


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_the_table_is_in_the_documentation(deviation: str) -> None:
    """What we depart from is told to whoever reads the page of the API."""
    assert f"`{deviation}`" in DOC


def test_the_difference_is_seen(contract: Any) -> None:
    """A field, a value, a code or a verb that goes missing is told."""
    changed = json.loads(json.dumps(contract))
    del changed["paths"]["/healthcheck"]
    del changed["paths"]["/siren/recherche"]["post"]["responses"]["408"]
    schemas = changed["components"]["schemas"]
    schemas["champSiren"]["enum"].remove("masque")
    del schemas["createCodeRoutageBody"]["properties"]["adresse"]
    seen = {
        "- GET /healthcheck",
        "- POST /siren/recherche response 408",
        "values POST /siren/recherche body $.champs[]",
        "- field POST /code-routage body $.adresse",
    }
    assert seen <= told(changed, contract)


def test_what_it_says_is_served(portal: Portal, ours: Any) -> None:
    """Every operation of the document is a route, and asks for a token unless it is of health."""
    for name in operations(ours):
        method, path = name.split(" ")
        place = path.replace("{id-instance}", "1").replace("{siren}", "100000009").replace("{siret}", "10000000900017")
        answer = portal.ask_api(method, place, who=None)
        assert answer.status == (200 if path == "/healthcheck" else 401), name


@pytest.fixture
def served(portal: Portal, tmp_path: Path) -> Iterator[tuple[str, Portal]]:
    """Give the address of a portal of its own, as a real server has it; its clock runs, for its quota."""
    shutil.copytree(portal.running.actor.folder.parent, tmp_path, dirs_exist_ok=True)
    own = again(tmp_path, portal.tokens)
    server = uvicorn.Server(uvicorn.Config(own.running.application, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{API}", own
    server.should_exit = True
    thread.join()
    own.running.actor.database.close()


@pytest.mark.parametrize(("name", "mode"), SENT)
def test_every_answer_is_as_declared(
    request: pytest.FixtureRequest, served: tuple[str, Portal], name: str, mode: GenerationMode
) -> None:
    """No answer is an error of ours, of an undeclared status or kind, or of another shape than declared."""
    url, own = served
    schema = schemathesis.openapi.from_dict(request.getfixturevalue("ours" if name == "ours" else "contract"))
    headers = {"Authorization": f"Bearer {own.tokens['writer']}"}
    asked: list[int] = []

    def ask(case: Any) -> None:
        with contextlib.suppress(UnicodeEncodeError, SerializationNotPossible):  # what no client can write
            answer = case.call(base_url=url, headers=headers)
            asked.append(answer.status_code)
            if answer.status_code not in ALLOWED:
                case.validate_response(answer, checks=list(CHECKS), headers=headers)

    for found in schema.get_all_operations():
        with contextlib.suppress(Unsatisfiable):  # an operation that nothing wrong can be sent to
            QUICK(given(case=found.ok().as_strategy(generation_mode=mode))(ask))()
    assert len(asked) >= 12
