"""A store for the administration, a moment, and the messages of a concentrator."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from estafette.administration.journal import Act
from estafette.store.database import Database, open_database

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty store of the administration."""
    opened = open_database(tmp_path / "records.sqlite", ("administration",))
    yield opened
    opened.close()


@pytest.fixture
def act() -> Act:
    """An officer of the administration acts, in November 2026."""
    return Act("officer", NOW)
