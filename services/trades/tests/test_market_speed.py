"""Any price in less than a millisecond, known ones in microseconds, and an hour in memory has its bounds."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from datetime import timedelta

import pytest

from trades.market.builtin import BuiltinMarket
from trades.market.engine import Path
from trades.market.hours import Hours, seed_of
from trades.market.symbols import ALL, FIRST_LEVEL

SEED = seed_of("speed")


@pytest.mark.parametrize("code", list(ALL))
def test_any_price_is_computed_from_nothing_in_less_than_a_millisecond(code):
    took = []
    for hour in range(100):
        began = time.perf_counter()
        Path(ALL[code], seed=SEED(hour), opening=FIRST_LEVEL[code]).price(hour * 11 + 1)
        took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.001


def test_the_price_of_an_instant_that_is_known_takes_less_than_ten_microseconds(desk, clock):
    desk.tamper("TRUNCATE market_hours, market_levels")
    market = BuiltinMarket(desk.db, Hours(make_seed=SEED, symbols=ALL))
    instants = [clock.now - timedelta(seconds=second) for second in range(500)]
    asked = [(code, at) for at in instants for code in ("R_100", "1HZ100V")]

    def ask() -> float:
        began = time.perf_counter()
        for code, at in asked:
            market.spot(code, at=at, now=clock.now)
        return (time.perf_counter() - began) / len(asked)

    ask()
    assert min(ask() for _ in range(10)) < 10e-6


def test_a_whole_hour_of_all_symbols_takes_a_third_of_a_megabyte_and_no_more():
    gc.collect()
    tracemalloc.start()
    try:
        paths = [Path(symbol, seed=SEED(1), opening=FIRST_LEVEL[code]) for code, symbol in ALL.items()]
        asleep, _ = tracemalloc.get_traced_memory()
        for path in paths:
            for tick in range(path.last + 1):
                path.price(tick)
        awake, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert asleep < 10_000
    assert awake < 350_000
