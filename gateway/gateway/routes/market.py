"""The market inside, for anybody: what it offers, its prices so far, and its hours' commitments and seeds."""

from __future__ import annotations

from gateway.answer import Answer
from gateway.endpoint import Call, Endpoint
from gateway.schemas.queries import CandlesQuery, TicksQuery
from shared.contracts import schema
from shared.contracts.trades import market


async def list_symbols(call: Call) -> Answer:
    """All that is offered."""
    return await call.pass_on("trades", "list_symbols")


async def list_ticks(call: Call) -> Answer:
    """The oldest first; none that lies ahead."""
    return await call.pass_on("trades", "list_ticks", {**schema.dump(call.query), **call.path})


async def list_candles(call: Call) -> Answer:
    """The oldest first; the last one may still grow."""
    return await call.pass_on("trades", "list_candles", {**schema.dump(call.query), **call.path})


async def list_seeds(call: Call) -> Answer:
    """Newest first. A seed is null until its hour is over."""
    return await call.pass_on("trades", "list_seeds", schema.dump(call.query))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/symbols",
        handler=list_symbols,
        summary="What can be traded on",
        tag="market",
        who="anyone",
        answer=market.SymbolPage,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/symbols/{symbol}/ticks",
        handler=list_ticks,
        summary="The last prices of a symbol",
        tag="market",
        who="anyone",
        query=TicksQuery,
        answer=market.TickList,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/symbols/{symbol}/candles",
        handler=list_candles,
        summary="The last candles of a symbol",
        tag="market",
        who="anyone",
        query=CandlesQuery,
        answer=market.CandleList,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/market/seeds",
        handler=list_seeds,
        summary="Each hour's commitment, and its seed once it is over",
        tag="market",
        who="anyone",
        query=market.ListSeedsRequest,
        answer=market.SeedPage,
    ),
]
