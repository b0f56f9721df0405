"""What may become of a referral. A use of its code is taken while it is CLAIMED or CONFIRMED; a trigger counts.

(nothing) -> CLAIMED -> CONFIRMED, which is final
CLAIMED -> RETURNED (he did not come in time) -> CLAIMED | CONFIRMED
(nothing) -> EXPECTED (a commission was heard of first) -> CLAIMED | CONFIRMED
(nothing) -> CONFIRMED (he is heard of without his claim)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, text

from shared.utils.ids import new_id

_STANDING = text(
    "SELECT CAST(c.id AS text) AS id, c.code, CAST(c.owner_id AS text) AS owner_id"
    " FROM referrals r JOIN referral_codes c ON c.id = r.code_id"
    " WHERE r.referred_user_id = CAST(:user_id AS uuid) AND r.state IN ('CLAIMED', 'CONFIRMED')"
)
_CLAIM = text(
    "INSERT INTO referrals AS r (id, code_id, owner_id, referred_user_id, state, claimed_at, created_at)"
    " VALUES (CAST(:id AS uuid), CAST(:code_id AS uuid), CAST(:owner_id AS uuid), CAST(:user_id AS uuid), 'CLAIMED',"
    " :now, :now) ON CONFLICT (referred_user_id) DO UPDATE SET state = 'CLAIMED', code_id = excluded.code_id,"
    " owner_id = excluded.owner_id, claimed_at = excluded.claimed_at WHERE r.state IN ('RETURNED', 'EXPECTED')"
)
_RENEW = text(
    "UPDATE referrals SET claimed_at = :now WHERE referred_user_id = CAST(:user_id AS uuid) AND state = 'CLAIMED'"
)
_CONFIRM = text(
    "INSERT INTO referrals AS r (id, code_id, owner_id, referred_user_id, state, announced, confirmed_at,"
    " created_at) SELECT id, code_id, owner_id, user_id, 'CONFIRMED', announced, :now, registered_at"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:code_ids AS uuid[]), CAST(:owner_ids AS uuid[]),"
    " CAST(:user_ids AS uuid[]), CAST(:announced AS boolean[]), CAST(:registered_at AS timestamptz[]))"
    " AS told (id, code_id, owner_id, user_id, announced, registered_at) ORDER BY user_id"
    " ON CONFLICT (referred_user_id) DO UPDATE SET state = 'CONFIRMED', announced = excluded.announced,"
    " code_id = CASE r.state WHEN 'CONFIRMED' THEN r.code_id ELSE excluded.code_id END,"
    " owner_id = CASE r.state WHEN 'CONFIRMED' THEN r.owner_id ELSE excluded.owner_id END,"
    " confirmed_at = COALESCE(r.confirmed_at, excluded.confirmed_at)"
    " WHERE r.state <> 'CONFIRMED' OR excluded.announced AND NOT r.announced"
    " RETURNING CAST(referred_user_id AS text) AS user_id, CAST(id AS text) AS id, announced"
)
_MARK = text(
    "INSERT INTO referrals AS r (id, referred_user_id, state, commission_awarded, created_at)"
    " SELECT id, user_id, 'EXPECTED', true, :now FROM unnest(CAST(:ids AS uuid[]), CAST(:user_ids AS uuid[]))"
    " AS told (id, user_id) ORDER BY user_id"
    " ON CONFLICT (referred_user_id) DO UPDATE SET commission_awarded = true WHERE NOT r.commission_awarded"
)
_GIVE_BACK = text(
    "WITH late AS (SELECT id FROM referrals WHERE state = 'CLAIMED' AND claimed_at <= :before"
    " ORDER BY claimed_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
    " UPDATE referrals SET state = 'RETURNED' FROM late WHERE referrals.id = late.id"
)
_OLDEST = text("SELECT claimed_at FROM referrals WHERE state = 'CLAIMED' ORDER BY claimed_at LIMIT 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A user who has registered with a code; not `announced` when that is told to fill a copy only."""

    user_id: str
    owner_id: str
    code_id: str
    announced: bool
    registered_at: datetime


def standing(tx: Connection, user_id: str) -> RowMapping | None:
    """The code (id, code, owner_id) of which a use is taken for the user."""
    return tx.execute(_STANDING, {"user_id": user_id}).mappings().one_or_none()


def claim(tx: Connection, *, user_id: str, code: RowMapping, now: datetime) -> bool:
    """Takes a use of the code for the user, however often it was used; False when one is taken for him already."""
    values = {"id": new_id(), "code_id": code["id"], "owner_id": code["owner_id"], "user_id": user_id}
    return tx.execute(_CLAIM, {**values, "now": now}).rowcount == 1


def renew(tx: Connection, user_id: str, *, now: datetime) -> None:
    """A claim that is asked for again waits as long as a new one."""
    tx.execute(_RENEW, {"user_id": user_id, "now": now})


def confirm(tx: Connection, registered: Sequence[Registered], *, now: datetime) -> dict[str, str]:
    """The referrals of users who have registered, each named once.

    Returns those that are to be announced now: the referral's id by the user's.
    """
    values = {
        "ids": [new_id() for _ in registered],
        "code_ids": [one.code_id for one in registered],
        "owner_ids": [one.owner_id for one in registered],
        "user_ids": [one.user_id for one in registered],
        "announced": [one.announced for one in registered],
        "registered_at": [one.registered_at for one in registered],
        "now": now,
    }
    return {row.user_id: row.id for row in tx.execute(_CONFIRM, values) if row.announced}


def mark_awarded(tx: Connection, user_ids: Sequence[str], *, now: datetime) -> None:
    """Notes that referring these users, each named once, has earned a commission."""
    tx.execute(_MARK, {"ids": [new_id() for _ in user_ids], "user_ids": list(user_ids), "now": now})


def give_back(tx: Connection, *, before: datetime, limit: int) -> int:
    """Gives back up to `limit` claims made until `before` that nobody is at work on; says how many."""
    return tx.execute(_GIVE_BACK, {"before": before, "limit": limit}).rowcount


def oldest(tx: Connection) -> datetime | None:
    """When the claim that has waited longest was made."""
    found: datetime | None = tx.execute(_OLDEST).scalar_one_or_none()
    return found
