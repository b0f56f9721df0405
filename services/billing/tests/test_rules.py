"""Pure arithmetic of settlements and percentages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import rules

AMOUNT = st.integers(0, 10**12)


@given(stake=st.integers(1, 10**12), markup=AMOUNT, payout=AMOUNT, rest=AMOUNT)
def test_a_settlement_moves_exactly_what_the_trade_says_and_no_zeroes(stake, markup, payout, rest):
    moves = rules.settle(stake=stake, markup=markup, payout=payout, held=stake + markup + rest)
    assert sum(move.amount for move in moves) == payout - stake - markup
    assert all(move.amount for move in moves)
    assert {move.tx_type: move.purpose for move in moves}.items() <= {
        "TRADE_STAKE": "trading",
        "MARKUP": "markup",
        "TRADE_PAYOUT": "trading",
    }.items()


@given(stake=st.integers(1, 10**12), markup=AMOUNT, payout=AMOUNT)
def test_a_void_moves_back_on_every_house_account_what_the_settlement_moved(stake, markup, payout):
    amounts = {"stake": stake, "markup": markup, "payout": payout}
    moves = [*rules.settle(**amounts, held=stake + markup), *rules.void(**amounts)]
    for purpose in ("trading", "markup"):
        assert sum(move.amount for move in moves if move.purpose == purpose) == 0
    assert all(move.amount for move in moves)


@pytest.mark.parametrize("percent", ["-0.01", "3.01", "1.005"])
def test_a_markup_outside_of_its_range_or_precision_is_not_allowed(percent):
    assert not rules.is_markup_allowed(Decimal(percent))


@pytest.mark.parametrize("percent", ["0", "0.01", "3", "3.00"])
def test_a_markup_inside_of_its_range_is_allowed(percent):
    assert rules.is_markup_allowed(Decimal(percent))


def test_a_fingerprint_knows_money_and_not_descriptions():
    def make(amount=5, reference="a", currency="USD", **changes):
        client = rules.Leg(account=rules.Account("c"), amount=amount, tx_type="DEPOSIT", reference=reference)
        house = rules.Leg(account=rules.Account("h", "house"), amount=-amount)
        legs = changes.pop("legs", [client, house])
        return rules.LedgerTx(kind="k", ref="r", environment="demo", currency=currency, legs=legs, **changes)

    same = make().fingerprint()
    assert make(reference="b", correlation_id="x").fingerprint() == same
    assert make(legs=list(reversed(make().legs))).fingerprint() == same
    rest = rules.Leg(account=rules.Account("x"), amount=7, tx_type="COMMISSION", is_incidental=True)
    other = rules.Leg(account=rules.Account("y", "house"), amount=-7, is_incidental=True)
    assert make(legs=[*make().legs, rest, other]).fingerprint() == same
    others = [make(amount=6), make(currency="EUR"), make(reverses=("k", "o"))]
    assert len({same, *(other.fingerprint() for other in others)}) == 4


def test_exactly_clients_have_statement_lines():
    for account, tx_type in ((rules.Account("c"), None), (rules.Account("h", "house"), "DEPOSIT")):
        with pytest.raises(ValueError, match="statement lines"):
            rules.Leg(account=account, amount=1, tx_type=tx_type)
