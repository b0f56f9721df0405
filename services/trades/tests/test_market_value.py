"""What an open contract is worth on its way, and when it is bought back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades.market.port import Contract
from trades.market.pricing import Pricing, value
from trades.market.symbols import ALL

STARTS = datetime(2026, 3, 2, 10, 20, 32, tzinfo=UTC)
ENTRY = Decimal("1511.36")


def contract(seconds=21_600, symbol="R_100", contract_type="CALL", payout=1973, **more):
    return Contract(
        contract_id="c",
        symbol=symbol,
        contract_type=contract_type,
        stake=1000,
        payout=payout,
        bought_at=STARTS - timedelta(seconds=1),
        starts_at=STARTS,
        expires_at=STARTS + timedelta(seconds=seconds),
        **more,
    )


def worth(one, spot=ENTRY, after=2.0, pricing=Pricing()):  # noqa: B008  (frozen)
    now = STARTS + timedelta(seconds=after)
    return value(one, symbol=ALL[one.symbol], entry=ENTRY, spot=Decimal(spot), now=now, pricing=pricing)


def test_the_published_bid_follows_at_an_unchanged_spot():
    # 9.52 was seen two seconds after the start of a contract of six hours, its spot not recorded.
    assert worth(contract()).bid == 953


def test_the_bid_follows_the_spot_and_the_time_that_is_left():
    one = contract(seconds=60)
    assert worth(one, "1511.90").bid > worth(one, "1511.36").bid > worth(one, "1510.90").bid
    assert worth(one, "1511.90", after=40).bid > worth(one, "1511.90").bid
    assert worth(one, "1511.00", after=40).bid < worth(one, "1511.00").bid
    assert worth(contract(seconds=60, contract_type="PUT"), "1511.90").bid < worth(one, "1511.90").bid
    assert worth(contract(seconds=60, contract_type="CALLE", payout=1973)).bid > worth(one).bid


def test_the_bid_is_the_payout_times_the_fair_probability_less_the_commission():
    one = contract(seconds=62)
    dearer = Pricing(commission=Decimal("0.05"))
    # At the spot, 60 s from the end: N(-v√T/2) = 0.49972.
    assert worth(one).bid == 962
    assert worth(one, pricing=dearer).bid == 887


def test_a_barrier_is_what_the_spot_is_compared_with():
    one = contract(seconds=60, barrier="+0.37")
    assert worth(one).barrier == Decimal("1511.73")
    assert worth(one).bid < worth(contract(seconds=60)).bid
    assert worth(contract(seconds=60, barrier="1500.00")).barrier == Decimal("1500.00")
    # Deep below, the level may be below zero; then it is always passed.
    assert worth(contract(seconds=60, barrier="-1600")).bid == 1949


@given(
    spot=st.decimals("1000", "2000", places=2),
    after=st.floats(0, 119),
    kind=st.sampled_from(["CALL", "PUT", "CALLE", "PUTE"]),
)
def test_a_bid_is_never_negative_and_never_above_the_payout(spot, after, kind):
    assert 0 <= worth(contract(seconds=120, contract_type=kind), spot, after).bid <= 1973


def test_between_two_ticks_the_value_stands_still():
    one = contract(seconds=120)
    assert worth(one, after=4.0).bid == worth(one, after=5.999).bid
    assert worth(one, after=5.999).spot_at == STARTS + timedelta(seconds=4)


@pytest.mark.parametrize(
    ("length", "after", "refusal"),
    [
        (120, 0.0, "at_entry"),
        (120, 1.999, "at_entry"),
        (120, 2.0, None),
        (120, 104.999, None),
        (120, 105.0, "too_late"),
        (120, 119.999, "too_late"),
        (120, 120.0, "expired"),
        (15, 2.0, "too_late"),
    ],
)
def test_it_is_bought_back_between_the_tick_after_the_entry_and_the_last_seconds(length, after, refusal):
    assert worth(contract(seconds=length), after=after).refusal == refusal


def test_lengths_in_ticks_are_not_bought_back():
    ticks = contract(seconds=20, unit="t")
    assert worth(ticks, after=4.0).refusal == "ticks"
    assert worth(ticks, after=20.0).refusal == "expired"


def test_the_last_tick_decides_even_if_the_end_is_a_second_later_and_is_never_sold():
    one = contract(seconds=61)
    any_time = Pricing(resale_seconds=0)
    assert worth(one, "1511.37", after=60.5, pricing=any_time).bid == 1973
    assert worth(one, "1511.36", after=60.5, pricing=any_time).bid == 0
    assert worth(one, "1511.36", after=60.5, pricing=any_time).refusal == "too_late"
    assert worth(one, "1511.37", after=70.0, pricing=any_time).bid == 1973
