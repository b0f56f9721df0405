"""Staff halt trading, on a symbol or altogether: nothing is opened any more, what is open settles."""

from __future__ import annotations

from shared.chassis import outbox
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.halts import HaltAnswer, HaltRequest
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now
from trades import events
from trades.commands.list_halts import halt_view
from trades.market.port import Market
from trades.models import halts


def halt_trading(request: HaltRequest, *, db: Database, market: Market) -> HaltAnswer:
    """From the commit on; an opening that is written down already goes on. Again: the halt there is.

    Raises Forbidden, ValidationFailed (unknown symbol).
    """
    staff_id = current().require_staff()
    if request.symbol is not None and request.symbol not in market.symbols():
        raise ValidationFailed.of("symbol", "unknown", f"{request.symbol} is not offered.")
    with db.transaction() as tx:
        halt, created = halts.halt(
            tx, halt_id=new_id(), symbol=request.symbol, reason=request.reason, by=staff_id, now=get_utc_now()
        )
        if created:
            outbox.add_many(tx, [events.halted(halt, by=staff_id)])
    return HaltAnswer(halt=halt_view(halt), created=created)
