"""Put the results of trades into the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing import events, ledger, rules
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeSettled


def settle_trades(db: Database, settled: Sequence[Received[TradeSettled]], *, now: datetime) -> None:
    """One ledger transaction a trade, for ever; stake, markup and payout move and the whole hold is free again.

    Raises NotReady while a trade's hold has not come, HoldMismatch for a trade that is in the books with other
    amounts or whose hold is gone, ValueError for amounts that make no sense.
    """
    with db.transaction() as tx:
        posted = ledger.post(tx, [_make_settlement(one) for one in settled], now=now)
        news = [
            events.make_transaction_recorded(result, now, cause=one.envelope)
            for one, result in zip(settled, posted, strict=True)
            if not result.replayed
        ]
        outbox.add_many(tx, news)


def _make_settlement(settled: Received[TradeSettled]) -> rules.LedgerTx:
    trade = settled.data
    environment, currency = rules.get_environment(trade.account_type), trade.currency
    client, metadata = rules.Account(trade.account_id), {"trade_id": trade.trade_id}
    legs: list[rules.Leg] = []
    for move in rules.settle(stake=trade.stake, markup=trade.markup, payout=trade.payout, held=trade.held):
        legs += [
            rules.Leg(
                account=client,
                amount=move.amount,
                tx_type=move.tx_type,
                reference=trade.trade_id,
                metadata=metadata,
            ),
            rules.Leg(account=ledger.house(environment, currency, move.purpose), amount=-move.amount),
        ]
    return rules.LedgerTx(
        kind="settle",
        ref=trade.trade_id,
        environment=environment,
        currency=currency,
        correlation_id=settled.envelope.correlation_id,
        resolves=rules.Resolve(hold_id=trade.trade_id, account_id=trade.account_id, amount=trade.held),
        legs=legs,
    )
