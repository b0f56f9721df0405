"""What trades announces. Amounts are minor units beside their currency; spots are decimal strings.

`barrier` is as it was asked for: `+0.37` from the entry, `1511.50` a level, None the entry itself.
"""

from __future__ import annotations

from typing import Literal, Self

from shared.contracts.envelope import EventData, event
from shared.contracts.trades.limit_events import LimitsChanged, TradingHalted, TradingResumed
from shared.contracts.types import Currency, Id, Minor, Percent, PositiveMinor, Timestamp

__all__ = ["LimitsChanged", "TradeCancelled", "TradeOpened", "TradeSettled", "TradingHalted", "TradingResumed"]

Side = Literal["CALL", "PUT"]
"""Which way a contract looks. CALLE and PUTE are told as CALL and PUT with `wins_ties`."""

_TRADE, _USER, _ACCOUNT = (
    "01920000-0000-7000-8000-000000000031",
    "01920000-0000-7000-8000-000000000001",
    "01920000-0000-7000-8000-000000000011",
)


@event("trades", "trade_opened", readers=("audit",))
class TradeOpened(EventData):
    """A contract was bought; stake and markup are held on the account."""

    trade_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["DEMO", "REAL"]
    currency: Currency
    symbol: str
    contract_type: Side
    stake: PositiveMinor
    held: PositiveMinor
    markup: Minor
    potential_payout: PositiveMinor
    markup_percent: Percent
    markup_source: str
    rule_id: Id | None
    rule_version: int | None
    affiliate_id: Id | None
    code_id: Id | None
    contract_id: str
    entry_spot: str | None
    opened_at: Timestamp
    expires_at: Timestamp
    barrier: str | None = None
    wins_ties: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(
            trade_id=_TRADE,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="DEMO",
            currency="USD",
            symbol="R_100",
            contract_type="CALL",
            stake=1000,
            held=1039,
            markup=39,
            potential_payout=1954,
            markup_percent="2.00",
            markup_source="account",
            rule_id=None,
            rule_version=None,
            affiliate_id=None,
            code_id=None,
            contract_id="01920000-0000-7000-8000-000000000041",
            entry_spot=None,
            opened_at="2026-01-01T00:00:00.250000Z",
            expires_at="2026-01-01T00:01:02Z",
        )


@event("trades", "trade_settled", readers=("billing", "commission", "notifications", "audit"))
class TradeSettled(EventData):
    """A trade has its result. Everything that billing and commission need is here; nobody resolves a rate again.

    `stake`, `markup` and `payout` are what is to be posted; `held` is what was reserved at the opening. Of a sold one
    `exit_spot` is the spot that it was sold at, `closed_at` when.
    """

    trade_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["DEMO", "REAL"]
    currency: Currency
    symbol: str
    contract_type: Side
    stake: PositiveMinor
    held: PositiveMinor
    markup: Minor
    payout: Minor
    status: Literal["WON", "LOST", "CLOSED"]
    reason: Literal["expired", "sold", "staff"]
    markup_percent: Percent
    markup_source: str
    rule_id: Id | None
    rule_version: int | None
    affiliate_id: Id | None
    code_id: Id | None
    contract_id: str
    entry_spot: str | None
    exit_spot: str | None
    opened_at: Timestamp
    expires_at: Timestamp
    closed_at: Timestamp
    barrier: str | None = None
    wins_ties: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(
            trade_id=_TRADE,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="DEMO",
            currency="USD",
            symbol="R_100",
            contract_type="CALL",
            stake=1000,
            held=1039,
            markup=39,
            payout=1954,
            status="WON",
            reason="expired",
            markup_percent="2.00",
            markup_source="account",
            rule_id=None,
            rule_version=None,
            affiliate_id=None,
            code_id=None,
            contract_id="01920000-0000-7000-8000-000000000041",
            entry_spot="1511.36",
            exit_spot="1511.81",
            opened_at="2026-01-01T00:00:00.250000Z",
            expires_at="2026-01-01T00:01:02Z",
            closed_at="2026-01-01T00:01:02.104000Z",
        )


@event("trades", "trade_cancelled", readers=("billing", "commission", "notifications", "audit"))
class TradeCancelled(EventData):
    """Staff have voided a trade: stake and markup are the trader's again, and every commission on it is taken back.

    `settled`: it had a result before, `payout` was that result's (0 otherwise). Then billing and commission write the
    original and its mirror from this event alone, whichever of the two events comes first. `reason` is what staff said.
    """

    trade_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["DEMO", "REAL"]
    currency: Currency
    symbol: str
    contract_type: Side
    stake: PositiveMinor
    held: PositiveMinor
    markup: Minor
    payout: Minor
    status: Literal["CANCELLED"]
    reason: str
    settled: bool
    markup_percent: Percent
    markup_source: str
    rule_id: Id | None
    rule_version: int | None
    affiliate_id: Id | None
    code_id: Id | None
    contract_id: str
    entry_spot: str | None
    exit_spot: str | None
    opened_at: Timestamp
    expires_at: Timestamp
    closed_at: Timestamp
    barrier: str | None = None
    wins_ties: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(
            trade_id=_TRADE,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="DEMO",
            currency="USD",
            symbol="R_100",
            contract_type="CALL",
            stake=1000,
            held=1039,
            markup=39,
            payout=1954,
            status="CANCELLED",
            reason="price feed was wrong",
            settled=True,
            markup_percent="2.00",
            markup_source="account",
            rule_id=None,
            rule_version=None,
            affiliate_id=None,
            code_id=None,
            contract_id="01920000-0000-7000-8000-000000000041",
            entry_spot="1511.36",
            exit_spot="1511.81",
            opened_at="2026-01-01T00:00:00.250000Z",
            expires_at="2026-01-01T00:01:02Z",
            closed_at="2026-01-01T00:05:00Z",
        )
