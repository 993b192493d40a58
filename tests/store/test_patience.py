"""A read that takes too long is stopped by the engine, and the connection serves the next one."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.postgresql import empty_database, shared

from estafette.store.database import open_database
from estafette.store.patience import TooLong, patient

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000) SELECT count(*) FROM n"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_too_long(engine: str, tmp_path: Path) -> None:
    """What goes on past its time raises; what ends in time does not; nothing remains of the bound."""
    where = tmp_path / "records.sqlite" if engine == "sqlite" else shared().url(empty_database())
    database = open_database(where, ("shared",), threaded=False)
    with pytest.raises(TooLong), database.read() as connection, patient(connection, 0.05):
        connection.execute(text(LONG)).all()
    for _time in range(2):
        with database.read() as connection, patient(connection, 5):
            assert connection.execute(text("SELECT 1")).scalar() == 1
    database.close()
