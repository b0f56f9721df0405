"""What can be asked of audit. Names and addresses are joined from where they stand apart: erased, they are null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from shared.contracts.audit.rpc import ActorView, EntryView
from shared.utils.time import to_rfc3339

_FILTERS: Final[Mapping[str, str]] = {
    "action": "action = :action",
    "user_id": "user_id = CAST(:user_id AS uuid)",
    "subject_id": "subject_id = :subject_id",
}


def newest(tx: Connection, filters: Mapping[str, str], *, before: str | None, limit: int) -> Sequence[RowMapping]:
    """Entries by the given filters, newest first, of those before the entry `before`."""
    wanted = [_FILTERS[name] for name in filters]
    if before is not None:
        wanted.append("id < CAST(:before AS uuid)")
    where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
    statement = f"""
        SELECT CAST(e.id AS text) AS id, e.action, e.description, CAST(e.user_id AS text) AS user_id,
            CAST(e.actor_user_id AS text) AS actor_user_id, n.username, e.actor_role, e.actor_kind, e.subject_type,
            e.subject_id, p.personal ->> 'ip' AS ip, e.result, e.correlation_id, e.causation_id, e.occurred_at,
            e.created_at, e.metadata
        FROM (SELECT * FROM entries {where} ORDER BY entries.id DESC LIMIT :limit) AS e
        LEFT JOIN user_names AS n ON n.user_id = e.actor_user_id
        LEFT JOIN personal_data AS p ON p.entry_id = e.id
        ORDER BY e.id DESC
    """
    values: dict[str, Any] = {**filters, "before": before, "limit": limit}
    return tx.execute(text(statement), values).mappings().all()


def view(entry: RowMapping) -> EntryView:
    """The public form."""
    return EntryView(
        id=entry["id"],
        action=entry["action"],
        description=entry["description"],
        user_id=entry["user_id"],
        actor=ActorView(
            user_id=entry["actor_user_id"],
            username=entry["username"],
            role=entry["actor_role"],
            kind=entry["actor_kind"],
        ),
        subject_type=entry["subject_type"],
        subject_id=entry["subject_id"],
        ip=entry["ip"],
        result=entry["result"],
        correlation_id=entry["correlation_id"],
        causation_id=entry["causation_id"],
        occurred_at=to_rfc3339(entry["occurred_at"]),
        created_at=to_rfc3339(entry["created_at"]),
        metadata=entry["metadata"],
    )
