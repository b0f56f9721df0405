"""How Deriv writes a contract down: its shortcode for machines, its longcode for people. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.contracts.money import to_text
from trades.market.contracts import KINDS, Barrier, barrier_of
from trades.market.port import Contract, Symbol

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def shortcode(contract: Contract, *, symbol: Symbol, currency: str) -> str:
    """Such as `CALL_R_100_19.54_1790000100_5T_S0P_0`; a barrier that is relative is written in pips."""
    barrier = barrier_of(contract.barrier, contract_type=contract.contract_type, symbol=symbol)
    pips = 0 if barrier is None else int(barrier.amount / symbol.pip)
    level = f"S{pips}P" if barrier is None or barrier.is_relative else contract.barrier
    end = f"{_ticks(contract, symbol)}T" if contract.unit == "t" else str(_epoch(contract.expires_at))
    paid = to_text(contract.payout, currency)
    start = _epoch(contract.bought_at)
    return f"{contract.contract_type}_{contract.symbol}_{paid}_{start}_{end}_{level}_0"


def longcode(contract: Contract, *, symbol: Symbol) -> str:
    """A sentence that says what wins."""
    barrier = barrier_of(contract.barrier, contract_type=contract.contract_type, symbol=symbol)
    condition = f"is {_comparison(contract.contract_type)} {_level(barrier, symbol)}"
    if contract.unit == "t":
        return f"Win payout if {symbol.title} after {_counted(_ticks(contract, symbol), 'tick')} {condition}."
    return f"Win payout if {symbol.title} {condition} at {_length(contract)} after contract start time."


def _comparison(contract_type: str) -> str:
    kind = KINDS[contract_type]
    word = "higher" if kind.up else "lower"
    return f"{word} than or equal to" if kind.wins_ties else f"strictly {word} than"


def _level(barrier: Barrier | None, symbol: Symbol) -> str:
    if barrier is None:
        return "entry spot"
    if not barrier.is_relative:
        return f"{barrier.amount:.{symbol.decimals}f}"
    side = "plus" if barrier.amount > 0 else "minus"
    return f"entry spot {side} {abs(barrier.amount):.{symbol.decimals}f}"


def _ticks(contract: Contract, symbol: Symbol) -> int:
    return int((contract.expires_at - contract.starts_at).total_seconds()) // symbol.interval


def _length(contract: Contract) -> str:
    rest, words = int((contract.expires_at - contract.starts_at).total_seconds()), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(_counted(count, unit))
    return " ".join(words)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _epoch(instant: datetime) -> int:
    return int(instant.timestamp())
