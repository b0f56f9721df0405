"""The questions and commands that trades answers."""

from __future__ import annotations

from typing import Protocol

from shared.contracts.trades.limits_rpc import LimitsRpc
from shared.contracts.trades.market import (
    CandleList,
    GetProofRequest,
    ListCandlesRequest,
    ListSeedsRequest,
    ListTicksRequest,
    ProofView,
    SeedPage,
    SymbolPage,
    TickList,
)
from shared.contracts.trades.requests import (
    CONTRACT_TYPES,
    DIRECTIONS,
    DURATION_UNITS,
    STATUSES,
    CancelTradeRequest,
    CloseTradeRequest,
    ContractTerms,
    GetTradeRequest,
    GetValueRequest,
    ListTradesRequest,
    OpenTradeRequest,
    QuoteRequest,
    SellTradeRequest,
    SummaryRequest,
    VoidTradeRequest,
)
from shared.contracts.trades.views import (
    QuoteView,
    TradeAnswer,
    TradePage,
    TradesSummary,
    TradeView,
    ValueView,
)

__all__ = [
    "CONTRACT_TYPES",
    "DIRECTIONS",
    "DURATION_UNITS",
    "STATUSES",
    "CancelTradeRequest",
    "CandleList",
    "CloseTradeRequest",
    "ContractTerms",
    "GetProofRequest",
    "GetTradeRequest",
    "GetValueRequest",
    "ListCandlesRequest",
    "ListSeedsRequest",
    "ListTicksRequest",
    "ListTradesRequest",
    "OpenTradeRequest",
    "ProofView",
    "QuoteRequest",
    "QuoteView",
    "SeedPage",
    "SellTradeRequest",
    "SummaryRequest",
    "SymbolPage",
    "TickList",
    "TradeAnswer",
    "TradePage",
    "TradeView",
    "TradesRpc",
    "TradesSummary",
    "ValueView",
    "VoidTradeRequest",
]


class TradesRpc(LimitsRpc, Protocol):
    """Owner: trades. What is about limits, halts and statistics stands in `LimitsRpc`."""

    def quote(
        self,
        *,
        account_id: str,
        symbol: str,
        stake: str | None = None,
        payout: str | None = None,
        contract_type: str | None = None,
        direction: str | None = None,
        barrier: str | None = None,
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
        stake: str | None = None,
        payout: str | None = None,
        contract_type: str | None = None,
        direction: str | None = None,
        barrier: str | None = None,
        duration_seconds: int | None = None,
        duration: int | None = None,
        duration_unit: str | None = None,
        min_payout: str | None = None,
        proposal_id: str | None = None,
    ) -> TradeAnswer:
        """Needs an idempotency key in the context.

        Raises ValidationFailed, AccountNotFound, UserFrozen, PriceMoved, TradingHalted, SelfExcluded, LimitReached,
        InsufficientFunds, TradeNotOpened, InProgress, IdempotencyMismatch, NotReady; DeadlineExceeded or
        ServiceUnavailable mean: repeat with the same key.
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

    def summary(self, *, limit: int = 10) -> TradesSummary:
        """The first pages of the caller's open trades and of all his trades, in one answer."""
        ...

    def close_trade(self, *, trade_id: str, payout: str, transaction_id: str | None = None) -> TradeAnswer:
        """Staff, with an idempotency key. Raises Forbidden, TradeNotFound, TradeNotOpen, SettlementConflict."""
        ...

    def void_trade(self, *, trade_id: str, reason: str) -> TradeAnswer:
        """Staff, with an idempotency key; again: the same trade. Raises Forbidden, TradeNotFound, TradeNotOpen."""
        ...

    def sell_trade(self, *, trade_id: str, min_price: str | None = None) -> TradeAnswer:
        """The owner, with an idempotency key. Raises TradeNotFound, TradeNotOpen, SaleRefused, PriceMoved."""
        ...

    def cancel_trade(self, *, trade_id: str) -> TradeView:
        """The owner; again: the same trade, REJECTED. Raises TradeNotFound, TradeNotPending."""
        ...

    def get_value(self, *, trade_id: str) -> ValueView:
        """Raises TradeNotFound, TradeNotOpen."""
        ...

    def get_proof(self, *, trade_id: str) -> ProofView:
        """Raises TradeNotFound, NoProof, ProofNotReady."""
        ...

    def list_seeds(
        self, *, first: int | None = None, last: int | None = None, limit: int = 20, after: str | None = None
    ) -> SeedPage:
        """For anybody; newest first."""
        ...

    def list_symbols(self) -> SymbolPage:
        """For anybody."""
        ...

    def list_ticks(self, *, symbol: str, count: int = 100, end: str | None = None) -> TickList:
        """For anybody. Raises SymbolNotFound."""
        ...

    def list_candles(
        self, *, symbol: str, granularity: int = 60, count: int | None = None, end: str | None = None
    ) -> CandleList:
        """For anybody. Raises SymbolNotFound, ValidationFailed for more than a day of candles."""
        ...
