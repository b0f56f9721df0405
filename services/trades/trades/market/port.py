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
class Price:
    """What is paid for a contract, and what it pays if it wins."""

    stake: int
    payout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is to be priced or bought: pays a fixed sum if the price ends strictly above (CALL) or below (PUT).

    CALLE and PUTE also win when it ends just there. "There" is the entry, or the `barrier`: `+0.37` from the entry, or
    a level such as `1511.50`. With `payout` the stake follows from it, and `stake` is not read. `quoted` is the price
    that a quote promised, if it is still valid.
    """

    symbol: str
    contract_type: str
    stake: int
    currency: str
    seconds: int
    amount: int
    unit: str
    barrier: str | None = None
    payout: int | None = None
    quoted: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A price: what `stake` would win, and the last tick."""

    stake: int
    payout: int
    spot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bought contract. The tick at `starts_at` is the entry; the last one at or before `expires_at` the exit.

    `unit` is `t` when its length was stated in ticks.
    """

    contract_id: str
    symbol: str
    contract_type: str
    stake: int
    payout: int
    bought_at: datetime
    starts_at: datetime
    expires_at: datetime
    barrier: str | None = None
    unit: str = "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a contract."""

    won: bool
    entry_spot: Decimal
    exit_spot: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an open contract is worth at the last tick: what selling it would give, with all that follows from it.

    `refusal` says why it cannot be sold now, or is None: `waiting_for_entry` (then nothing else is known), `at_entry`,
    `ticks` (lengths in ticks are not sold back), `too_late` (it ends within seconds), `expired` (`bid` is its result).
    `commission` is the share of the payout that the bid was lessened by, where the market says it.
    """

    bid: int | None = None
    spot: Decimal | None = None
    spot_at: datetime | None = None
    entry_spot: Decimal | None = None
    barrier: Decimal | None = None
    commission: Decimal | None = None
    refusal: str | None


class Market(Protocol):
    """The port."""

    def symbols(self) -> Mapping[str, Symbol]:
        """Everything that is offered, by code."""
        ...

    def prepare(self, *, now: datetime) -> None:
        """Called once a minute: gets ready what trades would else wait for."""
        ...

    def proposal(self, terms: Terms, *, now: datetime) -> Proposal:
        """The price of these terms: the quoted one while the market has not left it, a better one if there is one.

        Raises PriceMoved when it is worse than what was quoted by more than the market allows, and Refused for a
        barrier that makes no contract.
        """
        ...

    def buy(self, *, reference: str, terms: Terms, now: datetime) -> Contract:
        """Buys once per reference (the trade's id); again with the same reference: the same contract.

        At `terms.quoted`, when that is the price that `proposal` has just given; else at the price of now. Raises
        PriceMoved when it is not sold for that any more: nothing was bought.
        """
        ...

    def find(self, reference: str) -> Contract | None:
        """The contract that was bought under a reference, or None when there is and will be none."""
        ...

    def result(self, contract: Contract, *, now: datetime) -> Outcome | None:
        """How a contract ended, or None while it has not."""
        ...

    def value(self, contract: Contract, *, now: datetime) -> Value:
        """What an open contract is worth now, and whether it can be sold for that."""
        ...

    def spot(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None:
        """The last tick at an instant, or None while it lies ahead."""
        ...
