"""Bodies whose id comes in the path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from marshmallow import validate

from shared.contracts.referrals.rpc import MaxUses
from shared.contracts.schema import UNSET
from shared.contracts.trades.limits import Count
from shared.contracts.types import Amount, Metadata, Name, Percent, Timestamp

Reason = Annotated[str, validate.Length(min=1, max=200)]


@dataclass(frozen=True, kw_only=True)
class MarkupBody:
    """PATCH of a user or an account."""

    markup_percentage: Percent | None


@dataclass(frozen=True, kw_only=True)
class CloseBody:
    """Staff settle a trade by hand."""

    payout: Amount
    transaction_id: Name | None = None


@dataclass(frozen=True, kw_only=True)
class SellBody:
    """The owner sells a trade at the bid; below `min_price` the sale is refused."""

    min_price: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class VoidBody:
    """Staff undo a trade; the trader reads why."""

    reason: Reason


@dataclass(frozen=True, kw_only=True)
class FailBody:
    """Staff refuse a deposit."""

    reason: Reason | None = None


@dataclass(frozen=True, kw_only=True)
class RuleBody:
    """Staff set what an owner earns."""

    referral_percent: Percent
    markup_percent: Percent


@dataclass(frozen=True, kw_only=True)
class CodeBody:
    """PATCH of a referral code: what is left out stays, null takes away."""

    max_uses: MaxUses | None = UNSET
    expires_at: Timestamp | None = UNSET
    disabled: bool = UNSET
    metadata: Metadata = UNSET
    markup_percent: Percent | None = UNSET


@dataclass(frozen=True, kw_only=True)
class AccountLimitsBody:
    """Staff limit an account: what is left out is not limited."""

    stake_min: Amount | None = None
    stake_max: Amount | None = None
    payout_max: Amount | None = None
    open_trades_max: Count | None = None
    stake_per_day: Amount | None = None
    loss_per_day: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class EmptyBody:
    """An action that takes nothing."""
