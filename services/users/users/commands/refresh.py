"""A refresh token is exchanged, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from shared.chassis.database import Database
from shared.contracts.users.errors import InvalidToken
from shared.contracts.users.rpc import TokensView
from users import queries, rules, tokens
from users.commands.sessions import SKEW, end_sessions, tokens_of
from users.models import sessions


def refresh(db: Database, *, token: str, lifetimes: rules.Lifetimes, now: datetime) -> TokensView:
    """A new pair. The one before the current token gives the same successor within the grace window (two tabs).

    Any other token of the session that was used before ends the session: one of its two holders is a thief.
    Raises InvalidToken.
    """
    parsed = tokens.parse_refresh(token)
    if parsed is None:
        raise InvalidToken()
    session_id, counter = parsed
    with db.transaction() as tx:
        session = tx.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one_or_none()
        # Only a token that was really issued proves anything, even its own re-use.
        issued = session is not None and token == tokens.refresh_token(session_id, counter, session.salt)
        if session is None or not issued or counter > session.counter or session.revoked_at is not None:
            raise InvalidToken()
        if session.expires_at <= now:
            raise InvalidToken("The session is over.")
        user = queries.find_user(tx, session.user_id)
        if user is None or not user.is_active or user.is_frozen:
            raise InvalidToken()
        again = counter == session.counter - 1 and now - session.rotated_at <= lifetimes.grace
        stolen = counter < session.counter and not again
        if stolen:
            end_sessions(tx, sessions.c.id == session_id, "token_reuse", now)
        else:
            current = session.counter if again else session.counter + 1
            successor = tokens.refresh_token(session_id, current, session.salt)
            values: dict[str, object] = {"access_until": now + lifetimes.access + SKEW}
            if not again:
                values |= {
                    "counter": current,
                    "token_hash": tokens.hash_of(successor),
                    "rotated_at": now,
                    "expires_at": now + lifetimes.refresh,
                }
            tx.execute(update(sessions).where(sessions.c.id == session_id).values(**values))
    if stolen:
        raise InvalidToken("The token was used before; the session is ended.")
    return tokens_of(user, session_id, successor, lifetimes, now)
