"""Statement lines."""

from __future__ import annotations

from gateway.answer import Answer, json_answer
from gateway.endpoint import Call, Endpoint
from shared.contracts import schema
from shared.contracts.billing import rpc as billing


async def list_transactions(call: Call) -> Answer:
    """Newest first."""
    return json_answer(await call.ask("billing", "list_transactions", schema.dump(call.query)))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/transactions",
        handler=list_transactions,
        summary="Statement lines, newest first",
        tag="transactions",
        query=billing.ListTransactionsRequest,
        answer=billing.TransactionPage,
    )
]
