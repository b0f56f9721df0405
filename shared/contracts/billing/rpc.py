"""The questions and commands that billing answers."""

from __future__ import annotations

from typing import Any, Protocol

from shared.contracts.billing.requests import (
    TX_STATUSES,
    TX_TYPES,
    AccountTermsRequest,
    CompleteRequest,
    DefaultAccountRequest,
    DepositRequest,
    FailRequest,
    GetAccountRequest,
    HoldRequest,
    ListAccountsRequest,
    ListTransactionsRequest,
    OpenDemoRequest,
    ReleaseRequest,
    SetAccountMarkupRequest,
    SummaryRequest,
    SyncRealRequest,
)
from shared.contracts.billing.views import (
    AccountPage,
    AccountTerms,
    AccountView,
    BillingSummary,
    HoldAnswer,
    OpenDemoAnswer,
    RealAccountAnswer,
    ReleaseAnswer,
    TransactionAnswer,
    TransactionPage,
    TransactionView,
)

__all__ = [
    "TX_STATUSES",
    "TX_TYPES",
    "AccountPage",
    "AccountTerms",
    "AccountTermsRequest",
    "AccountView",
    "BillingRpc",
    "BillingSummary",
    "CompleteRequest",
    "DefaultAccountRequest",
    "DepositRequest",
    "FailRequest",
    "GetAccountRequest",
    "HoldAnswer",
    "HoldRequest",
    "ListAccountsRequest",
    "ListTransactionsRequest",
    "OpenDemoAnswer",
    "OpenDemoRequest",
    "RealAccountAnswer",
    "ReleaseAnswer",
    "ReleaseRequest",
    "SetAccountMarkupRequest",
    "SummaryRequest",
    "SyncRealRequest",
    "TransactionAnswer",
    "TransactionPage",
    "TransactionView",
]


class BillingRpc(Protocol):
    """Owner: billing."""

    def open_demo_account(self, *, currency: str = "USD") -> OpenDemoAnswer:
        """One DEMO account per user and currency (currencies of two decimals), with 10,000 by a ledger entry.

        Raises ValidationFailed for other currencies.
        """
        ...

    def sync_real_account(
        self,
        *,
        deriv_account_id: str,
        currency: str = "USD",
        metadata: dict[str, Any] | None = None,
        is_default: bool | None = None,
        user_id: str | None = None,
    ) -> RealAccountAnswer:
        """Make or update the REAL account of a Deriv account; the user's first account becomes the default one.

        Raises AccountConflict, Forbidden (somebody else's, or unlinked where the settings refuse that), NotReady (a
        user that staff name and that has not been heard of), ValidationFailed.
        """
        ...

    def get_default_account(self, *, user_id: str | None = None) -> AccountView:
        """Raises AccountNotFound."""
        ...

    def request_deposit(self, *, account_id: str, amount: str, reference: str | None = None) -> TransactionAnswer:
        """A PENDING deposit, by idempotency key. Raises AccountNotFound, ValidationFailed (DEMO, amount)."""
        ...

    def complete_deposit(self, *, transaction_id: str) -> TransactionAnswer:
        """Staff; again: the same answer. Raises Forbidden, TransactionNotFound, TransactionNotPending (failed)."""
        ...

    def fail_deposit(self, *, transaction_id: str, reason: str | None = None) -> TransactionAnswer:
        """Staff; again: the same answer. Raises Forbidden, TransactionNotFound, TransactionNotPending (completed)."""
        ...

    def get_account(self, *, account_id: str) -> AccountView:
        """Raises AccountNotFound, also for somebody else's."""
        ...

    def list_accounts(self, *, user_id: str | None = None, limit: int = 20, after: str | None = None) -> AccountPage:
        """Default account first, then newest first."""
        ...

    def summary(self, *, limit: int = 10) -> BillingSummary:
        """The first pages of the caller's accounts and statement lines, in one answer."""
        ...

    def set_account_markup(self, *, account_id: str, markup_percentage: str | None) -> AccountView:
        """Raises Forbidden, AccountNotFound, ValidationFailed (above the maximum)."""
        ...

    def list_transactions(
        self,
        *,
        account_id: str | None = None,
        user_id: str | None = None,
        tx_type: str | None = None,
        status: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> TransactionPage:
        """Newest first. Somebody else's account gives AccountNotFound."""
        ...

    def account_terms(self, *, account_id: str) -> AccountTerms:
        """Raises AccountNotFound."""
        ...

    def hold(self, *, hold_id: str, account_id: str, user_id: str, amount: int, currency: str) -> HoldAnswer:
        """Reserve money, once per `hold_id`; again with the same contents: the same answer.

        Raises InsufficientFunds, AccountNotFound, HoldRefused (released before), HoldMismatch.
        """
        ...

    def release(self, *, hold_id: str, reason: str = "rejected") -> ReleaseAnswer:
        """Give the hold back; an unknown one leaves a tombstone that refuses it when it comes late."""
        ...
