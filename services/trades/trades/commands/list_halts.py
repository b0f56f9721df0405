"""What is halted."""

from __future__ import annotations

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.trades.halts import HaltPage, HaltView
from shared.utils.time import to_rfc3339
from trades.models import halts
from trades.models.halts import Halt


def list_halts(*, db: Database) -> HaltPage:
    """That of everything first, then by symbol. Raises Unauthorized."""
    current().require_user()
    with db.read() as tx:
        found = halts.standing(tx)
    return HaltPage(results=[halt_view(halt) for halt in found], has_more=False, next=None)


def halt_view(halt: Halt) -> HaltView:
    """The public form."""
    return HaltView(id=halt.id, symbol=halt.symbol, reason=halt.reason, since=to_rfc3339(halt.since))
