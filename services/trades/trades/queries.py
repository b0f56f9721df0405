"""What can be asked: a trade, a list of trades."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, cast

from sqlalchemy import Connection, text

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.errors import ValidationFailed
from shared.contracts.money import percent_text, to_text
from shared.contracts.trades.errors import TradeNotFound
from shared.contracts.trades.rpc import GetTradeRequest, ListTradesRequest, TradePage, TradeView
from shared.utils.time import get_utc_now, to_rfc3339
from trades.models import Trade, states
from trades.models.trade import COLUMNS


class Spot(Protocol):
    """The market's last tick at an instant, or None while it lies ahead."""

    def __call__(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None: ...


def get_trade(request: GetTradeRequest, *, db: Database, spot: Spot) -> TradeView:
    """For its owner and staff. Raises TradeNotFound, also for others'."""
    asked = current()
    user_id = asked.require_user()
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
    if trade is None or not (asked.is_staff or trade.user_id == user_id):
        raise TradeNotFound()
    return view(trade, spot=spot, now=get_utc_now())


def list_trades(request: ListTradesRequest, *, db: Database, spot: Spot) -> TradePage:
    """Newest first; PENDING and REJECTED ones only when asked for. Staff see everybody's, or a user's."""
    asked = current()
    user_id = asked.require_user()
    owner = request.user_id if asked.is_staff else user_id
    if not asked.is_staff and request.user_id not in (None, user_id):
        raise ValidationFailed.of("user_id", "not_allowed", "Only staff may ask for somebody else's trades.")
    filters = {
        "user_id": owner,
        "account_id": request.account_id,
        "symbol": request.symbol,
        "status": request.status,
    }
    listing = Listing("trades", user_id, {name: value for name, value in filters.items() if value is not None})
    before = listing.position(request.after)[0] if request.after else None
    with db.read() as tx:
        trades = _page(tx, filters, before=before, limit=request.limit + 1)
    now = get_utc_now()
    page = listing.page(
        trades, request.limit, position=lambda trade: [trade.id], view=lambda trade: view(trade, spot=spot, now=now)
    )
    return cast("TradePage", page)


_COLUMN_OF = {
    "user_id": "user_id = CAST(:user_id AS uuid)",
    "account_id": "account_id = CAST(:account_id AS uuid)",
    "symbol": "symbol = :symbol",
    "status": "status = :status",
}


def _page(tx: Connection, filters: dict[str, str | None], *, before: str | None, limit: int) -> list[Trade]:
    # Ids are UUIDv7: their order is the order of creation.
    wanted = [_COLUMN_OF[name] for name, value in filters.items() if value is not None]
    if filters["status"] is None:
        wanted.append("status NOT IN ('PENDING', 'REJECTED')")
    if before is not None:
        wanted.append("id < CAST(:before AS uuid)")
    statement = f"SELECT {COLUMNS} FROM trades WHERE {' AND '.join(wanted)} ORDER BY id DESC LIMIT :limit"
    values: dict[str, Any] = {**filters, "before": before, "limit": limit}
    return [Trade.of(row) for row in tx.execute(text(statement), values).mappings()]


def view(trade: Trade, *, spot: Spot, now: datetime) -> TradeView:
    """The public form. The entry of an open trade is the market's, once its instant has come."""
    entry = trade.entry_spot
    if entry is None and trade.status == "OPEN" and trade.starts_at is not None:
        entry = spot(trade.symbol, at=trade.starts_at, now=now)
    money: Callable[[int], str] = lambda minor: to_text(minor, trade.currency)  # noqa: E731
    return TradeView(
        id=trade.id,
        user_id=trade.user_id,
        account_id=trade.account_id,
        account_type=trade.account_type,
        symbol=trade.symbol,
        contract_type=trade.contract_type,
        direction=trade.direction,
        barrier=trade.barrier,
        stake=money(trade.stake),
        currency=trade.currency,
        potential_payout=money(trade.potential_payout),
        payout=None if trade.payout is None else money(trade.payout),
        profit=None if trade.profit is None else money(trade.profit),
        markup_applied=money(trade.markup_applied),
        markup_percent=cast("str", percent_text(trade.markup_percent)),
        markup_source=trade.markup_source,
        commission_applied=money(trade.commission_applied),
        proposal_id=trade.proposal_id,
        transaction_id=trade.transaction_id,
        contract_id=trade.contract_id,
        duration_seconds=trade.duration_seconds,
        duration=trade.duration,
        duration_unit=trade.duration_unit,
        entry_spot=None if entry is None else f"{entry:f}",
        exit_spot=None if trade.exit_spot is None else f"{trade.exit_spot:f}",
        opened_at=_time(trade.opened_at),
        expires_at=_time(trade.expires_at),
        closed_at=_time(trade.closed_at),
        status=trade.status,
        created_at=to_rfc3339(trade.created_at),
        updated_at=to_rfc3339(trade.updated_at),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_rfc3339(at)
