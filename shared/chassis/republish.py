"""Sends events to one reader's queue: the present state of an owner's things, or what was told before.

An envelope of present state says `republished`: readers take over what is newer than what they have, and tell nobody.
How the copies of a new service are filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import kombu
from sqlalchemy import Connection

from shared.chassis import outbox, wire
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.topology import events_queue
from shared.contracts.envelope import Envelope
from shared.utils.time import get_utc_now

PAGE = 500
_CONFIRM_SECONDS = 5


class Present(Protocol):
    """What an owner's `events.present` does: a page of events of the present state, in order of their subjects.

    `after` is the last subject of the page before. Raises KeyError for a type that has no present state.
    """

    def __call__(self, tx: Connection, type_: str, *, after: str | None, limit: int) -> list[outbox.Pending]: ...


def republish(db: Database, present: Present, type_: str, *, to: str, amqp_url: str) -> int:
    """Sends everything; returns how many. Raises KeyError, and kombu's errors."""
    return send(_envelopes(db, present, type_), to=to, amqp_url=amqp_url)


def send(envelopes: Iterable[Envelope], *, to: str, amqp_url: str) -> int:
    """Sends each to `to` alone, confirmed; returns how many. Raises kombu's errors."""
    sent = 0
    with kombu.Connection(amqp_url, connect_timeout=5, transport_options={"confirm_publish": True}) as connection:
        producer = kombu.Producer(connection.default_channel, auto_declare=False)
        for envelope in envelopes:
            producer.publish(
                wire.dumps(envelope.to_json()),
                exchange="",
                routing_key=events_queue(to),
                content_type=wire.CONTENT_TYPE,
                content_encoding="utf-8",
                delivery_mode=2,
                message_id=envelope.id,
                type=envelope.type,
                mandatory=True,
                timeout=_CONFIRM_SECONDS,
            )
            sent += 1
    return sent


def _envelopes(db: Database, present: Present, type_: str) -> Iterator[Envelope]:
    after: str | None = None
    asked = Context(kind="system")
    while page := _page(db, present, type_, after):
        for event in page:
            yield replace(outbox.make_envelope(event, asked, get_utc_now()), republished=True)
        after = page[-1].subject


def _page(db: Database, present: Present, type_: str, after: str | None) -> list[outbox.Pending]:
    with db.read() as tx:
        return present(tx, type_, after=after, limit=PAGE)
