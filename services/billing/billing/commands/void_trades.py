"""Undo trades that staff have voided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from billing import events, ledger, rules
from billing.commands.make_settlement import make_legs, make_settlement
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.billing.errors import HoldMismatch
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled

_RELEASE: Final = text("SELECT hold_release(id, NULL, 'voided', :now) FROM unnest(CAST(:ids AS uuid[])) AS t (id)")


def void_trades(db: Database, cancelled: Sequence[Received[TradeCancelled]], *, now: datetime) -> None:
    """Of a trade without a result the hold is free again, and no entry is made (one never heard of cannot come later).

    Of a settled one the settlement is in the books, written from this event if it came first, and its mirror: what
    is missing for it on the account becomes a debt. Raises NotReady while a settled trade's hold has not come,
    HoldMismatch for one that is in the books otherwise, ValueError for amounts that make no sense.
    """
    with db.transaction() as tx:
        _release(tx, [one.data.trade_id for one in cancelled if not one.data.settled], now)
        caused, requests = [], []
        for one in cancelled:
            if one.data.settled:
                caused += [one, one]
                requests += [make_settlement(one), _make_mirror(one)]
        posted = ledger.post(tx, requests, now=now)
        news = [
            events.make_transaction_recorded(result, now, cause=one.envelope)
            for one, result in zip(caused, posted, strict=True)
            if not result.replayed
        ]
        outbox.add_many(tx, news)


def _release(tx: Connection, trade_ids: Sequence[str], now: datetime) -> None:
    if not trade_ids:
        return
    states = set(tx.execute(_RELEASE, {"ids": list(trade_ids), "now": now}).scalars())
    if states != {"RELEASED"}:
        raise HoldMismatch("A trade that is said to have had no result is settled.")


def _make_mirror(cancelled: Received[TradeCancelled]) -> rules.LedgerTx:
    trade = cancelled.data
    movements = rules.void(stake=trade.stake, markup=trade.markup, payout=trade.payout)
    return rules.LedgerTx(
        kind="void",
        ref=trade.trade_id,
        environment=rules.get_environment(trade.account_type),
        currency=trade.currency,
        correlation_id=cancelled.envelope.correlation_id,
        reverses=("settle", trade.trade_id),
        debtor=trade.user_id,
        legs=make_legs(trade, movements, metadata={"trade_id": trade.trade_id, "void": True}),
    )
