"""The one way in which a user row comes to be: for registration and for staff made from the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from shared.chassis import outbox
from shared.contracts.errors import FieldError, InternalError, ValidationFailed
from shared.contracts.referrals.rpc import ClaimAnswer
from shared.utils.ids import generate_affiliate_code
from users import events, queries, rules
from users.models import users

_CODE_ATTEMPTS = 5


def check_fields(username: str, email: str, password: str) -> None:
    """Raises ValidationFailed naming each refused field."""
    problems = {
        "username": rules.username_problem(username),
        "email": rules.email_problem(email),
        "password": rules.password_problem(password, username, email),
    }
    errors = [FieldError(field=f, code="invalid", message=m) for f, m in problems.items() if m is not None]
    if errors:
        raise ValidationFailed(errors=errors)


def make_user(
    tx: Connection,
    *,
    user_id: str,
    username: str,
    email: str,
    password_hash: str,
    is_staff: bool,
    now: datetime,
    referral: ClaimAnswer | None = None,
) -> Any:
    """Writes the user and tells of him. Raises ValidationFailed for a name or address that is taken.

    `referral` is the code of which a use is taken for him; its owner is an older user.
    """
    refuse_taken(tx, username, email)
    for _ in range(_CODE_ATTEMPTS):
        made = tx.execute(
            insert(users)
            .values(
                id=user_id,
                username=username,
                email=email,
                password_hash=password_hash,
                is_staff=is_staff,
                affiliate_code=generate_affiliate_code(username),
                referred_by=referral["owner_id"] if referral is not None else None,
                referral_code=referral["code"] if referral is not None else None,
                code_id=referral["code_id"] if referral is not None else None,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_do_nothing()
            .returning(users)
        ).one_or_none()
        if made is not None:
            outbox.add(
                tx, events.user_registered(made), subject=made.id, subject_version=1, personal=events.personal(made)
            )
            return made
        refuse_taken(tx, username, email)
    raise InternalError("no free affiliate code was found")


def refuse_taken(tx: Connection, username: str, email: str) -> None:
    """Raises ValidationFailed for a name or address that is taken."""
    taken = {
        # A name that is somebody's address would make a login by it ambiguous.
        "username": queries.find_by_login(tx, username),
        "email": queries.find_by_login(tx, email),
    }
    errors = [
        FieldError(field=field, code="taken", message="Is taken.")
        for field, found in taken.items()
        if found is not None
    ]
    if errors:
        raise ValidationFailed(errors=errors)
