"""Settle what has expired, in batches, each trade once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from logging import getLogger
from typing import Final

from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.errors import ServiceError
from shared.utils.time import get_utc_now
from trades import events
from trades.market.held import contract_of
from trades.market.port import Market
from trades.models import Trade, states
from trades.rules import profit_of

log = getLogger(__name__)

BATCH: Final = 100


def settle_due(*, db: Database, market: Market) -> datetime | None:
    """Settles all trades that are due, and returns when the next one is (None: nothing is known of that).

    Rows are the truth: a restart or a clock that jumps finds the same ones again. Several processes may do this at
    the same time: each row is settled by the one whose UPDATE finds it OPEN.
    """
    after, is_left = states.FIRST, False
    while True:
        now = get_utc_now()
        with db.read() as tx:
            due = states.due(tx, now=now, after=after, limit=BATCH)
        if _settle(due, db, market, now=now) < len(due):
            # Others have the rest in hand, or the market has no result yet: whatever is behind them does not wait.
            after, is_left = (due[-1].expires_at, due[-1].id), True
        if len(due) < BATCH:
            break
    if is_left:
        return None
    with db.read() as tx:
        return states.next_due(tx)


def _settle(due: Sequence[Trade], db: Database, market: Market, *, now: datetime) -> int:
    results = [result for trade in due if (result := _result(trade, market, now=now)) is not None]
    if not results:
        return 0
    values = {**states.settlements(results, now=now), **outbox.values_of([events.settled(trade) for trade in results])}
    return len(db.once(states.SETTLE_AND_TELL, values, tells=True))


def _result(trade: Trade, market: Market, *, now: datetime) -> Trade | None:
    try:
        outcome = market.result(contract_of(trade), now=now)
    except ServiceError as error:
        # One contract that the market cannot answer for must not keep the others waiting.
        log.warning("no result for trade %s yet: %s", trade.id, error)
        return None
    if outcome is None:
        return None
    payout = trade.potential_payout if outcome.won else 0
    return states.settled(
        trade,
        now=now,
        status="WON" if outcome.won else "LOST",
        reason="expired",
        payout=payout,
        profit=profit_of(payout=payout, stake=trade.stake, markup=trade.markup_applied),
        entry_spot=outcome.entry_spot,
        exit_spot=outcome.exit_spot,
    )
