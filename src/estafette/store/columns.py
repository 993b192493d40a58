"""What says the same thing on every engine: instants with their zone, exact amounts, ordered texts, partial indexes."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, DateTime, Dialect, Index, Numeric, String, TypeDecorator, literal_column, text
from sqlalchemy.types import TypeEngine


def bytewise(length: int) -> String:
    """Return a text compared by its bytes on every engine, so that what begins alike is one range of an index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows for which a condition holds, in SQL."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def constant(text: str) -> ColumnElement[str]:
    """Return a text that stands in the statement itself: an index that is partial is known by it."""
    return literal_column(f"'{text}'")


def json_text(value: Any) -> str:
    """Write a JSON column."""
    return msgspec.json.encode(value).decode()


ENGINE_FORM: dict[str, Any] = {
    "json_serializer": json_text,
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,
}
"""How an engine writes and reads its JSON columns; a fault says its statement, never the values that it met."""


LENGTH = len("2026-09-01 06:30:00.000000")
"""An instant without its zone."""


def _as_text(value: datetime | None) -> str | None:
    """Write an instant as SQLAlchemy does on SQLite: UTC to the microsecond, without its zone."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"an instant needs its zone: {value!r}")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:LENGTH]


class Instant(TypeDecorator[datetime]):
    """An instant: aware on both sides, kept in UTC to the microsecond."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite keeps naive text; other engines keep the zone themselves."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write what SQLite keeps at once: it is asked for several times a row."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse an instant without a zone: it would be read as another one elsewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs its zone: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal: text on SQLite, whose numbers are binary; a NUMERIC of any precision elsewhere."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column that loses nothing."""
        return dialect.type_descriptor(String(32) if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Write plain digits, never an exponent; refuse what is binary or no number."""
        if value is None:
            return None
        if not (isinstance(value, Decimal) and value.is_finite()):
            raise ValueError(f"not an exact amount: {value!r}")
        if dialect.name != "sqlite":
            return value
        return format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Read the digits back."""
        return None if value is None else Decimal(value)
