"""What several suites share: the running circuit, the official corpus where it is there, what may be left out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import objects
from tests import postgresql as cluster
from tests.running import Circuit, free_ports

from estafette.circuit.network import SEATS

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
REQUIRED = os.environ.get("ESTAFETTE_REQUIRE_ALL") == "1"


@pytest.fixture(scope="session")
def circuit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Circuit]:
    """The whole system, seeded and ready, for the whole session."""
    running = Circuit(tmp_path_factory.mktemp("circuit") / "data", free_ports(len(SEATS)))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The official corpus, where it is beside the project."""
    folder = SHARED / "corpus"
    if not folder.is_dir():
        pytest.skip("the official corpus is not beside the project")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the browser suite is left out, unless everything is required."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and REQUIRED:
        pytest.fail("Chromium is required (apt-get install chromium)")
    if found is None:
        pytest.skip("Chromium is not installed: the browser suite is left out")
    return found


@pytest.fixture(scope="session")
def postgresql() -> cluster.Server:
    """A running PostgreSQL; without its programs what needs it is left out, unless everything is required."""
    binaries = cluster.find_binaries()
    if binaries is None and REQUIRED:
        pytest.fail("PostgreSQL is required (apt-get install postgresql)")
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: what runs on it is left out")
    return cluster.shared()


@pytest.fixture(scope="session")
def object_server() -> objects.ObjectServer:
    """A running S3-compatible server; where it is not installed what needs it is left out, unless all is required."""
    if not objects.SERVER.exists() and REQUIRED:
        pytest.fail("the S3 server of the tests is required (make develop)")
    if not objects.SERVER.exists():
        pytest.skip("the S3 server of the tests is not installed (make develop): what runs on it is left out")
    return objects.shared()
