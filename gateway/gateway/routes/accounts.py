"""Accounts."""

from __future__ import annotations

from typing import Any

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.headers import location
from gateway.schemas.bodies import MarkupBody
from gateway.unknown_user import ask_for_user
from shared.contracts import schema
from shared.contracts.billing import rpc as billing


async def list_accounts(call: Call) -> Answer:
    """The default one first."""
    return await call.pass_on("billing", "list_accounts", schema.dump(call.query))


async def get_account(call: Call) -> Answer:
    """One account of the caller's, or any for staff."""
    return await call.pass_on("billing", "get_account", {"account_id": call.path["account_id"]})


async def open_demo_account(call: Call) -> Answer:
    """One per user and currency."""
    return _made(await call.ask("billing", "open_demo_account", schema.dump(call.body)))


async def sync_real_account(call: Call) -> Answer:
    """Made, or updated, from what Deriv says; staff may name its owner."""
    arguments = schema.dump(call.body)
    return _made(await ask_for_user(call, "billing", "sync_real_account", arguments, user_id=call.body.user_id))


def _made(found: dict[str, Any]) -> Answer:
    account = found["account"]
    return json_answer(account, 201 if found["created"] else 200, location("accounts", account))


async def set_account_markup(call: Call) -> Answer:
    """Staff set an account's percentage."""
    arguments = {"account_id": call.path["account_id"], "markup_percentage": call.body.markup_percentage}
    return await call.pass_on("billing", "set_account_markup", arguments)


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/accounts",
        handler=list_accounts,
        summary="Accounts, the default one first",
        tag="accounts",
        query=billing.ListAccountsRequest,
        answer=billing.AccountPage,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/accounts/demo",
        handler=open_demo_account,
        summary="Open a demo account, or get the one there is",
        tag="accounts",
        body=billing.OpenDemoRequest,
        body_may_be_empty=True,
        key="accepted",
        status=201,
        status_again=200,
        headers=("Location",),
        answer=billing.AccountView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/accounts/real",
        handler=sync_real_account,
        summary="Link a Deriv account, or update it",
        tag="accounts",
        body=billing.SyncRealRequest,
        key="accepted",
        status=201,
        status_again=200,
        headers=("Location",),
        answer=billing.AccountView,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/accounts/{account_id}",
        handler=get_account,
        summary="One account",
        tag="accounts",
        answer=billing.AccountView,
    ),
    Endpoint(
        method="PATCH",
        path="/api/v1/accounts/{account_id}",
        handler=set_account_markup,
        summary="Set an account's markup",
        tag="accounts",
        who="staff",
        body=MarkupBody,
        answer=billing.AccountView,
    ),
]
