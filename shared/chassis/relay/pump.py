"""From one outbox to the broker: at least once, in batches, each message confirmed before it is marked as sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from logging import getLogger
from typing import Any

import aiormq
import asyncpg
from aiormq.abc import AbstractChannel
from pamqp.commands import Basic

from shared.chassis import wire

log = getLogger(__name__)

SIZE = 200
CONFIRM_SECONDS = 5.0
# A row that nobody can take waits longer each time: 1 s, 2 s, 4 s … 60 s.
_SELECT = """
SELECT id, exchange, routing_key, payload, has_secret, mandatory, attempts
FROM outbox WHERE sent_at IS NULL AND next_attempt_at <= now()
ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_SENT = "UPDATE outbox SET sent_at = now(), attempts = attempts + 1 WHERE id = ANY($1::uuid[])"
_BLANKED = """
UPDATE outbox SET sent_at = now(), attempts = attempts + 1,
    payload = jsonb_set(payload::jsonb, '{secret}', '{}')::text
WHERE id = ANY($1::uuid[])
"""
_LATER = """
UPDATE outbox SET attempts = attempts + 1,
    next_attempt_at = now() + least(60, 2 ^ least(attempts, 6)) * interval '1 second'
WHERE id = ANY($1::uuid[])
"""


class BrokerLost(Exception):
    """A confirm failed in a way that says nothing about the message: the connection must go."""


async def pump(database: asyncpg.Connection, channel: AbstractChannel) -> int:
    """Publishes up to `SIZE` events and returns how many were taken from the outbox.

    Raises BrokerLost, and asyncpg's errors; then nothing is marked and everything comes again.
    """
    async with database.transaction():
        rows = await database.fetch(_SELECT, SIZE)
        if not rows:
            return 0
        routed = await _publish(channel, rows)
        sent = [row["id"] for row, ok in zip(rows, routed, strict=True) if ok and not row["has_secret"]]
        blanked = [row["id"] for row, ok in zip(rows, routed, strict=True) if ok and row["has_secret"]]
        later = [row["id"] for row, ok in zip(rows, routed, strict=True) if not ok]
        for statement, ids in ((_SENT, sent), (_BLANKED, blanked), (_LATER, later)):
            if ids:
                await database.execute(statement, ids)
    return len(rows)


async def _publish(channel: AbstractChannel, rows: Sequence[Any]) -> list[bool]:
    """Whether each row was routed to all queues that are bound for it, and confirmed."""
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            outcomes = await asyncio.gather(*(_one(channel, row) for row in rows), return_exceptions=True)
    except TimeoutError:
        raise BrokerLost(f"not confirmed within {CONFIRM_SECONDS:g} s") from None
    routed = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, aiormq.exceptions.PublishError):
            log.error(
                "event %s %s cannot be routed (attempt %d): no queue is bound for %s",
                row["exchange"],
                row["id"],
                row["attempts"] + 1,
                row["routing_key"],
            )
            routed.append(False)
        elif isinstance(outcome, wire.WireError):
            log.error("event %s is too large for the wire: %s", row["id"], outcome)
            routed.append(False)
        elif isinstance(outcome, BaseException):
            raise BrokerLost(repr(outcome)) from outcome
        else:
            routed.append(True)
    return routed


async def _one(channel: AbstractChannel, row: Any) -> None:
    body = row["payload"].encode()
    if len(body) > wire.MAX_BYTES:
        raise wire.WireError(f"larger than {wire.MAX_BYTES} bytes")
    await channel.basic_publish(
        body,
        exchange=row["exchange"],
        routing_key=row["routing_key"],
        properties=Basic.Properties(
            content_type=wire.CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=2,
            message_id=str(row["id"]),
            message_type=row["routing_key"],
        ),
        mandatory=row["mandatory"],
    )
