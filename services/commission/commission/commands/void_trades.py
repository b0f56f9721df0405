"""Take back what was earned from trades that staff have voided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from commission import events
from commission.commands.decide_trades import decide_trades
from commission.models import award as awards
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.trades.events import TradeCancelled

_REASON: Final = "trade_cancelled"


def void_trades(db: Database, cancelled: Sequence[Received[TradeCancelled]], *, now: datetime) -> None:
    """Reverses each award once, and decides first what no settlement has brought yet: it is a duplicate then.

    A trade that was voided while open has no result, so that there is nothing to decide. Raises as `decide_trades`.
    """
    news = [event for event in cancelled if event.data.settled and not event.envelope.republished]
    causes = {event.data.trade_id: event.envelope for event in news}
    with db.transaction() as tx:
        decide_trades(db, news, now=now)
        reversals = awards.reverse_markups(tx, list(causes), reason=_REASON, now=now)
        outbox.add_many(tx, [events.commission_reversed(one, causes[one.reference]) for one in reversals])
