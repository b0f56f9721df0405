"""From one outbox to the broker: at least once, in batches, each message confirmed before it is marked as sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from logging import getLogger
from typing import Any

import aiormq
import asyncpg
from aiormq.channel import Channel
from pamqp.commands import Basic

from shared.chassis import wire

log = getLogger(__name__)

SIZE = 200
CONFIRM_SECONDS = 5.0
_DUE = "sent_at IS NULL AND next_attempt_at <= now()"
_ANY = f"SELECT EXISTS (SELECT FROM outbox WHERE {_DUE})"
_SELECT = f"""
SELECT id, exchange, routing_key, payload, has_secret, mandatory, attempts
FROM outbox WHERE {_DUE} ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_SENT = "UPDATE outbox SET sent_at = now(), attempts = attempts + 1 WHERE id = ANY($1::uuid[])"
_BLANKED = """
UPDATE outbox SET sent_at = now(), attempts = attempts + 1,
    payload = jsonb_set(payload::jsonb, '{secret}', '{}')::text
WHERE id = ANY($1::uuid[])
"""
# A row that nobody can take waits longer each time: 1 s, 2 s, 4 s … 60 s.
_WAIT = "attempts = attempts + 1, next_attempt_at = now() + least(60, 2 ^ least(attempts, 6)) * interval '1 second'"
_LATER = f"UPDATE outbox SET {_WAIT} WHERE id = ANY($1::uuid[])"
_EXCHANGES = f"SELECT DISTINCT exchange FROM outbox WHERE {_DUE}"
_ALL_LATER = f"UPDATE outbox SET {_WAIT} WHERE exchange = $1 AND {_DUE}"


class BrokerLost(Exception):
    """A confirm failed in a way that says nothing about the message: the connection must go."""


class ExchangeMissing(Exception):
    """The broker closed the channel because of one of the exchanges; nothing is known of the messages."""


async def due(database: asyncpg.Connection) -> bool:
    """Whether there is anything to publish: one round trip, for the many times when there is not."""
    return bool(await database.fetchval(_ANY))


async def pump(database: asyncpg.Connection, channel: Channel) -> int:
    """Publishes up to `SIZE` events and returns how many were taken from the outbox.

    Raises BrokerLost, ExchangeMissing, and asyncpg's errors; then nothing is marked and everything comes again.
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


async def postpone_homeless(database: asyncpg.Connection, connection: Any) -> None:
    """Puts off the events whose exchange is not there, so that the others can go on."""
    for row in await database.fetch(_EXCHANGES):
        channel = await connection.channel()
        try:
            await channel.exchange_declare(row["exchange"], passive=True, timeout=CONFIRM_SECONDS)
        except aiormq.exceptions.ChannelNotFoundEntity:
            log.error("events cannot be published: there is no exchange %s", row["exchange"])
            await database.execute(_ALL_LATER, row["exchange"])
        else:
            await channel.close()


async def _publish(channel: Channel, rows: Sequence[Any]) -> list[bool]:
    """Whether each row was routed to all queues that are bound for it, and confirmed."""
    try:
        async with asyncio.timeout(CONFIRM_SECONDS):
            outcomes = await asyncio.gather(*(_one(channel, row) for row in rows), return_exceptions=True)
    except TimeoutError:
        raise BrokerLost(f"not confirmed within {CONFIRM_SECONDS:g} s") from None
    if any(isinstance(outcome, aiormq.exceptions.ChannelNotFoundEntity) for outcome in outcomes):
        raise ExchangeMissing
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


async def _one(channel: Channel, row: Any) -> None:
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
        # The socket takes what is written in one go; the confirm is what is waited for.
        wait=False,
    )
