"""An owner's rule in its present version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, RowMapping, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of `rules`. The version is in force from `updated_at` on."""

    id: str
    owner_id: str
    referral_percent: Decimal
    markup_percent: Decimal
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: RowMapping) -> Rule:
        """From a row with the columns in `COLUMNS`."""
        return cls(**row)

    def gives(self, *, referral_percent: Decimal, markup_percent: Decimal) -> bool:
        """Whether these are its percents."""
        return (self.referral_percent, self.markup_percent) == (referral_percent, markup_percent)


COLUMNS: Final = (
    "CAST(rules.id AS text) AS id, CAST(rules.owner_id AS text) AS owner_id, rules.referral_percent,"
    " rules.markup_percent, rules.version, rules.created_at, rules.updated_at"
)
_FIND = text(f"SELECT {COLUMNS} FROM rules WHERE owner_id = CAST(:owner_id AS uuid)")
# The next version is in force later than the present one even where the clock has gone back.
_SET = text(
    "WITH rules AS (INSERT INTO rules AS mine"
    " (id, owner_id, referral_percent, markup_percent, version, created_at, updated_at)"
    " VALUES (CAST(:id AS uuid), CAST(:owner_id AS uuid), :referral_percent, :markup_percent, 1, :now, :now)"
    " ON CONFLICT (owner_id) DO UPDATE SET referral_percent = excluded.referral_percent,"
    " markup_percent = excluded.markup_percent, version = mine.version + 1,"
    " updated_at = GREATEST(excluded.updated_at, mine.updated_at + interval '1 microsecond') RETURNING *),"
    " noted AS (INSERT INTO rule_versions (rule_id, version, referral_percent, markup_percent, valid_from, set_by)"
    " SELECT id, version, referral_percent, markup_percent, updated_at, CAST(:set_by AS uuid) FROM rules)"
    f" SELECT {COLUMNS} FROM rules"
)


def find(tx: Connection, owner_id: str) -> Rule | None:
    """The owner's rule, if he has one."""
    row = tx.execute(_FIND, {"owner_id": owner_id}).mappings().one_or_none()
    return None if row is None else Rule.of(row)


def put(
    tx: Connection,
    *,
    rule_id: str,
    owner_id: str,
    referral_percent: Decimal,
    markup_percent: Decimal,
    set_by: str,
    now: datetime,
) -> Rule:
    """The owner's first rule, with the id `rule_id`, or the next version of the one that he has."""
    values = {
        "id": rule_id,
        "owner_id": owner_id,
        "referral_percent": referral_percent,
        "markup_percent": markup_percent,
        "set_by": set_by,
        "now": now,
    }
    return Rule.of(tx.execute(_SET, values).mappings().one())
