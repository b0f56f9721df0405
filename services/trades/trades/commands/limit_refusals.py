"""What an account's limits say to an order: the same words for a preview and for an opening."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shared.contracts.errors import FieldError, ServiceError
from shared.contracts.money import to_text
from shared.contracts.trades.errors import LimitReached, SelfExcluded, TradingHalted
from shared.utils.time import to_rfc3339
from trades import limits
from trades.limits import NUMBERS, Breach, Limits, Order
from trades.models.halts import Halt
from trades.models.standing import Standing

_RANGE = {
    "stake_min": ("too_low", "The minimum stake of this account is {}."),
    "stake_max": ("too_high", "The maximum stake of this account is {}."),
    "payout_max": ("payout_too_high", "The maximum payout of this account is {}."),
}


def limit_refusals(standing: Standing, order: Order, *, currency: str, now: datetime) -> Iterator[ServiceError]:
    """Every reason not to open it, the gravest first; nothing when it may be opened."""
    if standing.excluded_until is not None:
        until = to_rfc3339(standing.excluded_until)
        yield SelfExcluded(f"You have excluded yourself until {until}.", extra={"until": until})
    for breach in limits.breaches(standing.limits, standing.usage, order, now):
        yield _refusal(breach, standing, currency)


def stake_errors(allowed: Limits, order: Order, currency: str) -> list[FieldError]:
    """What is wrong with the stake itself."""
    return [
        FieldError(
            field="stake",
            code=_RANGE[breach.limit][0],
            message=_RANGE[breach.limit][1].format(f"{to_text(breach.left, currency)} {currency}"),
        )
        for breach in limits.stake_breaches(allowed, order)
    ]


def halted(halt: Halt) -> TradingHalted:
    """The refusal while trading is halted."""
    what = "Trading" if halt.symbol is None else f"Trading on {halt.symbol}"
    return TradingHalted(f"{what} is halted.", extra={"symbol": halt.symbol, "since": to_rfc3339(halt.since)})


def left_text(name: str, left: int, currency: str) -> str | int:
    """What a limit has left, as it is shown."""
    return left if name in NUMBERS else to_text(left, currency)


def _refusal(breach: Breach, standing: Standing, currency: str) -> LimitReached:
    name = breach.limit
    left = left_text(name, breach.left, currency)
    set_by = "self" if getattr(standing.own, name) == getattr(standing.limits, name) else "staff"
    until = {} if breach.until is None else {"until": to_rfc3339(breach.until)}
    detail = f"{name} is reached" if breach.left == 0 else f"{name} has {left} left"
    return LimitReached(detail, extra={"limit": name, "set_by": set_by, "left": left, **until})
