"""Sent events leave the outbox after a while, with the relay's own rights; unsent and fresh ones stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from shared.chassis import outbox
from shared.chassis.context import Context, use
from shared.chassis.database import Database
from shared.chassis.relay.prune import prune
from shared.chassis.testing.databases import Databases
from shared.contracts.users.events import SessionRevoked
from shared.utils.ids import new_id


def id_of(made: datetime) -> str:
    """A UUIDv7 of that time."""
    stem = f"{int(made.timestamp() * 1000):012x}"
    return f"{stem[:8]}-{stem[8:]}-7{new_id()[15:]}"


def pruned(url: str, keep: timedelta) -> int:
    async def run() -> int:
        database = await asyncpg.connect(url)
        try:
            return await prune(database, keep=keep)
        finally:
            await database.close()

    return asyncio.run(run())


def test_only_what_was_sent_long_ago_goes(
    database: Callable[[str], Database], databases: Databases, sql: Callable[[str], Any]
) -> None:
    now = datetime.now(UTC)
    made = {
        "old and sent": (now - timedelta(days=8), True),
        "old and never sent": (now - timedelta(days=8), False),
        "fresh and sent": (now - timedelta(days=6), True),
    }
    ids = {name: id_of(at) for name, (at, _) in made.items()}
    with use(Context(kind="system")), database("users").transaction() as tx:
        for event_id in ids.values():
            outbox.add(tx, SessionRevoked.example(), subject=new_id(), event_id=event_id)
    with sql("users").cursor() as cursor:
        for name, (at, sent) in made.items():
            if sent:
                cursor.execute("UPDATE outbox SET sent_at = %s WHERE id = %s", (at, ids[name]))
        assert pruned(databases.url("users", "users_relay"), timedelta(days=7)) == 1
        cursor.execute("SELECT id::text FROM outbox")
        left = {row[0] for row in cursor.fetchall()}
    assert left == {ids["old and never sent"], ids["fresh and sent"]}
