"""Envelopes leave at once while they are few, and never more in an hour than the portal takes."""

from datetime import UTC, datetime, timedelta

import pytest

from estafette.platform.pace import HOUR, Pace

NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)


def test_the_first_leave_at_once() -> None:
    """As long as half of the hour's flows are left."""
    pace = Pace(0.25)
    pace.left(499, NOW)
    assert pace.rest_s(NOW, flows_an_hour=1000, flows=2) == 0.25
    pace.left(1, NOW)
    assert pace.rest_s(NOW, flows_an_hour=1000, flows=2) == 14.4
    assert pace.rest_s(NOW + HOUR, flows_an_hour=1000, flows=2) == 0.25


@pytest.mark.parametrize("flows", [1, 2, 3])
def test_no_hour_has_more_than_the_portal_takes(flows: int) -> None:
    """However much there is to send, for three hours."""
    pace, now, left = Pace(0.25), NOW, []
    while now < NOW + 3 * HOUR:
        pace.left(flows, now)
        left.extend([now] * flows)
        now += timedelta(seconds=pace.rest_s(now, flows_an_hour=1000, flows=3))
    most = max(sum(start < at <= start + HOUR for at in left) for start in left[:: 50 * flows])
    assert most <= 1000
