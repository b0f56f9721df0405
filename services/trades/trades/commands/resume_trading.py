"""Staff end a halt."""

from __future__ import annotations

from shared.chassis import outbox
from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.trades.halts import ResumeAnswer, ResumeRequest
from shared.utils.time import get_utc_now
from trades import events
from trades.models import halts


def resume_trading(request: ResumeRequest, *, db: Database) -> ResumeAnswer:
    """That of the symbol, or that of everything; the others stay. Raises Forbidden."""
    staff_id = current().require_staff()
    now = get_utc_now()
    with db.transaction() as tx:
        halt = halts.resume(tx, symbol=request.symbol, by=staff_id, now=now)
        if halt is not None:
            outbox.add_many(tx, [events.resumed(halt, by=staff_id, now=now)])
    return ResumeAnswer(resumed=halt is not None)
