"""What an error of PostgreSQL means for the command that met it."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from shared.chassis.errors import CommitUnknown, DatabaseAway, RetryTransaction
from shared.contracts.errors import DeadlineExceeded

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_ROLLED_BACK = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
_ENDED = frozenset({"57P01", "57P02", "57P03", "25P03"})  # shutting down, crash, starting up, idle in transaction
_CANCELLED = "57014"


def lost(error: DBAPIError) -> bool:
    """Whether the connection is gone."""
    code = getattr(error.orig, "pgcode", None)
    return error.connection_invalidated or code in _ENDED or (code is None and "closed" in str(error.orig))


def meaning(error: DBAPIError, *, committing: bool) -> Exception:
    """The exception to raise in place of `error`: itself when the command or its data are to blame."""
    if lost(error):
        if committing:
            return CommitUnknown("the connection was lost during COMMIT")
        return RetryTransaction("the connection was lost")
    code = getattr(error.orig, "pgcode", None)
    if code in _ROLLED_BACK:
        return RetryTransaction(f"rolled back by the server ({code})")
    if code == _CANCELLED:
        return DeadlineExceeded("a statement took too long")
    return error


def away(error: DBAPIError) -> DatabaseAway:
    """What a failed attempt to connect means."""
    return DatabaseAway(f"no database connection: {error.orig}")
