"""Quotes and trades."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.headers import location, replayed
from gateway.schemas.bodies import CloseBody, EmptyBody, SellBody, VoidBody
from shared.contracts import schema
from shared.contracts.trades import rpc as trades


async def quote(call: Call) -> Answer:
    """A price; promises nothing after `valid_until`."""
    return await call.pass_on("trades", "quote", schema.dump(call.body))


async def open_trade(call: Call) -> Answer:
    """Buys a contract. 503 means: repeat with the same key and get the truth."""
    found = await call.ask("trades", "open_trade", schema.dump(call.body))
    return json_answer(found["trade"], 201, location("trades", found["trade"]), *replayed(found))


async def list_trades(call: Call) -> Answer:
    """Newest first."""
    return await call.pass_on("trades", "list_trades", schema.dump(call.query))


async def get_trade(call: Call) -> Answer:
    """One trade of the caller's, or any for staff."""
    return await call.pass_on("trades", "get_trade", {"trade_id": call.path["trade_id"]})


async def get_value(call: Call) -> Answer:
    """What an open trade is worth now, and whether it can be sold for that."""
    return await call.pass_on("trades", "get_value", call.path)


async def get_proof(call: Call) -> Answer:
    """What `./nexus verify-trade` checks; there is one when the hour of the exit is over."""
    return await call.pass_on("trades", "get_proof", call.path)


async def sell_trade(call: Call) -> Answer:
    """The owner sells an open trade at the market's bid."""
    found = await call.ask("trades", "sell_trade", {**schema.dump(call.body), **call.path})
    return json_answer(found["trade"], 200, *replayed(found))


async def cancel_trade(call: Call) -> Answer:
    """The owner withdraws a trade that is still PENDING; again: the same."""
    return await call.pass_on("trades", "cancel_trade", call.path)


async def close_trade(call: Call) -> Answer:
    """Staff settle a trade by hand."""
    found = await call.ask("trades", "close_trade", {**schema.dump(call.body), **call.path})
    return json_answer(found["trade"], 200, *replayed(found))


async def void_trade(call: Call) -> Answer:
    """Staff undo a trade, open or settled."""
    found = await call.ask("trades", "void_trade", {**schema.dump(call.body), **call.path})
    return json_answer(found["trade"], 200, *replayed(found))


ENDPOINTS = [
    Endpoint(
        method="POST",
        path="/api/v1/trades/quotes",
        handler=quote,
        summary="What a contract costs now",
        tag="trades",
        body=trades.QuoteRequest,
        key="accepted",
        answer=trades.QuoteView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades",
        handler=open_trade,
        summary="Open a trade",
        tag="trades",
        body=trades.OpenTradeRequest,
        key="required",
        status=201,
        headers=("Location", "Idempotent-Replayed"),
        answer=trades.TradeView,
        seconds="open",
    ),
    Endpoint(
        method="GET",
        path="/api/v1/trades",
        handler=list_trades,
        summary="Trades, newest first",
        tag="trades",
        query=trades.ListTradesRequest,
        answer=trades.TradePage,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/trades/{trade_id}",
        handler=get_trade,
        summary="One trade",
        tag="trades",
        answer=trades.TradeView,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/trades/{trade_id}/value",
        handler=get_value,
        summary="What an open trade is worth now",
        tag="trades",
        answer=trades.ValueView,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/trades/{trade_id}/proof",
        handler=get_proof,
        summary="The proof of a settled trade",
        tag="trades",
        answer=trades.ProofView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades/{trade_id}/sell",
        handler=sell_trade,
        summary="Sell an open trade at the market's bid",
        tag="trades",
        body=SellBody,
        body_may_be_empty=True,
        key="required",
        headers=("Idempotent-Replayed",),
        answer=trades.TradeView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades/{trade_id}/cancel",
        handler=cancel_trade,
        summary="Withdraw a trade that is not bought yet",
        tag="trades",
        body=EmptyBody,
        body_may_be_empty=True,
        key="accepted",
        answer=trades.TradeView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades/{trade_id}/close",
        handler=close_trade,
        summary="Settle a trade by hand",
        tag="trades",
        who="staff",
        body=CloseBody,
        key="required",
        headers=("Idempotent-Replayed",),
        answer=trades.TradeView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades/{trade_id}/void",
        handler=void_trade,
        summary="Undo a trade",
        tag="trades",
        who="staff",
        body=VoidBody,
        key="required",
        headers=("Idempotent-Replayed",),
        answer=trades.TradeView,
    ),
]
