"""What billing announces. Amounts are minor units beside their currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from shared.contracts.envelope import EventData, event
from shared.contracts.types import Currency, Id, Minor, Percent, PositiveMinor, Timestamp

_USER, _ACCOUNT, _TX, _LINE, _DEPOSIT, _TRADE = (
    "01920000-0000-7000-8000-000000000001",
    "01920000-0000-7000-8000-000000000011",
    "01920000-0000-7000-8000-000000000021",
    "01920000-0000-7000-8000-000000000022",
    "01920000-0000-7000-8000-000000000023",
    "01920000-0000-7000-8000-000000000031",
)


@event("billing", "account_opened", readers=("trades", "audit"))
class AccountOpened(EventData):
    """An account exists, with the terms that trades needs."""

    account_id: Id
    user_id: Id
    account_type: Literal["DEMO", "REAL"]
    currency: Currency
    deriv_account_id: str | None
    is_default: bool
    markup_percentage: Percent | None

    @classmethod
    def example(cls) -> Self:
        return cls(
            account_id=_ACCOUNT,
            user_id=_USER,
            account_type="DEMO",
            currency="USD",
            deriv_account_id=None,
            is_default=True,
            markup_percentage=None,
        )


@event("billing", "account_updated", readers=("trades", "audit"))
class AccountUpdated(EventData):
    """An account's terms changed: the present state, and in `changed` the names of what is new."""

    account_id: Id
    user_id: Id
    account_type: Literal["DEMO", "REAL"]
    currency: Currency
    deriv_account_id: str | None
    is_default: bool
    markup_percentage: Percent | None
    changed: list[str]
    before: dict[str, object]
    after: dict[str, object]

    @classmethod
    def example(cls) -> Self:
        return cls(
            account_id=_ACCOUNT,
            user_id=_USER,
            account_type="DEMO",
            currency="USD",
            deriv_account_id=None,
            is_default=True,
            markup_percentage="2.00",
            changed=["markup_percentage"],
            before={"markup_percentage": None},
            after={"markup_percentage": "2.00"},
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """One statement line of a ledger transaction: one posting on one client's account."""

    transaction_id: Id
    user_id: Id
    account_id: Id
    account_version: int
    tx_type: str
    amount: Minor
    balance_after: Minor
    reference: str


@event("billing", "transaction_recorded", readers=("audit",))
class TransactionRecorded(EventData):
    """A ledger transaction was posted: all its lines on clients' accounts, in order of posting."""

    ledger_tx_id: Id
    kind: str
    ref: str
    environment: Literal["demo", "real"]
    currency: Currency
    lines: list[Line]
    recorded_at: Timestamp

    @classmethod
    def example(cls) -> Self:
        line = Line(
            transaction_id=_LINE,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_version=2,
            tx_type="TRADE_STAKE",
            amount=-1000,
            balance_after=999_000,
            reference=_TRADE,
        )
        return cls(
            ledger_tx_id=_TX,
            kind="settle",
            ref=_TRADE,
            environment="demo",
            currency="USD",
            lines=[line],
            recorded_at="2026-01-01T00:00:00Z",
        )


@event("billing", "deposit_requested", readers=("audit",))
class DepositRequested(EventData):
    """Somebody wants to pay in: a PENDING statement line, no money has moved."""

    transaction_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["REAL"]
    currency: Currency
    amount: PositiveMinor
    reference: str | None

    @classmethod
    def example(cls) -> Self:
        return cls(
            transaction_id=_DEPOSIT,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="REAL",
            currency="USD",
            amount=50_000,
            reference="wire 2026-01-01",
        )


@event("billing", "deposit_completed", readers=("commission", "notifications", "audit"))
class DepositCompleted(EventData):
    """A deposit is on the account.

    `first_real`: it is the user's first completed deposit to a REAL account, decided in the commit that completed it.
    """

    transaction_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["REAL"]
    currency: Currency
    amount: PositiveMinor
    reference: str | None
    ledger_tx_id: Id
    balance_after: Minor
    first_real: bool

    @classmethod
    def example(cls) -> Self:
        return cls(
            transaction_id=_DEPOSIT,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="REAL",
            currency="USD",
            amount=50_000,
            reference="wire 2026-01-01",
            ledger_tx_id=_TX,
            balance_after=50_000,
            first_real=True,
        )


@event("billing", "deposit_failed", readers=("notifications", "audit"))
class DepositFailed(EventData):
    """Staff refused a deposit; no money has moved. `reason` is theirs, for the owner to read."""

    transaction_id: Id
    user_id: Id
    account_id: Id
    account_type: Literal["REAL"]
    currency: Currency
    amount: PositiveMinor
    reference: str | None
    reason: str

    @classmethod
    def example(cls) -> Self:
        return cls(
            transaction_id=_DEPOSIT,
            user_id=_USER,
            account_id=_ACCOUNT,
            account_type="REAL",
            currency="USD",
            amount=50_000,
            reference="wire 2026-01-01",
            reason="no such payment arrived",
        )
