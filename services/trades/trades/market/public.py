"""What anybody may know of the market: symbols, prices of the past, and the hours' commitments and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, cast

from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.errors import SymbolNotFound
from shared.contracts.trades.market import (
    LONGEST_SPAN,
    CandleList,
    CandleView,
    ListCandlesRequest,
    ListSeedsRequest,
    ListTicksRequest,
    SeedPage,
    SeedView,
    SymbolPage,
    SymbolView,
    TickList,
    TickView,
)
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.market import reveals
from trades.market.engine import HOUR, at_second
from trades.market.feed import Feed
from trades.market.port import Symbol
from trades.market.reveals import Published

_CANDLES: Final = 60
_LAST_HOUR: Final = 2**62
"""Later than any hour that there is."""

Symbols = Mapping[str, Symbol]


def list_symbols(symbols: Symbols) -> SymbolPage:
    """All that is offered."""
    views = [
        SymbolView(
            symbol=symbol.code,
            title=symbol.title,
            volatility=f"{symbol.sigma * 100:.2f}",
            tick_seconds=symbol.interval,
            decimals=symbol.decimals,
            pip=f"{symbol.pip:f}",
        )
        for symbol in symbols.values()
    ]
    return SymbolPage(results=views, has_more=False, next=None)


def list_ticks(request: ListTicksRequest, *, db: Database, symbols: Symbols, feed: Feed, now: datetime) -> TickList:
    """The last ticks by `end` or by now. Raises SymbolNotFound, ValidationFailed."""
    found = feed.ticks(db, _symbol(request.symbol, symbols), count=request.count, end=_end(request.end, now))
    return TickList(symbol=request.symbol, ticks=[TickView(at=to_rfc3339(at), spot=spot) for at, spot in found])


def list_candles(
    request: ListCandlesRequest, *, db: Database, symbols: Symbols, feed: Feed, now: datetime
) -> CandleList:
    """The last candles by `end` or by now. Raises SymbolNotFound, ValidationFailed for more than a day of them."""
    symbol, most = _symbol(request.symbol, symbols), LONGEST_SPAN // request.granularity
    count = min(_CANDLES, most) if request.count is None else request.count
    if count > most:
        raise ValidationFailed.of("count", "too_many", f"A day has {most} candles of {request.granularity} s.")
    found = feed.candles(db, symbol, seconds=request.granularity, count=count, end=_end(request.end, now))
    return CandleList(
        symbol=request.symbol,
        granularity=request.granularity,
        candles=[
            CandleView(
                at=to_rfc3339(at),
                open=f"{candle.open:f}",
                high=f"{candle.high:f}",
                low=f"{candle.low:f}",
                close=f"{candle.close:f}",
            )
            for at, candle in found
        ],
    )


def list_seeds(request: ListSeedsRequest, *, db: Database, now: datetime) -> SeedPage:
    """Each hour's commitment, and its seed once it is over. Raises ValidationFailed for a cursor that is not ours."""
    bounds = {"first": request.first, "last": request.last}
    listing = Listing("seeds", "", {name: hour for name, hour in bounds.items() if hour is not None})
    last = _LAST_HOUR if request.last is None else request.last
    if request.after is not None:
        last = listing.position(request.after)[0] - 1
    hours = reveals.published(db, first=request.first or 0, last=last, limit=request.limit + 1, now=now)
    return cast("SeedPage", listing.page(hours, request.limit, position=lambda hour: [hour.hour], view=_seed))


def _seed(hour: Published) -> SeedView:
    return SeedView(
        hour=hour.hour,
        begins_at=to_rfc3339(at_second(hour.hour * HOUR)),
        ends_at=to_rfc3339(at_second((hour.hour + 1) * HOUR)),
        commitment=hour.commitment.hex(),
        committed_at=to_rfc3339(hour.committed_at),
        seed=None if hour.seed is None else hour.seed.hex(),
    )


def _symbol(code: str, symbols: Symbols) -> Symbol:
    symbol = symbols.get(code)
    if symbol is None:
        raise SymbolNotFound()
    return symbol


def _end(text: str | None, now: datetime) -> datetime:
    """Never later than now, whatever was asked for."""
    if text is None:
        return now
    try:
        return min(from_rfc3339(text), now)
    except ValueError:
        raise ValidationFailed.of("end", "invalid", "Not an RFC 3339 UTC time.") from None
