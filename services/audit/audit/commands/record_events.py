"""Record what events tell: an entry, the archive and personal data of each, once for ever."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from audit import rules
from audit.models import PERSONAL_HASH, SALT_BYTES
from shared.chassis import wire
from shared.chassis.database import Database
from shared.contracts.envelope import EventData, Received
from shared.contracts.money import to_text
from shared.utils.ids import new_id

_MONEY: Final = ("amount", "stake", "payout")

# What an entry says beside its meaning is read out of what is archived: the two cannot differ.
_RECORD: Final = text(
    f"""
    WITH told AS (
        SELECT m.*, e.*, CAST(m.personal_text AS jsonb) AS personal
        FROM unnest(
            CAST(:entry_id AS uuid[]), CAST(:action AS text[]), CAST(:description AS text[]), CAST(:user_id AS uuid[]),
            CAST(:subject_type AS text[]), CAST(:result AS text[]), CAST(:envelope AS text[]),
            CAST(:personal AS text[]), CAST(:salt AS bytea[])
        ) AS m (entry_id, action, description, user_id, subject_type, result, envelope, personal_text, salt)
        CROSS JOIN LATERAL jsonb_to_record(CAST(m.envelope AS jsonb)) AS e (
            id uuid, source text, type text, version integer, subject text, subject_version bigint,
            occurred_at timestamptz, correlation_id text, causation_id text, actor jsonb, data jsonb
        )
    ), written AS (
        INSERT INTO entries (
            id, event_id, action, description, user_id, actor_user_id, actor_role, actor_kind, subject_type,
            subject_id, result, correlation_id, causation_id, occurred_at, created_at, metadata, personal_hash
        )
        SELECT p.entry_id, p.id, p.action, p.description, p.user_id, CAST(p.actor ->> 'user_id' AS uuid),
            p.actor ->> 'role', p.actor ->> 'kind', p.subject_type, p.subject, p.result, p.correlation_id,
            p.causation_id, p.occurred_at, :now, p.data, {PERSONAL_HASH}
        FROM told AS p ORDER BY p.id
        ON CONFLICT (event_id) DO NOTHING
        RETURNING id
    ), queued AS (
        INSERT INTO unsealed (entry_id) SELECT id FROM written
    ), archived AS (
        INSERT INTO archive (event_id, source, type, version, subject, subject_version, occurred_at, envelope)
        SELECT p.id, p.source, p.type, p.version, p.subject, p.subject_version, p.occurred_at, p.envelope
        FROM told AS p JOIN written AS w ON w.id = p.entry_id
    )
    INSERT INTO personal_data (entry_id, user_id, salt, personal)
    SELECT p.entry_id, p.user_id, p.salt, p.personal FROM told AS p JOIN written AS w ON w.id = p.entry_id
    WHERE p.personal IS NOT NULL
    """
)


def record_events(db: Database, events: Sequence[Received[EventData]], *, now: datetime) -> None:
    """Writes what is not there yet, in one statement; present state that is sent again is no news."""
    rows = [_row(event) for event in events if not event.envelope.republished]
    if not rows:
        return
    with db.transaction() as tx:
        tx.execute(_RECORD, {**{name: [row[name] for row in rows] for name in rows[0]}, "now": now})


def _row(event: Received[EventData]) -> dict[str, Any]:
    envelope = event.envelope
    meaning, data = rules.MEANINGS[envelope.type], envelope.data
    kept = envelope.to_json()
    del kept["personal"], kept["secret"]
    return {
        "entry_id": new_id(),
        "action": meaning.action,
        "description": rules.describe(meaning, _readable(data)),
        "user_id": rules.about(meaning, data),
        "subject_type": meaning.subject_type,
        "result": meaning.result,
        "envelope": wire.dumps(kept).decode(),
        "personal": wire.dumps(envelope.personal).decode() if envelope.personal else None,
        "salt": os.urandom(SALT_BYTES) if envelope.personal else None,
    }


def _readable(data: dict[str, Any]) -> dict[str, Any]:
    amounts: dict[str, Any] = {name: to_text(data[name], data["currency"]) for name in _MONEY if name in data}
    return {**data, **amounts} if amounts else data
