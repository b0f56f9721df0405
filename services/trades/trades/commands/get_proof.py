"""The proof of a settled trade: what it can be computed again from, by anybody."""

from __future__ import annotations

from typing import cast

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.trades.errors import TradeNotFound
from shared.contracts.trades.rpc import GetProofRequest, ProofView
from shared.utils.time import get_utc_now
from trades.market.proved import proof_of_trade
from trades.models import states


def get_proof(request: GetProofRequest, *, db: Database) -> ProofView:
    """For its owner and staff. Raises TradeNotFound, also for others', NoProof, ProofNotReady."""
    asked = current()
    user_id = asked.require_user()
    with db.read() as tx:
        trade = states.get(tx, request.trade_id)
    if trade is None or not (asked.is_staff or trade.user_id == user_id):
        raise TradeNotFound()
    return cast("ProofView", proof_of_trade(trade, db=db, now=get_utc_now()))
