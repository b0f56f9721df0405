"""Statement lines, and deposits until staff have decided."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from gateway.headers import replayed
from gateway.schemas.bodies import EmptyBody, FailBody
from shared.contracts import schema
from shared.contracts.billing import rpc as billing


async def list_transactions(call: Call) -> Answer:
    """Newest first."""
    return await call.pass_on("billing", "list_transactions", schema.dump(call.query))


async def request_deposit(call: Call) -> Answer:
    """Pending until staff say."""
    found = await call.ask("billing", "request_deposit", schema.dump(call.body))
    return json_answer(found["transaction"], 201, *replayed(found))


async def complete_deposit(call: Call) -> Answer:
    """Staff: the money has arrived."""
    found = await call.ask("billing", "complete_deposit", call.path)
    return json_answer(found["transaction"], 200, *replayed(found))


async def fail_deposit(call: Call) -> Answer:
    """Staff: it has not."""
    found = await call.ask("billing", "fail_deposit", {**schema.dump(call.body), **call.path})
    return json_answer(found["transaction"], 200, *replayed(found))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/transactions",
        handler=list_transactions,
        summary="Statement lines, newest first",
        tag="transactions",
        query=billing.ListTransactionsRequest,
        answer=billing.TransactionPage,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/transactions/deposits",
        handler=request_deposit,
        summary="Pay in",
        tag="transactions",
        body=billing.DepositRequest,
        key="required",
        status=201,
        headers=("Idempotent-Replayed",),
        answer=billing.TransactionView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/transactions/{transaction_id}/complete",
        handler=complete_deposit,
        summary="Complete a deposit",
        tag="transactions",
        who="staff",
        body=EmptyBody,
        body_may_be_empty=True,
        key="accepted",
        headers=("Idempotent-Replayed",),
        answer=billing.TransactionView,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/transactions/{transaction_id}/fail",
        handler=fail_deposit,
        summary="Refuse a deposit",
        tag="transactions",
        who="staff",
        body=FailBody,
        body_may_be_empty=True,
        key="accepted",
        headers=("Idempotent-Replayed",),
        answer=billing.TransactionView,
    ),
]
