"""From rows and ledger transactions to what leaves the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from billing.rules import Posted
from shared.chassis.outbox import Pending
from shared.contracts.billing.events import (
    AccountOpened,
    AccountUpdated,
    DepositCompleted,
    DepositFailed,
    DepositRequested,
    Line,
    TransactionRecorded,
)
from shared.contracts.envelope import Envelope
from shared.contracts.money import percent_text
from shared.utils.time import to_rfc3339

_OPENED: Final = text(
    "SELECT CAST(id AS text) AS id, CAST(user_id AS text) AS user_id, deriv_account_id, account_type, currency,"
    " is_default, markup_percentage, terms_version, created_at FROM accounts"
    " WHERE kind = 'client' AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid))"
    " ORDER BY accounts.id LIMIT :limit"
)


def present(tx: Connection, type_: str, *, after: str | None, limit: int) -> list[Pending]:
    """What there is now, as if told again: the subjects after `after`, in the order of their ids.

    Raises KeyError for a type that does not carry a present state.
    """
    if type_ != AccountOpened.type:
        raise KeyError(type_)
    accounts = tx.execute(_OPENED, {"after": after, "limit": limit}).mappings()
    return [make_account_opened(account, account["created_at"]) for account in accounts]


def make_account_opened(account: RowMapping, now: datetime, cause: Envelope | None = None) -> Pending:
    """An account exists."""
    return Pending(
        data=AccountOpened(**_terms(account)),
        subject=account["id"],
        subject_version=account["terms_version"],
        cause=cause,
        occurred_at=now,
    )


def make_account_updated(account: RowMapping, before: Mapping[str, object], now: datetime) -> Pending:
    """An account's terms changed; `before` holds what the changed ones were, as contracts write them."""
    terms = _terms(account)
    data = AccountUpdated(
        **terms, changed=sorted(before), before=dict(before), after={name: terms[name] for name in before}
    )
    return Pending(data=data, subject=account["id"], subject_version=account["terms_version"], occurred_at=now)


def make_transaction_recorded(posted: Posted, now: datetime, cause: Envelope | None = None) -> Pending:
    """A ledger transaction is in the books."""
    data = TransactionRecorded(
        ledger_tx_id=posted.id,
        kind=posted.kind,
        ref=posted.ref,
        environment=posted.environment,
        currency=posted.currency,
        lines=[
            Line(
                transaction_id=line.id,
                user_id=line.user_id,
                account_id=line.account_id,
                account_version=line.account_version,
                tx_type=line.tx_type,
                amount=line.amount,
                balance_after=line.balance_after,
                reference=line.reference or "",
            )
            for line in posted.lines
        ],
        recorded_at=to_rfc3339(now),
    )
    return Pending(data=data, subject=posted.id, cause=cause, occurred_at=now)


def make_deposit_requested(deposit: RowMapping, now: datetime) -> Pending:
    """Somebody wants to pay in."""
    return Pending(data=DepositRequested(**_deposit(deposit)), subject=deposit["id"], occurred_at=now)


def make_deposit_completed(deposit: RowMapping, *, first_real: bool, now: datetime) -> Pending:
    """A deposit is on the account."""
    data = DepositCompleted(
        **_deposit(deposit),
        ledger_tx_id=deposit["ledger_tx_id"],
        balance_after=deposit["balance_after"],
        first_real=first_real,
    )
    return Pending(data=data, subject=deposit["id"], subject_version=2, occurred_at=now)


def make_deposit_failed(deposit: RowMapping, reason: str, now: datetime) -> Pending:
    """A deposit was refused."""
    data = DepositFailed(**_deposit(deposit), reason=reason)
    return Pending(data=data, subject=deposit["id"], subject_version=2, occurred_at=now)


def _deposit(deposit: RowMapping) -> dict[str, Any]:
    return {
        "transaction_id": deposit["id"],
        "user_id": deposit["user_id"],
        "account_id": deposit["account_id"],
        "account_type": "REAL",
        "currency": deposit["currency"],
        "amount": deposit["amount"],
        "reference": deposit["reference"],
    }


def _terms(account: RowMapping) -> dict[str, Any]:
    return {
        "account_id": account["id"],
        "user_id": account["user_id"],
        "account_type": account["account_type"],
        "currency": account["currency"],
        "deriv_account_id": account["deriv_account_id"],
        "is_default": account["is_default"],
        "markup_percentage": percent_text(account["markup_percentage"]),
    }
