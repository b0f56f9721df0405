"""Refusals that referrals owns. A code that cannot be used is a field error (`ValidationFailed`) on `referral_code`."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class CodeNotFound(ServiceError):
    """No such referral code, or somebody else's."""

    status, code, title = 404, "code_not_found", "No such referral code"


class ReferralNotFound(ServiceError):
    """Nobody referred this user."""

    status, code, title = 404, "referral_not_found", "No referral"
