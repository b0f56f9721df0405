"""Somebody wants to pay in."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text

from billing import events, queries
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import TransactionAnswer
from shared.contracts.errors import FieldError, ValidationFailed
from shared.contracts.money import to_minor
from shared.utils.ids import new_id

_REQUEST: Final = text(
    "SELECT deposit_request(CAST(:id AS uuid), CAST(:account AS uuid), :amount, CAST(:reference AS text), :now)"
)


def request_deposit(
    db: Database, caller: Context, *, account_id: str, amount: str, reference: str | None, now: datetime
) -> TransactionAnswer:
    """A statement line that is PENDING until staff decide; no money moves. One per idempotency key.

    Raises Unauthorized, AccountNotFound (not one's own), ValidationFailed (DEMO, amount), IdempotencyMismatch.
    """
    user_id = caller.require_user()
    asked, deposit_id = caller.idempotency, new_id()
    with db.transaction() as tx:
        account = queries.find_account(tx, account_id)
        if account["user_id"] != user_id:
            raise AccountNotFound()
        minor = _check(account, amount)
        replayed = asked is not None and not idempotency.remember(tx, user_id, asked, deposit_id)
        if asked is not None and replayed:
            deposit_id = idempotency.find(tx, user_id, asked) or deposit_id
        else:
            values = {"id": deposit_id, "account": account_id, "amount": minor, "reference": reference, "now": now}
            tx.execute(_REQUEST, values)
        deposit = queries.find_transaction(tx, deposit_id)
        if not replayed:
            outbox.add_many(tx, [events.make_deposit_requested(deposit, now)])
    return TransactionAnswer(transaction=queries.transaction_view(deposit), replayed=replayed)


def _check(account: RowMapping, amount: str) -> int:
    errors = []
    minor, currency = 0, account["currency"]
    if account["account_type"] != "REAL":
        errors.append(FieldError(field="account_id", code="not_real", message="Only REAL accounts take deposits."))
    try:
        minor = to_minor(amount, currency)
    except ValueError as error:
        errors.append(FieldError(field="amount", code="invalid", message=f"Not an amount of {currency}: {error}."))
    else:
        if minor == 0:
            errors.append(FieldError(field="amount", code="too_low", message="More than nothing must be paid in."))
    if errors:
        raise ValidationFailed(errors=errors)
    return minor
