"""Staff undo a trade: the trader gets stake and markup back, whatever came of it."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

from sqlalchemy import Connection

from shared.chassis import idempotency, outbox
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.errors import MalformedRequest, ServiceError
from shared.contracts.trades.errors import TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import TradeAnswer, VoidTradeRequest
from shared.utils.time import get_utc_now
from trades import events
from trades.market.port import Market
from trades.models import SETTLED, Trade, states
from trades.queries import view


def void_trade(request: VoidTradeRequest, *, db: Database, market: Market) -> TradeAnswer:
    """An open or settled trade is CANCELLED, once; a CANCELLED one is answered as it is.

    Raises Forbidden, TradeNotFound, TradeNotOpen, MalformedRequest, IdempotencyMismatch.
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
            trade = _voided(tx, trade, entry, request.reason, staff_id)
    return TradeAnswer(trade=view(trade, spot=market.spot, now=get_utc_now()), replayed=not new)


def _entry(trade: Trade, market: Market) -> Decimal | None:
    """What clients have been shown of an open trade; a market that cannot say it keeps nobody from voiding."""
    if trade.status == "OPEN" and trade.starts_at is not None:
        with suppress(ServiceError):
            return market.spot(trade.symbol, at=trade.starts_at, now=get_utc_now())
    return trade.entry_spot


def _voided(tx: Connection, trade: Trade, entry: Decimal | None, reason: str, staff_id: str) -> Trade:
    if trade.status == "CANCELLED":
        return trade
    if trade.status != "OPEN" and trade.status not in SETTLED:
        raise TradeNotOpen(extra={"trade_status": trade.status})
    # Between the question for the entry and the lock it may have been settled, with an entry of its own.
    entry = entry if trade.status == "OPEN" else trade.entry_spot
    cancelled = states.voided(trade, reason=reason, by=staff_id, entry=entry, now=get_utc_now())
    states.void(tx, cancelled)
    outbox.add_many(tx, [events.cancelled(cancelled)])
    return cancelled
