"""How accounts, statement lines and holds look from outside: money as decimal strings, but in holds."""

from __future__ import annotations

from typing import Any, TypedDict


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
