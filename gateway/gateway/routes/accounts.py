"""Accounts."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.schemas.bodies import MarkupBody
from shared.contracts import schema
from shared.contracts.billing import rpc as billing


async def list_accounts(call: Call) -> Answer:
    """The default one first."""
    return json_answer(await call.ask("billing", "list_accounts", schema.dump(call.query)))


async def get_account(call: Call) -> Answer:
    """One account of the caller's, or any for staff."""
    return json_answer(await call.ask("billing", "get_account", {"account_id": call.path["account_id"]}))


async def open_demo_account(call: Call) -> Answer:
    """One per user and currency."""
    found = await call.ask("billing", "open_demo_account", schema.dump(call.body))
    account = found["account"]
    location = (b"location", f"/api/v1/accounts/{account['id']}".encode())
    return json_answer(account, 201 if found["created"] else 200, location)


async def set_account_markup(call: Call) -> Answer:
    """Staff set an account's percentage."""
    arguments = {"account_id": call.path["account_id"], "markup_percentage": call.body.markup_percentage}
    return json_answer(await call.ask("billing", "set_account_markup", arguments))


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
