"""From rows of users to the events that leave the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.money import percent_text
from shared.contracts.users.events import UserRegistered, UserUpdated


def personal(user: Any) -> dict[str, Any]:
    """Personal data of a user, for the envelope's part that readers keep apart."""
    return {
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
    }


def user_registered(user: Any) -> UserRegistered:
    """A user exists."""
    return UserRegistered(
        user_id=user.id,
        is_staff=user.is_staff,
        is_active=user.is_active,
        is_frozen=user.is_frozen,
        affiliate_code=user.affiliate_code,
        referrer_id=user.referred_by,
        referral_code=user.referral_code,
        code_id=None,
        markup_percentage=percent_text(user.markup_percentage),
    )


def user_updated(user: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> UserUpdated:
    """The user as he is now, and what changed, in plain JSON values."""
    return UserUpdated(
        user_id=user.id,
        is_staff=user.is_staff,
        is_active=user.is_active,
        is_frozen=user.is_frozen,
        affiliate_code=user.affiliate_code,
        referrer_id=user.referred_by,
        markup_percentage=percent_text(user.markup_percentage),
        changed=sorted(after),
        before=dict(before),
        after=dict(after),
    )
