"""Put the results of trades into the books."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing import events, ledger
from billing.commands.make_settlement import make_settlement
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
        posted = ledger.post(tx, [make_settlement(one) for one in settled], now=now)
        news = [
            events.make_transaction_recorded(result, now, cause=one.envelope)
            for one, result in zip(settled, posted, strict=True)
            if not result.replayed
        ]
        outbox.add_many(tx, news)
