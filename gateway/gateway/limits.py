"""Rate limits in memory: a bucket per client that refills evenly."""

from __future__ import annotations

import time

from shared.contracts.errors import TooManyRequests

_MOST = 50_000


class RateLimit:
    """At most `per_minute` requests a minute and client, in bursts of up to a quarter of that; 0 allows none."""

    def __init__(self, per_minute: int) -> None:
        self._rate = max(0, per_minute) / 60
        self._burst = max(1.0, per_minute / 4) if per_minute > 0 else 0.0
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> None:
        """Raises TooManyRequests with the seconds to wait."""
        now = time.monotonic()
        tokens, seen = self._buckets.get(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - seen) * self._rate)
        if tokens < 1:
            wait = (1 - tokens) / self._rate if self._rate else 60
            raise TooManyRequests(extra={"retry_after": max(1, int(wait + 0.999))})
        if client not in self._buckets and len(self._buckets) >= _MOST:
            # Full buckets say no more than absent ones.
            self._buckets = {k: v for k, v in self._buckets.items() if now - v[1] < 60}
        self._buckets[client] = (tokens - 1, now)
