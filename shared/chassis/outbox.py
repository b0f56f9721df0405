"""Telling by outbox: the event row is in the same commit as the change; the relay publishes it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.schema import conv

from shared.chassis import context, wire
from shared.chassis.database import wake_relay
from shared.contracts import schema
from shared.contracts.envelope import Actor, Envelope, EventData
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now, to_rfc3339


def outbox_table(metadata: MetaData) -> Table:
    """The table `outbox` of a service; `payload` is the envelope exactly as it is sent."""
    table = Table(
        "outbox",
        metadata,
        Column("id", Uuid(as_uuid=False), primary_key=True),
        Column("seq", BigInteger, Identity(always=True), nullable=False),
        Column("exchange", Text, nullable=False),
        Column("routing_key", Text, nullable=False),
        Column("payload", Text, nullable=False),
        Column("has_secret", Boolean, nullable=False, server_default=text("false")),
        Column("mandatory", Boolean, nullable=False, server_default=text("true")),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("sent_at", DateTime(timezone=True)),
        info={"relay": True},
    )
    Index(conv("outbox_unsent"), table.c.seq, postgresql_where=table.c.sent_at.is_(None))
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An event to be told; see `add` for the fields."""

    data: EventData
    subject: str
    subject_version: int = 1
    personal: Mapping[str, Any] | None = None
    secret: Mapping[str, Any] | None = None
    cause: Envelope | None = None
    event_id: str | None = None
    occurred_at: datetime | None = None


def add(
    tx: Connection,
    data: EventData,
    *,
    subject: str,
    subject_version: int = 1,
    personal: Mapping[str, Any] | None = None,
    secret: Mapping[str, Any] | None = None,
    cause: Envelope | None = None,
    event_id: str | None = None,
    occurred_at: datetime | None = None,
) -> str:
    """Writes one event and returns its id.

    `subject` is the id of the thing that changed and `subject_version` its version after the change. With `cause`,
    the event that led to this one, correlation and actor are taken from it; else from the context.
    """
    event = Pending(
        data=data,
        subject=subject,
        subject_version=subject_version,
        personal=personal,
        secret=secret,
        cause=cause,
        event_id=event_id,
        occurred_at=occurred_at,
    )
    return add_many(tx, [event])[0]


TELL = (
    "INSERT INTO outbox (id, exchange, routing_key, payload, has_secret, mandatory)"
    " SELECT o.id, o.exchange, o.routing_key, o.payload, o.has_secret, o.mandatory"
    " FROM unnest(CAST(:told_ids AS uuid[]), CAST(:told_exchanges AS text[]), CAST(:told_keys AS text[]),"
    " CAST(:told_payloads AS text[]), CAST(:told_secrets AS boolean[]), CAST(:told_mandatory AS boolean[]),"
    " CAST(:told_subjects AS text[]))"
    " AS o (id, exchange, routing_key, payload, has_secret, mandatory, subject)"
)
"""Writes the events of `values_of`, in their order; a command that is one statement has it in a WITH of its own."""
_INSERT = text(TELL)


def add_many(tx: Connection, events: Sequence[Pending]) -> list[str]:
    """Writes events in one statement, in their order, and returns their ids."""
    if not events:
        return []
    values = values_of(events)
    tx.execute(_INSERT, values)
    wake_relay(tx)
    return values["told_ids"]


def values_of(events: Sequence[Pending]) -> dict[str, list[Any]]:
    """What `TELL` writes."""
    asked, now = context.current(), get_utc_now()
    envelopes = [make_envelope(event, asked, now) for event in events]
    return {
        "told_ids": [envelope.id for envelope in envelopes],
        "told_exchanges": [f"{envelope.source}.events" for envelope in envelopes],
        "told_keys": [envelope.type for envelope in envelopes],
        "told_payloads": [wire.dumps(envelope.to_json()).decode() for envelope in envelopes],
        "told_secrets": [bool(envelope.secret) for envelope in envelopes],
        "told_mandatory": [bool(event.data.readers) for event in events],
        "told_subjects": [envelope.subject for envelope in envelopes],
    }


def make_envelope(event: Pending, asked: context.Context, now: datetime) -> Envelope:
    """The envelope of an event that is told now by whoever asks; see `add`."""
    cause = event.cause
    if cause is not None:
        actor, correlation_id = cause.actor, cause.correlation_id
    else:
        actor = Actor(user_id=asked.user_id, role="staff" if asked.is_staff else asked.kind, kind=asked.kind)
        correlation_id = asked.correlation_id
    return Envelope(
        id=event.event_id or new_id(),
        type=event.data.type,
        version=event.data.version,
        source=event.data.owner,
        subject=event.subject,
        subject_version=event.subject_version,
        occurred_at=to_rfc3339(event.occurred_at or now),
        correlation_id=correlation_id,
        causation_id=cause.id if cause is not None else asked.causation_id,
        actor=actor,
        data=schema.dump(event.data),
        personal=dict(event.personal or {}),
        secret=dict(event.secret or {}),
    )
