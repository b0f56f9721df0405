"""Prices move as a driftless geometric Brownian motion should, and are the same wherever they are computed."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trades.market.engine import FIRST_LEVEL, HOUR, SYMBOLS, Path, first_tick_after, tick_at
from trades.market.hours import seed_of
from trades.rules import YEAR

SEED = seed_of("statistics")


def path(code: str, hour: int = 0, opening: Decimal | None = None) -> Path:
    return Path(SYMBOLS[code], seed=SEED(hour), opening=opening or FIRST_LEVEL[code])


def returns(code: str, hours: int) -> list[list[float]]:
    """Log returns from tick to tick, by hour."""
    found = []
    for hour in range(hours):
        one = path(code, hour)
        prices = [float(one.price(tick)) for tick in range(one.last + 1)]
        found.append([math.log(after / before) for before, after in itertools.pairwise(prices)])
    return found


@pytest.fixture(scope="module", params=sorted(SYMBOLS))
def observed(request: pytest.FixtureRequest) -> tuple[str, list[list[float]]]:
    return request.param, returns(request.param, 20)


def test_volatility_is_the_symbols(observed):
    code, hours = observed
    symbol, steps = SYMBOLS[code], [step for hour in hours for step in hour]
    expected = symbol.sigma**2 * symbol.interval / YEAR
    # The estimate of a variance has a relative error of sqrt(2/n): five of them.
    assert statistics.pvariance(steps) == pytest.approx(expected, rel=5 * math.sqrt(2 / len(steps)))


def test_volatility_is_the_same_at_every_scale_and_at_every_place_in_the_hour(observed):
    code, hours = observed
    symbol = SYMBOLS[code]
    step = symbol.sigma**2 * symbol.interval / YEAR
    for width in (7, 60, 225):
        sums = [sum(hour[at : at + width]) for hour in hours for at in range(0, len(hour) - width + 1, width)]
        spread = statistics.fmean(value**2 for value in sums)
        assert spread == pytest.approx(step * width, rel=5 * math.sqrt(2 / len(sums)))
    middle = len(hours[0]) // 2
    for around in (slice(0, 30), slice(middle - 15, middle + 15), slice(-30, None)):
        some = [value for hour in hours for value in hour[around]]
        assert statistics.fmean(value**2 for value in some) == pytest.approx(step, rel=5 * math.sqrt(2 / len(some)))


def test_returns_do_not_remember(observed):
    _, hours = observed
    for lag in (1, 2, 3, 10, 60):
        pairs = [(a, b) for hour in hours for a, b in zip(hour, hour[lag:], strict=False)]
        left, right = zip(*pairs, strict=True)
        assert abs(statistics.correlation(left, right)) < 5 / math.sqrt(len(pairs))


def test_returns_are_normal_in_their_tails(observed):
    _, hours = observed
    steps = [step for hour in hours for step in hour]
    spread = statistics.pstdev(steps)
    for bound, share in ((1, 0.3173), (2, 0.0455), (3, 0.0027)):
        beyond = sum(abs(step) > bound * spread for step in steps) / len(steps)
        assert beyond == pytest.approx(share, abs=5 * math.sqrt(share / len(steps)))


def test_there_is_no_drift():
    for code in SYMBOLS:
        gains = [float(path(code, hour).closing() / FIRST_LEVEL[code]) - 1 for hour in range(4000)]
        error = statistics.pstdev(gains) / math.sqrt(len(gains))
        assert abs(statistics.fmean(gains)) < 4 * error
        assert statistics.pstdev(gains) == pytest.approx(SYMBOLS[code].sigma * math.sqrt(HOUR / YEAR), rel=0.06)


def test_symbols_move_independently_of_each_other():
    one, other = ([step for hour in returns(code, 5) for step in hour] for code in ("R_100", "R_50"))
    assert abs(statistics.correlation(one, other)) < 5 / math.sqrt(len(one))


def test_a_tie_is_as_rare_as_the_step_and_the_decimals_make_it():
    for code in ("R_100", "1HZ100V"):
        symbol = SYMBOLS[code]
        ticks = [path(code, hour).price(tick) for hour in range(10) for tick in range(HOUR // symbol.interval)]
        ties = sum(a == b for a, b in itertools.pairwise(ticks))
        spread = symbol.sigma * math.sqrt(symbol.interval / YEAR) * float(FIRST_LEVEL[code])
        expected = 10**-symbol.decimals / (spread * math.sqrt(2 * math.pi)) * len(ticks)
        assert ties == pytest.approx(expected, abs=5 * math.sqrt(expected))


def test_a_tick_does_not_depend_on_which_were_asked_before():
    for code in SYMBOLS:
        forwards = path(code)
        expected = [forwards.price(tick) for tick in range(forwards.last + 1)]
        order = list(range(forwards.last + 1))
        random.Random(7).shuffle(order)
        shuffled = path(code)
        assert {tick: shuffled.price(tick) for tick in order} == dict(enumerate(expected))
        assert all(path(code).price(tick) == expected[tick] for tick in order[:50])


def test_an_hour_ends_where_the_next_one_opens():
    for code in SYMBOLS:
        first = path(code)
        second = path(code, 1, opening=first.closing())
        assert second.price(0) == first.price(first.last)


def test_prices_have_the_symbols_decimals():
    assert {code: path(code).price(777).as_tuple().exponent for code in SYMBOLS} == {
        "R_50": -4,
        "R_100": -2,
        "1HZ100V": -2,
    }


def test_another_seed_gives_another_path():
    symbol = SYMBOLS["R_100"]
    prices = {Path(symbol, seed=SEED(hour), opening=Decimal(1500)).price(900) for hour in range(50)}
    assert len(prices) == 50


def test_any_price_is_computed_from_nothing_in_less_than_a_millisecond():
    took = []
    for hour in range(300):
        began = time.perf_counter()
        path("1HZ100V", hour).price(hour * 11 + 1)
        took.append(time.perf_counter() - began)
    assert statistics.median(took) < 0.001


def test_ticks_fall_on_whole_intervals_of_the_epoch():
    at = datetime(2026, 3, 2, 10, 59, 59, 999_999, tzinfo=UTC)
    hour = tick_at(SYMBOLS["1HZ100V"], at)[0]
    assert tick_at(SYMBOLS["1HZ100V"], at) == (hour, 3599)
    assert tick_at(SYMBOLS["R_100"], at) == (hour, 1799)
    assert tick_at(SYMBOLS["R_100"], at + timedelta(microseconds=1)) == (hour + 1, 0)


@pytest.mark.parametrize(
    ("code", "at", "first"),
    [
        ("R_100", "10:20:30.250000", 32),
        ("R_100", "10:20:30", 32),
        ("R_100", "10:20:31.999999", 32),
        ("1HZ100V", "10:20:30", 31),
    ],
)
def test_the_first_tick_after_an_instant_is_strictly_after_it(code, at, first):
    found = first_tick_after(SYMBOLS[code], datetime.fromisoformat(f"2026-03-02T{at}+00:00"))
    assert found == datetime(2026, 3, 2, 10, 20, first, tzinfo=UTC)
