"""Bringing a schema to the version of the code, by Alembic: loaded only where a store is made or changed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def configuration() -> Config:
    """Return where the migrations are."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.set_main_option("path_separator", "os")
    return made


def upgrade(connection: Connection, branches: tuple[str, ...]) -> None:
    """The schema has the tables of these branches as the code knows them, once this transaction is committed."""
    made = configuration()
    made.attributes["connection"] = connection
    for branch in branches:
        command.upgrade(made, f"{branch}@head")
