"""From rows of referrals to what leaves the house."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, RowMapping, text

from referrals.models.codes import COLUMNS, TERMS
from shared.chassis.outbox import Pending
from shared.contracts.envelope import Envelope, Received
from shared.contracts.money import percent_text
from shared.contracts.referrals.events import ReferralCodeChanged, ReferralRegistered
from shared.contracts.users.events import UserRegistered
from shared.utils.time import to_rfc3339

_CODES: Final = text(
    f"SELECT {COLUMNS} FROM referral_codes WHERE CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)"
    " ORDER BY referral_codes.id LIMIT :limit"
)


def code_made(code: RowMapping, cause: Envelope | None = None) -> Pending:
    """A code exists."""
    terms = terms_of(code)
    return _code(code, changed=sorted(terms), after=terms, cause=cause)


def code_changed(code: RowMapping, before: dict[str, Any]) -> Pending:
    """A code has other terms; `before` holds what the changed ones were, as contracts write them."""
    terms = terms_of(code)
    return _code(code, changed=sorted(before), before=before, after={name: terms[name] for name in before})


def referral_registered(referral_id: str, registered: Received[UserRegistered]) -> Pending:
    """Somebody has come by a code."""
    user = registered.data
    data = ReferralRegistered(
        referral_id=referral_id,
        code_id=cast("str", user.code_id),
        code=cast("str", user.referral_code),
        owner_id=cast("str", user.referrer_id),
        referred_user_id=user.user_id,
    )
    return Pending(data=data, subject=referral_id, cause=registered.envelope)


def present(tx: Connection, type_: str, *, after: str | None, limit: int) -> list[Pending]:
    """Events of the present state, in the order of their subjects' ids, from the one after `after` on.

    Raises KeyError for a type that no copy is filled by.
    """
    statement, view = {ReferralCodeChanged.type: (_CODES, _code)}[type_]
    return [view(row) for row in tx.execute(statement, {"after": after, "limit": limit}).mappings()]


def terms_of(code: RowMapping) -> dict[str, Any]:
    """The terms of a code as contracts write them."""
    plain = {"expires_at": _time(code["expires_at"]), "markup_percent": percent_text(code["markup_percent"])}
    return {name: plain.get(name, code[name]) for name in TERMS}


def _code(
    code: RowMapping,
    *,
    changed: list[str] | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    cause: Envelope | None = None,
) -> Pending:
    data = ReferralCodeChanged(
        code_id=code["id"],
        code=code["code"],
        owner_id=code["owner_id"],
        **terms_of(code),
        changed=changed or [],
        before=before or {},
        after=after or {},
    )
    return Pending(data=data, subject=code["id"], subject_version=code["version"], cause=cause)


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_rfc3339(at)
