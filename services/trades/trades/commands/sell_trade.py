"""The owner sells an open trade back, before its end, at the market's bid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shared.chassis import idempotency
from shared.chassis.context import Idempotency, current
from shared.chassis.database import Database
from shared.contracts.errors import MalformedRequest, ValidationFailed
from shared.contracts.money import to_text
from shared.contracts.trades.errors import PriceMoved, SaleRefused, TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import SellTradeRequest, TradeAnswer
from shared.utils.time import get_utc_now
from trades import events
from trades.commands.price_order import amount
from trades.market.held import contract_of
from trades.market.port import Market
from trades.models import Trade, states
from trades.queries import view
from trades.rules import Refused, profit_of


def sell_trade(request: SellTradeRequest, *, db: Database, market: Market) -> TradeAnswer:
    """CLOSED at the bid of now, which is the time of the sale; or what this key sold before.

    Raises TradeNotFound, also for others', TradeNotOpen, SaleRefused, PriceMoved when the bid is below `min_price`,
    ValidationFailed, MalformedRequest, IdempotencyMismatch.
    """
    asked = current()
    user_id = asked.require_user()
    if asked.idempotency is None:
        raise MalformedRequest("Idempotency-Key is required")
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
        # After the trade: whoever finds it sold by this key finds the key as well; and the trade again, as it is then.
        is_sold = idempotency.find(tx, user_id, asked.idempotency) is not None
        if is_sold:
            trade = states.get(tx, request.trade_id)
    if trade is None or trade.user_id != user_id:
        raise TradeNotFound()
    now = get_utc_now()
    if is_sold:
        return TradeAnswer(trade=view(trade, spot=market.spot, now=now), replayed=True)
    sold = _at_bid(trade, request, market, now=now)
    with db.transaction() as tx:
        new, present = _sell(tx, sold, user_id, asked.idempotency, now=now)
    return TradeAnswer(trade=view(present, spot=market.spot, now=now), replayed=not new)


def _at_bid(trade: Trade, request: SellTradeRequest, market: Market, *, now: datetime) -> Trade:
    """The trade as it is once it is sold. Raises what keeps it from being sold."""
    least = _least(request, trade.currency)
    if trade.status != "OPEN":
        raise TradeNotOpen(extra={"trade_status": trade.status})
    value = market.value(contract_of(trade), now=now)
    if value.refusal is not None or value.bid is None:
        raise SaleRefused(extra={"refusal": value.refusal})
    if value.bid < least:
        raise PriceMoved(f"the bid is {to_text(value.bid, trade.currency)} {trade.currency} now")
    return states.settled(
        trade,
        now=now,
        status="CLOSED",
        reason="sold",
        payout=value.bid,
        profit=profit_of(payout=value.bid, stake=trade.stake, markup=trade.markup_applied),
        entry_spot=value.entry_spot,
        exit_spot=value.spot,
        sold_commission=value.commission,
    )


def _least(request: SellTradeRequest, currency: str) -> int:
    if request.min_price is None:
        return 0
    try:
        return amount(request.min_price, currency, "min_price")
    except Refused as refused:
        raise ValidationFailed.of(refused.field, refused.code, refused.message) from None


def _sell(tx: Connection, sold: Trade, user_id: str, key: Idempotency, *, now: datetime) -> tuple[bool, Trade]:
    """Whether it was sold here and now, and the trade; another request with the key may have been first."""
    new = idempotency.remember(tx, user_id, key, sold.id)
    if not new:
        idempotency.find(tx, user_id, key)
    present = states.lock(tx, sold.id)
    if present is None:
        raise TradeNotFound()
    if not new:
        return False, present
    if present.status != "OPEN":
        raise TradeNotOpen(extra={"trade_status": present.status})
    states.settle(tx, [sold], [events.settled(sold, by_hand=True)], now=now)
    return True, sold
