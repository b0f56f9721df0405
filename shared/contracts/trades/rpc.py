"""The questions and commands that trades answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Amount, Id, Name

STATUSES = ("PENDING", "OPEN", "CLOSED", "WON", "LOST", "CANCELLED", "REJECTED")
CONTRACT_TYPES = ("CALL", "PUT")
DIRECTIONS = ("RISE", "FALL")
DURATION_UNITS = ("t", "s", "m", "h", "d")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]
Duration = Annotated[int, validate.Range(min=1, max=31_536_000)]


class QuoteView(TypedDict):
    """A price for a contract; `cost` = stake + markup; promises nothing after `valid_until`."""

    proposal_id: str
    account_id: str
    symbol: str
    contract_type: str
    direction: str
    stake: str
    currency: str
    duration_seconds: int
    payout: str
    markup: str
    markup_percent: str
    cost: str
    spot: str
    valid_until: str


class TradeView(TypedDict):
    """A trade as the public API shows it; money and spots as decimal strings."""

    id: str
    user_id: str
    account_id: str
    account_type: str
    symbol: str
    contract_type: str
    direction: str
    stake: str
    currency: str
    potential_payout: str
    payout: str | None
    profit: str | None
    markup_applied: str
    markup_percent: str
    markup_source: str
    commission_applied: str
    proposal_id: str | None
    transaction_id: str | None
    contract_id: str | None
    duration_seconds: int
    duration: int
    duration_unit: str
    entry_spot: str | None
    exit_spot: str | None
    opened_at: str | None
    expires_at: str | None
    closed_at: str | None
    status: str
    created_at: str
    updated_at: str


class TradePage(TypedDict):
    """A page of trades, newest first."""

    results: list[TradeView]
    has_more: bool
    next: str | None


class TradeAnswer(TypedDict):
    """`replayed`: the idempotency key was seen before and this is the trade's present state."""

    trade: TradeView
    replayed: bool


@dataclass(frozen=True, kw_only=True)
class ContractTerms:
    """What is to be priced or bought. Of `contract_type` and `direction` one suffices; a contradiction is refused.

    Duration: `duration_seconds`, or `duration` with `duration_unit` (t = ticks of the symbol).
    """

    account_id: Id
    symbol: Annotated[str, validate.Length(min=1, max=32)]
    stake: Amount
    contract_type: Annotated[str, validate.OneOf(CONTRACT_TYPES)] | None = None
    direction: Annotated[str, validate.OneOf(DIRECTIONS)] | None = None
    duration_seconds: Duration | None = None
    duration: Duration | None = None
    duration_unit: Annotated[str, validate.OneOf(DURATION_UNITS)] | None = None


@dataclass(frozen=True, kw_only=True)
class QuoteRequest(ContractTerms):
    """Price a contract without buying it."""


@dataclass(frozen=True, kw_only=True)
class OpenTradeRequest(ContractTerms):
    """Buy a contract. `proposal_id` is kept and promises nothing; below `min_payout` the trade is refused."""

    min_payout: Amount | None = None
    proposal_id: Annotated[str, validate.Length(min=1, max=128)] | None = None


@dataclass(frozen=True, kw_only=True)
class GetTradeRequest:
    """Owner or staff."""

    trade_id: Id


@dataclass(frozen=True, kw_only=True)
class ListTradesRequest:
    """The caller's trades, or for staff everybody's. REJECTED and PENDING are listed only when `status` asks."""

    status: Annotated[str, validate.OneOf(STATUSES)] | None = None
    account_id: Id | None = None
    user_id: Id | None = None
    symbol: Annotated[str, validate.Length(min=1, max=32)] | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class CloseTradeRequest:
    """Staff settle an open trade by hand: WON with the agreed payout, LOST with 0, else CLOSED."""

    trade_id: Id
    payout: Amount
    transaction_id: Name | None = None


@dataclass(frozen=True, kw_only=True)
class VoidTradeRequest:
    """Staff undo a trade, open or settled; `reason` is for the trader to read."""

    trade_id: Id
    reason: Annotated[str, validate.Length(min=1, max=200)]


class TradesRpc(Protocol):
    """Owner: trades."""

    def quote(
        self,
        *,
        account_id: str,
        symbol: str,
        stake: str,
        contract_type: str | None = None,
        direction: str | None = None,
        duration_seconds: int | None = None,
        duration: int | None = None,
        duration_unit: str | None = None,
    ) -> QuoteView:
        """Raises ValidationFailed, AccountNotFound, NotReady."""
        ...

    def open_trade(
        self,
        *,
        account_id: str,
        symbol: str,
        stake: str,
        contract_type: str | None = None,
        direction: str | None = None,
        duration_seconds: int | None = None,
        duration: int | None = None,
        duration_unit: str | None = None,
        min_payout: str | None = None,
        proposal_id: str | None = None,
    ) -> TradeAnswer:
        """Needs an idempotency key in the context.

        Raises ValidationFailed, AccountNotFound, UserFrozen, InsufficientFunds, PriceMoved, TradeNotOpened,
        InProgress, IdempotencyMismatch, NotReady; DeadlineExceeded or ServiceUnavailable mean: repeat with the
        same key.
        """
        ...

    def get_trade(self, *, trade_id: str) -> TradeView:
        """Raises TradeNotFound."""
        ...

    def list_trades(
        self,
        *,
        status: str | None = None,
        account_id: str | None = None,
        user_id: str | None = None,
        symbol: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> TradePage:
        """Newest first."""
        ...

    def close_trade(self, *, trade_id: str, payout: str, transaction_id: str | None = None) -> TradeAnswer:
        """Staff, with an idempotency key. Raises Forbidden, TradeNotFound, TradeNotOpen, SettlementConflict."""
        ...

    def void_trade(self, *, trade_id: str, reason: str) -> TradeAnswer:
        """Staff, with an idempotency key; again: the same trade. Raises Forbidden, TradeNotFound, TradeNotOpen."""
        ...
