"""The proof of a settled contract: what `verifier.py` needs to compute it again from the revealed seeds. Pure.

A proof states what was agreed, what was settled, and the hours that the prices follow from: those from the entry to the
exit and the one before, whose closing is the first one's opening (a symbol's first hour has none and opens at its first
level). It can be had when the hour of the exit is over: until then its seed is secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from shared.contracts.errors import NotReady
from shared.contracts.money import to_text
from shared.utils.time import to_rfc3339
from trades.market.contracts import strike_of
from trades.market.engine import HOUR, Path, hour_of, instant_of, tick_at
from trades.market.port import Contract, Symbol
from trades.market.reveals import Revealed

FORMAT: Final = "nexus-trade-proof/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a contract: `exit_spot` is the tick that decided it, or the one that it was sold at.

    A sold one names when it was sold, and the commission of its price.
    """

    result: Literal["won", "lost", "sold"]
    entry_spot: Decimal
    exit_spot: Decimal
    paid: int
    sold_at: datetime | None = None
    commission: Decimal | None = None


def hours_of(contract: Contract, *, symbol: Symbol, sold_at: datetime | None = None) -> range:
    """The hours that a proof needs, the one before the entry's included."""
    first, _ = tick_at(symbol, contract.starts_at)
    last, tick = tick_at(symbol, sold_at or contract.expires_at)
    # The tick on the hour is the last one of the hour before, too, which is over.
    return range(first - 1, last + (1 if tick or last == first else 0))


def available_at(contract: Contract, *, symbol: Symbol, sold_at: datetime | None = None) -> datetime:
    """When the last of these hours is over."""
    return instant_of(symbol, hours_of(contract, symbol=symbol, sold_at=sold_at).stop, 0)


def proof_of(
    contract: Contract, settled: Settled, *, symbol: Symbol, currency: str, hours: Sequence[Revealed], now: datetime
) -> dict[str, Any]:
    """The proof, as JSON will have it; `hours` are those of `hours_of`, as `revealed` gives them.

    It states what was settled and computes nothing again, but the ticks of a contract whose length is in ticks.
    Raises NotReady while the last hour is not over, and ValueError when hours are missing.
    """
    needed = hours_of(contract, symbol=symbol, sold_at=settled.sold_at)
    if hour_of(now) < needed.stop:
        ready_at = to_rfc3339(available_at(contract, symbol=symbol, sold_at=settled.sold_at))
        raise NotReady(f"the seed is revealed at {ready_at}")
    found = [hour.hour for hour in hours]
    if found not in (list(needed), list(needed)[1:]):
        raise ValueError(f"a proof needs the hours {needed}, not {found}")
    exit_at = settled.sold_at or contract.expires_at
    length = int((contract.expires_at - contract.starts_at).total_seconds())
    return {
        "format": FORMAT,
        "contract": {
            "contract_id": contract.contract_id,
            "symbol": contract.symbol,
            "contract_type": contract.contract_type,
            "barrier": contract.barrier,
            "currency": currency,
            "stake": to_text(contract.stake, currency),
            "payout": to_text(contract.payout, currency),
            "duration_seconds": length,
            "duration_ticks": length // symbol.interval if contract.unit == "t" else None,
            "bought_at": to_rfc3339(contract.bought_at),
            "starts_at": to_rfc3339(contract.starts_at),
            "expires_at": to_rfc3339(contract.expires_at),
        },
        "settlement": {
            "result": settled.result,
            "paid": to_text(settled.paid, currency),
            "barrier": f"{strike_of(contract, symbol=symbol, entry=settled.entry_spot):f}",
            "sold_at": None if settled.sold_at is None else to_rfc3339(settled.sold_at),
            "commission": None if settled.commission is None else f"{settled.commission:f}",
        },
        "entry": _tick(symbol, contract.starts_at, settled.entry_spot),
        "exit": _tick(symbol, exit_at, settled.exit_spot),
        "ticks": _ticks(contract, symbol, hours) if contract.unit == "t" else [],
        "hours": [
            {
                "hour": hour.hour,
                "commitment": hour.commitment.hex(),
                "committed_at": to_rfc3339(hour.committed_at),
                "seed": hour.seed.hex(),
                "opening": f"{hour.opening:f}",
            }
            for hour in hours
        ],
    }


def _tick(symbol: Symbol, at: datetime, spot: Decimal) -> dict[str, Any]:
    return {"at": to_rfc3339(instant_of(symbol, *tick_at(symbol, at))), "spot": f"{spot:f}"}


def _ticks(contract: Contract, symbol: Symbol, hours: Sequence[Revealed]) -> list[dict[str, Any]]:
    paths = {hour.hour: Path(symbol, seed=hour.seed, opening=hour.opening) for hour in hours}
    ticks, at = [], contract.starts_at
    while at <= contract.expires_at:
        hour, number = tick_at(symbol, at)
        if hour not in paths:
            hour, number = hour - 1, HOUR // symbol.interval
        ticks.append(_tick(symbol, at, paths[hour].price(number)))
        at += timedelta(seconds=symbol.interval)
    return ticks
