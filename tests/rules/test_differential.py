"""The compiled engine and SaxonC say the same of thousands of seeded documents and of their mutants.

The schema is left out on purpose: its refusals would hide the rules from most mutants. Where the official sheet stops,
it gives no verdict; ours must then refuse. The register of what may differ is docs/rules/parity.md.
"""

import os
from collections.abc import Callable

import pytest

from estafette.formats.xml import Unreadable, parse
from estafette.rules.catalogue import Pack, packs_for, schema_for
from estafette.rules.engine import engine_of
from estafette.rules.recognition import recognise
from estafette.rules.schema import schema_findings
from estafette.rules.tree import plant
from estafette.rules.verdict import Finding, Severity
from estafette.simulation.documents import KINDS, document
from estafette.simulation.mutations import mutants

Official = Callable[[Pack, bytes], tuple[Finding, ...]]
SEEDS = int(os.environ.get("ESTAFETTE_DIFFERENTIAL_SEEDS", "10"))
MUTANTS = 18


def _marks(findings: list[Finding] | tuple[Finding, ...]) -> set[tuple[str, Severity]]:
    return {(finding.id, finding.severity) for finding in findings}


def _registered(marks: set[tuple[str, Severity]], official: set[tuple[str, Severity]], data: bytes) -> bool:
    """Say whether a difference on a document that the schema refuses is one of the register."""
    only_ours = {identifier for identifier, _ in marks ^ official}
    return only_ours == {"EST-SHEET"} or b">NaN<" in data


def _compare(data: bytes, official: Official) -> None:
    try:
        tree = parse(data)
    except Unreadable:
        return
    kind = recognise(tree.getroot())
    if kind is None:
        return
    valid = not schema_findings(tree, schema_for(kind.syntax, kind.profile, kind.root))
    top = plant(tree.getroot())
    for pack in packs_for(kind.syntax, kind.profile):
        ours = engine_of(pack).judge(top)
        said = official(pack, data)
        marks, expected = _marks(ours), _marks(said)
        if ("EST-SHEET", Severity.FATAL) in expected:
            assert any(finding.severity is Severity.FATAL for finding in ours), (said[0].value, data)
        elif valid or not _registered(marks, expected, data):
            assert marks == expected, (pack.coordinate, marks ^ expected, data)


@pytest.mark.parametrize("kind", KINDS)
def test_same_identifiers_as_saxon(kind: str, official: Official) -> None:
    """Every identifier and severity of a generated document and of its mutants is that of the official sheet."""
    for seed in range(SEEDS):
        data = document(kind, seed)
        _compare(data, official)
        for mutant in mutants(data, seed, MUTANTS):
            _compare(mutant, official)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "facturx-minimum"])
def test_generated_documents_are_accepted(kind: str) -> None:
    """The generator makes documents without a fatal finding (MINIMUM cannot hold what the French rules require)."""
    from estafette.rules import check

    for seed in range(40):
        verdict = check(document(kind, seed))
        assert verdict.accepted, (verdict.schema, verdict.fatal)


def test_the_generator_is_deterministic() -> None:
    """The same seed gives the same bytes, and mutants too."""
    for kind in KINDS:
        assert document(kind, 7) == document(kind, 7)
    data = document("ubl", 7)
    assert mutants(data, 3, 5) == mutants(data, 3, 5)
