"""The money of a deposit has not arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from billing import events, queries
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import TransactionNotPending
from shared.contracts.billing.rpc import TransactionAnswer

_FAIL: Final = text("SELECT deposit_fail(CAST(:id AS uuid), :reason)")
_REASON: Final = "The money has not arrived."


def fail_deposit(
    db: Database, caller: Context, *, transaction_id: str, reason: str | None, now: datetime
) -> TransactionAnswer:
    """For staff. The line is FAILED, with the reason in its metadata; again: the same answer, the first reason stays.

    Raises Unauthorized, Forbidden, TransactionNotFound (also of what is no deposit), TransactionNotPending (a
    COMPLETED one), IdempotencyMismatch.
    """
    staff_id = caller.require_staff()
    asked = caller.idempotency
    with db.transaction() as tx:
        replayed = asked is not None and not idempotency.remember(tx, staff_id, asked, transaction_id)
        if asked is not None and replayed:
            idempotency.find(tx, staff_id, asked)
        deposit = queries.lock_deposit(tx, transaction_id)
        if deposit["status"] == "COMPLETED":
            raise TransactionNotPending(extra={"transaction_status": "COMPLETED"})
        if deposit["status"] == "PENDING":
            said = reason or _REASON
            tx.execute(_FAIL, {"id": transaction_id, "reason": said})
            deposit = queries.find_transaction(tx, transaction_id)
            outbox.add_many(tx, [events.make_deposit_failed(deposit, said, now)])
    return TransactionAnswer(transaction=queries.transaction_view(deposit), replayed=replayed)
