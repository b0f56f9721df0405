"""Sent events leave the outbox after a while: they hold personal data too, and audit keeps what happened."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg

from shared.settings.env import env

EVERY_SECONDS = 600.0
_BATCH = 1000
# Ids begin with the time at which they were made (UUIDv7), so that the primary key finds the old rows.
_DELETE = """
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id < $1 AND sent_at < $2 ORDER BY id LIMIT $3)
"""


def kept() -> timedelta:
    """How long a sent event stays: OUTBOX_KEEP_DAYS, 7 by default."""
    return timedelta(days=env.get_float("OUTBOX_KEEP_DAYS", 7.0))


async def prune(database: asyncpg.Connection, *, keep: timedelta) -> int:
    """Deletes what was sent longer than `keep` ago, in small transactions; returns how many rows it was."""
    before = datetime.now(UTC) - keep
    oldest = uuid.UUID(int=int(before.timestamp() * 1000) << 80)
    deleted = 0
    while True:
        count = int((await database.execute(_DELETE, oldest, before, _BATCH)).split()[-1])
        deleted += count
        if count < _BATCH:
            return deleted


class Pruning:
    """When one outbox is to be pruned next."""

    def __init__(self) -> None:
        self._next = 0.0

    async def when_due(self, database: asyncpg.Connection) -> None:
        """Prunes if it is time again."""
        if time.monotonic() >= self._next:
            await prune(database, keep=kept())
            self._next = time.monotonic() + EVERY_SECONDS
