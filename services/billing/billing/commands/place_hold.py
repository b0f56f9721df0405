"""Reserve money for a trade."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound, HoldMismatch, HoldRefused, InsufficientFunds
from shared.contracts.billing.rpc import HoldAnswer
from shared.contracts.errors import ServiceError

_PLACE: Final = text(
    "SELECT outcome, available FROM hold_place("
    "CAST(:id AS uuid), CAST(:account AS uuid), CAST(:user AS uuid), :amount, :currency, :now)"
)
_REFUSALS: Final[dict[str, type[ServiceError]]] = {
    "unknown_account": AccountNotFound,
    "insufficient": InsufficientFunds,
    "refused": HoldRefused,
    "mismatch": HoldMismatch,
}


def place_hold(
    db: Database,
    caller: Context,
    *,
    hold_id: str,
    account_id: str,
    user_id: str,
    amount: int,
    currency: str,
    now: datetime,
) -> HoldAnswer:
    """Reserves `amount` minor units of the owner's money, once per `hold_id`; the system may do so for anybody.

    Raises Unauthorized, AccountNotFound, InsufficientFunds, HoldRefused (released before), HoldMismatch.
    """
    if caller.kind != "system" and caller.require_user() != user_id:
        raise AccountNotFound()
    values = {
        "id": hold_id,
        "account": account_id,
        "user": user_id,
        "amount": amount,
        "currency": currency,
        "now": now,
    }
    # A refusal changes nothing, so that it may be committed as well.
    (placed,) = db.once(_PLACE, values)
    if placed.outcome in _REFUSALS:
        raise _REFUSALS[placed.outcome]()
    return HoldAnswer(hold_id=hold_id, amount=amount, available=placed.available)
