"""What an open trade is worth now."""

from __future__ import annotations

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.money import to_text
from shared.contracts.trades.errors import TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import GetValueRequest, ValueView
from shared.utils.time import get_utc_now, to_rfc3339
from trades.events import spot_text
from trades.market import wording
from trades.market.held import contract_of
from trades.market.port import Market
from trades.market.symbols import ALL
from trades.models import states
from trades.rules import profit_of


def get_value(request: GetValueRequest, *, db: Database, market: Market) -> ValueView:
    """For its owner and staff. Raises TradeNotFound, also for others', and TradeNotOpen."""
    asked = current()
    user_id = asked.require_user()
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
    if trade is None or not (asked.is_staff or trade.user_id == user_id):
        raise TradeNotFound()
    if trade.status != "OPEN":
        raise TradeNotOpen(extra={"trade_status": trade.status})
    contract, symbol, currency = contract_of(trade), ALL[trade.symbol], trade.currency
    value = market.value(contract, now=get_utc_now())
    bid = value.bid
    return ValueView(
        trade_id=trade.id,
        currency=currency,
        stake=to_text(trade.stake, currency),
        potential_payout=to_text(trade.potential_payout, currency),
        bid=None if bid is None else to_text(bid, currency),
        profit=None
        if bid is None
        else to_text(profit_of(payout=bid, stake=trade.stake, markup=trade.markup_applied), currency),
        spot=spot_text(value.spot),
        spot_at=None if value.spot_at is None else to_rfc3339(value.spot_at),
        entry_spot=spot_text(value.entry_spot),
        barrier=spot_text(value.barrier),
        refusal=value.refusal,
        expires_at=to_rfc3339(contract.expires_at),
        shortcode=wording.shortcode(contract, symbol=symbol, currency=currency),
        longcode=wording.longcode(contract, symbol=symbol),
    )
