"""The questions and commands that billing answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Amount, Currency, Id, Metadata, Percent, PositiveMinor

TX_TYPES = ("DEPOSIT", "WITHDRAWAL", "COMMISSION", "MARKUP", "TRADE_PAYOUT", "TRADE_STAKE", "REFUND", "ADJUSTMENT")
TX_STATUSES = ("PENDING", "COMPLETED", "FAILED")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]


class AccountView(TypedDict):
    """An account as the public API shows it; money as decimal strings."""

    id: str
    user_id: str
    deriv_account_id: str | None
    account_type: str
    currency: str
    balance: str
    available: str
    is_default: bool
    markup_percentage: str | None
    metadata: dict[str, Any]
    created_at: str
    updated_at: str


class TransactionView(TypedDict):
    """A statement line as the public API shows it; `amount` is signed: what it does to the account."""

    id: str
    user_id: str
    account_id: str
    tx_type: str
    amount: str
    currency: str
    reference: str | None
    status: str
    balance_after: str | None
    metadata: dict[str, Any]
    created_at: str


class AccountPage(TypedDict):
    """A page of accounts."""

    results: list[AccountView]
    has_more: bool
    next: str | None


class TransactionPage(TypedDict):
    """A page of statement lines, newest first."""

    results: list[TransactionView]
    has_more: bool
    next: str | None


class BillingSummary(TypedDict):
    """What billing has to say at a glance: the default account first, the newest lines first."""

    accounts: list[AccountView]
    recent_transactions: list[TransactionView]


class OpenDemoAnswer(TypedDict):
    """`created` is false when the account was there already."""

    account: AccountView
    created: bool


class AccountTerms(TypedDict):
    """What trades keeps a copy of; `version` grows with every change of these fields."""

    account_id: str
    user_id: str
    account_type: str
    currency: str
    markup_percentage: str | None
    version: int


class RealAccountAnswer(TypedDict):
    """`created` is false when the account was there already and has been updated."""

    account: AccountView
    created: bool


class TransactionAnswer(TypedDict):
    """`replayed`: the idempotency key was seen before and this is the transaction's present state."""

    transaction: TransactionView
    replayed: bool


class HoldAnswer(TypedDict):
    """A placed hold; amounts in minor units, after the hold."""

    hold_id: str
    amount: int
    available: int


class ReleaseAnswer(TypedDict):
    """`state` is RELEASED, also for a hold never heard of (a tombstone), or SETTLED when it was used."""

    hold_id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class OpenDemoRequest:
    """A demo account for the caller."""

    currency: Currency = "USD"


@dataclass(frozen=True, kw_only=True)
class SyncRealRequest:
    """What Deriv says of an account. `user_id` (staff only): whose it is, by default the caller's.

    Left out, `metadata` and `is_default` stay as they are.
    """

    deriv_account_id: Annotated[str, validate.Regexp(r"^[A-Za-z0-9_-]{1,64}\Z", error="Not a Deriv account id.")]
    currency: Currency = "USD"
    metadata: Metadata | None = None
    is_default: bool | None = None
    user_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class DefaultAccountRequest:
    """The caller's default account, or a user's for staff."""

    user_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class DepositRequest:
    """Pay in to a REAL account of one's own; PENDING until staff say."""

    account_id: Id
    amount: Amount
    reference: Annotated[str, validate.Length(min=1, max=128)] | None = None


@dataclass(frozen=True, kw_only=True)
class CompleteRequest:
    """Staff: the money has arrived."""

    transaction_id: Id


@dataclass(frozen=True, kw_only=True)
class FailRequest:
    """Staff: the money has not arrived."""

    transaction_id: Id
    reason: Annotated[str, validate.Length(min=1, max=200)] | None = None


@dataclass(frozen=True, kw_only=True)
class GetAccountRequest:
    """Owner or staff."""

    account_id: Id


@dataclass(frozen=True, kw_only=True)
class ListAccountsRequest:
    """The caller's accounts, or a user's for staff; the default one first."""

    user_id: Id | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class SummaryRequest:
    """The caller's own, `limit` entries of each list."""

    limit: Limit = 10


@dataclass(frozen=True, kw_only=True)
class SetAccountMarkupRequest:
    """Staff only. `None` takes the percentage away."""

    account_id: Id
    markup_percentage: Percent | None


@dataclass(frozen=True, kw_only=True)
class ListTransactionsRequest:
    """The caller's statement lines (all of them for staff, unless `user_id` or `account_id` says whose)."""

    account_id: Id | None = None
    user_id: Id | None = None
    tx_type: Annotated[str, validate.OneOf(TX_TYPES)] | None = None
    status: Annotated[str, validate.OneOf(TX_STATUSES)] | None = None
    limit: Limit = 20
    after: Cursor | None = None


@dataclass(frozen=True, kw_only=True)
class AccountTermsRequest:
    """Asked by trades for an account whose copy has not arrived."""

    account_id: Id


@dataclass(frozen=True, kw_only=True)
class HoldRequest:
    """Reserve `amount` minor units; the trade's id is the hold's id."""

    hold_id: Id
    account_id: Id
    user_id: Id
    amount: PositiveMinor
    currency: Currency


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """Give a hold back, or make sure that it never comes."""

    hold_id: Id
    reason: Literal["rejected", "not_opened", "better_price"] = "rejected"


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
