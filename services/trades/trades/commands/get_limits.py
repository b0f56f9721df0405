"""How an account stands with its limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.money import to_text
from shared.contracts.trades.limits import (
    GetLimitsRequest,
    LimitsLeft,
    LimitsView,
    LimitValues,
    PendingLimit,
    UsageView,
)
from shared.utils.time import get_utc_now, to_rfc3339
from trades import limits
from trades.commands.know_account import know_account
from trades.commands.price_order import limit
from trades.limits import NAMES, NUMBERS, Limits, Usage
from trades.models import standing
from trades.models.copied import Account
from trades.models.standing import Standing
from trades.rules import Conditions

_LEFT = ("open_trades_max", "stake_per_day", "loss_per_day", "stop_loss", "take_profit", "consecutive_losses")


def get_limits(request: GetLimitsRequest, *, db: Database, billing: BillingRpc, conditions: Conditions) -> LimitsView:
    """For its owner and staff. Raises AccountNotFound."""
    account = know_account(account_id=request.account_id, db=db, billing=billing)
    now = get_utc_now()
    with db.read() as tx:
        found = standing.read(tx, account_id=account.account_id, user_id=account.user_id, now=now)
    return limits_view(account, found, conditions, now=now)


def limits_view(account: Account, found: Standing, conditions: Conditions, *, now: datetime) -> LimitsView:
    """The public form; `effective` has the house's conditions in it, which hold for everybody."""
    currency = account.currency
    house = Limits(stake_min=limit(conditions.stake_min, currency), payout_max=limit(conditions.payout_max, currency))
    paused = limits.paused_until(found.limits, found.usage)
    return LimitsView(
        account_id=account.account_id,
        user_id=account.user_id,
        currency=currency,
        staff=_values(found.staff, currency),
        own=_values(found.own, currency),
        pending=[
            PendingLimit(limit=name, value=_text(name, change.value, currency), effective_at=to_rfc3339(change.at))
            for name, change in found.pending.items()
        ],
        effective=_values(limits.stricter(house, found.limits), currency),
        today=UsageView(
            day=now.date().isoformat(),
            open_trades=found.usage.open_trades,
            at_risk=to_text(found.usage.at_risk, currency),
            staked=to_text(found.usage.staked, currency),
            profit=to_text(found.usage.profit, currency),
        ),
        left=left_view(found.limits, found.usage, currency),
        paused_until=None if paused is None or paused <= now else to_rfc3339(paused),
        self_exclusion_until=None if found.excluded_until is None else to_rfc3339(found.excluded_until),
    )


def left_view(allowed: Limits, usage: Usage, currency: str) -> LimitsLeft:
    """What each limit that is set has left."""
    left = limits.remaining(allowed, usage)
    return cast("LimitsLeft", {name: _shown(name, left.get(name), currency) for name in _LEFT})


def _values(values: Limits, currency: str) -> LimitValues:
    return cast("LimitValues", {name: _shown(name, getattr(values, name), currency) for name in NAMES})


def _shown(name: str, value: int | None, currency: str) -> Any:
    return value if value is None or name in NUMBERS else to_text(value, currency)


def _text(name: str, value: int | None, currency: str) -> str | None:
    return None if value is None else str(_shown(name, value, currency))
