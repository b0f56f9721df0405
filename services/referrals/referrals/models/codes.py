"""What may become of a code: it is made once, its terms change, it never goes. Its uses are counted by a trigger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, text

from referrals.rules import affiliate_code_id
from shared.chassis import wire

TERMS: Final = ("max_uses", "expires_at", "disabled", "markup_percent")
"""What is announced of a code, and versioned."""
COLUMNS: Final = (
    "CAST(referral_codes.id AS text) AS id, code, CAST(owner_id AS text) AS owner_id, uses, max_uses, expires_at,"
    " disabled, markup_percent, metadata, version, announced, created_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code that is to be. `metadata` is JSON text."""

    id: str
    code: str
    kind: str
    owner_id: str
    created_at: datetime
    max_uses: int | None = None
    expires_at: datetime | None = None
    markup_percent: Decimal | None = None
    metadata: str = "{}"


_NAMES: Final = [item.name for item in fields(NewCode)]
_ADD = text(
    f"INSERT INTO referral_codes ({', '.join(_NAMES)}, updated_at) SELECT new.*, :now"
    " FROM unnest(CAST(:id AS uuid[]), CAST(:code AS text[]), CAST(:kind AS text[]), CAST(:owner_id AS uuid[]),"
    " CAST(:created_at AS timestamptz[]), CAST(:max_uses AS bigint[]), CAST(:expires_at AS timestamptz[]),"
    " CAST(:markup_percent AS numeric[]), CAST(:metadata AS jsonb[])) AS new (id) ORDER BY id"
    " ON CONFLICT DO NOTHING"
)
_ANNOUNCE = text(
    "WITH untold AS (SELECT id FROM referral_codes WHERE id = ANY(CAST(:ids AS uuid[])) AND NOT announced"
    " ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE referral_codes SET announced = true FROM untold WHERE referral_codes.id = untold.id"
    f" RETURNING {COLUMNS}"
)
_GET = text(f"SELECT {COLUMNS} FROM referral_codes WHERE id = CAST(:id AS uuid)")
_LOCK = text(f"SELECT {COLUMNS} FROM referral_codes WHERE id = CAST(:id AS uuid) FOR NO KEY UPDATE")
_FIND = text(f"SELECT {COLUMNS} FROM referral_codes WHERE lower(code) = lower(:code)")
_CHANGE = text(
    "UPDATE referral_codes SET max_uses = :max_uses, expires_at = :expires_at, disabled = :disabled,"
    " markup_percent = :markup_percent, metadata = CAST(:metadata AS jsonb), version = :version, announced = true,"
    " updated_at = :now"
    f" WHERE id = CAST(:id AS uuid) RETURNING {COLUMNS}"
)


def affiliate(code: str, owner_id: str, *, created_at: datetime) -> NewCode:
    """A user's affiliate code."""
    return NewCode(
        id=affiliate_code_id(owner_id), code=code.upper(), kind="affiliate", owner_id=owner_id, created_at=created_at
    )


def add(tx: Connection, new: Sequence[NewCode], *, now: datetime) -> int:
    """Makes codes and says how many; one whose id or text is there already is left out."""
    rows = [asdict(code) for code in new]
    values = {name: [row[name] for row in rows] for name in _NAMES}
    return tx.execute(_ADD, {**values, "now": now}).rowcount


def announce(tx: Connection, ids: Sequence[str]) -> Sequence[RowMapping]:
    """The rows of those codes that nobody has been told of; from now on they are."""
    return tx.execute(_ANNOUNCE, {"ids": list(ids)}).mappings().all()


def get(tx: Connection, code_id: str) -> RowMapping | None:
    """By id."""
    return tx.execute(_GET, {"id": code_id}).mappings().one_or_none()


def lock(tx: Connection, code_id: str) -> RowMapping | None:
    """By id; until the transaction ends nobody else changes it or takes a use."""
    return tx.execute(_LOCK, {"id": code_id}).mappings().one_or_none()


def find(tx: Connection, code: str) -> RowMapping | None:
    """By its text, without regard to case."""
    return tx.execute(_FIND, {"code": code}).mappings().one_or_none()


def change(tx: Connection, present: RowMapping, new: Mapping[str, Any], *, version: int, now: datetime) -> RowMapping:
    """Writes what is new of terms and metadata, and returns the row."""
    values = {**present, **new}
    values["metadata"] = wire.dumps(values["metadata"]).decode()
    return tx.execute(_CHANGE, {**values, "version": version, "now": now}).mappings().one()
