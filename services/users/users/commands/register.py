"""Somebody registers."""

from __future__ import annotations

from datetime import datetime

from shared.chassis import idempotency
from shared.chassis.context import Idempotency
from shared.chassis.database import Database
from shared.contracts.errors import InternalError, ValidationFailed
from shared.contracts.users.rpc import RegisterAnswer
from shared.utils.ids import new_id
from users import queries, rules
from users.commands.make_user import check_fields, make_user
from users.passwords import hash_password


def register(
    db: Database,
    *,
    username: str,
    email: str,
    password: str,
    referral_code: str | None,
    asked: Idempotency | None,
    now: datetime,
) -> RegisterAnswer:
    """Makes a user. Raises ValidationFailed, IdempotencyMismatch.

    With an idempotency key the same request gives the user that it made the first time.
    """
    replayed = _replay(db, asked)
    if replayed is not None:
        return replayed
    email, password = rules.normal_email(email), rules.normal_password(password)
    check_fields(username, email, password)
    if referral_code is not None:
        raise ValidationFailed.of("referral_code", "unavailable", "Referral codes are not accepted yet.")
    password_hash, user_id = hash_password(password), new_id()
    with db.transaction() as tx:
        if asked is not None and not idempotency.remember(tx, None, asked, user_id):
            first = True
        else:
            first = False
            user = make_user(
                tx,
                user_id=user_id,
                username=username,
                email=email,
                password_hash=password_hash,
                is_staff=False,
                now=now,
            )
    if first:
        replayed = _replay(db, asked)
        if replayed is None:
            raise InternalError("an idempotency key without its user")
        return replayed
    return RegisterAnswer(user=queries.view(user), replayed=False)


def _replay(db: Database, asked: Idempotency | None) -> RegisterAnswer | None:
    if asked is None:
        return None
    with db.read() as tx:
        user_id = idempotency.find(tx, None, asked)
        user = queries.find_user(tx, user_id) if user_id is not None else None
    return None if user is None else RegisterAnswer(user=queries.view(user), replayed=True)
