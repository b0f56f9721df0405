"""Which indices there are, and how one joins a market that already runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.contracts.errors import NotReady
from shared.settings.env import EnvConfig, SettingError
from trades.market import verifier
from trades.market.builtin import BuiltinMarket
from trades.market.engine import HOUR, hour_of
from trades.market.hours import Hours
from trades.market.symbols import ALL, FIRST_LEVEL, OFFERED, symbols_of


def test_names_volatilities_intervals_and_decimals_are_those_of_the_indices():
    assert {code: (s.title, s.sigma, s.interval, s.decimals) for code, s in ALL.items()} == {
        "R_10": ("Volatility 10 Index", 0.1, 2, 3),
        "R_25": ("Volatility 25 Index", 0.25, 2, 3),
        "R_50": ("Volatility 50 Index", 0.5, 2, 4),
        "R_75": ("Volatility 75 Index", 0.75, 2, 4),
        "R_100": ("Volatility 100 Index", 1.0, 2, 2),
        "1HZ10V": ("Volatility 10 (1s) Index", 0.1, 1, 2),
        "1HZ15V": ("Volatility 15 (1s) Index", 0.15, 1, 3),
        "1HZ25V": ("Volatility 25 (1s) Index", 0.25, 1, 2),
        "1HZ30V": ("Volatility 30 (1s) Index", 0.3, 1, 3),
        "1HZ50V": ("Volatility 50 (1s) Index", 0.5, 1, 2),
        "1HZ75V": ("Volatility 75 (1s) Index", 0.75, 1, 2),
        "1HZ90V": ("Volatility 90 (1s) Index", 0.9, 1, 3),
        "1HZ100V": ("Volatility 100 (1s) Index", 1.0, 1, 2),
    }
    assert {code: symbol.code for code, symbol in ALL.items()} == {code: code for code in ALL}
    assert (ALL["R_10"].pip, ALL["R_100"].pip) == (Decimal("0.001"), Decimal("0.01"))


def test_whoever_checks_has_the_same_table():
    own = {code: (s.sigma, s.interval, s.decimals, str(FIRST_LEVEL[code])) for code, s in ALL.items()}
    assert own == verifier.SYMBOLS


def test_settings_say_what_is_offered():
    def offered(**values: str) -> list[str]:
        return list(symbols_of(EnvConfig(values, dotenv=None)))

    assert offered() == list(ALL)
    assert offered(MARKET_SYMBOLS="R_100, 1HZ10V") == ["R_100", "1HZ10V"]
    for wrong in ("R_100,EURUSD", ",", ""):
        with pytest.raises(SettingError, match="MARKET_SYMBOLS"):
            offered(MARKET_SYMBOLS=wrong)


@pytest.fixture
def wider(desk):
    """The same market with all symbols; the hours that are there were made with three."""
    return BuiltinMarket(desk.db, Hours(make_seed=bytes_of, symbols=ALL))


def bytes_of(hour: int) -> bytes:
    return hour.to_bytes(32, "big")


def levels(desk, column, hour):
    return dict(desk.rows(f"SELECT symbol, {column} FROM market_levels WHERE hour = %s", hour))


def test_a_symbol_joins_with_the_next_hour_made_at_its_first_level(desk, wider, clock):
    present = hour_of(clock.now)
    before = levels(desk, "closing", present + 1)
    assert set(before) == set(OFFERED)
    clock.go(HOUR)
    wider.prepare(now=clock.now)
    assert levels(desk, "opening", present + 2) == {**FIRST_LEVEL, **before}
    assert desk.violations() == {}
    clock.go(HOUR)
    assert wider.spot("R_75", at=clock.now, now=clock.now) > 0


def test_of_the_hours_before_it_came_a_symbol_has_no_price(desk, wider, clock):
    assert set(wider.symbols()) == set(ALL)
    for at in (clock.now, clock.now.replace(minute=0)):
        with pytest.raises(NotReady):
            wider.spot("R_75", at=at, now=clock.now)
        assert wider.spot("R_100", at=at, now=clock.now) == desk.market.spot("R_100", at=at, now=clock.now)


def test_a_symbol_that_is_not_offered_any_more_goes_on_for_its_contracts(desk, wider, clock):
    clock.go(HOUR)
    wider.prepare(now=clock.now)
    clock.go(HOUR)
    narrower = BuiltinMarket(desk.db, Hours(make_seed=bytes_of))
    narrower.prepare(now=clock.now)
    clock.go(HOUR)
    assert "R_75" not in narrower.symbols()
    later = hour_of(clock.now)
    assert levels(desk, "opening", later) == levels(desk, "closing", later - 1)
    assert set(levels(desk, "opening", later)) == set(ALL)
    assert narrower.spot("R_75", at=clock.now, now=clock.now) > 0
    assert desk.violations() == {}


def test_levels_of_symbols_that_this_version_does_not_know_are_left_alone(desk, wider, clock):
    present = hour_of(clock.now)
    desk.tamper("INSERT INTO market_levels VALUES (%s, 'R_1000', 1, 2)", present + 1)
    clock.go(HOUR)
    wider.prepare(now=clock.now)
    assert "R_1000" not in levels(desk, "opening", present + 2)
    assert wider.spot("R_100", at=clock.now, now=clock.now) > 0
