"""A proposal's id holds its price for a stated time, and says nothing of anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades.market.port import Price, Terms
from trades.market.quotes import price_of, proposal_id_of

NOW = datetime(2026, 3, 2, 10, 20, 30, 250_000, tzinfo=UTC)
TERMS = Terms(
    symbol="R_100", contract_type="CALL", stake=1000, currency="USD", seconds=10, amount=5, unit="t", barrier="+0.37"
)
PRICE = Price(stake=1000, payout=1954)


def made(price=PRICE, terms=TERMS, account_id="a", valid_until=NOW + timedelta(seconds=15), secret=b"s"):
    return proposal_id_of(price, terms=terms, account_id=account_id, valid_until=valid_until, secret=secret)


def read(proposal_id, terms=TERMS, account_id="a", secret=b"s", now=NOW):
    return price_of(proposal_id, terms=terms, account_id=account_id, secret=secret, now=now)


@given(stake=st.integers(1, 10**15), payout=st.integers(1, 10**15))
def test_the_price_comes_back_until_the_stated_instant(stake, payout):
    price = Price(stake=stake, payout=payout)
    proposal_id = made(price)
    assert read(proposal_id) == read(proposal_id, now=NOW + timedelta(seconds=15)) == price
    assert read(proposal_id, now=NOW + timedelta(seconds=15, microseconds=1)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"symbol": "R_50"},
        {"contract_type": "PUT"},
        {"stake": 1001},
        {"payout": 1000},
        {"currency": "EUR"},
        {"seconds": 20},
        {"amount": 10},
        {"unit": "s"},
        {"barrier": "-0.37"},
        {"barrier": None},
    ],
)
def test_for_other_terms_it_says_nothing(other):
    assert read(made(), terms=replace(TERMS, **other)) is None


def test_for_another_account_or_another_secret_it_says_nothing():
    assert read(made(), account_id="b") is None
    assert read(made(), secret=b"t") is None


@given(st.integers(0, 65), st.characters())
def test_a_changed_id_says_nothing(position, character):
    proposal_id = made()
    at = len("prop_") + position
    changed = proposal_id[:at] + character + proposal_id[at + 1 :]
    # The last character carries bits that say nothing.
    assert changed == proposal_id or position == 65 or read(changed) is None


@pytest.mark.parametrize(
    "text", ["", "prop_", "prop_01JA8X", "x" * 128, "prop_" + "=" * 66, "\u00e9", "prop_" + "A" * 66]
)
def test_any_other_text_says_nothing(text):
    assert read(text) is None


def test_two_quotes_have_two_ids_that_fit_where_ids_go():
    assert made() != made()
    assert made().startswith("prop_")
    assert len(made()) == 71
