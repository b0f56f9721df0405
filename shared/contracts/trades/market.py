"""What anybody may know of the market inside, and the proof of a trade that was settled on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from marshmallow import validate

from shared.contracts.trades.requests import Cursor, Limit, Symbol
from shared.contracts.types import Id, Timestamp

MOST_TICKS = 1_000
MOST_CANDLES = 1_000
LONGEST_SPAN = 86_400
"""Seconds that the candles of one answer may span."""
GRANULARITIES = (60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
"""Seconds of a candle."""

TickCount = Annotated[int, validate.Range(min=1, max=MOST_TICKS)]
CandleCount = Annotated[int, validate.Range(min=1, max=MOST_CANDLES)]
Granularity = Annotated[int, validate.OneOf(GRANULARITIES)]
Hour = Annotated[int, validate.Range(min=0, max=100_000_000)]


class SymbolView(TypedDict):
    """Something to trade on: its yearly volatility in percent, the seconds between ticks, the decimals of its price."""

    symbol: str
    title: str
    volatility: str
    tick_seconds: int
    decimals: int
    pip: str


class SymbolPage(TypedDict):
    """All that is offered; there is never a second page."""

    results: list[SymbolView]
    has_more: bool
    next: str | None


class TickView(TypedDict):
    """A price and when it came."""

    at: str
    spot: str


class TickList(TypedDict):
    """The last ticks up to an instant, the oldest first."""

    symbol: str
    ticks: list[TickView]


class CandleView(TypedDict):
    """The ticks from `at` on for as long as the granularity says; the last one may still grow."""

    at: str
    open: str
    high: str
    low: str
    close: str


class CandleList(TypedDict):
    """The last candles up to an instant, the oldest first."""

    symbol: str
    granularity: int
    candles: list[CandleView]


class SeedView(TypedDict):
    """An hour, counted from the epoch; `commitment` is the SHA-256 of its seed, which is null until it is over."""

    hour: int
    begins_at: str
    ends_at: str
    commitment: str
    committed_at: str
    seed: str | None


class SeedPage(TypedDict):
    """A page of hours, newest first; the newest one has not begun."""

    results: list[SeedView]
    has_more: bool
    next: str | None


class ProofContract(TypedDict):
    """What was agreed."""

    contract_id: str
    symbol: str
    contract_type: str
    barrier: str | None
    currency: str
    stake: str
    payout: str
    duration_seconds: int
    duration_ticks: int | None
    bought_at: str
    starts_at: str
    expires_at: str


class ProofSettlement(TypedDict):
    """What became of it: `won`, `lost` or `sold`."""

    result: str
    paid: str
    barrier: str
    sold_at: str | None
    commission: str | None


class ProofHour(TypedDict):
    """An hour that is over, and the level that the symbol opened at in it."""

    hour: int
    commitment: str
    committed_at: str
    seed: str
    opening: str


class ProofView(TypedDict):
    """All that a settled trade can be computed again from, without us: `./nexus verify-trade FILE` does it."""

    format: str
    contract: ProofContract
    settlement: ProofSettlement
    entry: TickView
    exit: TickView
    ticks: list[TickView]
    hours: list[ProofHour]


@dataclass(frozen=True, kw_only=True)
class GetProofRequest:
    """Owner or staff."""

    trade_id: Id


@dataclass(frozen=True, kw_only=True)
class ListTicksRequest:
    """The last `count` ticks up to `end`, or up to now; none that lies ahead."""

    symbol: Symbol
    count: TickCount = 100
    end: Timestamp | None = None


@dataclass(frozen=True, kw_only=True)
class ListCandlesRequest:
    """The last `count` candles of `granularity` seconds up to `end`, or up to now; together a day at most.

    Without `count`: 60, or as many as a day has.
    """

    symbol: Symbol
    granularity: Granularity = 60
    count: CandleCount | None = None
    end: Timestamp | None = None


@dataclass(frozen=True, kw_only=True)
class ListSeedsRequest:
    """The hours from `first` to `last`, newest first; left out: all."""

    first: Hour | None = None
    last: Hour | None = None
    limit: Limit = 20
    after: Cursor | None = None
