"""What becomes of an opening that broke off or was withdrawn, once it is claimed: the hold goes back."""

from __future__ import annotations

from functools import partial
from logging import getLogger

from shared.chassis import outbox
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.contracts.billing.rpc import BillingRpc
from shared.utils.ids import generate_transaction_id, new_id
from trades import events
from trades.market.port import Contract, Market
from trades.models import Trade, states

log = getLogger(__name__)


def finish_opening(trade: Trade, *, db: Database, billing: BillingRpc, market: Market) -> bool:
    """Whether its hold is released, so that it can be written off; a contract that was bought after all is opened.

    The release of a hold that never arrived leaves a tombstone that refuses it. Raises what asking others raises: then
    the trade stays claimed, and the sweeper finishes it.
    """
    contract = market.find(trade.id)
    if contract is not None:
        run_again(partial(_open, trade, contract, db))
        return False
    if billing.release(hold_id=trade.id, reason="not_opened")["state"] == "RELEASED":
        return True
    log.error("the hold of trade %s was used, though it never opened", trade.id)
    return False


def _open(trade: Trade, contract: Contract, db: Database) -> None:
    opened = states.bought(
        trade,
        stake=contract.stake,
        potential_payout=contract.payout,
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
