"""What can be asked of referrals. Somebody else's code or referral looks like none."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, text

from referrals import rules
from referrals.models import codes
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.errors import Forbidden
from shared.contracts.money import percent_text
from shared.contracts.referrals.errors import CodeNotFound, ReferralNotFound
from shared.contracts.referrals.rpc import CheckAnswer, CodePage, CodeView, ReferralPage, ReferralView
from shared.utils.time import to_rfc3339

_REFERRAL: Final = (
    "SELECT CAST(id AS text) AS id, CAST(code_id AS text) AS code_id, CAST(owner_id AS text) AS owner_id,"
    " CAST(referred_user_id AS text) AS referred_user_id, commission_awarded, created_at"
    " FROM referrals WHERE state = 'CONFIRMED'"
)
_OF_USER: Final = text(f"{_REFERRAL} AND referred_user_id = CAST(:user_id AS uuid)")


def find_code(tx: Connection, code_id: str | None) -> RowMapping:
    """By id. Raises CodeNotFound."""
    found = None if code_id is None else codes.get(tx, code_id)
    if found is None:
        raise CodeNotFound()
    return found


def check_code(db: Database, code: str, *, now: datetime) -> CheckAnswer:
    """Whether a code could be used now."""
    with db.read() as tx:
        found = codes.find(tx, code) if rules.is_code(code) else None
    if found is None:
        return CheckAnswer(valid=False, problem="unknown")
    problem = rules.problem(
        disabled=found["disabled"],
        expires_at=found["expires_at"],
        max_uses=found["max_uses"],
        uses=found["uses"],
        now=now,
    )
    return CheckAnswer(valid=problem is None, problem=problem)


def get_referral(db: Database, caller: Context, user_id: str) -> ReferralView:
    """For the user himself, who referred him, and staff. Raises Unauthorized, ReferralNotFound."""
    asks = caller.require_user()
    with db.read() as tx:
        found = tx.execute(_OF_USER, {"user_id": user_id}).mappings().one_or_none()
    if found is None or not (caller.is_staff or asks in (found["referred_user_id"], found["owner_id"])):
        raise ReferralNotFound()
    return _referral_view(found)


def list_codes(db: Database, caller: Context, *, owner_id: str | None, limit: int, after: str | None) -> CodePage:
    """Newest first. Raises Unauthorized, Forbidden for somebody else's list, ValidationFailed for a wrong cursor."""
    filters = {"owner_id": _whose(caller, owner_id)}
    select = f"SELECT {codes.COLUMNS} FROM referral_codes WHERE true"
    return cast("CodePage", _page(db, caller, "referral_codes", select, filters, limit, after, view))


def list_referrals(
    db: Database, caller: Context, *, owner_id: str | None, code_id: str | None, limit: int, after: str | None
) -> ReferralPage:
    """Those whose users have registered, newest first. Raises as `list_codes` does."""
    filters = {"owner_id": _whose(caller, owner_id), "code_id": code_id}
    return cast("ReferralPage", _page(db, caller, "referrals", _REFERRAL, filters, limit, after, _referral_view))


def view(code: RowMapping) -> CodeView:
    """The public form of a code."""
    expires_at = code["expires_at"]
    return CodeView(
        id=code["id"],
        code=code["code"],
        owner_id=code["owner_id"],
        uses=code["uses"],
        max_uses=code["max_uses"],
        expires_at=None if expires_at is None else to_rfc3339(expires_at),
        disabled=code["disabled"],
        markup_percent=percent_text(code["markup_percent"]),
        metadata=code["metadata"],
        created_at=to_rfc3339(code["created_at"]),
    )


def _referral_view(referral: RowMapping) -> ReferralView:
    return ReferralView(
        id=referral["id"],
        code_id=referral["code_id"],
        referred_user_id=referral["referred_user_id"],
        commission_awarded=referral["commission_awarded"],
        created_at=to_rfc3339(referral["created_at"]),
    )


def _page(
    db: Database,
    caller: Context,
    table: str,
    select: str,
    filters: dict[str, str | None],
    limit: int,
    after: str | None,
    to_view: Any,
) -> dict[str, Any]:
    listing = Listing(table, caller.require_user(), filters)
    conditions = [f" AND {name} = CAST(:{name} AS uuid)" for name, value in filters.items() if value is not None]
    values: dict[str, Any] = {**filters, "rows": limit + 1}
    if after is not None:
        (values["before"],) = listing.position(after)
        conditions.append(f" AND {table}.id < CAST(:before AS uuid)")
    statement = f"{select}{''.join(conditions)} ORDER BY {table}.id DESC LIMIT :rows"
    with db.read() as tx:
        rows = tx.execute(text(statement), values).mappings().all()
    return listing.page(rows, limit, position=lambda row: (row["id"],), view=to_view)


def _whose(caller: Context, owner_id: str | None) -> str | None:
    """The owner whose rows the caller may list, None for everybody's."""
    own = caller.require_user()
    if caller.is_staff:
        return owner_id
    if owner_id not in (None, own):
        raise Forbidden()
    return own
