"""Durations of the law: to the day, from the right day, never below the text."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estafette.values.retention import RULES, Ground, Kind, Retention, TooShort, earlier, later, rule_of

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2200, 12, 31))
TODAY = date(2026, 9, 15)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_rule_with_its_source(kind: Kind) -> None:
    """No kind is without a rule in force today, and each rule says where it comes from, in both languages."""
    rule = rule_of(kind, on=TODAY)
    assert rule.since <= TODAY <= rule.until
    assert rule.source
    assert rule.fr and rule.en
    assert rule.months > 0


@given(day=days, months=st.integers(0, 400))
def test_months_are_months(day: date, months: int) -> None:
    """So many months later is in that month, on the same day or on its last; what is longer is never earlier."""
    then = later(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or (then.day < day.day and later(day, months + 1) > then)


@given(day=days, on=days, kind=st.sampled_from(Kind))
def test_whatever_is_kept_no_more_is_looked_for(day: date, on: date, kind: Kind) -> None:
    """`before` leaves out nothing whose time is over: the round finds all there is to purge."""
    retention = Retention()
    if retention.until(kind, day, on=on) < on:
        assert day <= retention.before(kind, on=on)


@given(on=days, months=st.integers(120, 250), year_end=st.tuples(st.integers(1, 12), st.integers(1, 31)))
def test_no_accounting_year_is_looked_at_before_its_time(on: date, months: int, year_end: tuple[int, int]) -> None:
    """What is kept from a year end is looked at once its year is over, not a year long before."""
    retention = Retention({Kind.ACCOUNTING: months}, year_end)
    last = retention.before(Kind.ACCOUNTING, on=on)
    assert retention.until(Kind.ACCOUNTING, last, on=on) < on
    assert retention.until(Kind.ACCOUNTING, last + timedelta(days=1), on=on) >= on


@given(day=days, year_end=st.tuples(st.integers(1, 12), st.integers(1, 31)))
def test_books_are_kept_ten_years_from_a_year_end(day: date, year_end: tuple[int, int]) -> None:
    """An accounting record is kept ten years at least and eleven at most, up to the end of a year."""
    until = Retention(year_end=year_end).until(Kind.ACCOUNTING, day, on=TODAY)
    assert later(day, 120) <= until <= later(day, 132)


def test_a_text_is_lengthened_never_shortened() -> None:
    """One's own duration counts when it is longer; shorter than the text, it is refused and the text named."""
    longer = Retention({Kind.TAX_EVIDENCE: 240, Kind.IRRECEIVABLE: 2})
    assert longer.until(Kind.TAX_EVIDENCE, TODAY, on=TODAY) == date(2046, 9, 15)
    assert longer.until(Kind.IRRECEIVABLE, TODAY, on=TODAY) == date(2026, 11, 15)
    for rule in RULES:
        least = 1 if rule.ground is Ground.OURS else rule.months
        Retention({rule.kind: least})
        with pytest.raises(TooShort, match=f"{least}"):
            Retention({rule.kind: least - 1})


def test_the_longest_reason_counts() -> None:
    """An invoice is kept as evidence for VAT and as an accounting record: until the later of the two."""
    both = (Kind.TAX_EVIDENCE, Kind.ACCOUNTING)
    assert Retention().longest(both, date(2026, 1, 2), on=TODAY) == (date(2036, 12, 31), Kind.ACCOUNTING)
    six = Retention({Kind.TAX_EVIDENCE: 240})
    assert six.longest(both, date(2026, 1, 2), on=TODAY) == (date(2046, 1, 2), Kind.TAX_EVIDENCE)


def test_the_ends_of_time() -> None:
    """A day far away is answered, not an error."""
    assert later(date(9999, 1, 1), 12) == date.max
    assert earlier(date(1, 1, 1), 12) == date.min
