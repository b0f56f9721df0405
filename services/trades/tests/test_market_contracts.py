"""What can be bought: barriers, start and end, and who wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades.market.contracts import KINDS, barrier_of, times, wins
from trades.market.engine import instant_of
from trades.market.symbols import ALL
from trades.rules import CONTRACT_OF, DIRECTION_OF, Duration, Refused, duration

R_100, FAST = ALL["R_100"], ALL["1HZ100V"]


@pytest.mark.parametrize(
    ("text", "entry", "level"),
    [
        ("+0.37", "1511.36", "1511.73"),
        ("-0.37", "1511.36", "1510.99"),
        ("+12", "1511.36", "1523.36"),
        ("1511.50", "1511.36", "1511.50"),
        ("1512", "1511.36", "1512"),
        (None, None, None),
    ],
)
def test_a_barrier_with_a_sign_is_counted_from_the_entry_and_one_without_is_a_level(text, entry, level):
    found = barrier_of(text, contract_type="CALL", symbol=R_100)
    assert (found and found.at(Decimal(entry))) == (level and Decimal(level))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("+0.375", "too_many_decimals"),
        ("1511.500", "too_many_decimals"),
        ("+0.00", "zero"),
        ("-0", "zero"),
        ("0.00", "zero"),
        *[
            (text, "invalid")
            for text in ("", "+", "1e3", "NaN", "+ 1", "01", "1.", ".5", "1,5", "--1", "\u0661", "+1\n")
        ],
        ("99999999999", "invalid"),
    ],
)
def test_any_other_barrier_is_refused(text, code):
    with pytest.raises(Refused) as refused:
        barrier_of(text, contract_type="PUT", symbol=R_100)
    assert (refused.value.field, refused.value.code) == ("barrier", code)


def test_a_barrier_has_the_decimals_of_its_symbol():
    assert barrier_of("+0.3755", contract_type="CALL", symbol=ALL["R_50"])
    with pytest.raises(Refused):
        barrier_of("+0.3755", contract_type="CALL", symbol=ALL["R_10"])


def test_contracts_that_win_ties_have_no_barrier():
    for kind in ("CALLE", "PUTE"):
        with pytest.raises(Refused) as refused:
            barrier_of("+0.37", contract_type=kind, symbol=R_100)
        assert (refused.value.field, refused.value.code) == ("barrier", "not_offered")
        assert barrier_of(None, contract_type=kind, symbol=R_100) is None


def test_above_below_and_level():
    strike = Decimal("1500.00")
    above, level, below = (
        {kind: wins(kind, exit_=strike + step, strike=strike) for kind in KINDS}
        for step in (Decimal("0.01"), Decimal("0.00"), Decimal("-0.01"))
    )
    assert above == {"CALL": True, "PUT": False, "CALLE": True, "PUTE": False}
    assert below == {"CALL": False, "PUT": True, "CALLE": False, "PUTE": True}
    assert level == {"CALL": False, "PUT": False, "CALLE": True, "PUTE": True}


def test_each_kind_has_its_direction():
    assert {kind: "RISE" if one.up else "FALL" for kind, one in KINDS.items()} == DIRECTION_OF
    assert {DIRECTION_OF[kind]: kind for kind, one in KINDS.items() if not one.wins_ties} == CONTRACT_OF


@pytest.mark.parametrize(
    ("symbol", "bought", "length", "starts", "expires", "exit_"),
    [
        (R_100, "30.250", (5, "t"), "32", "42", "42"),
        (R_100, "32.000", (1, "t"), "34", "36", "36"),
        (R_100, "31.999", (15, "s"), "32", "47", "46"),
        (FAST, "30.250", (5, "t"), "31", "36", "36"),
        (FAST, "30.000", (15, "s"), "31", "46", "46"),
    ],
)
def test_it_starts_at_the_next_tick_and_ends_its_length_later_at_the_last_tick_by_then(
    symbol, bought, length, starts, expires, exit_
):
    asked = duration(seconds=None, amount=length[0], unit=length[1], tick=symbol.interval)
    found = times(symbol, bought_at=_at(bought), duration=asked)
    assert (found.starts_at, found.expires_at) == (_at(starts), _at(expires))
    assert instant_of(symbol, *found.entry) == _at(starts)
    assert instant_of(symbol, *found.exit) == _at(exit_)


@given(
    symbol=st.sampled_from(list(ALL.values())),
    after=st.timedeltas(timedelta(0), timedelta(days=1000)),
    amount=st.integers(1, 10),
    unit=st.sampled_from("tmhd"),
)
def test_entry_and_exit_are_ticks_after_the_purchase_and_in_order(symbol, after, amount, unit):
    bought_at = _at("0") + after
    length: Duration = duration(seconds=None, amount=amount, unit=unit, tick=symbol.interval)
    found = times(symbol, bought_at=bought_at, duration=length)
    wait = found.starts_at - bought_at
    assert timedelta(0) < wait <= timedelta(seconds=symbol.interval)
    entry, exit_ = (instant_of(symbol, *tick) for tick in (found.entry, found.exit))
    assert entry == found.starts_at
    assert entry < exit_ <= found.expires_at < exit_ + timedelta(seconds=symbol.interval)
    if unit == "t":
        assert exit_ - entry == amount * timedelta(seconds=symbol.interval)


def _at(second: str) -> datetime:
    return datetime(2026, 3, 2, 10, 20, tzinfo=UTC) + timedelta(seconds=float(second))
