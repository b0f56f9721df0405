"""Refusals that billing owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class InsufficientFunds(ServiceError):
    """Available (balance less holds, above the account's floor) is less than what is asked for."""

    status, code, title = 409, "insufficient_funds", "Not enough money"


class AccountNotFound(ServiceError):
    """No such account, or somebody else's."""

    status, code, title = 404, "account_not_found", "No such account"


class HoldRefused(ServiceError):
    """The hold was released before it arrived (a tombstone): it will never be placed."""

    status, code, title = 409, "hold_refused", "Hold was released before it arrived"


class HoldMismatch(ServiceError):
    """A hold or ledger transaction of that reference exists with other contents."""

    status, code, title = 409, "hold_mismatch", "Same reference, other contents"


class AccountConflict(ServiceError):
    """The Deriv account is somebody else's here, or is known with another currency; nothing changed."""

    status, code, title = 409, "account_conflict", "Account belongs to somebody else or has another currency"


class TransactionNotFound(ServiceError):
    """No such statement line, or one that cannot be completed or refused at all."""

    status, code, title = 404, "transaction_not_found", "No such transaction"


class TransactionNotPending(ServiceError):
    """The transaction has ended the other way; `extra["transaction_status"]` says how."""

    status, code, title = 409, "transaction_not_pending", "Transaction is not pending"
