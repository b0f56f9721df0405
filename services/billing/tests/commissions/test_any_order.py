"""Results, voids, awards and their reversals, in any order and any number, end with the same money for everybody.

What somebody is worth is what is on his accounts, less what he owes, and with what is kept for him.
"""

from __future__ import annotations

import dataclasses
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.rules import Account, Leg
from shared.contracts.errors import ServiceUnavailable
from shared.utils.ids import new_id

START, WON, AWARD = 5000, 915, 39
TRADES = 3
EVENTS = [(kind, trade) for kind in ("settle", "void", "accrue", "reverse") for trade in range(TRADES)]
ELSE = [("spend", 0), ("spend", 1), ("freeze", True), ("freeze", False)]


class World:
    """A trader and his affiliate, three trades, and somebody on whom all money can be spent."""

    def __init__(self, books, awards, voided):
        self.books, self.awards, self.voided = books, awards, voided
        self.trader, self.shop = books.real_trader(), books.real_trader()
        self.owner = books.real_trader()
        self.spent = {self.trader.user_id: 0, self.owner.user_id: 0}
        self.version = 1
        books.post(books.transfer(self.trader, START, environment="real"))
        self.trades = [new_id() for _ in range(TRADES)]
        for trade in self.trades:
            books.hold(self.trader, 1039, trade)
        self.accrued = [self.accrue(trade) for trade in self.trades]

    def accrue(self, trade):
        award = self.awards.accrued(self.owner.user_id, AWARD)
        return self.books.received(dataclasses.replace(award.data, trade_id=trade), award.data.award_id)

    def step(self, what, number):
        if what in ("void", "reverse") and number not in self.voided:
            return
        steps = {
            "settle": lambda: self.books.settle(self.books.settled(self.trader, self.trades[number])),
            "void": lambda: self.books.void(self.books.cancelled(self.trader, self.trades[number])),
            "accrue": lambda: self.awards.credit(self.accrued[number]),
            "reverse": lambda: self.awards.take_back(self.awards.reversed(self.accrued[number])),
            "spend": lambda: self.spend((self.trader, self.owner)[number]),
            "freeze": lambda: self.freeze(number),
        }
        steps[what]()

    def freeze(self, is_frozen):
        self.version += 1
        self.awards.say(self.owner.user_id, self.version, is_frozen=is_frozen)

    def spend(self, who):
        balance, held = self.books.money(who)
        amount = balance - held
        if amount:
            legs = [
                Leg(account=Account(who.account_id), amount=-amount, tx_type="ADJUSTMENT"),
                Leg(account=Account(self.shop.account_id), amount=amount, tx_type="ADJUSTMENT"),
            ]
            self.books.post(self.books.transfer(who, 0, environment="real", legs=legs))
            self.spent[who.user_id] += amount

    def worth(self, who):
        awards = self.awards
        balance = sum(amount for _, _, amount in awards.accounts(who.user_id))
        return balance + self.spent[who.user_id] + awards.kept(who.user_id) - awards.debt(who.user_id)


def test_any_order_and_any_repetition_ends_with_the_same_worth(books, awards):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        voided=st.sets(st.integers(0, TRADES - 1)),
        before=st.lists(st.sampled_from(EVENTS + ELSE), max_size=14),
        after=st.permutations(EVENTS + ELSE),
    )
    def check(voided, before, after):
        houses = {purpose: awards.house(purpose) for purpose in ("trading", "markup")}
        world = World(books, awards, voided)
        for step in (*before, *after):
            world.step(*step)
        kept = TRADES - len(voided)
        assert world.worth(world.trader) == START + kept * WON
        assert world.worth(world.owner) == kept * AWARD
        assert awards.house("trading") - houses["trading"] == -kept * (WON + AWARD)
        assert awards.house("markup") - houses["markup"] == 0
        assert books.money(world.trader)[1] == 0

    check()


def test_the_same_at_once(books, awards, at_once):
    world = World(books, awards, {0, 2})
    calls = [partial(world.step, *event) for event in EVENTS]
    answers = at_once(*calls, *calls, threads=8)
    assert set(answers) <= {None, ServiceUnavailable.code}
    for event in EVENTS:
        world.step(*event)
    assert (world.worth(world.trader), world.worth(world.owner)) == (START + WON, AWARD)
