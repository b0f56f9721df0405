"""What the commands about sessions share: the tokens of one, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from shared.chassis import outbox
from shared.contracts.users.events import SessionRevoked
from shared.contracts.users.rpc import TokensView
from shared.utils.time import to_rfc3339
from users import tokens
from users.models import sessions
from users.rules import Lifetimes

# Clocks of two machines may differ by this much; a revocation is kept for as long as a token may be taken for good.
SKEW = timedelta(minutes=1)


def tokens_of(user: Any, session_id: str, refresh: str, lifetimes: Lifetimes, now: datetime) -> TokensView:
    """A pair of tokens for a session, with the user's present roles."""
    roles = ["staff"] if user.is_staff else []
    access = tokens.access_token(user.id, session_id, roles, now=now, lifetime=lifetimes.access)
    return TokensView(
        access=access,
        refresh=refresh,
        token_type="Bearer",  # noqa: S106  # the scheme's name (RFC 6750)
        expires_in=int(lifetimes.access.total_seconds()),
    )


def end_sessions(tx: Connection, which: ColumnElement[bool], reason: Any, now: datetime) -> Sequence[Any]:
    """Ends the live sessions that `which` selects, tells of each, and returns their rows."""
    ended = tx.execute(
        update(sessions)
        .where(which, sessions.c.revoked_at.is_(None))
        .values(revoked_at=now, reason=reason)
        .returning(sessions)
    ).all()
    outbox.add_many(
        tx,
        [
            outbox.Pending(
                data=SessionRevoked(
                    user_id=row.user_id, session_id=row.id, reason=reason, until=to_rfc3339(row.access_until)
                ),
                subject=row.id,
                subject_version=row.counter + 2,
            )
            for row in ended
        ],
    )
    return ended
