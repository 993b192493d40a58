"""Every kind of answer of the portal is a message of the field: by its schema, and by the official rules."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.formats.test_flux10 import TRANSACTIONS
from tests.platform.world import BUYER, TODAY, World
from tests.portal.envelopes import REPORTS, STATUSES, UBL, data_file, send, status, status_file
from tests.portal.test_reports import report
from tests.portal.test_updates import UPDATES

from estafette.directory import DirectoryLine, RoutingCode
from estafette.formats import cdar, flow_archive, flux10
from estafette.formats.directory_update import Update, write_update
from estafette.portal.tables import partner_flow
from estafette.rules import check
from estafette.rules.verdict import Severity


@pytest.fixture
def answered(world: World) -> Iterator[World]:
    """Give the system after flows of each kind, good and bad, to every object's fate."""
    number = world.number("W")
    (good, data), bad = data_file(number), data_file(world.number("W"))
    send(world, {good: data, bad[0]: bad[1].replace(b">S1<", b">Z9<")})
    send(world, {good: data})
    send(world, {"Base_x.xml": b"<Invoice"}, UBL)
    send(world, dict(map(status_file, (status(number, "200"), status(number, "207")))), STATUSES)
    first = report()
    wrong = flux10.write(report()).replace(b">TPS1<", b">ZZZ9<")
    send(world, {"a.xml": flux10.write(first), "b.xml": wrong}, REPORTS)
    send(world, {"a.xml": flux10.write(TRANSACTIONS)[:-20]}, REPORTS)
    line = DirectoryLine(siren=BUYER, suffix="REPONSES", matricule="0003", start=TODAY + timedelta(days=9))
    code = RoutingCode(siret="1" * 14, code="A", name="N", country="ZZ")
    asked = Update((code,), (line, replace(line, matricule="9998", end=TODAY)))
    send(world, {"u.xml": write_update(asked)}, UPDATES)
    send(world, b"x", file="nameless")
    yield world


BETWEEN_PLATFORMS = {
    "BR-FR-04_MDT-91",  # the type is 303 to 306 (annex 7, G7.15), an invoice's between platforms
    "BR-FR-CDV-02_MDT-3",  # the profile is that of G7.14
    "BR-FR-CDV-08_MDT-73",  # an answer about a flow has an empty recipient (G7.32)
    "BR-FR-CDV-11_MDG-35",  # and no date of an object (G7.31)
    "BR-FR-CDV-CL-01_MDT-2",  # no business process towards the portal (annex 2)
    "BR-FR-CDV-CL-02_MDT-21_305",  # the portal is DFH (G7.47)
    "BR-FR-CDV-CL-03_MDT-40_305",
    "BR-FR-CDV-CL-09_MDT-113",  # the reasons of 601 are those of G7.19
    "BR-FR-CDV-CL-09_MDT-113_501",  # those of 501 are of a flow (annex 7, G7.18)
}
"""Official rules that are written for statuses between platforms, and that annexes 2 and 7 contradict here."""


def test_every_answer_is_a_message_of_the_field(answered: World) -> None:
    """The schema of UN/CEFACT takes each, and so do the official rules but those that the annexes contradict."""
    documents = answered.running["portal"].actor.documents
    rows = answered.rows("portal", select(partner_flow).where(partner_flow.c.direction == "Out"))
    seen: set[str] = set()
    for row in rows:
        if row["interface"].startswith(("CFE", "FFE06")):
            for _file, content in flow_archive.unpack(f"{row['name']}.tar.gz", documents.get(row["sha256"])):
                verdict = check(content)
                assert (verdict.syntax, verdict.schema) == ("CDAR", ())
                fatal = {finding.id for finding in verdict.findings if finding.severity is Severity.FATAL}
                assert fatal <= BETWEEN_PLATFORMS
                seen.add(cdar.read(content).status)
    assert seen == {"500", "501", "250", "251", "601", "300", "301", "400", "401"}
