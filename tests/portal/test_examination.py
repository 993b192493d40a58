"""Stage 2 of a status is the official schema, no more and no less: what it takes is an object by itself."""

from functools import cache

import pytest
from lxml import etree
from tests.mutants import mutants
from tests.platform.world import TODAY
from tests.portal.envelopes import STATUSES, new_name, status

from estafette.formats import cdar, flow_archive
from estafette.formats.cdar import Named
from estafette.formats.status_message import StatusMessage
from estafette.portal.examination import Controlled, examine
from estafette.rules.catalogue import SCHEMAS


@cache
def schema() -> etree.XMLSchema:
    """Give the schema of CDAR D22B."""
    return etree.XMLSchema(etree.parse(str(SCHEMAS[("CDAR", "")])))


def examined(*contents: bytes) -> Controlled:
    """Return what a flow of these statuses says by itself."""
    name = new_name(STATUSES)
    files = {f"{place}.xml": content for place, content in enumerate(contents)}
    return examine(name.archive, flow_archive.pack(files), on=TODAY)


@pytest.mark.parametrize("code", ["200", "210", "212", "213"])
def test_stage_2_is_the_schema(code: str) -> None:
    """Whatever one changes in a status, the flow is irreceivable (IRR_SYNTAX) when the schema refuses it, only then."""
    whole = etree.fromstring(cdar.write(status("F1", code)))
    seen = {"refused": 0, "read": 0, "unread": 0}
    for mutant in mutants(whole):
        controlled = examined(etree.tostring(mutant))
        if not schema().validate(etree.ElementTree(mutant)):
            assert [one.code for one in controlled.refusals] == ["IRR_SYNTAX"]
            seen["refused"] += 1
            continue
        (file,) = controlled.files
        seen["unread" if isinstance(file.read, Named) else "read"] += 1
    assert min(seen.values()) > 5, seen


def test_one_against_the_schema_among_good_ones() -> None:
    """One status against the schema makes the whole irreceivable, and is named with the place of its fault."""
    good = [cdar.write(status(f"F{number}", "200")) for number in range(2)]
    bad = good[1].replace(b"ram:ProcessConditionCode", b"ram:Condition")
    (refusal,) = examined(good[0], bad).refusals
    assert (refusal.code, refusal.terms) == ("IRR_SYNTAX", ("1.xml",))
    assert "Condition" in refusal.fr
    assert "Condition" in refusal.en
    assert all(isinstance(file.read, StatusMessage) for file in examined(*good).files)
