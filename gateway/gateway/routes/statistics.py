"""What became of a user's trades."""

from __future__ import annotations

from gateway.answer import Answer
from gateway.endpoint import Call, Endpoint
from shared.contracts import schema
from shared.contracts.trades import statistics


async def get_statistics(call: Call) -> Answer:
    """The caller's settled trades, or a user's for staff, summed up."""
    return await call.pass_on("trades", "get_statistics", schema.dump(call.query))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/trades/statistics",
        handler=get_statistics,
        summary="Results of settled trades, by kind of account and currency",
        tag="trades",
        query=statistics.GetStatisticsRequest,
        answer=statistics.StatisticsView,
    ),
]
