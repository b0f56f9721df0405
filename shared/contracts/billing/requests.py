"""What is asked of billing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from marshmallow import validate

from shared.contracts.types import Amount, Currency, Id, Metadata, Percent, PositiveMinor

TX_TYPES = ("DEPOSIT", "WITHDRAWAL", "COMMISSION", "MARKUP", "TRADE_PAYOUT", "TRADE_STAKE", "REFUND", "ADJUSTMENT")
TX_STATUSES = ("PENDING", "COMPLETED", "FAILED")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]


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
