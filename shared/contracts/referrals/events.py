"""What referrals announces."""

from __future__ import annotations

from typing import Self

from shared.contracts.envelope import EventData, event
from shared.contracts.types import Id, Percent, Timestamp

_CODE, _OWNER, _REFERRAL, _REFERRED = (
    "01920000-0000-7000-8000-000000000051",
    "01910000-0000-7000-8000-000000000002",
    "01920000-0000-7000-8000-000000000052",
    "01920000-0000-7000-8000-000000000001",
)


@event("referrals", "referral_registered", readers=("notifications", "audit"))
class ReferralRegistered(EventData):
    """Somebody has registered with a code. Subject: the referral."""

    referral_id: Id
    code_id: Id
    code: str
    owner_id: Id
    referred_user_id: Id

    @classmethod
    def example(cls) -> Self:
        return cls(
            referral_id=_REFERRAL,
            code_id=_CODE,
            code="BOB4T8W2N6ZP",
            owner_id=_OWNER,
            referred_user_id=_REFERRED,
        )


@event("referrals", "referral_code_changed", readers=("trades", "audit"))
class ReferralCodeChanged(EventData):
    """A code exists or has other terms: the present state; `changed` names what is new, all of it for a new code.

    `markup_percent` is the code's own rate, null where it has none. `uses` is not part of the terms.
    Subject: the code, with the version of its terms.
    """

    code_id: Id
    code: str
    owner_id: Id
    max_uses: int | None
    expires_at: Timestamp | None
    disabled: bool
    markup_percent: Percent | None
    changed: list[str]
    before: dict[str, object]
    after: dict[str, object]

    @classmethod
    def example(cls) -> Self:
        return cls(
            code_id=_CODE,
            code="BOB4T8W2N6ZP",
            owner_id=_OWNER,
            max_uses=None,
            expires_at=None,
            disabled=False,
            markup_percent="1.25",
            changed=["markup_percent"],
            before={"markup_percent": None},
            after={"markup_percent": "1.25"},
        )
