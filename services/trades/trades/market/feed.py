"""Prices for whoever asks: ticks and candles of the past, none that lies ahead.

Apart from `Hours`, so that nobody who looks at old prices pushes the present hour out of the memory of those who trade.
It makes no hours: of a time without one there is no price.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import text

from shared.chassis.database import Database
from shared.chassis.offload import Offload
from trades.market.engine import HOUR, Candle, Path, at_second, second_of
from trades.market.port import Symbol

K = TypeVar("K")
V = TypeVar("V")

MINUTE: Final = 60
"""Seconds of the shortest candle; every interval divides it, and it divides the hour."""
_PATHS, _HOURS = 200, 320
"""How many are remembered: a path is 29 kB at most, an hour of candles as much."""
_LOAD = text(
    "SELECT h.hour, h.seed, l.opening FROM market_hours h"
    " JOIN market_levels l ON l.hour = h.hour AND l.symbol = :symbol WHERE h.hour = ANY(CAST(:hours AS bigint[]))"
)

Minutes = list[Candle]


class Feed:
    """Its methods have reads of their own. What takes long to compute is computed beside the hub."""

    def __init__(self, offload: Offload) -> None:
        self._offload = offload
        self._paths: dict[tuple[str, int], Path] = {}
        self._hours: dict[tuple[str, int], Minutes] = {}

    def ticks(self, db: Database, symbol: Symbol, *, count: int, end: datetime) -> list[tuple[datetime, str]]:
        """The last `count` ticks by `end`, which must not lie ahead; the oldest first, fewer where there are none."""
        an_hour, last = HOUR // symbol.interval, second_of(end) // symbol.interval
        numbers = range(last - count + 1, last + 1)
        paths = self._of(db, symbol, range(numbers[0] // an_hour, last // an_hour + 1))
        return [
            (at_second(number * symbol.interval), f"{paths[number // an_hour].price(number % an_hour):f}")
            for number in numbers
            if number // an_hour in paths
        ]

    def candles(
        self, db: Database, symbol: Symbol, *, seconds: int, count: int, end: datetime
    ) -> list[tuple[datetime, Candle]]:
        """The last `count` candles of so many seconds (whole minutes) by `end`, which must not lie ahead.

        The oldest first, fewer where there are no prices; the last one holds the ticks by `end`.
        """
        until = second_of(end)
        first = until // seconds * seconds - (count - 1) * seconds
        found: dict[int, Candle] = {}
        for hour, minutes in sorted(self._minutes(db, symbol, first // HOUR, until).items()):
            for number, candle in enumerate(minutes):
                at = hour * HOUR + number * MINUTE
                begins = at // seconds * seconds
                if at >= first:
                    found[begins] = found[begins].then(candle) if begins in found else candle
        return [(at_second(begins), candle) for begins, candle in found.items()]

    def _minutes(self, db: Database, symbol: Symbol, first: int, until: int) -> dict[int, Minutes]:
        """Candles of a minute by hour; those of the last hour end with the tick at `until` seconds."""
        present, rest = divmod(until, HOUR)
        whole = range(first, present)
        known = {hour: self._hours[symbol.code, hour] for hour in whole if (symbol.code, hour) in self._hours}
        paths = self._of(db, symbol, [hour for hour in (*whole, present) if hour not in known])
        for hour, path in paths.items():
            last = path.last - 1 if hour != present else rest // symbol.interval
            known[hour] = self._offload.run(lambda path=path, last=last: _minutes_of(path, last))  # type: ignore[misc]
            if hour != present:
                _keep(self._hours, (symbol.code, hour), known[hour], _HOURS)
        return known

    def _of(self, db: Database, symbol: Symbol, hours: range | list[int]) -> dict[int, Path]:
        code = symbol.code
        missing = [hour for hour in hours if (code, hour) not in self._paths]
        found = {hour: self._paths[code, hour] for hour in hours if (code, hour) in self._paths}
        if missing:
            with db.read() as tx:
                rows = tx.execute(_LOAD, {"symbol": code, "hours": missing}).all()
            for row in rows:
                found[row.hour] = Path(symbol, seed=bytes(row.seed), opening=row.opening)
                _keep(self._paths, (code, row.hour), found[row.hour], _PATHS)
        return found


def _minutes_of(path: Path, last: int) -> Minutes:
    size = MINUTE // path.symbol.interval
    return [path.candle(first, min(first + size - 1, last)) for first in range(0, last + 1, size)]


def _keep(memory: dict[K, V], key: K, value: V, most: int) -> None:
    while len(memory) >= most:
        memory.pop(next(iter(memory)), None)
    memory[key] = value
