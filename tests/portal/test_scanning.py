"""What comes to the portal goes through its antivirus: found, the flow is irreceivable; unscanned, it waits."""

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.platform.clamd import SIGNED, running
from tests.platform.world import World
from tests.portal.envelopes import REPORTS, UBL, acknowledgement, data_file, send
from tests.portal.test_reports import report

from estafette.exchange.scanning import Clamd, Scanner, ScannerDown
from estafette.formats import flux10
from estafette.store.tables import job


class KnowsOne:
    """A scanner that knows one signature, and can be away."""

    def __init__(self) -> None:
        self.is_away = False
        self.seen: list[bytes] = []

    async def scan(self, data: bytes | BufferedReader) -> str | None:
        """Find the signature."""
        if self.is_away:
            raise ScannerDown("away")
        data = data if isinstance(data, bytes) else data.read()
        self.seen.append(data)
        return "Signed.Test" if SIGNED in data else None


@pytest.fixture
def scanner(world: World) -> Iterator[KnowsOne]:
    """Give the portal a scanner for a while."""
    held, world.hall.scanner = world.hall.scanner, KnowsOne()
    yield world.hall.scanner
    world.hall.scanner = held


@pytest.mark.usefixtures("scanner")
@pytest.mark.parametrize("interface", [UBL, REPORTS])
def test_found(world: World, interface: str) -> None:
    """A file that hides something, among good ones, makes the flow irreceivable: the file and what it is are named."""
    good = data_file(world.number("V")) if interface == UBL else ("r.xml", flux10.write(report()))
    name = send(world, dict([good]) | {"Base_v.xml": b"<!-- " + SIGNED + b" -->"}, interface)
    message = acknowledgement(world, name)
    assert (message.status, message.reason_codes) == ("501", ("IRR_ANTIVIRUS",))
    assert message.details[0].notes[0].subject_code == "Base_v.xml"
    assert "Signed.Test" in message.comments[0]


def test_everything_is_scanned(world: World, scanner: KnowsOne) -> None:
    """The archive as it came, then each file of it."""
    files = dict(data_file(world.number("V")) for _time in range(2))
    assert acknowledgement(world, send(world, files)).status == "500"
    assert scanner.seen[1:] == [content for _name, content in sorted(files.items())]


def test_away(world: World, scanner: KnowsOne) -> None:
    """While the scanner does not answer, the flow waits; nothing goes unscanned."""
    scanner.is_away = True
    number = world.number("V")
    with pytest.raises(AssertionError):  # the work is not done
        send(world, dict([data_file(number)]))
    waiting = world.rows("portal", select(job.c.error).where(job.c.state == "pending"))
    assert {row["error"] for row in waiting} >= {"antivirus: away"}
    assert world.told(number) == ""
    scanner.is_away = False
    world.pass_by(hours=1)
    world.work()
    assert world.told(number) == "F1"


def test_by_clamav(world: World, tmp_path: Path) -> None:
    """The same through a real clamd."""
    with running(tmp_path, stream_megabytes=1) as at:
        held: Scanner | None = world.hall.scanner
        world.hall.scanner = Clamd(path=str(at))
        name = send(world, {"Base_v.xml": b"<!-- " + SIGNED + b" -->"})
        world.hall.scanner = held
    assert acknowledgement(world, name).reason_codes == ("IRR_ANTIVIRUS",)
