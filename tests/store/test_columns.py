"""Instants and amounts come back from the store as they went in, or are refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.exc import StatementError

from estafette.store.columns import Amount, Instant

ENGINE = create_engine("sqlite://")
TABLE = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("at", Instant), Column("sum", Amount))
TABLE.create(ENGINE)

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=ZONES)  # noqa: DTZ001 - bounds, no instants
AMOUNTS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e18"), max_value=Decimal("1e18"), places=6
)


def stored(**row: Any) -> Any:
    """Write a row, read it back, and what the engine itself holds of it."""
    with ENGINE.connect() as connection:
        connection.execute(insert(TABLE).values(**row))
        back = connection.execute(select(*(TABLE.c[name] for name in row))).one()
        raw = connection.execute(text(f"select {', '.join(row)} from t")).one()  # noqa: S608 - names of this test
        connection.rollback()
        return tuple(back), tuple(raw)


@given(instant=INSTANTS)
def test_an_instant_comes_back(instant: datetime) -> None:
    """From any zone, to the microsecond, an instant comes back the same, in UTC."""
    (back,), _ = stored(at=instant)
    assert back == instant
    assert back.tzinfo is UTC


@given(first=INSTANTS, second=INSTANTS)
def test_instants_compare_in_the_store(first: datetime, second: datetime) -> None:
    """The store orders instants as time does, whatever zone they were written in."""
    _, (left,) = stored(at=first)
    _, (right,) = stored(at=second)
    assert (left < right) == (first < second)


def test_an_instant_without_zone_is_refused() -> None:
    """A moment that would be another one elsewhere is not written."""
    with pytest.raises(StatementError, match="needs its zone"):
        stored(at=datetime(2026, 9, 1))  # noqa: DTZ001 - the bad input itself


@given(amount=AMOUNTS)
def test_an_amount_comes_back(amount: Decimal) -> None:
    """An amount comes back digit for digit, and is plain digits in the store."""
    (back,), (raw,) = stored(sum=amount)
    assert str(back) == format(amount, "f")
    assert isinstance(raw, str)
    assert "E" not in raw.upper()


@pytest.mark.parametrize("amount", ["1E+3", "0.10", "-0.01", "12345678901234567.89"])
def test_amounts_that_binary_numbers_lose(amount: str) -> None:
    """Exponents are written out, final zeros stay, nineteen digits stay."""
    (back,), _ = stored(sum=Decimal(amount))
    assert back == Decimal(amount)
    assert str(back) == format(Decimal(amount), "f")


@pytest.mark.parametrize("amount", [0.1, 1, "1.00", Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN")])
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    """A binary float, and what is not a number, are not written."""
    with pytest.raises(StatementError, match="not an exact amount"):
        stored(sum=amount)


def test_nothing_stays_nothing() -> None:
    """No instant and no amount come back as none."""
    assert stored(at=None, sum=None)[0] == (None, None)
