"""All that a client shows first, in one answer: the parts are asked in parallel, a missing one is named."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from shared.contracts.billing.rpc import AccountView, TransactionView
from shared.contracts.errors import ServiceError
from shared.contracts.trades.rpc import TradeView
from shared.contracts.users.rpc import UserView

ENTRIES = 10


class Dashboard(TypedDict):
    """A part whose service is missing is null and named in `partial`."""

    user: UserView | None
    accounts: list[AccountView] | None
    open_trades: list[TradeView] | None
    recent_trades: list[TradeView] | None
    recent_transactions: list[TransactionView] | None
    unread_notifications: int | None
    partial: list[str]


async def dashboard(call: Call) -> Answer:
    """Each part has the same deadline; none waits for another."""
    me = call.user_id
    limit: dict[str, Any] = {"user_id": me, "limit": ENTRIES}
    asked = {
        "user": _part(call, "users", "get_user", {"user_id": me}),
        "accounts": _part(call, "billing", "list_accounts", limit),
        "open_trades": _part(call, "trades", "list_trades", {**limit, "status": "OPEN"}),
        "recent_trades": _part(call, "trades", "list_trades", limit),
        "recent_transactions": _part(call, "billing", "list_transactions", limit),
        "unread_notifications": _part(call, "notifications", "count_unread", {}),
    }
    found = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    return json_answer({**found, "partial": [name for name, part in found.items() if part is None]})


async def _part(call: Call, service: str, method: str, arguments: dict[str, Any]) -> Any:
    try:
        found = await call.ask(service, method, arguments)
    except ServiceError as error:
        if error.status < 500:
            raise
        return None
    return found["results"] if isinstance(found, dict) and "results" in found else found


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/dashboard",
        handler=dashboard,
        summary="User, accounts, trades, transactions and notifications at a glance",
        tag="dashboard",
        answer=Dashboard,
        seconds="part",
    )
]
