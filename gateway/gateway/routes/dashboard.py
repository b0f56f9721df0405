"""All that a client shows first, in one answer: the parts are asked in parallel, a missing one is named."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

import orjson

from gateway.answer import Answer, text_answer
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
    """One question to each service, all at once; each has the same deadline, and none waits for another.

    What they wrote is put together as it is.
    """
    limit = {"limit": ENTRIES}
    user, accounts, trades, unread = await asyncio.gather(
        _part(call, "users", "get_user", {"user_id": call.user_id}),
        _part(call, "billing", "summary", limit),
        _part(call, "trades", "summary", limit),
        _part(call, "notifications", "count_unread", {}),
    )
    parts = [
        _named(user, "user"),
        _members(accounts, "accounts", "recent_transactions"),
        _members(trades, "open_trades", "recent_trades"),
        _named(unread, "unread_notifications"),
    ]
    partial = [name for _, missing in parts for name in missing]
    texts = [text for text, _ in parts]
    return text_answer(b'{%s,"partial":%s}' % (b",".join(texts), orjson.dumps(partial)))


async def _part(call: Call, service: str, method: str, arguments: dict[str, Any]) -> bytes | None:
    try:
        return await call.ask_text(service, method, arguments)
    except ServiceError as error:
        if error.status < 500:
            raise
        return None


def _named(text: bytes | None, name: str) -> tuple[bytes, list[str]]:
    """A part that is one member, and what is missing."""
    return b'"%s":%s' % (name.encode(), text or b"null"), [] if text else [name]


def _members(text: bytes | None, *names: str) -> tuple[bytes, list[str]]:
    """A part that is an object of several members, and what is missing."""
    if text is None:
        return b",".join(b'"%s":null' % name.encode() for name in names), list(names)
    return text[1:-1], []


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
