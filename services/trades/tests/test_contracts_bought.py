"""Rise and Fall, Higher and Lower, and their equals variants, from the quote to the result and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from shared.contracts.envelope import parse
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.errors import PriceMoved
from shared.utils.time import from_rfc3339
from trades.market.builtin import BuiltinMarket

ENTRY = Decimal("1500.00")


class Scripted(BuiltinMarket):
    """Says one spot until it is told another."""

    now = ENTRY

    def _price(self, code, at, *, now):
        return self.now


@pytest.fixture
def scripted(desk):
    desk.through(Scripted)
    yield Scripted
    Scripted.now = ENTRY


def refused(desk, **terms):
    with pytest.raises(ValidationFailed) as error:
        desk.open(desk.trader(), **terms)
    return {(item["field"], item["code"]) for item in error.value.errors}


@pytest.mark.parametrize(
    ("terms", "exit_", "won"),
    [
        ({"contract_type": "CALL"}, "1500.00", False),
        ({"contract_type": "CALLE"}, "1500.00", True),
        ({"contract_type": "CALLE"}, "1499.99", False),
        ({"contract_type": "PUT"}, "1500.00", False),
        ({"contract_type": "PUTE"}, "1500.00", True),
        ({"contract_type": "PUTE"}, "1500.01", False),
        ({"contract_type": "CALL", "barrier": "+0.37"}, "1500.37", False),
        ({"contract_type": "CALL", "barrier": "+0.37"}, "1500.38", True),
        ({"contract_type": "CALL", "barrier": "1499.50"}, "1499.51", True),
        ({"contract_type": None, "direction": "FALL", "barrier": "-0.37"}, "1499.62", True),
        ({"contract_type": "PUT", "barrier": "1500.20"}, "1500.20", False),
    ],
)
def test_a_trade_is_settled_by_its_kind_and_barrier(desk, clock, scripted, terms, exit_, won):
    trade = desk.open(desk.trader(), duration=2, duration_unit="m", **terms)
    clock.now = from_rfc3339(trade["expires_at"])
    scripted.now = Decimal(exit_)

    class Ended(Scripted):
        def _price(self, code, at, *, now):
            return Decimal(exit_) if at == clock.now else ENTRY

    desk.through(Ended)
    desk.settle()
    row = desk.row(trade["id"])
    assert (row["status"], row["payout"]) == (("WON", row["potential_payout"]) if won else ("LOST", 0))
    kind = terms["contract_type"] or "PUT"
    assert (trade["contract_type"], trade["barrier"], trade["direction"]) == (
        kind,
        terms.get("barrier"),
        "RISE" if kind.startswith("CALL") else "FALL",
    )
    for type_ in ("trade_opened", "trade_settled"):
        event = parse(desk.told(type_)[0].to_json()).data
        assert (event.contract_type, event.wins_ties) == (kind.removesuffix("E"), kind.endswith("E"))
        assert event.barrier == terms.get("barrier")


@pytest.mark.parametrize(
    ("terms", "fields"),
    [
        ({"barrier": "nearby"}, {("barrier", "invalid")}),
        ({"barrier": "+0.375"}, {("barrier", "too_many_decimals")}),
        ({"barrier": "+0"}, {("barrier", "zero")}),
        ({"barrier": "+0.10", "contract_type": "CALLE"}, {("barrier", "not_offered")}),
        ({"barrier": "-1700"}, {("barrier", "out_of_range")}),
        ({"barrier": "-900"}, {("barrier", "no_return")}),
        ({"barrier": "0.01", "contract_type": "CALL"}, {("barrier", "no_return")}),
        ({"contract_type": "CALLE", "direction": "FALL"}, {("direction", "contradiction")}),
        ({"stake": None}, {("stake", "required")}),
        ({"payout": "20.00"}, {("payout", "contradiction")}),
        ({"stake": None, "payout": "20.001"}, {("payout", "invalid")}),
        ({"stake": None, "payout": "50000.01"}, {("payout", "payout_too_high")}),
        ({"stake": None, "payout": "0.67"}, {("payout", "too_low")}),
        ({"stake": None, "barrier": "far", "duration": 11}, {("stake", "required"), ("barrier", "invalid")}),
    ],
)
def test_what_is_no_contract_is_refused_by_field(desk, scripted, terms, fields):
    assert refused(desk, **terms) >= fields
    assert desk.rows("SELECT 1 FROM trades") == desk.billing.calls == []


def test_of_an_unknown_symbol_the_barrier_is_not_judged(desk):
    assert refused(desk, symbol="R_1000", barrier="far") == {("symbol", "unknown")}


def test_a_payout_can_be_asked_for_and_the_stake_follows(desk):
    trader = desk.trader(account_markup="2.00")
    promised = desk.quote(trader, stake=None, payout="20.00")
    assert (promised["stake"], promised["payout"], promised["markup"], promised["cost"]) == (
        *("10.24", "20.00"),
        *("0.40", "10.64"),
    )
    trade = desk.open(trader, stake=None, payout="20.00")
    assert (trade["stake"], trade["potential_payout"], trade["markup_applied"]) == ("10.24", "20.00", "0.40")
    assert desk.billing.held[trade["id"]] == 1064


def test_a_quote_says_the_barrier_and_holds_its_price_while_it_is_valid(desk, clock, scripted):
    trader, terms = desk.trader(account_markup="1.00"), {"barrier": "1500.40", "duration": 1, "duration_unit": "m"}
    quoted = desk.quote(trader, **terms)
    assert (quoted["barrier"], quoted["spot"]) == ("1500.40", "1500.00")
    clock.go(15)
    scripted.now = Decimal("1500.01")
    assert Decimal(desk.quote(trader, **terms)["payout"]) < Decimal(quoted["payout"])
    kept = desk.open(trader, proposal_id=quoted["proposal_id"], **terms)
    assert (kept["stake"], kept["potential_payout"]) == (quoted["stake"], quoted["payout"])
    assert (kept["markup_applied"], kept["proposal_id"]) == (quoted["markup"], quoted["proposal_id"])
    clock.go(0.000001)
    late = desk.open(trader, proposal_id=quoted["proposal_id"], **terms)
    assert Decimal(late["potential_payout"]) < Decimal(quoted["payout"])


def test_a_quote_that_the_market_has_left_is_refused_and_nothing_is_held(desk, scripted):
    trader, terms = desk.trader(), {"barrier": "1500.40", "duration": 1, "duration_unit": "m"}
    quoted = desk.quote(trader, **terms)
    scripted.now = Decimal("1500.20")
    with pytest.raises(PriceMoved):
        desk.open(trader, proposal_id=quoted["proposal_id"], **terms)
    assert desk.rows("SELECT 1 FROM trades") == desk.billing.calls == []


def test_a_better_price_than_quoted_is_given_on(desk, scripted):
    trader, terms = desk.trader(), {"barrier": "1500.40", "duration": 1, "duration_unit": "m"}
    by_stake, by_payout = desk.quote(trader, **terms), desk.quote(trader, **terms, stake=None, payout="20.00")
    scripted.now = Decimal("1499.90")
    more = desk.open(trader, proposal_id=by_stake["proposal_id"], **terms)
    assert more["stake"] == by_stake["stake"]
    assert Decimal(more["potential_payout"]) > Decimal(by_stake["payout"])
    cheaper = desk.open(trader, proposal_id=by_payout["proposal_id"], **terms, stake=None, payout="20.00")
    assert cheaper["potential_payout"] == "20.00"
    assert Decimal(cheaper["stake"]) < Decimal(by_payout["stake"])


@pytest.mark.parametrize("text", ["prop_01J8Z0000000000000000000", "x", "prop_", "\N{SNOWMAN}" * 20, "a" * 128])
def test_any_other_text_is_kept_and_promises_nothing(desk, text):
    trade = desk.open(desk.trader(), proposal_id=text)
    assert (trade["proposal_id"], trade["potential_payout"]) == (text, "19.54")


def test_a_quote_for_other_terms_or_of_somebody_else_promises_nothing(desk, scripted):
    one, other = desk.trader(), desk.trader()
    terms = {"barrier": "1500.40", "duration": 1, "duration_unit": "m"}
    quoted = desk.quote(one, **terms)["proposal_id"]
    scripted.now = Decimal("1500.20")
    for trader, changes in ((other, {}), (one, {"stake": "11.00"}), (one, {"barrier": "1500.41"})):
        wanted = {**terms, **changes}
        trade = desk.open(trader, proposal_id=quoted, **wanted)
        assert trade["potential_payout"] == desk.quote(trader, **wanted)["payout"]


def test_a_worse_price_than_the_least_payout_is_refused(desk, scripted):
    trader = desk.trader()
    terms = {"barrier": "+0.40", "duration": 1, "duration_unit": "m"}
    payout = desk.quote(trader, **terms)["payout"]
    assert desk.open(trader, min_payout=payout, **terms)["potential_payout"] == payout
    with pytest.raises(PriceMoved):
        desk.open(trader, min_payout=f"{Decimal(payout) + Decimal('0.01')}", **terms)


def test_a_market_that_sells_for_less_is_paid_less(desk, clock):
    class Cheaper(BuiltinMarket):
        def buy(self, *, reference, terms, now):
            return replace(super().buy(reference=reference, terms=terms, now=now), stake=990)

    desk.through(Cheaper)
    trade = desk.open(desk.trader(account_markup="1.00"))
    assert (trade["stake"], trade["markup_applied"], desk.billing.held[trade["id"]]) == ("9.90", "0.20", 1020)
    (opened,) = desk.told("trade_opened")
    event = parse(opened.to_json()).data
    assert (event.stake, event.markup, event.held) == (990, 20, 1020)
    clock.go(60)
    desk.settle()
    row = desk.row(trade["id"])
    assert row["profit"] == row["payout"] - 990 - 20
    (settled,) = desk.told("trade_settled")
    assert (settled.data["stake"], settled.data["held"]) == (990, 1020)


def test_what_is_bought_is_what_was_agreed_even_if_the_market_moves_in_between(desk, scripted):
    trader, terms = desk.trader(), {"barrier": "1500.40", "duration": 1, "duration_unit": "m"}
    agreed = desk.quote(trader, **terms)["payout"]

    def move(hold_id):
        scripted.now = Decimal("1499.00")

    desk.billing.on_hold = move
    assert desk.open(trader, **terms)["potential_payout"] == agreed
    assert desk.quote(trader, **terms)["payout"] != agreed
