"""Arithmetic and decisions about money, on plain values in minor units."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

Environment = Literal["demo", "real"]
Purpose = Literal["funding", "external", "trading", "markup", "commission_expense"]

DEMO_DECIMALS: Final = 2
"""Demo accounts exist in currencies with this many decimals."""

DEMO_OPENING: Final = 10_000 * 10**DEMO_DECIMALS
"""What a demo account opens with: 10,000.00."""

MAX_MARKUP_PERCENT: Final = Decimal("3.00")


class Movement(NamedTuple):
    """One line on a client's account, mirrored on the house account `purpose`."""

    tx_type: str
    amount: int
    purpose: Purpose


def get_environment(account_type: str) -> Environment:
    """Demo and real money never meet: everything but DEMO is real."""
    return "demo" if account_type == "DEMO" else "real"


def settle(*, stake: int, markup: int, payout: int, held: int) -> list[Movement]:
    """What a settled trade moves on its client's account, zero amounts left out.

    Raises ValueError when an amount is negative, nothing was staked, or stake and markup exceed what was held.
    """
    if stake <= 0 or markup < 0 or payout < 0:
        raise ValueError(f"amounts of a settlement: stake {stake}, markup {markup}, payout {payout}")
    if stake + markup > held:
        raise ValueError(f"stake {stake} and markup {markup} exceed the hold of {held}")
    movements = [
        Movement("TRADE_STAKE", -stake, "trading"),
        Movement("MARKUP", -markup, "markup"),
        Movement("TRADE_PAYOUT", payout, "trading"),
    ]
    return [movement for movement in movements if movement.amount]


def void(*, stake: int, markup: int, payout: int) -> list[Movement]:
    """What voiding a settled trade moves back, zero amounts left out."""
    movements = [
        Movement("REFUND", stake, "trading"),
        Movement("REFUND", markup, "markup"),
        Movement("TRADE_PAYOUT", -payout, "trading"),
    ]
    return [movement for movement in movements if movement.amount]


def is_markup_allowed(percent: Decimal) -> bool:
    """Whether an account may carry this markup: 0 to 3 percent in hundredths."""
    return Decimal(0) <= percent <= MAX_MARKUP_PERCENT and percent == percent.quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Account:
    """Where a leg goes. Accounts of our own come into being with their first posting and say what they are."""

    id: str
    kind: Literal["client", "house", "payable", "receivable"] = "client"
    environment: Environment | None = None
    currency: str | None = None
    purpose: Purpose | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One posting. On a client's account it is a statement line as well and says its `tx_type`.

    `is_incidental`: where the money goes on to depends on how things stand at the posting, and another way would not
    make it another transaction.
    """

    account: Account
    amount: int
    tx_type: str | None = None
    reference: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    is_incidental: bool = False

    def __post_init__(self) -> None:
        if (self.tx_type is None) == (self.account.kind == "client"):
            raise ValueError("exactly the legs on clients' accounts are statement lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """The hold that a ledger transaction uses up: all of `amount` becomes free with it."""

    hold_id: str
    account_id: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTx:
    """A balanced set of legs under a business reference that is used once.

    `reverses` is (kind, ref) of the original. `completes` is the PENDING statement line that its leg on a client's
    account fulfils. `debtor` is the owner of the client's account that it takes from: what is missing there becomes
    his debt; without one, nothing may be missing. Raises ValueError when the legs do not sum up to zero.
    """

    kind: str
    ref: str
    environment: Environment
    currency: str
    legs: Sequence[Leg]
    correlation_id: str | None = None
    resolves: Resolve | None = None
    reverses: tuple[str, str] | None = None
    completes: str | None = None
    debtor: str | None = None

    def __post_init__(self) -> None:
        if sum(leg.amount for leg in self.legs):
            raise ValueError(f"ledger transaction {self.kind} {self.ref} does not balance")

    def fingerprint(self) -> str:
        """Hash of what it does to money. Descriptions stay out: they may grow without making it another one.

        So do incidental legs, and those that debts add when it is posted.
        """
        legs = sorted((leg.account.id, leg.tx_type or "", leg.amount) for leg in self.legs if not leg.is_incidental)
        contents = json.dumps([self.environment, self.currency, self.reverses, legs], separators=(",", ":"))
        return hashlib.sha256(contents.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Line:
    """A posting on a client's account, as its statement shows it."""

    id: str
    user_id: str
    account_id: str
    account_version: int
    tx_type: str
    amount: int
    balance_after: int
    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A ledger transaction that is in the books; `replayed`: it was there before this call."""

    id: str
    kind: str
    ref: str
    environment: Environment
    currency: str
    correlation_id: str | None
    replayed: bool
    lines: tuple[Line, ...]
