"""Uses that were taken for people who did not come are free again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from referrals.models import claims
from shared.chassis.database import Database

_BATCH: Final = 200
# What is left over is at work elsewhere: not looked at again at once.
_PAUSE: Final = timedelta(seconds=1)


def return_claims(db: Database, *, patience: timedelta, now: datetime) -> datetime | None:
    """Gives back claims whose user has not registered within `patience`; returns when the next one is due."""
    with db.transaction() as tx:
        claims.give_back(tx, before=now - patience, limit=_BATCH)
        oldest = claims.oldest(tx)
    return None if oldest is None else max(oldest + patience, now + _PAUSE)
