"""From rows and ledger transactions to what leaves the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from billing.rules import Posted
from shared.chassis.outbox import Pending
from shared.contracts.billing.events import AccountOpened, AccountUpdated, Line, TransactionRecorded
from shared.contracts.envelope import Envelope
from shared.contracts.money import percent_text
from shared.utils.time import to_rfc3339


def make_account_opened(account: RowMapping, now: datetime) -> Pending:
    """An account exists."""
    return Pending(
        data=AccountOpened(**_terms(account)),
        subject=account["id"],
        subject_version=account["terms_version"],
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
