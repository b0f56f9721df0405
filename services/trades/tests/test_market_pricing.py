"""Prices: Deriv's published payouts to the cent, barriers, ties, and what a quote is worth later."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.settings.env import EnvConfig, SettingError
from trades import rules
from trades.market.port import Price, Terms
from trades.market.pricing import Pricing, agreed, needs_spot, price, pricing_of, probability
from trades.market.symbols import ALL
from trades.rules import YEAR, Refused

HOUSE = Pricing()
R_100 = ALL["R_100"]


def terms(symbol="R_100", contract_type="CALL", seconds=10, stake=1000, **more):
    usual = {"currency": "USD", "amount": seconds, "unit": "s"}
    return Terms(symbol=symbol, contract_type=contract_type, seconds=seconds, stake=stake, **{**usual, **more})


def priced(asked, spot=None, pricing=HOUSE):
    spot = None if spot is None else Decimal(spot)
    return price(asked, symbol=ALL[asked.symbol], spot=spot, pricing=pricing)


@pytest.mark.parametrize(
    ("symbol", "contract_type", "seconds", "stake", "payout"),
    [
        ("1HZ100V", "CALL", 5, 1000, 1953),
        ("1HZ100V", "CALL", 10, 1000, 1954),
        ("1HZ100V", "CALL", 300, 1000, 1955),
        ("1HZ100V", "CALL", 900, 100, 196),
        ("1HZ100V", "CALL", 538, 900, 1761),
        ("1HZ100V", "CALL", 3_600, 1000, 1961),
        ("R_100", "CALL", 21_600, 1000, 1973),
        ("R_10", "CALL", 900, 1000, 1954),
        ("R_10", "PUT", 900, 1000, 1953),
        ("R_100", "CALL", 2, 100, 195),
    ],
)
def test_published_payouts_are_met_to_the_cent(symbol, contract_type, seconds, stake, payout):
    asked = terms(symbol, contract_type, seconds, stake)
    assert priced(asked) == priced(asked, spot="1234.5") == Price(stake=stake, payout=payout)


@pytest.mark.parametrize(
    ("percent", "payout", "stake"), [(0, 1954, 1024), (1, 1916, 1044), (2, 1880, 1064), (3, 1845, 1084)]
)
def test_a_markup_inside_the_price_makes_the_payout_smaller_or_the_stake_larger(percent, payout, stake):
    pricing = Pricing(markup_percent=Decimal(percent))
    assert priced(terms(), pricing=pricing) == Price(stake=1000, payout=payout)
    assert priced(terms(payout=2000, stake=0), pricing=pricing) == Price(stake=stake, payout=2000)


def test_what_was_published_of_older_commissions_and_probabilities_is_met_too():
    assert probability("CALL", symbol=ALL["R_50"], seconds=60) == pytest.approx(
        Decimal("0.4998624304"), abs=Decimal("1e-10")
    )
    older = Pricing(commission=Decimal("0.015"))
    assert priced(terms("R_50", seconds=60, payout=10_000), pricing=older).stake == 5149


@given(
    contract_type=st.sampled_from(["CALL", "PUT"]),
    symbol=st.sampled_from(list(ALL)),
    seconds=st.integers(1, YEAR),
    spot=st.decimals("0.01", "999999", places=2),
)
def test_a_barrier_at_the_spot_is_at_the_money(contract_type, symbol, seconds, spot):
    at_the_money = rules.win_probability(contract_type, sigma=ALL[symbol].sigma, seconds=seconds)
    with_spot = probability(contract_type, symbol=ALL[symbol], seconds=seconds, spot=spot)
    assert probability(contract_type, symbol=ALL[symbol], seconds=seconds) == at_the_money
    assert with_spot == pytest.approx(at_the_money, abs=Decimal("2e-12"))


def test_a_barrier_is_priced_by_its_distance_in_steps():
    spot, strike, seconds = 1511.36, 1511.73, 10
    spread = math.sqrt(seconds / YEAR)
    d2 = math.log(spot / strike) / spread - spread / 2
    expected = 0.5 * math.erfc(-d2 / math.sqrt(2))
    found = probability("CALL", symbol=R_100, seconds=10, spot=Decimal("1511.36"), strike=Decimal("1511.73"))
    assert float(found) == pytest.approx(expected, abs=1e-11)
    relative = priced(terms(barrier="+0.37"), spot="1511.36")
    assert relative == priced(terms(barrier="1511.73"), spot="1511.36")
    assert relative.payout == int(Decimal(1000) / (found + HOUSE.commission) + Decimal("0.5"))


@given(
    offset=st.integers(1, 400),
    seconds=st.integers(2, 86_400),
    symbol=st.sampled_from(list(ALL.values())),
)
def test_a_higher_barrier_is_less_likely_passed_and_both_sides_share_all(offset, seconds, symbol):
    spot = Decimal(5000).quantize(symbol.pip)
    near, far = spot + symbol.pip * offset, spot + 2 * symbol.pip * offset
    usual = {"symbol": symbol, "seconds": seconds, "spot": spot}
    assert probability("CALL", strike=near, **usual) >= probability("CALL", strike=far, **usual)
    both = probability("CALL", strike=near, **usual) + probability("PUT", strike=near, **usual)
    assert both == pytest.approx(1, abs=Decimal("2e-12"))


@pytest.mark.parametrize(
    ("code", "spot", "one", "five"),
    [
        ("R_10", 6_300, ".25", ".11"),
        ("R_25", 2_900, ".22", ".10"),
        ("R_50", 190, ".17", ".08"),
        ("R_100", 1_500, "1.06", ".47"),
        ("1HZ10V", 9_900, "2.3", "1.0"),
        ("1HZ100V", 2_400, ".93", ".42"),
    ],
)
def test_ties_have_the_documented_probability(code, spot, one, five):
    symbol = ALL[code]
    for ticks, percent in ((1, one), (5, five)):
        usual = {"symbol": symbol, "seconds": ticks * symbol.interval, "spot": Decimal(spot)}
        tie = probability("CALLE", **usual) - probability("CALL", **usual)
        assert tie == pytest.approx(probability("PUTE", **usual) - probability("PUT", **usual), abs=Decimal("2e-12"))
        first_order = float(symbol.pip) / (symbol.sigma * spot * math.sqrt(usual["seconds"] / YEAR * 2 * math.pi))
        assert float(tie) == pytest.approx(first_order, rel=1e-3)
        # Published to so many decimals.
        assert abs(tie * 100 - Decimal(percent)) < Decimal((0, (1,), Decimal(percent).as_tuple().exponent))


def test_who_wins_ties_is_paid_less():
    for strict, equal in (("CALL", "CALLE"), ("PUT", "PUTE")):
        assert priced(terms(contract_type=equal), "1500").payout < priced(terms(contract_type=strict), "1500").payout
    assert priced(terms(contract_type="CALLE"), "1500").payout == 1936


def test_at_the_end_the_probability_is_the_result():
    spot = Decimal("1500.00")
    found = {kind: probability(kind, symbol=R_100, seconds=0, spot=spot) for kind in ("CALL", "PUT", "CALLE", "PUTE")}
    assert found == {"CALL": 0, "PUT": 0, "CALLE": 1, "PUTE": 1}
    assert probability("CALL", symbol=R_100, seconds=0, spot=spot, strike=Decimal("1499.99")) == 1


@pytest.mark.parametrize("barrier", ["-1500.00", "-1600"])
def test_a_barrier_below_zero_is_refused(barrier):
    with pytest.raises(Refused) as refused:
        priced(terms(barrier=barrier), "1500.00")
    assert (refused.value.field, refused.value.code) == ("barrier", "out_of_range")


def test_what_cannot_win_has_no_price_without_a_commission():
    far = terms(barrier="+500.00")
    assert priced(far, "1500.00").payout == 83_333
    with pytest.raises(Refused, match="cannot win"):
        priced(far, "1500.00", Pricing(commission=Decimal(0)))


def test_what_wins_almost_surely_offers_no_return():
    sure = priced(terms(barrier="-500.00"), "1500.00")
    assert sure.payout < sure.stake


def test_only_rise_and_fall_have_a_price_without_a_spot():
    assert not needs_spot(terms())
    for asked in (terms(barrier="+1"), terms(contract_type="PUTE")):
        assert needs_spot(asked)
        with pytest.raises(ValueError, match="spot"):
            priced(asked)
    with pytest.raises(ValueError, match="spot"):
        probability("CALLE", symbol=R_100, seconds=10)


def test_a_quote_stands_within_half_the_commission_and_a_better_price_is_given():
    quoted = Price(stake=1000, payout=2000)
    better, same = Price(stake=1000, payout=2001), Price(stake=1000, payout=2000)
    # 0.500 a unit of payout was quoted: up to 0.506 the house bears it.
    slightly, too_far = Price(stake=1000, payout=1977), Price(stake=1000, payout=1976)
    found = [agreed(quoted, present, pricing=HOUSE) for present in (better, same, slightly, too_far)]
    assert found == [better, quoted, quoted, None]
    of_payout = [
        agreed(Price(stake=1000, payout=2000), Price(stake=s, payout=2000), pricing=HOUSE) for s in (990, 1012, 1013)
    ]
    assert of_payout == [Price(stake=990, payout=2000), Price(stake=1000, payout=2000), None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"commission": Decimal(-1)},
        {"commission": Decimal(1)},
        {"markup_percent": Decimal(100)},
        {"tolerance": Decimal("1.1")},
        {"resale_seconds": -1},
    ],
)
def test_constants_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Pricing(**wrong)


def test_the_settings_make_the_pricing_and_what_is_not_set_is_the_house_s():
    assert pricing_of(EnvConfig({}, dotenv=None)) == Pricing()
    given = {"MARKET_COMMISSION": "0.02", "MARKET_MARKUP_PERCENT": "1.5", "MARKET_RESALE_SECONDS": "30"}
    assert pricing_of(EnvConfig({**given, "MARKET_TOLERANCE": "0"}, dotenv=None)) == Pricing(
        commission=Decimal("0.02"), markup_percent=Decimal("1.5"), tolerance=Decimal(0), resale_seconds=30
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKET_COMMISSION", "dear"),
        ("MARKET_COMMISSION", "1"),
        ("MARKET_TOLERANCE", "2"),
        ("MARKET_RESALE_SECONDS", "1.5"),
    ],
)
def test_a_setting_that_makes_no_price_is_named(name, value):
    with pytest.raises(SettingError, match="MARKET_"):
        pricing_of(EnvConfig({name: value}, dotenv=None))
