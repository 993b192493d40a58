"""The unit tests that CEN publishes with its UBL rules: what must hold holds, what must fail fails."""

from copy import deepcopy
from pathlib import Path

import pytest
from lxml import etree

from estafette.rules.catalogue import BUILT_IN
from estafette.rules.engine import engine_of
from estafette.rules.tree import plant

FOLDER = Path(__file__).parents[2] / "../shared/corpus/cen-1.3.16"
FILES = sorted(FOLDER.glob("unit-ubl-*/*.xml"))
NAMESPACE = "{http://difi.no/xsd/vefa/validator/1.0}"
EN16931 = next(pack for pack in BUILT_IN if pack.coordinate.startswith("cen:en16931:ubl"))


def _identifiers(test: etree._Element, kind: str) -> set[str]:
    return {(item.text or "").strip() for item in test.iterfind(f"{NAMESPACE}assert/{NAMESPACE}{kind}")}


@pytest.mark.skipif(not FILES, reason="the corpus is not there")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_expected_success_and_error(path: Path) -> None:
    """In each fragment, the identifiers that must succeed do not speak, and those that must fail do."""
    for test in etree.parse(str(path)).iterfind(f"{NAMESPACE}test"):
        fragment = next(item for item in test if item.tag != NAMESPACE + "assert" and isinstance(item.tag, str))
        found = {finding.id for finding in engine_of(EN16931).judge(plant(deepcopy(fragment)))}
        assert not found & _identifiers(test, "success"), etree.tostring(fragment)
        failing = _identifiers(test, "error") | _identifiers(test, "warning")
        assert failing <= found, etree.tostring(fragment)
