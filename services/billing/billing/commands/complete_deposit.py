"""The money of a deposit has arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, text

from billing import events, ledger, queries, rules
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import TransactionNotPending
from shared.contracts.billing.rpc import TransactionAnswer

_IS_FIRST: Final = text("SELECT deposit_is_first(CAST(:id AS uuid), :now)")


def complete_deposit(db: Database, caller: Context, *, transaction_id: str, now: datetime) -> TransactionAnswer:
    """For staff. The line is COMPLETED by a ledger transaction under its own id; again: the same answer.

    Whether it is the user's first is decided in the same commit. Raises Unauthorized, Forbidden, TransactionNotFound
    (also of what is no deposit), TransactionNotPending (a FAILED one), IdempotencyMismatch.
    """
    staff_id = caller.require_staff()
    asked = caller.idempotency
    with db.transaction() as tx:
        replayed = asked is not None and not idempotency.remember(tx, staff_id, asked, transaction_id)
        if asked is not None and replayed:
            idempotency.find(tx, staff_id, asked)
        deposit = queries.lock_deposit(tx, transaction_id)
        if deposit["status"] == "FAILED":
            raise TransactionNotPending(extra={"transaction_status": "FAILED"})
        if deposit["status"] == "PENDING":
            deposit = _complete(tx, deposit, caller.correlation_id, now)
    return TransactionAnswer(transaction=queries.transaction_view(deposit), replayed=replayed)


def _complete(tx: Connection, deposit: RowMapping, correlation_id: str, now: datetime) -> RowMapping:
    (posted,) = ledger.post(tx, [_make_posting(deposit, correlation_id)], now=now)
    first = bool(tx.execute(_IS_FIRST, {"id": deposit["id"], "now": now}).scalar_one())
    completed = queries.find_transaction(tx, deposit["id"])
    told = [
        events.make_deposit_completed(completed, first_real=first, now=now),
        events.make_transaction_recorded(posted, now),
    ]
    outbox.add_many(tx, told)
    return completed


def _make_posting(deposit: RowMapping, correlation_id: str) -> rules.LedgerTx:
    amount, currency = deposit["amount"], deposit["currency"]
    return rules.LedgerTx(
        kind="deposit",
        ref=deposit["id"],
        environment="real",
        currency=currency,
        correlation_id=correlation_id,
        completes=deposit["id"],
        legs=[
            rules.Leg(
                account=rules.Account(deposit["account_id"]),
                amount=amount,
                tx_type="DEPOSIT",
                reference=deposit["reference"],
            ),
            rules.Leg(account=ledger.house("real", currency, "external"), amount=-amount),
        ],
    )
