"""The hours' secret seeds: made ahead of time, chained hour to hour, kept for ever, cached in each process."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, text

from shared.chassis.database import BATCH_STATEMENT_MS, Database
from shared.contracts.errors import NotReady
from shared.settings.env import EnvConfig, SettingError
from trades.market.engine import Path, hour_of
from trades.market.port import Symbol
from trades.market.symbols import ALL, FIRST_LEVEL, OFFERED

MakeSeed = Callable[[int], bytes]
Paths = dict[str, Path]

_CACHED: Final = 64
"""Hours that a process remembers: settling and views look at the last few, and at any older one now and then."""
_LOCK_KEY: Final = 7_460_132
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_LOAD = text(
    "SELECT l.hour, l.symbol, l.opening, h.seed FROM market_levels l JOIN market_hours h USING (hour)"
    " WHERE l.hour = :hour"
)
_LAST = text("SELECT hour, symbol, closing FROM market_levels WHERE hour = (SELECT max(hour) FROM market_hours)")
_ADD_HOURS = text(
    "INSERT INTO market_hours (hour, seed, commitment, created_at)"
    " SELECT hour, seed, sha256(seed), :now FROM unnest(CAST(:hours AS bigint[]), CAST(:seeds AS bytea[]))"
    " AS new (hour, seed)"
)
_ADD_LEVELS = text(
    "INSERT INTO market_levels (hour, symbol, opening, closing)"
    " SELECT * FROM unnest(CAST(:hours AS bigint[]), CAST(:symbols AS text[]), CAST(:openings AS numeric[]),"
    " CAST(:closings AS numeric[]))"
)


def random_seed(hour: int) -> bytes:
    """A seed that nobody can know before."""
    return os.urandom(32)


def seed_of(secret: str) -> MakeSeed:
    """Seeds that follow from a fixed setting: for tests alone, since who knows it knows all prices."""

    def seed(hour: int) -> bytes:
        return hmac.digest(secret.encode(), f"hour:{hour}".encode(), "sha256")

    return seed


def seeds_of(settings: EnvConfig) -> MakeSeed:
    """Random seeds, or fixed ones for tests. Raises SettingError for fixed ones in production."""
    secret = settings.get("MARKET_SEED")
    if not secret:
        return random_seed
    if settings.get("NEXUS_ENV") == "prod":
        raise SettingError("MARKET_SEED is for tests: with it all prices can be known beforehand")
    return seed_of(secret)


class Hours:
    """Paths by hour. Its methods have transactions of their own: never call them inside one.

    `symbols` are those that are offered: each begins with the first hour that is made after it came, at its first
    level, and is then made for ever. In memory an hour is one seed and at most 8 bytes a tick: 0.3 MB for all symbols.
    """

    def __init__(self, *, make_seed: MakeSeed = random_seed, symbols: Mapping[str, Symbol] = OFFERED) -> None:
        self.symbols = symbols
        self._make_seed = make_seed
        self._cache: dict[int, Paths] = {}

    def paths(self, db: Database, hour: int, *, now: datetime) -> Paths:
        """The paths of an hour, by symbol; makes it when it is due and missing.

        Raises NotReady for an hour before the market's first, or one that lies ahead.
        """
        found = self._cache.get(hour) or self._load(db, hour)
        if found is None and hour <= hour_of(now) + 1:
            self.make(db, now=now)
            found = self._load(db, hour)
        if found is None:
            raise NotReady("the market has no price of that time")
        return found

    def path(self, db: Database, hour: int, code: str, *, now: datetime) -> Path:
        """A symbol's path in an hour. Raises NotReady like `paths`, and for an hour from before the symbol came."""
        found = self.paths(db, hour, now=now).get(code)
        if found is None:
            raise NotReady("the market has no price of that symbol at that time")
        return found

    def make(self, db: Database, *, now: datetime) -> None:
        """Makes whatever is missing up to the hour after the present one, also the hours of a pause."""
        until = hour_of(now) + 1
        with db.transaction(statement_ms=BATCH_STATEMENT_MS) as tx:
            tx.execute(_LOCK, {"key": _LOCK_KEY})
            last = tx.execute(_LAST).all()
            first = last[0].hour + 1 if last else hour_of(now)
            if first <= until:
                levels = {row.symbol: row.closing for row in last}
                seeds = {hour: self._make_seed(hour) for hour in range(first, until + 1)}
                _add(tx, seeds, levels, {*self.symbols, *levels}, now=now)

    def prepare(self, db: Database, *, now: datetime) -> None:
        """Has the present hour and the next one made and in memory."""
        for hour in (hour_of(now) + 1, hour_of(now)):
            self.paths(db, hour, now=now)

    def _load(self, db: Database, hour: int) -> Paths | None:
        with db.read() as tx:
            rows = tx.execute(_LOAD, {"hour": hour}).all()
        paths = {
            row.symbol: Path(ALL[row.symbol], seed=bytes(row.seed), opening=row.opening)
            for row in rows
            if row.symbol in ALL
        }
        if not paths:
            return None
        while len(self._cache) >= _CACHED:
            self._cache.pop(next(iter(self._cache)), None)
        self._cache[hour] = paths
        return paths


def _add(
    tx: Connection, seeds: dict[int, bytes], levels: dict[str, Decimal], codes: set[str], *, now: datetime
) -> None:
    rows: list[tuple[Any, ...]] = []
    for hour, seed in seeds.items():
        for code, symbol in ALL.items():
            if code not in codes:
                continue
            opening = levels.get(code, FIRST_LEVEL[code])
            levels[code] = Path(symbol, seed=seed, opening=opening).closing()
            rows.append((hour, code, opening, levels[code]))
    tx.execute(_ADD_HOURS, {"hours": list(seeds), "seeds": list(seeds.values()), "now": now})
    hours, symbols, openings, closings = (list(column) for column in zip(*rows, strict=True))
    tx.execute(_ADD_LEVELS, {"hours": hours, "symbols": symbols, "openings": openings, "closings": closings})
