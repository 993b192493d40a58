"""The official example documents of XP Z12-014 cross the running system, in each syntax and each of their editions."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.circuit.test_bad_input import Supplier
from tests.running import Circuit, free_ports

from estafette.circuit.network import SEATS
from estafette.formats import read
from estafette.simulation.pilot import Step, play

EDITIONS = {
    "xp-z12-014": {"UBL": "*_UBL.xml", "CII": "*_CII.xml", "Factur-X": "*.pdf"},
    "xp-z12-014-v1.3": {"UBL": "*_UBL_EN16931*.xml", "CII": "*_CII_EN16931*.xml", "Factur-X": "*_FX_EN16931.pdf"},
}
"""The documents of a use case in each edition, by their syntax."""

NUMBERS = {
    "uc1": ["F202500003"],
    "uc2": ["F202500004"],
    "uc3": ["F202500005"],
    "uc4": ["F202500006", "F202500010"],
    "uc5": ["F202500007", "F202500011", "F202500012"],
}
"""The documents of a use case, in the order they are sent: a corrective invoice, a credit note, what replaces it."""

UNPUBLISHED = {("xp-z12-014-v1.3", "uc4", "Factur-X")}
"""What an edition leaves out."""

COPY_OF = {"UBL": "CII", "CII": "UBL", "Factur-X": "UBL"}
"""In which syntax the customer of UC2 already has the invoice."""

SUPERSEDED = {"CII-SR-465", "CII-SR-466"}
"""What the CII and the Factur-X of the first edition break of the rules in force: two names for one contact point."""

VARIANTS = [("xp-z12-014", "UBL"), *(("xp-z12-014-v1.3", syntax) for syntax in ("UBL", "CII", "Factur-X"))]


def documents_of(corpus: Path, edition: str, case: str, syntax: str) -> list[bytes]:
    """Return the documents of a use case, in the order they are sent."""
    if (edition, case, syntax) in UNPUBLISHED:
        return []
    published = list((corpus / edition / case.upper()).rglob(EDITIONS[edition][syntax]))
    files = {file.name.split("_")[1]: file for file in published}
    assert sorted(files) == NUMBERS[case]
    assert len(files) == len(published)
    return [files[number].read_bytes() for number in NUMBERS[case]]


@pytest.fixture(scope="module", params=VARIANTS, ids=" ".join)
def played(
    request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Step]]]:
    """Give the steps of the use cases, played at once on a system of their own: their numbers are fixed."""
    edition, syntax = request.param
    documents = {case: documents_of(corpus, edition, case, syntax) for case in NUMBERS}
    documents["uc2"] += documents_of(corpus, edition, "uc2", COPY_OF[syntax])
    running = Circuit(tmp_path_factory.mktemp("corpus") / "data", free_ports(len(SEATS)))
    running.start()
    try:
        steps = asyncio.run(_play_all(running, documents))
        assert "Traceback" not in running.log.read_text()
        yield steps
    finally:
        running.stop()


async def _play_all(running: Circuit, documents: dict[str, list[bytes]]) -> dict[str, list[Step]]:
    published = {case: given for case, given in documents.items() if given}
    played = await asyncio.gather(
        *(play(case, running.entries, documents=tuple(given), patience=10) for case, given in published.items())
    )
    return dict(zip(published, played, strict=True))


@pytest.mark.parametrize("case", NUMBERS)
def test_official_documents(played: dict[str, list[Step]], case: str) -> None:
    """Every step of the use case holds: exchange, statuses, administration, business effect."""
    if case not in played:
        pytest.skip("this edition has no document of the case in this syntax")
    assert [step for step in played[case] if not step.holds] == []
    assert {step.plane for step in played[case]} == {"exchange", "statuses", "administration", "business"}


@pytest.mark.parametrize("case", NUMBERS)
@pytest.mark.parametrize("syntax", ["CII", "Factur-X"])
def test_superseded_documents(circuit: Circuit, corpus: Path, syntax: str, case: str) -> None:
    """What the rules in force no longer accept is rejected for that and for nothing else, be it an official example."""
    for document in documents_of(corpus, "xp-z12-014", case, syntax):
        flow = Supplier(circuit).deposit(document, syntax)
        assert flow["invoiceStanding"] == "rejected"
        assert {fault["rule"] for fault in flow["invoiceExplanation"]["faults"]} == SUPERSEDED


def test_editions_say_the_same(corpus: Path) -> None:
    """The three syntaxes of one edition are read as one invoice: number, parties and totals."""
    for edition, syntaxes in EDITIONS.items():
        for case in NUMBERS:
            published = [documents_of(corpus, edition, case, syntax) for syntax in syntaxes]
            for versions in zip(*filter(None, published), strict=True):
                invoices = [read(version) for version in versions]
                said = {(one.number, one.seller_siren, one.buyer_siren, one.totals.total_with_vat) for one in invoices}
                assert len(said) == 1
