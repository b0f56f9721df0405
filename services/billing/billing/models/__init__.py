"""The tables of billing. Constraints, triggers and functions that guard them are in migrations/sql."""

from __future__ import annotations

from billing.models.columns import metadata
from billing.models.copies import idempotency, outbox, user_copies, user_names
from billing.models.ledger import accounts, checkpoints, ledger_tx, postings
from billing.models.statements import first_deposits, holds, transactions

__all__ = [
    "accounts",
    "checkpoints",
    "first_deposits",
    "holds",
    "idempotency",
    "ledger_tx",
    "metadata",
    "outbox",
    "postings",
    "transactions",
    "user_copies",
    "user_names",
]
