"""What trades needs of a market, whoever runs it.

Amounts are minor units of the terms' currency. Never call it inside a database transaction. A market that must be
asked over a network may raise ServiceUnavailable (nothing was done) or DeadlineExceeded (unknown: see `find`) from
any method but `symbols`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Something to trade on: yearly volatility, seconds between ticks, and the decimals of its price."""

    code: str
    title: str
    sigma: float
    interval: int
    decimals: int

    @property
    def pip(self) -> Decimal:
        """The smallest step of its price."""
        return Decimal(1).scaleb(-self.decimals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be priced or bought: pays a fixed sum if the price ends strictly above (CALL) or below (PUT)."""

    symbol: str
    contract_type: str
    stake: int
    currency: str
    seconds: int
    amount: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A price: what `stake` would win, and the last tick."""

    payout: int
    spot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bought contract. The tick at `starts_at` is the entry; the last one at or before `expires_at` the exit."""

    contract_id: str
    symbol: str
    contract_type: str
    stake: int
    payout: int
    bought_at: datetime
    starts_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a contract."""

    won: bool
    entry_spot: Decimal
    exit_spot: Decimal


class Market(Protocol):
    """The port."""

    def symbols(self) -> Mapping[str, Symbol]:
        """Everything that is offered, by code."""
        ...

    def prepare(self, *, now: datetime) -> None:
        """Called once a minute: gets ready what trades would else wait for."""
        ...

    def proposal(self, terms: Terms, *, now: datetime) -> Proposal:
        """The price of these terms."""
        ...

    def buy(self, *, reference: str, terms: Terms, now: datetime) -> Contract:
        """Buys once per reference (the trade's id); again with the same reference: the same contract."""
        ...

    def find(self, reference: str) -> Contract | None:
        """The contract that was bought under a reference, or None when there is and will be none."""
        ...

    def result(self, contract: Contract, *, now: datetime) -> Outcome | None:
        """How a contract ended, or None while it has not."""
        ...

    def spot(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None:
        """The last tick at an instant, or None while it lies ahead."""
        ...
