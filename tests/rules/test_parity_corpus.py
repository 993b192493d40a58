"""The engine gives, on every document of the corpus, the verdict of the official artefacts."""

import json
from pathlib import Path

import pytest

from estafette.rules import check

CORPUS = Path(__file__).parents[2] / "../shared/corpus"
EXPECTED = CORPUS / "expected.jsonl"
CASES = [json.loads(line) for line in EXPECTED.read_text().splitlines()] if EXPECTED.exists() else []


@pytest.mark.skipif(not CASES, reason="the corpus is not there")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_same_verdict_as_the_official_artefacts(case: dict[str, object]) -> None:
    """Schema verdict, fatal set and warning set are those of the official artefacts."""
    verdict = check((CORPUS / str(case["file"])).read_bytes())
    assert (verdict.syntax, verdict.profile) == (case["syntax"], case["profile"])
    assert bool(verdict.schema) == bool(case["xsd"])
    assert (sorted(verdict.fatal), sorted(verdict.warning)) == (case["fatal"], case["warning"])
