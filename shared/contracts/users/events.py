"""What users announces."""

from __future__ import annotations

from typing import Literal, Self

from shared.contracts.envelope import EventData, event
from shared.contracts.types import Id, Percent, Timestamp

_USER, _REFERRER, _SESSION = (
    "01920000-0000-7000-8000-000000000001",
    "01910000-0000-7000-8000-000000000002",
    "01920000-0000-7000-8000-000000000003",
)


_COPIES = ("billing", "trades", "referrals", "commission", "notifications", "audit")
"""Whoever keeps a copy of users; audit keeps every event anyway."""


@event("users", "user_registered", readers=_COPIES)
class UserRegistered(EventData):
    """A user exists. `personal`: username, email, first_name, last_name.

    `referrer_id`, `referral_code` (as it was claimed) and `code_id` (referrals' id of it) are all there or all null.
    """

    user_id: Id
    is_staff: bool
    is_active: bool
    is_frozen: bool
    affiliate_code: str
    referrer_id: Id | None
    referral_code: str | None
    code_id: Id | None
    markup_percentage: Percent | None

    @classmethod
    def example(cls) -> Self:
        return cls(
            user_id=_USER,
            is_staff=False,
            is_active=True,
            is_frozen=False,
            affiliate_code="ALICE7K2M9QX",
            referrer_id=_REFERRER,
            referral_code="BOB4T8W2N6ZP",
            code_id="01920000-0000-7000-8000-000000000051",
            markup_percentage=None,
        )


@event("users", "user_updated", readers=_COPIES)
class UserUpdated(EventData):
    """Something about a user changed: the present state, and in `changed` the names of what is new.

    `personal`: username, email, first_name, last_name as they are now.
    """

    user_id: Id
    is_staff: bool
    is_active: bool
    is_frozen: bool
    affiliate_code: str
    referrer_id: Id | None
    markup_percentage: Percent | None
    changed: list[str]
    before: dict[str, object]
    after: dict[str, object]

    @classmethod
    def example(cls) -> Self:
        return cls(
            user_id=_USER,
            is_staff=False,
            is_active=True,
            is_frozen=False,
            affiliate_code="ALICE7K2M9QX",
            referrer_id=_REFERRER,
            markup_percentage="1.50",
            changed=["markup_percentage"],
            before={"markup_percentage": None},
            after={"markup_percentage": "1.50"},
        )


@event("users", "user_logged_in", readers=("notifications", "audit"))
class UserLoggedIn(EventData):
    """A session began. `personal`: username, ip, user_agent.

    `new_device`: this user has logged in before, and never with this user agent.
    """

    user_id: Id
    session_id: Id
    new_device: bool = False

    @classmethod
    def example(cls) -> Self:
        return cls(user_id=_USER, session_id=_SESSION)


@event("users", "user_login_failed", readers=("notifications", "audit"))
class UserLoginFailed(EventData):
    """Somebody did not get in. `user_id` is null when the name is nobody's. `personal`: username, ip, user_agent.

    `locked_until`: this failure has locked the account until then.
    """

    user_id: Id | None
    reason: Literal["unknown_user", "wrong_password", "inactive", "locked"]
    locked_until: Timestamp | None = None

    @classmethod
    def example(cls) -> Self:
        return cls(user_id=_USER, reason="wrong_password")


@event("users", "session_revoked", readers=("audit",))
class SessionRevoked(EventData):
    """A session is over: access tokens that carry its id are worthless from now on, until `until` when all are dead."""

    user_id: Id
    session_id: Id
    reason: Literal["logout", "token_reuse", "staff_changed", "password_changed", "deactivated"]
    until: Timestamp

    @classmethod
    def example(cls) -> Self:
        return cls(user_id=_USER, session_id=_SESSION, reason="logout", until="2026-01-01T01:00:00Z")
