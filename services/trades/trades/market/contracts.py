"""What can be bought: kinds, barriers, start and end, and who wins. Pure.

CALL and PUT are Rise and Fall: strictly above or below the entry, so that a tie loses on both. CALLE and PUTE win on a
tie too. With a barrier CALL and PUT are Higher and Lower. The entry is the first tick after the purchase; a contract
ends its duration after the entry, and the exit is the last tick by then: of n ticks, the n-th after the entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trades.market.engine import first_tick_after, tick_at
from trades.market.port import Contract, Symbol
from trades.rules import Duration, Refused

_BARRIER: Final = re.compile(r"([+-]?)(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,8}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A sort of contract: which way it looks, and whether it also wins on a tie."""

    up: bool
    wins_ties: bool


KINDS: Final = {
    "CALL": Kind(up=True, wins_ties=False),
    "PUT": Kind(up=False, wins_ties=False),
    "CALLE": Kind(up=True, wins_ties=True),
    "PUTE": Kind(up=False, wins_ties=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A level, or so much from the entry."""

    amount: Decimal
    is_relative: bool

    def at(self, entry: Decimal) -> Decimal:
        """The level that the exit is compared with."""
        return entry + self.amount if self.is_relative else self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a contract starts and ends, and the two ticks that decide it, each as (hour, number in it)."""

    starts_at: datetime
    expires_at: datetime
    entry: tuple[int, int]
    exit: tuple[int, int]


def barrier_of(text: str | None, *, contract_type: str, symbol: Symbol) -> Barrier | None:
    """The barrier as it was asked for: `+0.37` and `-0.37` from the entry, `1511.50` a level; None: the entry itself.

    Raises Refused when it is no such number, is nothing, has more decimals than the symbol's price, or does not go
    with the contract type.
    """
    if text is None:
        return None
    if KINDS[contract_type].wins_ties:
        raise Refused("barrier", "not_offered", f"{contract_type} has no barrier.")
    found = _BARRIER.fullmatch(text)
    if found is None:
        raise Refused("barrier", "invalid", "Not a barrier: +0.37 and -0.37 are relative to the entry, 1511.50 is not.")
    if len(found[3] or "") > symbol.decimals:
        raise Refused("barrier", "too_many_decimals", f"{symbol.code} has {symbol.decimals} decimals.")
    amount = Decimal(text)
    if amount == 0:
        raise Refused("barrier", "zero", "A barrier at the entry is no barrier: leave it out.")
    return Barrier(amount=amount, is_relative=bool(found[1]))


def times(symbol: Symbol, *, bought_at: datetime, duration: Duration) -> Times:
    """Start and end of a contract bought at an instant."""
    starts_at = first_tick_after(symbol, bought_at)
    expires_at = starts_at + timedelta(seconds=duration.seconds)
    return Times(
        starts_at=starts_at,
        expires_at=expires_at,
        entry=tick_at(symbol, starts_at),
        exit=tick_at(symbol, expires_at),
    )


def strike_of(contract: Contract, *, symbol: Symbol, entry: Decimal) -> Decimal:
    """The level that decides a contract: its barrier, or else its entry."""
    barrier = barrier_of(contract.barrier, contract_type=contract.contract_type, symbol=symbol)
    return entry if barrier is None else barrier.at(entry)


def wins(contract_type: str, *, exit_: Decimal, strike: Decimal) -> bool:
    """Whether a contract pays that ends at `exit_`."""
    kind = KINDS[contract_type]
    return kind.wins_ties if exit_ == strike else (exit_ > strike) is kind.up
