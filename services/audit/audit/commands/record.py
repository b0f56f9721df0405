"""Record what no event tells of: access that was denied, a reading."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from audit.models import PERSONAL_HASH, SALT_BYTES
from shared.chassis import wire
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339

_RECORD: Final = text(
    f"""
    WITH written AS (
        INSERT INTO entries (
            id, record_id, action, description, user_id, actor_user_id, actor_role, actor_kind, subject_type,
            subject_id, result, correlation_id, causation_id, occurred_at, created_at, metadata, personal_hash
        )
        SELECT CAST(:entry_id AS uuid), CAST(:record_id AS uuid), :action, :description, CAST(:user_id AS uuid),
            CAST(:actor_user_id AS uuid), :role, :kind, :subject_type, :subject_id, :result, :correlation_id,
            :causation_id, :occurred_at, :now, CAST(:metadata AS jsonb), {PERSONAL_HASH}
        FROM (SELECT CAST(:salt AS bytea) AS salt, CAST(:personal AS jsonb) AS personal) AS p
        ON CONFLICT (record_id) WHERE record_id IS NOT NULL DO NOTHING
        RETURNING id, user_id
    ), queued AS (
        INSERT INTO unsealed (entry_id) SELECT id FROM written
    )
    INSERT INTO personal_data (entry_id, user_id, salt, personal)
    SELECT id, CAST(:actor_user_id AS uuid), CAST(:salt AS bytea), CAST(:personal AS jsonb) FROM written
    WHERE CAST(:personal AS jsonb) IS NOT NULL
    """
)


def record(
    db: Database,
    caller: Context,
    *,
    record_id: str,
    action: str,
    result: str,
    subject_type: str,
    subject_id: str,
    occurred_at: str,
    description: str,
    metadata: dict[str, Any] | None,
    now: datetime,
) -> None:
    """Writes an entry of what `caller` did and from where, once per `record_id`. Raises ValidationFailed."""
    try:
        occurred = from_rfc3339(occurred_at)
    except ValueError:
        raise ValidationFailed.of("occurred_at", "invalid", "No such time.") from None
    personal = {name: value for name in ("ip", "user_agent") if (value := getattr(caller, name)) is not None}
    values = {
        "entry_id": new_id(),
        "record_id": record_id,
        "action": action,
        "description": description,
        "user_id": caller.user_id,
        "actor_user_id": caller.user_id,
        "role": "staff" if caller.is_staff else caller.kind,
        "kind": caller.kind,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "result": result,
        "correlation_id": caller.correlation_id,
        "causation_id": caller.causation_id,
        "occurred_at": occurred,
        "metadata": wire.dumps(metadata or {}).decode(),
        "personal": wire.dumps(personal).decode() if personal else None,
        "salt": os.urandom(SALT_BYTES) if personal else None,
        "now": now,
    }
    with db.transaction() as tx:
        tx.execute(_RECORD, values)
