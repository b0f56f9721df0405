"""The market inside, with its hours in the database: all contracts from the price to the proof."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.contracts.errors import NotReady
from shared.contracts.trades.errors import PriceMoved
from trades.market import verifier
from trades.market.builtin import BuiltinMarket
from trades.market.engine import HOUR, hour_of
from trades.market.hours import Hours, seed_of
from trades.market.port import Price, Terms
from trades.market.pricing import Pricing
from trades.market.proof import Settled, available_at, hours_of, proof_of
from trades.market.reveals import published, revealed
from trades.market.symbols import ALL
from trades.rules import Refused


class Scripted(BuiltinMarket):
    """Says the spots that it was given, the last one for ever."""

    spots: tuple[str, ...] = ()

    def _price(self, code, at, *, now):
        first, *rest = self.spots
        self.spots = tuple(rest) or (first,)
        return Decimal(first)


@pytest.fixture
def market(desk, clock):
    desk.tamper("TRUNCATE market_hours, market_levels")
    made = BuiltinMarket(desk.db, Hours(make_seed=seed_of("tests"), symbols=ALL), pricing=Pricing())
    made.prepare(now=clock.now)
    return made


@pytest.fixture
def scripted(desk):
    def make(*spots, **pricing):
        made = Scripted(desk.db, desk.hours, pricing=Pricing(**pricing))
        made.spots = spots
        return made

    return make


def terms(**changes):
    usual = {"symbol": "R_100", "contract_type": "CALL", "stake": 1000, "currency": "USD"}
    return Terms(**{**usual, "seconds": 60, "amount": 1, "unit": "m", **changes})


@pytest.mark.parametrize("code", list(ALL))
def test_every_symbol_is_priced_bought_and_settled(market, clock, code):
    assert market.symbols()[code] is ALL[code]
    asked = terms(symbol=code, contract_type="CALLE")
    price = market.proposal(asked, now=clock.now)
    contract = market.buy(reference="r", terms=asked, now=clock.now)
    assert (contract.stake, contract.payout) == (price.stake, price.payout)
    assert 1930 < price.payout < 1956
    assert -price.spot.as_tuple().exponent == ALL[code].decimals
    clock.now = contract.expires_at
    outcome = market.result(contract, now=clock.now)
    assert outcome.entry_spot == market.spot(code, at=contract.starts_at, now=clock.now)
    assert outcome.won is (outcome.exit_spot >= outcome.entry_spot)


@pytest.mark.parametrize(
    ("contract_type", "barrier", "exit_", "won"),
    [
        ("CALL", None, "1500.00", False),
        ("CALLE", None, "1500.00", True),
        ("PUTE", None, "1500.00", True),
        ("PUTE", None, "1500.01", False),
        ("CALL", "+0.37", "1500.37", False),
        ("CALL", "+0.37", "1500.38", True),
        ("PUT", "-0.37", "1499.63", False),
        ("PUT", "-0.37", "1499.62", True),
        ("PUT", "1501.00", "1500.99", True),
        ("CALL", "1499.00", "1499.01", True),
    ],
)
def test_a_contract_is_decided_by_its_barrier_from_its_own_entry(scripted, clock, contract_type, barrier, exit_, won):
    market = scripted("1500.00", exit_)
    asked = terms(contract_type=contract_type, barrier=barrier)
    contract = market.buy(reference="r", terms=replace(asked, quoted=Price(stake=1, payout=2)), now=clock.now)
    assert (contract.barrier, contract.unit) == (barrier, "m")
    assert market.result(contract, now=contract.expires_at).won is won


def test_a_quote_is_kept_bettered_or_given_up_as_the_market_moves(scripted, clock):
    asked = terms(barrier="+0.50", seconds=10)
    quoted = scripted("1500.00").proposal(replace(asked, barrier="1500.50"), now=clock.now)
    assert quoted == scripted("1500.00").proposal(asked, now=clock.now)
    at = replace(asked, barrier="1500.50", quoted=Price(stake=quoted.stake, payout=quoted.payout))
    cheaper = scripted("1499.90").proposal(at, now=clock.now)
    assert cheaper.payout > quoted.payout
    kept = scripted("1500.01").proposal(at, now=clock.now)
    assert (kept.stake, kept.payout, kept.spot) == (quoted.stake, quoted.payout, Decimal("1500.01"))
    assert scripted("1500.01").proposal(replace(at, quoted=None), now=clock.now).payout < quoted.payout
    with pytest.raises(PriceMoved):
        scripted("1500.10").proposal(at, now=clock.now)
    bought = scripted("1500.10").buy(reference="r", terms=at, now=clock.now)
    assert (bought.stake, bought.payout) == (quoted.stake, quoted.payout)


def test_a_payout_can_be_asked_for(market, clock):
    asked = terms(stake=0, payout=2000)
    found = market.proposal(asked, now=clock.now)
    assert (found.stake, found.payout) == (1023, 2000)
    bought = market.buy(reference="r", terms=asked, now=clock.now)
    assert (bought.stake, bought.payout) == (1023, 2000)


def test_a_barrier_that_is_none_is_refused(market, clock):
    for barrier in ("+0.375", "-99999", "nearby"):
        with pytest.raises(Refused):
            market.proposal(terms(barrier=barrier), now=clock.now)


def test_the_value_follows_the_contract_through_its_life(market, clock):
    contract = market.buy(reference="r", terms=terms(barrier="+0.37"), now=clock.now)
    waiting = market.value(contract, now=clock.now)
    assert (waiting.refusal, waiting.bid, waiting.spot) == ("waiting_for_entry", None, None)
    clock.now = contract.starts_at
    entered = market.value(contract, now=clock.now)
    assert (entered.refusal, entered.spot) == ("at_entry", entered.entry_spot)
    assert entered.barrier == entered.entry_spot + Decimal("0.37")
    clock.go(20)
    running = market.value(contract, now=clock.now)
    assert running.refusal is None
    assert running.spot == market.spot("R_100", at=clock.now, now=clock.now)
    assert 0 < running.bid < contract.payout
    clock.now = contract.expires_at + timedelta(minutes=7)
    outcome, ended = market.result(contract, now=clock.now), market.value(contract, now=clock.now)
    assert (ended.refusal, ended.spot) == ("expired", outcome.exit_spot)
    assert ended.bid == (contract.payout if outcome.won else 0)


def test_commitments_are_public_from_the_start_and_seeds_only_when_their_hour_is_over(desk, market, clock):
    present = hour_of(clock.now)
    before = published(desk.db, first=present - 5, last=present + 5, limit=9, now=clock.now)
    assert [(hour.hour, hour.seed) for hour in before] == [(present + 1, None), (present, None)]
    assert revealed(desk.db, symbol="R_100", first=present - 5, last=present + 5, now=clock.now) == []
    clock.now = clock.now.replace(minute=59, second=59, microsecond=999_999)
    assert published(desk.db, first=present, last=present, limit=9, now=clock.now)[0].seed is None
    clock.go(0.000001)
    after = published(desk.db, first=present, last=present + 1, limit=9, now=clock.now)
    assert [hour.seed for hour in after] == [None, seed_of("tests")(present)]
    assert published(desk.db, first=present, last=present + 1, limit=1, now=clock.now) == after[:1]
    assert [hour.commitment for hour in after] == [hour.commitment for hour in before]
    (hour,) = revealed(desk.db, symbol="R_100", first=present - 5, last=present + 5, now=clock.now)
    assert (hour.hour, hour.seed, hour.opening) == (present, seed_of("tests")(present), Decimal(1500))
    assert revealed(desk.db, symbol="R_1", first=present, last=present, now=clock.now) == []


def test_the_proof_of_a_contract_can_be_had_when_its_last_hour_is_over_and_is_right(desk, market, clock, caplog):
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        clock.go(HOUR)
        market.prepare(now=clock.now)
    clock.now = clock.now.replace(minute=59, second=30)
    contract = market.buy(reference="r", terms=terms(barrier="-0.40"), now=clock.now)
    clock.now = contract.expires_at
    outcome = market.result(contract, now=clock.now)
    symbol = ALL["R_100"]
    settled = Settled(
        result="won" if outcome.won else "lost",
        entry_spot=outcome.entry_spot,
        exit_spot=outcome.exit_spot,
        paid=contract.payout if outcome.won else 0,
    )
    needed = hours_of(contract, symbol=symbol)

    def proof():
        hours = revealed(desk.db, symbol="R_100", first=needed[0], last=needed[-1], now=clock.now)
        return proof_of(contract, settled, symbol=symbol, currency="USD", hours=hours, now=clock.now)

    ready_at = available_at(contract, symbol=symbol)
    assert ready_at == clock.now.replace(minute=0, second=0) + timedelta(hours=1)
    clock.now = ready_at - timedelta(microseconds=1)
    with pytest.raises(NotReady):
        proof()
    clock.now = ready_at
    public = published(desk.db, first=0, last=10**6, limit=9, now=clock.now)
    known = {hour.hour: hour.commitment.hex() for hour in public}
    found = json.loads(json.dumps(proof()))
    assert [hour["hour"] for hour in found["hours"]] == list(needed)
    assert verifier.verify(found, known) == ([], [])
    for seed in (hour["seed"] for hour in found["hours"]):
        assert seed not in caplog.text
