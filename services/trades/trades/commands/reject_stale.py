"""Finish openings that broke off: the hold goes back, and the trade is REJECTED."""

from __future__ import annotations

from logging import getLogger
from typing import Final

from shared.chassis.database import Database
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import DeadlineExceeded, ServiceError, ServiceUnavailable
from shared.contracts.trades.errors import TradeNotOpened
from shared.utils.time import get_utc_now
from trades.commands.finish_opening import finish_opening
from trades.market.port import Market
from trades.models import states

log = getLogger(__name__)

_BATCH: Final = 100


def reject_stale(*, db: Database, billing: BillingRpc, market: Market) -> None:
    """Claims trades that are PENDING past their deadline, then releases their holds and writes them off.

    After the claim `open_trade` cannot finish them. Claimed trades stay so until this succeeds.
    """
    with db.transaction() as tx:
        claimed = states.claim_stale(tx, now=get_utc_now(), limit=_BATCH)
    released = []
    for trade in claimed:
        try:
            if finish_opening(trade, db=db, billing=billing, market=market):
                released.append(trade.id)
        except (ServiceUnavailable, DeadlineExceeded) as error:
            log.warning("%d openings stay unfinished for now: %s", len(claimed) - len(released), error)
            break
        except ServiceError:
            log.exception("opening of trade %s cannot be finished", trade.id)
    if released:
        with db.transaction() as tx:
            states.reject(tx, released, TradeNotOpened().to_body(), claimed=True, now=get_utc_now())
