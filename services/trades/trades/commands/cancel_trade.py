"""The owner withdraws a trade that is not bought yet: the hold goes back now, and not when the sweeper comes by."""

from __future__ import annotations

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.trades.errors import TradeNotFound, TradeNotOpened, TradeNotPending
from shared.contracts.trades.rpc import CancelTradeRequest, TradeView
from shared.utils.time import get_utc_now
from trades.commands.finish_opening import finish_opening
from trades.market.port import Market
from trades.models import Trade, states
from trades.queries import view


def cancel_trade(request: CancelTradeRequest, *, db: Database, billing: BillingRpc, market: Market) -> TradeView:
    """PENDING becomes REJECTED as `not_opened`, and so does its opening, wherever it is; a REJECTED one stays so.

    Raises TradeNotFound, also for others', and TradeNotPending. After ServiceUnavailable and DeadlineExceeded it cannot
    open any more, and is REJECTED soon.
    """
    user_id = current().require_user()
    with db.transaction() as tx:
        claimed = states.withdraw(tx, request.trade_id, user_id=user_id, now=get_utc_now())
    if claimed is not None and finish_opening(claimed, db=db, billing=billing, market=market):
        with db.transaction() as tx:
            states.reject(tx, [claimed.id], TradeNotOpened().to_body(), claimed=True, now=get_utc_now())
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
    return view(_rejected(trade, user_id), spot=market.spot, now=get_utc_now())


def _rejected(trade: Trade | None, user_id: str) -> Trade:
    if trade is None or trade.user_id != user_id:
        raise TradeNotFound()
    if trade.status != "REJECTED":
        raise TradeNotPending(extra={"trade_status": trade.status})
    return trade
