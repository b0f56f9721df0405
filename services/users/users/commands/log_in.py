"""Somebody proves who he is and gets a session."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.chassis import outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.users.errors import InvalidCredentials, LoginLocked
from shared.contracts.users.events import UserLoggedIn, UserLoginFailed
from shared.contracts.users.rpc import TokensView
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339
from users import queries, rules, tokens
from users.commands.sessions import SKEW, tokens_of
from users.models import DEVICE_LENGTH, login_failures, session_origins, sessions, users
from users.passwords import hash_password, is_outdated, matches

_NEW_DEVICE = text(
    "SELECT EXISTS (SELECT FROM session_origins WHERE user_id = CAST(:user_id AS uuid)) AND NOT EXISTS ("
    "SELECT FROM session_origins WHERE user_id = CAST(:user_id AS uuid)"
    f" AND (left(user_agent, {DEVICE_LENGTH}) = left(:user_agent, {DEVICE_LENGTH})"
    f" OR CAST(:user_agent AS text) IS NULL AND left(user_agent, {DEVICE_LENGTH}) IS NULL))"
)
Refused = Literal["unknown_user", "wrong_password", "inactive", "locked"]


def log_in(
    db: Database,
    *,
    login: str,
    password: str,
    asked: Context,
    lifetimes: rules.Lifetimes,
    policy: rules.LockPolicy,
    now: datetime,
) -> TokensView:
    """A pair of tokens. Raises InvalidCredentials (whatever was wrong), LoginLocked (even with the right password)."""
    with db.read() as tx:
        user = queries.find_by_login(tx, login)
        lock = _lock_of(tx, user)
    if lock is not None and lock > now:
        _note_failure(db, user, login, "locked", asked=asked, policy=policy, now=now)
        raise LoginLocked(extra={"retry_after": max(1, int((lock - now).total_seconds()) + 1)})
    right = matches(user.password_hash if user is not None else None, rules.normal_password(password))
    if user is None or not right or not user.is_active or user.is_frozen:
        reason: Refused = "unknown_user" if user is None else "inactive" if right else "wrong_password"
        _note_failure(db, user, login, reason, asked=asked, policy=policy, now=now)
        raise InvalidCredentials()
    new_hash = hash_password(rules.normal_password(password)) if is_outdated(user.password_hash) else None
    session_id, salt = new_id(), os.urandom(16)
    refresh = tokens.refresh_token(session_id, 0, salt)
    with db.transaction() as tx:
        # Locked, so that a deactivation at the same moment either sees this session or refuses it, and of two sessions
        # that begin on a new device only one is the first.
        present = tx.execute(select(users).where(users.c.id == user.id).with_for_update(key_share=True)).one()
        if not present.is_active or present.is_frozen:
            raise InvalidCredentials()
        tx.execute(delete(login_failures).where(login_failures.c.user_id == user.id))
        if new_hash is not None:
            tx.execute(update(users).where(users.c.id == user.id).values(password_hash=new_hash))
        tx.execute(
            insert(sessions).values(
                id=session_id,
                user_id=user.id,
                salt=salt,
                token_hash=tokens.hash_of(refresh),
                rotated_at=now,
                created_at=now,
                expires_at=now + lifetimes.refresh,
                access_until=now + lifetimes.access + SKEW,
            )
        )
        new_device = _is_new_device(tx, user.id, asked.user_agent)
        origin = {"ip": asked.ip, "user_agent": asked.user_agent}
        tx.execute(insert(session_origins).values(session_id=session_id, user_id=user.id, seen_at=now, **origin))
        outbox.add(
            tx,
            UserLoggedIn(user_id=user.id, session_id=session_id, new_device=new_device),
            subject=session_id,
            personal={"username": user.username, **origin},
        )
    return tokens_of(present, session_id, refresh, lifetimes, now)


def _lock_of(tx: Connection, user: Any) -> datetime | None:
    if user is None:
        return None
    found: datetime | None = tx.execute(
        select(login_failures.c.locked_until).where(login_failures.c.user_id == user.id)
    ).scalar_one_or_none()
    return found


def _is_new_device(tx: Connection, user_id: str, user_agent: str | None) -> bool:
    """Whether the user has logged in before, and never with this user agent."""
    return bool(tx.execute(_NEW_DEVICE, {"user_id": user_id, "user_agent": user_agent}).scalar_one())


def _note_failure(
    db: Database, user: Any, login: str, reason: Refused, *, asked: Context, policy: rules.LockPolicy, now: datetime
) -> None:
    locked_until: datetime | None = None
    with db.transaction() as tx:
        if user is not None and reason == "wrong_password":
            counted = (
                insert(login_failures)
                .values(user_id=user.id, failures=1, failed_at=now)
                .on_conflict_do_update(
                    index_elements=["user_id"], set_={"failures": login_failures.c.failures + 1, "failed_at": now}
                )
                .returning(login_failures.c.failures)
            )
            lock = policy.lock(tx.execute(counted).scalar_one())
            if lock is not None:
                locked_until = now + lock
                tx.execute(
                    update(login_failures).where(login_failures.c.user_id == user.id).values(locked_until=locked_until)
                )
        subject = user.id if user is not None else new_id()
        outbox.add(
            tx,
            UserLoginFailed(
                user_id=user.id if user is not None else None,
                reason=reason,
                locked_until=None if locked_until is None else to_rfc3339(locked_until),
            ),
            subject=subject,
            personal={"username": login[:254], "ip": asked.ip, "user_agent": asked.user_agent},
        )
