"""A use of a code is taken for somebody who registers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping

from referrals import events, rules
from referrals.models import claims, codes
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.referrals.rpc import ClaimAnswer


def claim(db: Database, *, user_id: str, code: str, owner_id: str | None, now: datetime) -> ClaimAnswer:
    """Takes one use, once per user: again, it is the same answer. With `owner_id` it is his affiliate code.

    Who asks is not looked at. The context is that of the anonymous person who registers, and the user does not exist
    yet: that only users can ask is the broker's doing, whose rights follow the call graph.

    Raises ValidationFailed on `referral_code`: unknown, disabled, expired, used_up, own.
    """
    if not rules.is_code(code):
        raise _refused("unknown")
    with db.transaction() as tx:
        # In this order: a use that the same claim has just taken is not seen without what it was taken for.
        found = codes.find(tx, code)
        standing = claims.standing(tx, user_id)
        if standing is not None:
            claims.renew(tx, user_id, now=now)
            return ClaimAnswer(code_id=standing["id"], code=standing["code"], owner_id=standing["owner_id"])
        if found is None and owner_id is not None and rules.is_affiliate_code(code):
            found = _made(tx, code, owner_id, now)
        if found is None:
            raise _refused("unknown")
        if found["owner_id"] >= user_id:
            raise _refused("own")
        _check(found, found["uses"], now)
        if claims.claim(tx, user_id=user_id, code=found, now=now):
            # Taken first and looked at afterwards: of those who come at once each sees the uses of all before him.
            found = codes.lock(tx, found["id"]) or found
            _check(found, found["uses"] - 1, now)
            outbox.add_many(tx, [events.code_made(one) for one in codes.announce(tx, [found["id"]])])
        else:
            # The same claim at the same moment was faster.
            found = claims.standing(tx, user_id) or found
    return ClaimAnswer(code_id=found["id"], code=found["code"], owner_id=found["owner_id"])


def _made(tx: Connection, code: str, owner_id: str, now: datetime) -> RowMapping | None:
    """The owner's affiliate code, of which his registration has not told yet."""
    codes.add(tx, [codes.affiliate(code, owner_id, created_at=now)], now=now)
    return codes.find(tx, code)


def _check(code: RowMapping, uses: int, now: datetime) -> None:
    problem = rules.problem(
        disabled=code["disabled"], expires_at=code["expires_at"], max_uses=code["max_uses"], uses=uses, now=now
    )
    if problem is not None:
        raise _refused(problem)


def _refused(problem: str) -> ValidationFailed:
    return ValidationFailed.of("referral_code", problem, rules.REFUSALS[problem])
