"""Limits: the house's, one's own, and what they have left; and what an opening would come to."""

from __future__ import annotations

from gateway.answer import Answer
from gateway.endpoint import Call, Endpoint
from gateway.schemas.bodies import AccountLimitsBody
from shared.contracts import schema
from shared.contracts.trades import limits


async def get_limits(call: Call) -> Answer:
    """How an account of the caller's stands, or any for staff."""
    return await call.pass_on("trades", "get_limits", schema.dump(call.query))


async def set_self_limits(call: Call) -> Answer:
    """What is stricter holds at once, what is looser in 24 hours; an exclusion cannot be shortened."""
    return await call.pass_on("trades", "set_self_limits", schema.dump(call.body))


async def set_account_limits(call: Call) -> Answer:
    """Staff limit an account; what is left out is not limited."""
    return await call.pass_on("trades", "set_account_limits", {**schema.dump(call.body), **call.path})


async def preview(call: Call) -> Answer:
    """Everything about an opening but the opening, and every reason why it would be refused."""
    return await call.pass_on("trades", "preview", schema.dump(call.body))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/limits",
        handler=get_limits,
        summary="An account's limits, and what they have left",
        tag="limits",
        query=limits.GetLimitsRequest,
        answer=limits.LimitsView,
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/limits/self",
        handler=set_self_limits,
        summary="Limit oneself",
        tag="limits",
        body=limits.SetSelfLimitsRequest,
        answer=limits.LimitsView,
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/limits/accounts/{account_id}",
        handler=set_account_limits,
        summary="Limit an account",
        tag="limits",
        who="staff",
        body=AccountLimitsBody,
        answer=limits.LimitsView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trades/preview",
        handler=preview,
        summary="What an opening would cost, pay, use up, and be refused for",
        tag="limits",
        body=limits.PreviewRequest,
        key="accepted",
        answer=limits.PreviewView,
    ),
]
