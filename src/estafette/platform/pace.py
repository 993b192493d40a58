"""How fast envelopes leave for the portal, which takes a thousand flows an hour of a platform (ppf-flows.md §7).

At once while the hour's flows are few; once half of them are used, the other half is spread over an hour, so that what
is owed never waits for the hour to end: the more comes, the fuller the envelopes. Counted by each process that packs.

Source: external specifications v3.2, general file §3.4.6.
"""

from collections import deque
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


class Pace:
    """The flows that left in the last hour, and how long to rest before the next."""

    def __init__(self, least_s: float) -> None:
        self._least_s = least_s
        self._left: deque[datetime] = deque()

    def left(self, flows: int, now: datetime) -> None:
        """So many flows leave now."""
        self._left.extend([now] * flows)

    def rest_s(self, now: datetime, *, flows_an_hour: int, flows: int) -> float:
        """Return how many seconds to rest before so many flows more."""
        while self._left and self._left[0] <= now - HOUR:
            self._left.popleft()
        half = flows_an_hour // 2
        if len(self._left) < half:
            return self._least_s
        return max(self._least_s, HOUR.total_seconds() * flows / max(half, 1))
