"""What is asked of trades about quotes and trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from marshmallow import validate

from shared.contracts.types import Amount, Id, Name

STATUSES = ("PENDING", "OPEN", "CLOSED", "WON", "LOST", "CANCELLED", "REJECTED")
CONTRACT_TYPES = ("CALL", "PUT", "CALLE", "PUTE")
DIRECTIONS = ("RISE", "FALL")
DURATION_UNITS = ("t", "s", "m", "h", "d")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]
Duration = Annotated[int, validate.Range(min=1, max=31_536_000)]
Symbol = Annotated[str, validate.Length(min=1, max=32)]


@dataclass(frozen=True, kw_only=True)
class ContractTerms:
    """What is to be priced or bought, for a `stake` or for a `payout`: exactly one of them.

    Of `contract_type` and `direction` one suffices; a contradiction is refused. CALLE and PUTE win on a tie, too.
    `barrier` (CALL and PUT alone): `+0.37` from the entry, or a level such as `1511.50`.
    Duration: `duration_seconds`, or `duration` with `duration_unit` (t = ticks of the symbol).
    """

    account_id: Id
    symbol: Symbol
    stake: Amount | None = None
    payout: Amount | None = None
    contract_type: Annotated[str, validate.OneOf(CONTRACT_TYPES)] | None = None
    direction: Annotated[str, validate.OneOf(DIRECTIONS)] | None = None
    barrier: Annotated[str, validate.Length(min=1, max=32)] | None = None
    duration_seconds: Duration | None = None
    duration: Duration | None = None
    duration_unit: Annotated[str, validate.OneOf(DURATION_UNITS)] | None = None


@dataclass(frozen=True, kw_only=True)
class QuoteRequest(ContractTerms):
    """Price a contract without buying it."""


@dataclass(frozen=True, kw_only=True)
class OpenTradeRequest(ContractTerms):
    """Buy a contract; below `min_payout` the trade is refused.

    `proposal_id` is kept. Of a quote for just these terms that is still valid, it holds the price.
    """

    min_payout: Amount | None = None
    proposal_id: Annotated[str, validate.Length(min=1, max=128)] | None = None


@dataclass(frozen=True, kw_only=True)
class GetTradeRequest:
    """Owner or staff."""

    trade_id: Id


@dataclass(frozen=True, kw_only=True)
class SummaryRequest:
    """The caller's own, `limit` entries of each list."""

    limit: Limit = 10


@dataclass(frozen=True, kw_only=True)
class ListTradesRequest:
    """The caller's trades, or for staff everybody's. REJECTED and PENDING are listed only when `status` asks."""

    status: Annotated[str, validate.OneOf(STATUSES)] | None = None
    account_id: Id | None = None
    user_id: Id | None = None
    symbol: Symbol | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class CloseTradeRequest:
    """Staff settle an open trade by hand: WON with the agreed payout, LOST with 0, else CLOSED."""

    trade_id: Id
    payout: Amount
    transaction_id: Name | None = None


@dataclass(frozen=True, kw_only=True)
class SellTradeRequest:
    """The owner sells an open trade at the market's bid; below `min_price` the sale is refused."""

    trade_id: Id
    min_price: Amount | None = None


@dataclass(frozen=True, kw_only=True)
class CancelTradeRequest:
    """The owner withdraws a trade that is still PENDING."""

    trade_id: Id


@dataclass(frozen=True, kw_only=True)
class GetValueRequest:
    """Owner or staff."""

    trade_id: Id


@dataclass(frozen=True, kw_only=True)
class VoidTradeRequest:
    """Staff undo a trade, open or settled; `reason` is for the trader to read."""

    trade_id: Id
    reason: Annotated[str, validate.Length(min=1, max=200)]
