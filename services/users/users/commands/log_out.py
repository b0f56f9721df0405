"""A session is ended by whoever holds one of its refresh tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from shared.chassis.database import Database
from shared.contracts.users.errors import InvalidToken
from users import tokens
from users.commands.sessions import end_sessions
from users.models import sessions


def log_out(db: Database, *, token: str, now: datetime) -> None:
    """Ends the token's session; a session that is over already stays so. Raises InvalidToken for no token of ours."""
    parsed = tokens.parse_refresh(token)
    if parsed is None:
        raise InvalidToken()
    session_id, counter = parsed
    with db.transaction() as tx:
        session = tx.execute(select(sessions).where(sessions.c.id == session_id).with_for_update()).one_or_none()
        if session is None or token != tokens.refresh_token(session_id, counter, session.salt):
            raise InvalidToken()
        end_sessions(tx, sessions.c.id == session_id, "logout", now)
