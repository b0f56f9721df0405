"""Halting trading, on a symbol or altogether."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from shared.contracts import schema
from shared.contracts.trades import halts


async def halt_trading(call: Call) -> Answer:
    """Nothing is opened any more; what is open settles. Again: the halt there is."""
    found = await call.ask("trades", "halt_trading", schema.dump(call.body))
    return json_answer(found["halt"], 201 if found["created"] else 200)


async def resume_trading(call: Call) -> Answer:
    """Ends the halt of `symbol`, or without it that of everything."""
    return await call.pass_on("trades", "resume_trading", schema.dump(call.query))


async def list_halts(call: Call) -> Answer:
    """That of everything first, then by symbol."""
    return await call.pass_on("trades", "list_halts")


ENDPOINTS = [
    Endpoint(
        method="POST",
        path="/api/v1/market/halt",
        handler=halt_trading,
        summary="Halt trading",
        tag="market",
        who="staff",
        body=halts.HaltRequest,
        key="accepted",
        status=201,
        status_again=200,
        answer=halts.HaltView,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/market/halt",
        handler=resume_trading,
        summary="Resume trading",
        tag="market",
        who="staff",
        query=halts.ResumeRequest,
        answer=halts.ResumeAnswer,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/market/halts",
        handler=list_halts,
        summary="What is halted",
        tag="market",
        answer=halts.HaltPage,
    ),
]
