"""What trades is asked about limits, and what an opening would come to.

Money as decimal strings of the account's currency. A day is one of UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from marshmallow import validate

from shared.contracts.trades.requests import ContractTerms
from shared.contracts.types import Amount, Id, Timestamp

SHORTEST_PAUSE, LONGEST_PAUSE = 60, 31_536_000
"""Seconds that losses in a row may pause an account for."""


Count = Annotated[int, validate.Range(min=0, max=1_000_000)]
Losses = Annotated[int, validate.Range(min=1, max=100)]
Pause = Annotated[int, validate.Range(min=SHORTEST_PAUSE, max=LONGEST_PAUSE)]


class LimitValues(TypedDict):
    """A set of limits; null where there is none.

    `stake_per_day` counts what is asked for on a day; `loss_per_day` is never exceeded, since the cost of all open
    trades counts as lost; `stop_loss` ends the day's openings once that much is lost or at risk, `take_profit` once
    that much is won. After `consecutive_losses` nothing is opened for `cool_down_seconds` from the last one on.
    """

    stake_min: str | None
    stake_max: str | None
    payout_max: str | None
    open_trades_max: int | None
    stake_per_day: str | None
    loss_per_day: str | None
    stop_loss: str | None
    take_profit: str | None
    consecutive_losses: int | None
    cool_down_seconds: int | None


class PendingLimit(TypedDict):
    """A looser limit of one's own that waits for its time; `value` null: then there is none."""

    limit: str
    value: str | None
    effective_at: str


class LimitsLeft(TypedDict):
    """What each limit that is set has left; null where there is none."""

    open_trades_max: int | None
    stake_per_day: str | None
    loss_per_day: str | None
    stop_loss: str | None
    take_profit: str | None
    consecutive_losses: int | None


class UsageView(TypedDict):
    """What is counted: open trades and their cost of all days, and of this `day` what was staked, and won or lost."""

    day: str
    open_trades: int
    at_risk: str
    staked: str
    profit: str


class LimitsView(TypedDict):
    """How an account stands. `effective` is the strictest of the house's (`staff`) and one's own (`own`)."""

    account_id: str
    user_id: str
    currency: str
    staff: LimitValues
    own: LimitValues
    pending: list[PendingLimit]
    effective: LimitValues
    today: UsageView
    left: LimitsLeft
    paused_until: str | None
    self_exclusion_until: str | None


class RefusalView(TypedDict):
    """Why it would be refused: the code, and what the error would say beside it."""

    code: str
    detail: str
    limit: str | None
    left: str | None
    until: str | None


class PreviewView(TypedDict):
    """What an opening would cost, pay and use up; `refusals` is empty when it would be accepted.

    `affiliate_commission` and `house_markup` are the two parts of the markup. `available` is null while billing is
    away: then nobody knows whether the money suffices. `left` is what the limits have left with it.
    """

    account_id: str
    account_type: str
    symbol: str
    contract_type: str
    direction: str
    barrier: str | None
    duration_seconds: int
    currency: str
    stake: str
    payout: str
    markup: str
    markup_percent: str
    markup_source: str
    cost: str
    potential_profit: str
    spot: str
    affiliate_id: str | None
    affiliate_commission: str
    house_markup: str
    available: str | None
    left: LimitsLeft
    refusals: list[RefusalView]


@dataclass(frozen=True, kw_only=True)
class GetLimitsRequest:
    """Owner or staff."""

    account_id: Id


@dataclass(frozen=True, kw_only=True)
class SetSelfLimitsRequest:
    """All that the owner wants of himself; what is left out or null is to be unlimited.

    What is stricter holds at once, what is looser in 24 hours. `cool_down_seconds` goes with `consecutive_losses`, and
    is a day when left out. `self_exclusion_until` shuts the trader out of all his accounts and cannot be shortened:
    left out, it stays.
    """

    account_id: Id
    stake_max: Amount | None = None
    open_trades_max: Count | None = None
    stake_per_day: Amount | None = None
    loss_per_day: Amount | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    consecutive_losses: Losses | None = None
    cool_down_seconds: Pause | None = None
    self_exclusion_until: Timestamp | None = None


@dataclass(frozen=True, kw_only=True)
class SetAccountLimitsRequest:
    """Staff: the house's limits of an account; what is left out or null is unlimited, but for the house's own."""

    account_id: Id
    stake_min: Amount | None = None
    stake_max: Amount | None = None
    payout_max: Amount | None = None
    open_trades_max: Count | None = None
    stake_per_day: Amount | None = None
    loss_per_day: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class PreviewRequest(ContractTerms):
    """Everything about an opening but the opening."""
