"""Queries whose subject comes in the path."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.trades.market import CandleCount, Granularity, TickCount
from shared.contracts.types import Timestamp


@dataclass(frozen=True, kw_only=True)
class TicksQuery:
    """The last `count` ticks up to `end`, or up to now."""

    count: TickCount = 100
    end: Timestamp | None = None


@dataclass(frozen=True, kw_only=True)
class CandlesQuery:
    """The last `count` candles of `granularity` seconds up to `end`, or up to now."""

    granularity: Granularity = 60
    count: CandleCount | None = None
    end: Timestamp | None = None
