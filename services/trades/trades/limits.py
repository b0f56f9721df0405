"""What limits mean: standard library only, no clock, no database.

Amounts are `int` minor units of the account's currency, a day is one of UTC. Of several limits the strictest counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

LOOSENED_AFTER: Final = timedelta(hours=24)
"""How long a trader waits for a limit of his own to become looser."""
COOL_DOWN_SECONDS: Final = 86_400
"""The pause after too many losses in a row, when the trader names none."""
LONGEST_EXCLUSION: Final = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: not limited.

    `stake_per_day` counts what is asked for on a day and not given back. `loss_per_day` is never exceeded: the cost of
    all open trades counts as lost. `stop_loss` ends the day's openings once that much is lost or at risk, `take_profit`
    once that much is won. After `consecutive_losses` nothing is opened for `cool_down_seconds` from the last one on.
    """

    stake_min: int | None = None
    stake_max: int | None = None
    payout_max: int | None = None
    open_trades_max: int | None = None
    stake_per_day: int | None = None
    loss_per_day: int | None = None
    stop_loss: int | None = None
    take_profit: int | None = None
    consecutive_losses: int | None = None
    cool_down_seconds: int | None = None


NAMES: Final = tuple(item.name for item in fields(Limits))
NUMBERS: Final = frozenset({"open_trades_max", "consecutive_losses", "cool_down_seconds"})
"""The limits that are no amounts of money."""
_HIGHER_IS_STRICTER: Final = frozenset({"stake_min", "cool_down_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """What a limit will be from `at` on."""

    value: int | None
    at: datetime


Pending = Mapping[str, Loosening]
"""By the name of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is counted of an account: `open_trades` and `at_risk` (their cost) of all days, the rest of one day.

    `staked` by trades asked for on it, `profit` of those closed on it (negative: lost). `losses_in_row` are the newest
    results, the last of them at `last_loss_at`; they are counted no further than the limit.
    """

    open_trades: int = 0
    at_risk: int = 0
    staked: int = 0
    profit: int = 0
    losses_in_row: int = 0
    last_loss_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be opened. `cost` is the most that it can lose."""

    stake: int
    cost: int
    payout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A limit that an order breaks, how much it left, and until when nothing can be done about it, if that is known."""

    limit: str
    left: int
    until: datetime | None = None


def stricter(one: Limits, other: Limits) -> Limits:
    """Whatever is stricter of both."""
    return Limits(**{name: _strictest(name, getattr(one, name), getattr(other, name)) for name in NAMES})


def is_looser(name: str, wanted: int | None, present: int | None) -> bool:
    """Whether a limit would allow more than it does."""
    return wanted != _strictest(name, wanted, present)


def _strictest(name: str, one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other) if name in _HIGHER_IS_STRICTER else min(one, other)


def matured(present: Limits, pending: Pending, now: datetime) -> tuple[Limits, Pending]:
    """The limits with what has become of them by now, and what is still to come."""
    come = {name: change.value for name, change in pending.items() if change.at <= now}
    limits = Limits(**{name: come.get(name, getattr(present, name)) for name in NAMES})
    return limits, {name: change for name, change in pending.items() if name not in come}


def change(present: Limits, pending: Pending, wanted: Limits, now: datetime) -> tuple[Limits, Pending]:
    """What a trader's own limits become when he wants others: stricter at once, looser after a while.

    A looser limit that waits already, and would be at least as loose, is waited for no longer than that. `present` and
    `pending` are `matured`.
    """
    at_once: dict[str, int | None] = {}
    later: dict[str, Loosening] = {}
    for name in NAMES:
        is_, wants, waiting = getattr(present, name), getattr(wanted, name), pending.get(name)
        if not is_looser(name, wants, is_):
            at_once[name] = wants
            continue
        at_once[name] = is_
        waits = waiting is not None and not is_looser(name, wants, waiting.value)
        later[name] = Loosening(value=wants, at=waiting.at if waiting and waits else now + LOOSENED_AFTER)
    return Limits(**at_once), later


def stake_breaches(limits: Limits, order: Order) -> Iterator[Breach]:
    """What is wrong with the order itself, whatever else there is: `left` is what the limit allows."""
    if limits.stake_min is not None and order.stake < limits.stake_min:
        yield Breach(limit="stake_min", left=limits.stake_min)
    if limits.stake_max is not None and order.stake > limits.stake_max:
        yield Breach(limit="stake_max", left=limits.stake_max)
    if limits.payout_max is not None and order.payout > limits.payout_max:
        yield Breach(limit="payout_max", left=limits.payout_max)


def breaches(limits: Limits, usage: Usage, order: Order, now: datetime) -> Iterator[Breach]:
    """Every limit that has too little left for the order."""
    needed = {"open_trades_max": 1, "stake_per_day": order.stake, "loss_per_day": order.cost}
    midnight = next_day(now)
    for name, left in remaining(limits, usage).items():
        if name == "consecutive_losses":
            until = paused_until(limits, usage)
            if until is not None and until > now:
                yield Breach(limit=name, left=left, until=until)
        elif left < needed.get(name, 1):
            yield Breach(limit=name, left=left, until=midnight if name in ("stake_per_day", "take_profit") else None)


def remaining(limits: Limits, usage: Usage) -> dict[str, int]:
    """What each limit that is set has left, never below zero."""
    spent = {
        "open_trades_max": usage.open_trades,
        "stake_per_day": usage.staked,
        "loss_per_day": usage.at_risk - usage.profit,
        "stop_loss": usage.at_risk - usage.profit,
        "take_profit": usage.profit,
        "consecutive_losses": usage.losses_in_row,
    }
    return {
        name: max(0, getattr(limits, name) - used) for name, used in spent.items() if getattr(limits, name) is not None
    }


def after(usage: Usage, order: Order) -> Usage:
    """What is counted once the order is open."""
    return Usage(
        open_trades=usage.open_trades + 1,
        at_risk=usage.at_risk + order.cost,
        staked=usage.staked + order.stake,
        profit=usage.profit,
        losses_in_row=usage.losses_in_row,
        last_loss_at=usage.last_loss_at,
    )


def paused_until(limits: Limits, usage: Usage) -> datetime | None:
    """When the pause ends that too many losses in a row have begun; None without one. It may be over."""
    if limits.consecutive_losses is None or usage.last_loss_at is None:
        return None
    if usage.losses_in_row < limits.consecutive_losses:
        return None
    return usage.last_loss_at + timedelta(seconds=limits.cool_down_seconds or COOL_DOWN_SECONDS)


def next_day(now: datetime) -> datetime:
    """When the day ends."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
