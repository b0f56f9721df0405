"""Whoever registers with a code has a use of it taken for him, before he is written."""

from __future__ import annotations

from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.referrals.rpc import ClaimAnswer, ReferralsRpc
from users import queries, rules


def claim_referral(db: Database, referrals: ReferralsRpc, *, user_id: str, code: str) -> ClaimAnswer:
    """The code as its owner writes it, who is an older user; outside any transaction, within the caller's deadline.

    Raises ValidationFailed on `referral_code` (unknown, disabled, expired, used_up, own), ServiceUnavailable and
    DeadlineExceeded when referrals is away.
    """
    if not rules.is_code(code):
        raise _refused("unknown", "There is no such code.")
    with db.read() as tx:
        affiliate = queries.find_by_affiliate_code(tx, code)
    if affiliate is not None:
        # Of somebody who has just registered referrals may not have heard yet.
        claimed = referrals.claim(user_id=user_id, code=affiliate.affiliate_code, owner_id=affiliate.id)
    else:
        claimed = referrals.claim(user_id=user_id, code=code)
    with db.read() as tx:
        owner = queries.find_user(tx, claimed["owner_id"])
    if owner is None:
        raise _refused("unknown", "The code belongs to nobody who is known.")
    if owner.id >= user_id:
        raise _refused("own", "The code belongs to somebody who has registered later.")
    return claimed


def _refused(problem: str, message: str) -> ValidationFailed:
    return ValidationFailed.of("referral_code", problem, message)
