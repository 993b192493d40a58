"""The portal takes the official obligatory statuses of UC1 to UC5, or rejects those that its own rules reject."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.platform.replay import CASES, Exchange, annex, timeline
from tests.platform.world import World, opened
from tests.portal.envelopes import STATUSES, answer, answers, new_name, send

from estafette.portal.tables import obligatory_status
from estafette.rules import check

PLATFORMS = {"0003": "platform-a", "0005": "platform-b"}

REJECTED = {
    ("F202500005", "210"): ("REJ_RG", "G7.25"),  # no comment (MDT-126), which the portal asks of a refusal
    ("F202500011", "212"): ("REJ_ENCAISSEMENT", "P1.17"),  # negative without its cause, and said of a 380
}
"""The official messages that the rules of the portal reject."""

BROKEN = {"BR-FR-CDV-02_MDT-3", "BR-FR-CDV-CL-01_MDT-2"}
"""The rules in force that every official message to the portal breaks: it writes 9998 where they want 0000."""


@pytest.fixture(scope="module")
def told(corpus: Path) -> Iterator[tuple[World, dict[str, list[Exchange]]]]:
    """Give a portal that was sent every official message, each by its platform."""
    with opened(now=datetime(2025, 6, 30, 8, tzinfo=UTC)) as world:
        scripts = annex(corpus, "UBL")
        for each in timeline(scripts):
            world.clock.now = max(world.clock.now, each.at)
            if each.kind == "cdar-ppf":
                files = {f"{each.message.identifier}.xml": each.content}
                name = new_name(STATUSES, code=f"PA{each.platform}")
                send(world, files, STATUSES, file=name.archive, by=PLATFORMS[each.platform])
        yield world, scripts


@pytest.mark.parametrize("case", CASES)
def test_what_the_portal_makes_of_the_official_messages(
    told: tuple[World, dict[str, list[Exchange]]], case: str
) -> None:
    """Each is held as it was said, or rejected (601) with the reason and the rule."""
    world, scripts = told
    for each in scripts[case]:
        if each.kind != "cdar-ppf":
            continue
        mine = obligatory_status.c.message_id == each.message.identifier
        held = [(row["number"], row["status"]) for row in world.rows("portal", select(obligatory_status).where(mine))]
        refusal = REJECTED.get((each.number, each.status))
        if refusal:
            detail = answer(world, each.message.identifier).details[0]
            assert (detail.reason_code, detail.notes[0].content_code) == refusal
            assert held == []
        else:
            assert answers(world, each.message.identifier) == []
            assert held == [(each.number, each.status)]


@pytest.mark.parametrize("case", CASES)
def test_what_the_rules_say_of_the_official_messages(told: tuple[World, dict[str, list[Exchange]]], case: str) -> None:
    """The examples are older than the rules: the number of the portal has changed, data are numbered since."""
    for each in told[1][case]:
        if not each.kind.startswith("cdar"):
            continue
        unnumbered = any(detail.sequence is None for detail in each.message.details)
        expected = BROKEN if each.kind == "cdar-ppf" else set()
        assert {one.id for one in check(each.content).findings} == expected | (
            {"BR-FR-CDV-16_MDT-124-2"} if unnumbered else set()
        )
