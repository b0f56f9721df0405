"""What can be asked of users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from shared.chassis.context import Context
from shared.contracts.money import percent_text
from shared.contracts.users.errors import InvalidToken, UserNotFound
from shared.contracts.users.rpc import RevocationsView, UserView
from shared.utils.time import to_rfc3339
from users import tokens
from users.models import sessions, users

User = Row[Any]


def view(user: User) -> UserView:
    """The user as the public API shows him."""
    return UserView(
        id=user.id,
        username=user.username,
        email=user.email,
        is_email_verified=user.is_email_verified,
        first_name=user.first_name,
        last_name=user.last_name,
        is_staff=user.is_staff,
        is_active=user.is_active,
        referred_by=user.referred_by,
        affiliate_code=user.affiliate_code,
        markup_percentage=percent_text(user.markup_percentage),
        created_at=to_rfc3339(user.created_at),
        updated_at=to_rfc3339(user.updated_at),
    )


def find_user(tx: Connection, user_id: str) -> User | None:
    """By id."""
    return tx.execute(select(users).where(users.c.id == user_id)).one_or_none()


def get_user(tx: Connection, user_id: str, asked: Context) -> User:
    """Oneself, or anybody for staff. Raises UserNotFound, Unauthorized."""
    me = asked.require_user()
    user = find_user(tx, user_id) if me == user_id or asked.is_staff else None
    if user is None:
        raise UserNotFound()
    return user


def get_user_by_email(tx: Connection, email: str) -> User | None:
    """Without regard to case."""
    return tx.execute(select(users).where(func.lower(users.c.email) == email.strip().lower())).one_or_none()


def find_by_login(tx: Connection, login: str) -> User | None:
    """By username or e-mail address, without regard to case; a username wins."""
    folded = login.strip().lower()
    found = tx.execute(
        select(users)
        .where(or_(func.lower(users.c.username) == folded, func.lower(users.c.email) == folded))
        .order_by((func.lower(users.c.username) == folded).desc())
        .limit(1)
    )
    return found.one_or_none()


def find_by_affiliate_code(tx: Connection, code: str) -> User | None:
    """Without regard to case: all of them are in capitals."""
    return tx.execute(select(users).where(users.c.affiliate_code == code.upper())).one_or_none()


def list_active_users(tx: Connection, limit: int) -> Sequence[User]:
    """The newest active users first."""
    return tx.execute(
        select(users).where(users.c.is_active).order_by(users.c.created_at.desc(), users.c.id.desc()).limit(limit)
    ).all()


def revocations(tx: Connection, now: datetime) -> RevocationsView:
    """Ended sessions whose access tokens may still be alive, and users who may not act."""
    ended = tx.execute(
        select(sessions.c.id, sessions.c.access_until).where(
            sessions.c.revoked_at.is_not(None), sessions.c.access_until > now
        )
    )
    stopped = tx.execute(select(users.c.id).where(or_(users.c.is_frozen, ~users.c.is_active)))
    return RevocationsView(
        sessions=[{"session_id": row.id, "until": to_rfc3339(row.access_until)} for row in ended],
        frozen_user_ids=[row.id for row in stopped],
    )


def check_token(tx: Connection, token: str, now: datetime) -> None:
    """Raises InvalidToken unless it is a live access token or the current refresh token of a live session."""
    parsed = tokens.parse_refresh(token)
    claims = tokens.claims_of(token) if parsed is None else None
    session_id = parsed[0] if parsed is not None else claims["sid"] if claims is not None else None
    if session_id is None:
        raise InvalidToken()
    session = tx.execute(select(sessions).where(sessions.c.id == session_id)).one_or_none()
    if session is None or session.revoked_at is not None or session.expires_at <= now:
        raise InvalidToken()
    if parsed is not None and session.token_hash != tokens.hash_of(token):
        raise InvalidToken()
