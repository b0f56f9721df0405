"""Signals between the parts of the chassis. Errors that cross a service boundary live in `shared.contracts.errors`."""

from __future__ import annotations


class RetryTransaction(Exception):
    """The transaction was rolled back for a reason that is not the command's fault: run the whole method again."""


class DatabaseAway(RetryTransaction):
    """No connection to the database could be made; nothing was done."""


class CommitUnknown(RetryTransaction):
    """The connection was lost while COMMIT was under way.

    Running the command again is safe because its unique business keys turn "maybe done" into "already done".
    """


class StartRefused(Exception):
    """The process must not start: what it needs is missing, and waiting will not bring it. The text says what."""
