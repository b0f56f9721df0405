"""Staff settle an open trade by hand."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from shared.chassis import idempotency
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.errors import MalformedRequest, ValidationFailed
from shared.contracts.trades.errors import SettlementConflict, TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import CloseTradeRequest, TradeAnswer
from shared.utils.time import get_utc_now
from trades import events
from trades.commands.price_order import amount, limit
from trades.market.port import Market
from trades.models import SETTLED, Trade, states
from trades.queries import view
from trades.rules import Conditions, Refused, profit_of, status_by_hand


def close_trade(request: CloseTradeRequest, *, db: Database, market: Market, conditions: Conditions) -> TradeAnswer:
    """WON with the agreed payout, LOST with 0, else CLOSED. With the payout that it has already: the same trade.

    Raises Forbidden, TradeNotFound, TradeNotOpen, SettlementConflict, ValidationFailed, IdempotencyMismatch.
    """
    asked = current()
    staff_id = asked.require_staff()
    if asked.idempotency is None:
        raise MalformedRequest("Idempotency-Key is required")
    with db.read() as tx:
        present = states.get(tx, request.trade_id)
    if present is None:
        raise TradeNotFound()
    entry = _entry(present, market)
    with db.transaction() as tx:
        new = idempotency.remember(tx, staff_id, asked.idempotency, request.trade_id)
        if not new:
            idempotency.find(tx, staff_id, asked.idempotency)
        trade = states.lock(tx, request.trade_id)
        if trade is None:
            raise TradeNotFound()
        if new:
            trade = _settled(tx, trade, entry, request, conditions)
    return TradeAnswer(trade=view(trade, spot=market.spot, now=get_utc_now()), replayed=not new)


def _entry(trade: Trade, market: Market) -> Decimal | None:
    if trade.starts_at is None:
        return None
    return market.spot(trade.symbol, at=trade.starts_at, now=get_utc_now())


def _settled(
    tx: Connection, trade: Trade, entry: Decimal | None, request: CloseTradeRequest, conditions: Conditions
) -> Trade:
    payout = _payout(request.payout, trade.currency, conditions)
    if trade.status in SETTLED:
        if trade.payout != payout:
            raise SettlementConflict()
        return trade
    if trade.status != "OPEN":
        raise TradeNotOpen(extra={"trade_status": trade.status})
    now = get_utc_now()
    closed = states.settled(
        trade,
        now=now,
        status=status_by_hand(payout=payout, agreed=trade.potential_payout),
        reason="staff",
        payout=payout,
        profit=profit_of(payout=payout, stake=trade.stake, markup=trade.markup_applied),
        entry_spot=entry,
        transaction_id=request.transaction_id or trade.transaction_id,
    )
    states.settle(tx, [closed], [events.settled(closed, by_hand=True)], now=now)
    return closed


def _payout(text: str, currency: str, conditions: Conditions) -> int:
    try:
        payout = amount(text, currency, "payout")
    except Refused as refused:
        raise ValidationFailed.of(refused.field, refused.code, refused.message) from None
    if payout > limit(conditions.payout_max, currency):
        raise ValidationFailed.of("payout", "too_high", f"The maximum payout is {conditions.payout_max}.")
    return payout
