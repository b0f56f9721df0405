"""Prices of synthetic indices: a pure function of an hour's secret seed.

An index is a driftless geometric Brownian motion, S' = S·exp(-v²dt/2 + v√dt·Z), with volatility v and dt in
years of 365 days.
Inside an hour the Brownian path is laid by bisection: the seed gives the hour's whole increment, then each
midpoint given its two ends, so that any tick is found in about a dozen steps and all ticks agree with each other
whatever the order of asking. The Gaussian of a node is N⁻¹ of the first 53 bits of HMAC-SHA256(seed, "symbol:node").
The end of an hour is the opening of the next.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from array import array
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import NormalDist
from typing import Final, NamedTuple

from trades.market import symbols
from trades.market.port import Symbol
from trades.rules import YEAR

HOUR: Final = 3_600
"""Seconds that one seed decides; every tick interval divides it."""

SYMBOLS: Final = symbols.OFFERED
FIRST_LEVEL: Final = symbols.FIRST_LEVEL

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_NORMAL: Final = NormalDist()


class Candle(NamedTuple):
    """The first, highest, lowest and last price of a while."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    def then(self, later: Candle) -> Candle:
        """Of this while and the one that follows."""
        return Candle(self.open, max(self.high, later.high), min(self.low, later.low), later.close)


class Path:
    """One symbol's ticks in one hour, number 0 (on the hour) to `last` (on the next). Keep it secret until then.

    It remembers every node that it has come by, 8 bytes each, and nothing before the first price is asked for.
    """

    __slots__ = ("_nodes", "_opening", "_pip", "_scale", "_seed", "_slope", "last", "symbol")

    def __init__(self, symbol: Symbol, *, seed: bytes, opening: Decimal) -> None:
        self.symbol, self.last = symbol, HOUR // symbol.interval
        self._seed, self._opening = seed, float(opening)
        step = symbol.interval / YEAR
        self._slope, self._scale = symbol.sigma**2 * step / 2, symbol.sigma * math.sqrt(step)
        self._pip = symbol.pip
        self._nodes: array[float] | None = None

    def price(self, tick: int) -> Decimal:
        """The price of a tick, rounded to the symbol's decimals."""
        return self._rounded(self._level(tick))

    def candle(self, first: int, last: int) -> Candle:
        """Of the ticks from `first` to `last`, both included."""
        levels = [self._level(tick) for tick in range(first, last + 1)]
        # Rounding keeps the order of levels, so that four of them are enough.
        return Candle(*map(self._rounded, (levels[0], max(levels), min(levels), levels[-1])))

    def closing(self) -> Decimal:
        """The unrounded level that the next hour opens at."""
        return Decimal(repr(self._level(self.last)))

    def _rounded(self, level: float) -> Decimal:
        return Decimal(level).quantize(self._pip, rounding=ROUND_HALF_EVEN)

    def _level(self, tick: int) -> float:
        return self._opening * math.exp(self._scale * self._walk(tick) - self._slope * tick)

    def _walk(self, tick: int) -> float:
        # Brownian motion in units of ticks. Two threads that find the same node write the same number.
        nodes, low, high = self._nodes or self._begin(), 0, self.last
        while math.isnan(nodes[tick]):
            middle = (low + high) // 2
            if math.isnan(nodes[middle]):
                share, spread = (middle - low) / (high - low), (middle - low) * (high - middle) / (high - low)
                mean = nodes[low] + share * (nodes[high] - nodes[low])
                nodes[middle] = mean + math.sqrt(spread) * self._gauss(middle)
            if tick < middle:
                high = middle
            else:
                low = middle
        return nodes[tick]

    def _begin(self) -> array[float]:
        nodes = array("d", (math.nan,)) * (self.last + 1)
        nodes[0], nodes[self.last] = 0.0, math.sqrt(self.last) * self._gauss(self.last)
        self._nodes = nodes
        return nodes

    def _gauss(self, node: int) -> float:
        digest = hmac.digest(self._seed, f"{self.symbol.code}:{node}".encode(), "sha256")
        return _NORMAL.inv_cdf(((int.from_bytes(digest[:8], "big") >> 11) + 0.5) / 2**53)


def commitment(seed: bytes) -> bytes:
    """What may be published of a seed before its hour: SHA-256 of it."""
    return hashlib.sha256(seed).digest()


def hour_of(instant: datetime) -> int:
    """The number of the hour, counted from the epoch."""
    return (instant - _EPOCH) // timedelta(seconds=HOUR)


def second_of(instant: datetime) -> int:
    """Whole seconds since the epoch."""
    return (instant - _EPOCH) // _SECOND


def at_second(second: int) -> datetime:
    """The inverse of `second_of`."""
    return _EPOCH + timedelta(seconds=second)


def tick_at(symbol: Symbol, instant: datetime) -> tuple[int, int]:
    """Hour and number in it of the last tick at or before an instant."""
    hour, rest = divmod(second_of(instant), HOUR)
    return hour, rest // symbol.interval


def instant_of(symbol: Symbol, hour: int, tick: int) -> datetime:
    """When a tick of an hour falls."""
    return at_second(hour * HOUR + tick * symbol.interval)


def first_tick_after(symbol: Symbol, instant: datetime) -> datetime:
    """When the first tick strictly after an instant falls."""
    second = second_of(instant)
    return at_second(second - second % symbol.interval + symbol.interval)
