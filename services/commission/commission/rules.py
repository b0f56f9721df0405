"""Decisions of commission: standard library only, no clock, no database. Amounts are minor units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

REFERRAL_MAX: Final = Decimal(100)
"""Nobody earns more of a deposit than all of it."""
HIGHEST_MARKUP: Final = 5
"""No setting raises a markup above this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the house sets: the highest markup percent that a rule may give."""

    markup_max: Decimal = Decimal(3)

    def __post_init__(self) -> None:
        if not 0 <= self.markup_max <= HIGHEST_MARKUP:
            raise ValueError(f"0 <= maximum <= {HIGHEST_MARKUP} must hold")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is due, and why when nothing is."""

    due: int
    reason: str | None = None


def verdict_on_trade(*, account_type: str, user_id: str, affiliate_id: str | None, markup: int) -> Verdict:
    """The whole markup of a REAL trade is its affiliate's.

    Raises ValueError for a negative markup and for a trader who is his own affiliate.
    """
    if markup < 0:
        raise ValueError(f"markup of a trade: {markup}")
    _check_parties(user_id, affiliate_id)
    if account_type != "REAL":
        return Verdict(0, "demo")
    if affiliate_id is None:
        return Verdict(0, "no_affiliate")
    return Verdict(markup) if markup else Verdict(0, "no_markup")


def verdict_on_deposit(*, user_id: str, referrer_id: str | None, share: int | None) -> Verdict:
    """A referrer's share of a first deposit; `share` is None where no rule of his was in force.

    Raises ValueError for a user who has referred himself.
    """
    _check_parties(user_id, referrer_id)
    if referrer_id is None:
        return Verdict(0, "no_referrer")
    if share is None:
        return Verdict(0, "no_rule")
    return Verdict(share) if share else Verdict(0, "zero")


def excesses(*, referral_percent: Decimal, markup_percent: Decimal, conditions: Conditions) -> dict[str, Decimal]:
    """The maximum of each percent that is above it, by field."""
    asked = {
        "referral_percent": (referral_percent, REFERRAL_MAX),
        "markup_percent": (markup_percent, conditions.markup_max),
    }
    return {field: most for field, (percent, most) in asked.items() if percent > most}


def _check_parties(user_id: str, owner_id: str | None) -> None:
    if user_id == owner_id:
        raise ValueError("nobody earns from himself")
