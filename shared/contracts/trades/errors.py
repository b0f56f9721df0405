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
    """The payout that the market offers now is below `min_payout`."""

    status, code, title = 409, "price_moved", "Price moved"


class TradeNotOpen(ServiceError):
    """The trade's state does not allow this; `extra["trade_status"]` says what it is."""

    status, code, title = 409, "trade_not_open", "Trade is not open"


class SettlementConflict(ServiceError):
    """The trade was settled with another payout; nothing changed."""

    status, code, title = 409, "settlement_conflict", "Already settled with another payout"
