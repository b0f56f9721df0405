"""Refusals that trades owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class UserFrozen(ServiceError):
    """A frozen or inactive user opens no trades; the open ones settle."""

    status, code, title = 403, "user_frozen", "User is frozen"


class TradeNotFound(ServiceError):
    """No such trade, or somebody else's."""

    status, code, title = 404, "trade_not_found", "No such trade"


class TradeNotOpened(ServiceError):
    """The trade was never opened (its outcome came too late) and its hold is released."""

    status, code, title = 409, "not_opened", "Trade was not opened"


class PriceMoved(ServiceError):
    """The market offers less now than `min_payout`, `min_price`, or the quote that was given."""

    status, code, title = 409, "price_moved", "Price moved"


class TradeNotOpen(ServiceError):
    """The trade's state does not allow this; `extra["trade_status"]` says what it is."""

    status, code, title = 409, "trade_not_open", "Trade is not open"


class TradeNotPending(ServiceError):
    """The trade was opened or is over: it cannot be withdrawn; `extra["trade_status"]` says what it is."""

    status, code, title = 409, "trade_not_pending", "Trade is not pending"


class SaleRefused(ServiceError):
    """The market does not buy the contract back now; `extra["refusal"]` says why, as `ValueView` does."""

    status, code, title = 409, "sale_refused", "Not bought back now"


class ProofNotReady(ServiceError):
    """The hour of the exit is not over, so its seed is secret; `extra["available_at"]` says until when."""

    status, code, title = 409, "proof_not_ready", "The seed is not revealed yet"


class NoProof(ServiceError):
    """The result was not the market's: staff made it, or there is none."""

    status, code, title = 409, "no_proof", "Nothing to prove"


class SymbolNotFound(ServiceError):
    """No such symbol."""

    status, code, title = 404, "symbol_not_found", "No such symbol"


class SettlementConflict(ServiceError):
    """The trade was settled with another payout; nothing changed."""

    status, code, title = 409, "settlement_conflict", "Already settled with another payout"


class LimitReached(ServiceError):
    """A limit of the account has too little left for this.

    `extra`: `limit` (its name), `set_by` (staff or self), `left` (an amount, or a number), and `until` if time helps.
    """

    status, code, title = 409, "limit_reached", "Limit reached"


class SelfExcluded(ServiceError):
    """The trader has shut himself out; `extra["until"]` says until when. Open trades settle."""

    status, code, title = 409, "self_excluded", "Self-excluded"


class TradingHalted(ServiceError):
    """Nothing is opened on the symbol, or (`extra["symbol"]` null) at all, since `extra["since"]`; nothing was kept."""

    status, code, title = 409, "trading_halted", "Trading is halted"
