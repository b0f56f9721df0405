"""Finish openings that broke off: the hold goes back, and the trade is REJECTED."""

from __future__ import annotations

from functools import partial
from logging import getLogger
from typing import Final

from shared.chassis import outbox
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import DeadlineExceeded, ServiceError, ServiceUnavailable
from shared.contracts.trades.errors import TradeNotOpened
from shared.utils.ids import generate_transaction_id, new_id
from shared.utils.time import get_utc_now
from trades import events
from trades.market.port import Contract, Market
from trades.models import Trade, states

log = getLogger(__name__)

_BATCH: Final = 100


def reject_stale(*, db: Database, billing: BillingRpc, market: Market) -> None:
    """Claims trades that are PENDING past their deadline, then releases their holds and writes them off.

    After the claim `open_trade` cannot finish them; the release of a hold that never arrived leaves a tombstone that
    refuses it. A contract that was bought after all is opened instead. Claimed trades stay so until this succeeds.
    """
    with db.transaction() as tx:
        claimed = states.claim_stale(tx, now=get_utc_now(), limit=_BATCH)
    released = []
    for trade in claimed:
        try:
            contract = market.find(trade.id)
            if contract is not None:
                run_again(partial(_open, trade, contract, db))
            elif billing.release(hold_id=trade.id, reason="not_opened")["state"] == "RELEASED":
                released.append(trade.id)
            else:
                log.error("the hold of trade %s was used, though it never opened", trade.id)
        except (ServiceUnavailable, DeadlineExceeded) as error:
            log.warning("%d openings stay unfinished for now: %s", len(claimed) - len(released), error)
            break
        except ServiceError:
            log.exception("opening of trade %s cannot be finished", trade.id)
    if released:
        with db.transaction() as tx:
            states.reject(tx, released, TradeNotOpened().to_body(), claimed=True, now=get_utc_now())


def _open(trade: Trade, contract: Contract, db: Database) -> None:
    opened = states.bought(
        trade,
        contract_id=contract.contract_id,
        transaction_id=generate_transaction_id(),
        opened_at=contract.bought_at,
        starts_at=contract.starts_at,
        expires_at=contract.expires_at,
        opened_event_id=new_id(),
    )
    with db.transaction() as tx:
        if states.open_(tx, opened):
            outbox.add_many(tx, [events.opened(opened)])
