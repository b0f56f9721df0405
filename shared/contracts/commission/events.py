"""What commission announces. Amounts are minor units beside their currency."""

from __future__ import annotations

from typing import Literal, Self

from shared.contracts.envelope import EventData, event
from shared.contracts.types import Currency, Id, Percent, PositiveMinor, Timestamp

_AWARD, _REVERSAL, _RULE, _OWNER, _PAYER, _TRADE, _DEPOSIT = (
    "01920000-0000-7000-8000-000000000061",
    "01920000-0000-7000-8000-000000000062",
    "01920000-0000-7000-8000-000000000063",
    "01910000-0000-7000-8000-000000000002",
    "01920000-0000-7000-8000-000000000001",
    "01920000-0000-7000-8000-000000000031",
    "01920000-0000-7000-8000-000000000023",
)


@event("commission", "commission_accrued", readers=("billing", "trades", "notifications", "audit"))
class CommissionAccrued(EventData):
    """An affiliate has earned the markup of a REAL trade. Subject: the award, version 1.

    `owner_id` earns, `user_id` has paid. `percent` is the trade's effective rate; rule and version are null when the
    rate came from elsewhere.
    """

    award_id: Id
    kind: Literal["MARKUP"]
    trade_id: Id
    owner_id: Id
    user_id: Id
    currency: Currency
    amount: PositiveMinor
    percent: Percent
    rule_id: Id | None
    rule_version: int | None
    level: int

    @classmethod
    def example(cls) -> Self:
        return cls(
            award_id=_AWARD,
            kind="MARKUP",
            trade_id=_TRADE,
            owner_id=_OWNER,
            user_id=_PAYER,
            currency="USD",
            amount=39,
            percent="2.00",
            rule_id=_RULE,
            rule_version=3,
            level=1,
        )


@event("commission", "referral_commission_accrued", readers=("billing", "referrals", "notifications", "audit"))
class ReferralCommissionAccrued(EventData):
    """A referrer has earned his share of the first REAL deposit of somebody whom he referred; the house pays it.

    Subject: the award, version 1. `deposit_id` is the deposit's transaction.
    """

    award_id: Id
    kind: Literal["REFERRAL"]
    deposit_id: Id
    owner_id: Id
    user_id: Id
    currency: Currency
    amount: PositiveMinor
    percent: Percent
    rule_id: Id
    rule_version: int
    level: int

    @classmethod
    def example(cls) -> Self:
        return cls(
            award_id=_AWARD,
            kind="REFERRAL",
            deposit_id=_DEPOSIT,
            owner_id=_OWNER,
            user_id=_PAYER,
            currency="USD",
            amount=2500,
            percent="5.00",
            rule_id=_RULE,
            rule_version=3,
            level=1,
        )


@event("commission", "commission_reversed", readers=("billing", "trades", "notifications", "audit"))
class CommissionReversed(EventData):
    """An award is taken back, because its trade was voided: `amount` is the award's, above zero.

    Subject: the award, version 2. Readers write the award and its mirror from this event alone if it comes first.
    """

    reversal_id: Id
    award_id: Id
    kind: Literal["MARKUP"]
    trade_id: Id
    owner_id: Id
    user_id: Id
    currency: Currency
    amount: PositiveMinor
    reason: str

    @classmethod
    def example(cls) -> Self:
        return cls(
            reversal_id=_REVERSAL,
            award_id=_AWARD,
            kind="MARKUP",
            trade_id=_TRADE,
            owner_id=_OWNER,
            user_id=_PAYER,
            currency="USD",
            amount=39,
            reason="trade_cancelled",
        )


@event("commission", "commission_rule_changed", readers=("trades", "notifications", "audit"))
class CommissionRuleChanged(EventData):
    """An owner's rule has a new version, in force from `valid_from` on. Subject: the rule, with its version.

    `before` is empty for the first version.
    """

    rule_id: Id
    owner_id: Id
    rule_version: int
    referral_percent: Percent
    markup_percent: Percent
    valid_from: Timestamp
    before: dict[str, object]
    after: dict[str, object]

    @classmethod
    def example(cls) -> Self:
        return cls(
            rule_id=_RULE,
            owner_id=_OWNER,
            rule_version=3,
            referral_percent="5.00",
            markup_percent="2.00",
            valid_from="2026-01-01T00:00:00Z",
            before={"referral_percent": "5.00", "markup_percent": "1.00"},
            after={"referral_percent": "5.00", "markup_percent": "2.00"},
        )
