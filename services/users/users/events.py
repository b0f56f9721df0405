"""From rows of users to the events that leave the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from shared.chassis.outbox import Pending
from shared.contracts.money import percent_text
from shared.contracts.users.events import UserRegistered, UserUpdated
from users.models import users


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
        code_id=user.code_id,
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


def present(tx: Connection, type_: str, *, after: str | None, limit: int) -> list[Pending]:
    """Events of the present state, in the order of their subjects' ids, from the one after `after` on.

    Raises KeyError for a type that no copy is filled by.
    """
    make = {UserRegistered.type: user_registered}[type_]
    found = select(users).order_by(users.c.id).limit(limit)
    if after is not None:
        found = found.where(users.c.id > after)
    return [
        Pending(
            data=make(user),
            subject=user.id,
            subject_version=user.version,
            personal=personal(user),
            occurred_at=user.created_at,
        )
        for user in tx.execute(found)
    ]
