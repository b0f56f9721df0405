"""What can be asked. Somebody else's account looks like none; a call without a person or the system is refused."""

from __future__ import annotations

from billing.queries.accounts import (
    account_terms,
    account_view,
    find_account,
    find_demo_account,
    get_account,
    get_default_account,
    list_accounts,
)
from billing.queries.summary import summary
from billing.queries.transactions import find_transaction, list_transactions, lock_deposit, transaction_view

__all__ = [
    "account_terms",
    "account_view",
    "find_account",
    "find_demo_account",
    "find_transaction",
    "get_account",
    "get_default_account",
    "list_accounts",
    "list_transactions",
    "lock_deposit",
    "summary",
    "transaction_view",
]
