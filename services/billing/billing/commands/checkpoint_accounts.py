"""Keep the tails of append-only accounts short."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.chassis.database import BATCH_STATEMENT_MS, Database

_CHECKPOINT: Final = text("SELECT checkpoint_accounts(:now)")


def checkpoint_accounts(db: Database, *, now: datetime) -> int:
    """Sums up what was posted since the last time; returns how many accounts it was."""
    with db.transaction(statement_ms=BATCH_STATEMENT_MS) as tx:
        return int(tx.execute(_CHECKPOINT, {"now": now}).scalar_one())
