"""The official documents, where the folder is there, with the verdict that the official artefacts give on each."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "../shared/corpus"
SCHEMAS = Path(__file__).parents[2] / "../shared/schemas/dgfip-v3.2/2-E-invoicing"


def _verdicts() -> list[dict[str, Any]]:
    expected = ROOT / "expected.jsonl"
    if not expected.exists():
        return []
    found = [json.loads(line) for line in expected.read_text().splitlines()]
    return [verdict for verdict in found if verdict["syntax"] in {"UBL", "CII"}]


def _is_accepted(verdict: dict[str, Any]) -> bool:
    return not (verdict["xsd"] or verdict["fatal"] or verdict.get("crash"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `official` on every invoice of the corpus, for `accepted` on those accepted."""
    for fixture, keep in (("official", lambda _: True), ("accepted", _is_accepted)):
        if fixture in metafunc.fixturenames:
            files = [ROOT / verdict["file"] for verdict in _verdicts() if keep(verdict)]
            metafunc.parametrize(fixture, files, ids=[file.stem for file in files])


@pytest.fixture
def corpus() -> Path:
    """Give the folder of official documents, or skip."""
    if not ROOT.exists():
        pytest.skip("the official documents are not there")
    return ROOT


@pytest.fixture
def schemas() -> Path:
    """Give the folder of the State's schemas of the regulatory data, or skip."""
    if not SCHEMAS.exists():
        pytest.skip("the State's schemas are not there")
    return SCHEMAS
