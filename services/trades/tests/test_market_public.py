"""What anybody sees of the market: prices of the past, none of the future."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.chassis.offload import Offload
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.errors import SymbolNotFound
from shared.contracts.trades.market import GRANULARITIES, ListCandlesRequest, ListTicksRequest
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.market import feed as feeds
from trades.market import public
from trades.market.feed import Feed
from trades.market.hours import Hours, seed_of
from trades.market.symbols import ALL

CODES = ("R_100", "1HZ100V", "R_50")


@pytest.fixture
def market(desk, clock):
    """Seven hours of the market, seen in the middle of the last one."""
    for _ in range(6):
        clock.go(3600)
        desk.market.prepare(now=clock.now)
    return desk.market


@pytest.fixture
def feed():
    return Feed(Offload(threads=1))


@pytest.fixture
def ticks(desk, clock, market, feed):
    def ask(symbol="R_100", **changes):
        request = ListTicksRequest(symbol=symbol, **changes)
        found = public.list_ticks(request, db=desk.db, symbols=market.symbols(), feed=feed, now=clock.now)
        assert found["symbol"] == symbol
        return [(from_rfc3339(tick["at"]), tick["spot"]) for tick in found["ticks"]]

    return ask


@pytest.fixture
def candles(desk, clock, market, feed):
    def ask(symbol="R_100", **changes):
        request = ListCandlesRequest(symbol=symbol, **changes)
        found = public.list_candles(request, db=desk.db, symbols=market.symbols(), feed=feed, now=clock.now)
        return {from_rfc3339(one.pop("at")): tuple(map(Decimal, one.values())) for one in map(dict, found["candles"])}

    return ask


def test_symbols_say_what_there_is_to_trade_on():
    found = public.list_symbols(ALL)
    assert found["results"][0] == {
        "symbol": "R_10",
        "title": "Volatility 10 Index",
        "volatility": "10.00",
        "tick_seconds": 2,
        "decimals": 3,
        "pip": "0.001",
    }
    assert [one["symbol"] for one in found["results"]] == list(ALL)
    assert (found["has_more"], found["next"]) == (False, None)


@pytest.mark.parametrize("symbol", CODES)
def test_ticks_are_those_that_contracts_are_settled_by(market, clock, ticks, symbol):
    found = ticks(symbol, count=1000)
    assert len(found) == 1000
    step = timedelta(seconds=ALL[symbol].interval)
    assert [at for at, _ in found] == [found[-1][0] - step * n for n in reversed(range(1000))]
    assert clock.now - step < found[-1][0] <= clock.now
    for at, spot in found[::37]:
        assert spot == str(market.spot(symbol, at=at, now=clock.now))


def test_ticks_by_an_instant_end_there(clock, ticks):
    end = clock.now - timedelta(minutes=95)
    found = ticks(count=5, end=to_rfc3339(end))
    assert (
        found == [tick for tick in ticks(count=1000, end=to_rfc3339(end + timedelta(minutes=1))) if tick[0] <= end][-5:]
    )


@pytest.mark.parametrize("end", ["2026-03-02T16:59:59Z", "2027-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_no_tick_lies_ahead(clock, ticks, candles, end):
    assert ticks(end=end) == ticks()
    assert ticks(end=end)[-1][0] <= clock.now
    assert candles(end=end) == candles()
    clock.now = clock.now.replace(minute=59, second=59, microsecond=999_999)
    assert ticks(end=end)[-1][0] < clock.now
    assert max(candles(end=end)) < clock.now


def test_before_the_market_there_are_none(ticks, candles):
    assert ticks(end="2026-03-02T09:59:59Z") == ticks(end="0001-01-01T00:00:00Z") == []
    assert candles(end="2026-03-02T09:59:59Z") == candles(end="1970-01-01T00:00:00Z") == {}
    first = ticks(end="2026-03-02T10:00:06Z", count=100)
    assert [at.second for at, _ in first] == [0, 2, 4, 6]


def brute(ticks, seconds):
    """Candles of ticks, the plain way."""
    found: dict[datetime, list[Decimal]] = {}
    for at, spot in ticks:
        begins = datetime.fromtimestamp(at.timestamp() // seconds * seconds, at.tzinfo)
        found.setdefault(begins, []).append(Decimal(spot))
    return {at: (spots[0], max(spots), min(spots), spots[-1]) for at, spots in found.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    symbol=st.sampled_from(CODES),
    granularity=st.sampled_from([g for g in GRANULARITIES if g <= 14_400]),
    count=st.integers(1, 6),
    back=st.timedeltas(timedelta(0), timedelta(hours=6)),
)
def test_candles_are_made_of_the_ticks_by_then(clock, ticks, candles, symbol, granularity, count, back):
    count = min(count, 14_400 // granularity)
    end = clock.now - back
    found = candles(symbol, granularity=granularity, count=count, end=to_rfc3339(end))
    all_ticks: list[tuple[datetime, str]] = []
    until = end
    while not all_ticks or all_ticks[0][0] > end - timedelta(seconds=granularity * count):
        page = ticks(symbol, count=1000, end=to_rfc3339(until))
        if not page:
            break
        all_ticks = page + all_ticks
        until = page[0][0] - timedelta(microseconds=1)
    assert found == dict(sorted(brute(all_ticks, granularity).items())[-count:])


def test_a_candle_grows_until_it_is_over(clock, candles):
    clock.now = clock.now.replace(minute=30, second=0, microsecond=0)
    before = candles(count=1)
    clock.go(59)
    after = candles(count=1)
    ((at, young), (same, old)) = (*before.items(), *after.items())
    assert (at, young[0]) == (same, old[0])
    assert young[0] == young[3]
    assert old[1] >= young[1]
    assert old[2] <= young[2]
    clock.go(1)
    assert candles(count=2)[at][:3] == old[:3]


def test_without_a_count_it_is_an_hour_of_minutes_or_as_many_as_a_day_has(candles):
    assert len(candles()) == 60
    assert len(candles(granularity=86_400)) == 1
    assert len(candles(granularity=3_600)) == 7


@pytest.mark.parametrize(("granularity", "count"), [(86_400, 2), (3_600, 25), (120, 721)])
def test_more_than_a_day_of_candles_is_refused(candles, granularity, count):
    with pytest.raises(ValidationFailed) as error:
        candles(granularity=granularity, count=count)
    assert error.value.errors[0]["field"] == "count"


def test_what_is_no_symbol_or_no_time_is_refused(ticks, candles):
    for ask in (ticks, candles):
        with pytest.raises(SymbolNotFound):
            ask("R_1000")
        with pytest.raises(ValidationFailed) as error:
            ask(end="2026-02-30T00:00:00Z")
        assert error.value.errors[0]["field"] == "end"


def test_old_prices_do_not_push_the_present_ones_out_of_memory(
    desk, clock, market, ticks, candles, statements, monkeypatch
):
    monkeypatch.setattr(feeds, "_PATHS", 2)
    monkeypatch.setattr(feeds, "_HOURS", 2)
    desk.open(desk.trader())
    for back in range(6):
        ticks(end=to_rfc3339(clock.now - timedelta(hours=back)))
    whole = candles(granularity=3_600)
    with statements(desk.db) as seen:
        market.spot("R_100", at=clock.now, now=clock.now)
    assert seen == []
    monkeypatch.undo()
    assert candles(granularity=3_600) == whole


def test_hours_that_are_over_are_computed_once(desk, candles, statements):
    first = candles(granularity=3_600, count=7)
    with statements(desk.db) as seen:
        assert candles(granularity=3_600, count=7) == first
    assert seen == []


def test_looking_makes_no_hours(desk, clock, ticks):
    clock.go(10 * 3600)
    (before,) = desk.rows("SELECT count(*) FROM market_hours")
    assert ticks() == []
    assert desk.rows("SELECT count(*) FROM market_hours") == [before]


def test_a_symbol_that_came_later_has_no_earlier_prices(desk, clock, market, feed):
    late = Hours(make_seed=seed_of("tests"), symbols=ALL)
    clock.go(2 * 3600)
    late.prepare(desk.db, now=clock.now)
    request = ListTicksRequest(symbol="R_25", count=1000, end=to_rfc3339(clock.now + timedelta(hours=9)))
    found = public.list_ticks(request, db=desk.db, symbols=ALL, feed=feed, now=clock.now)
    first = from_rfc3339(found["ticks"][0]["at"])
    assert first.minute == first.second == 0
    assert len(found["ticks"]) < 1000
