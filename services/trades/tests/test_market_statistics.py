"""Every index moves as it should, and contracts win as often as they are priced; seeds are fixed, so it stays so."""

from __future__ import annotations

import itertools
import math
import statistics
from decimal import Decimal

import pytest

from trades.market.contracts import wins
from trades.market.engine import Path
from trades.market.hours import seed_of
from trades.market.port import Terms
from trades.market.pricing import Pricing, price, probability
from trades.market.symbols import ALL, FIRST_LEVEL
from trades.rules import YEAR

SEED = seed_of("statistics of the market")
HOURS = 12
FAR = 4
"""How many standard errors an estimate may be away."""


@pytest.fixture(scope="module", params=list(ALL))
def index(request):
    """A symbol and all its prices in twelve hours, one after the other."""
    symbol, opening = ALL[request.param], FIRST_LEVEL[request.param]
    prices = []
    for hour in range(HOURS):
        path = Path(symbol, seed=SEED(hour), opening=opening)
        prices += [path.price(tick) for tick in range(path.last)]
        opening = path.closing()
    return symbol, prices


def steps(prices):
    return [math.log(after / before) for before, after in itertools.pairwise(map(float, prices))]


def test_realised_volatility_is_the_one_in_the_name(index):
    symbol, prices = index
    returns = steps(prices)
    realised = statistics.pstdev(returns) * math.sqrt(YEAR / symbol.interval)
    # The relative standard error of a standard deviation is 1/√2n.
    assert realised == pytest.approx(symbol.sigma, rel=FAR / math.sqrt(2 * len(returns)))


def test_the_mean_return_is_zero(index):
    _, prices = index
    returns = steps(prices)
    assert abs(statistics.fmean(returns)) < FAR * statistics.pstdev(returns) / math.sqrt(len(returns))


def test_a_return_says_nothing_of_the_next_nor_of_its_size(index):
    _, prices = index
    returns = steps(prices)
    for series in (returns, [abs(value) for value in returns]):
        for lag in (1, 2):
            found = statistics.correlation(series[:-lag], series[lag:])
            assert abs(found) < FAR / math.sqrt(len(series))


@pytest.mark.parametrize("ticks", [1, 5])
def test_ties_are_as_frequent_as_they_are_priced(index, ticks):
    symbol, prices = index
    pairs = [(prices[at], prices[at + ticks]) for at in range(0, len(prices) - ticks, ticks)]
    seconds = ticks * symbol.interval
    # The probability of a tie goes with 1/S, and S hardly moves in an hour.
    sample = [spot for spot, _ in pairs[:: max(1, len(pairs) // 50)]]
    rate = statistics.fmean(
        float(probability("CALLE", symbol=symbol, seconds=seconds, spot=spot))
        - float(probability("CALL", symbol=symbol, seconds=seconds, spot=spot))
        for spot in sample
    )
    expected = rate * len(pairs)
    assert sum(a == b for a, b in pairs) == pytest.approx(expected, abs=FAR * math.sqrt(expected) + 1)


@pytest.mark.parametrize("kind", ["CALL", "PUT"])
@pytest.mark.parametrize("distance", [-1.0, -0.3, 0.0, 0.3, 1.0])
def test_contracts_win_as_often_as_they_are_priced(index, kind, distance):
    symbol, prices = index
    ticks = 5
    seconds = ticks * symbol.interval
    spread = symbol.sigma * math.sqrt(seconds / YEAR)
    offset = Decimal(distance * spread * float(prices[0])).quantize(symbol.pip)
    won, expected, variance = 0, 0.0, 0.0
    for at in range(0, len(prices) - ticks, ticks):
        strike = prices[at] + offset
        chance = float(probability(kind, symbol=symbol, seconds=seconds, spot=prices[at], strike=strike))
        won += wins(kind, exit_=prices[at + ticks], strike=strike)
        expected, variance = expected + chance, variance + chance * (1 - chance)
    assert won == pytest.approx(expected, abs=FAR * math.sqrt(variance))


def test_the_house_earns_its_commission_in_the_long_run():
    terms = Terms(symbol="R_100", contract_type="CALL", stake=1000, currency="USD", seconds=10, amount=5, unit="t")
    payout = price(terms, symbol=ALL["R_100"], spot=None, pricing=Pricing()).payout
    assert 0.5 * payout / 1000 - 1 == pytest.approx(-0.023, abs=0.001)
