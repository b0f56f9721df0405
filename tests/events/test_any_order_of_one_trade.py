"""The life of one trade, its money and its people: the few events of it in every order that can be thought of."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.events.business import Business
from tests.events.delivery import Delivery, InOrder, Shuffled
from tests.events.ends import End, differences, end_of
from tests.events.snapshot import Snapshot
from tests.events.world import World

GIVEN = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
CHANCE = st.randoms(use_true_random=False)
AWARDS = ("commission_accrued", "referral_commission_accrued", "commission_reversed")


@dataclass(frozen=True)
class Life:
    """What was told of a trade, the way back to before it was heard of, and how it ended in order."""

    world: World
    events: list[dict[str, Any]]
    before: Snapshot
    end: End

    def comes(self, chance: random.Random, times: int) -> None:
        """In any order, and ends the same."""
        self.before.restore()
        Delivery(self.world, Shuffled(chance, times=times)).run(self.events)
        assert differences(self.end, end_of(self.world)) == {}
        assert self.world.violations() == []


@pytest.fixture
def life(world: World, snapshot: Callable[[], Snapshot], request: pytest.FixtureRequest) -> Life:
    """A trader who was referred, his first deposit, and a trade of his that was won and then voided.

    Where commission is `decided` it has heard of both, so that its awards and their reversal are there to come in any
    order; else they are made on the way.
    """
    world.databases.empty()
    world.told.clear()
    business = Business(world)
    with business.open():
        affiliate = business.register("affiliate")
        business.rule(affiliate, "5", "2")
        trader = business.register("trader", business.codes[affiliate])
        account = business.real(trader)
        business.deposit(trader, account, "100.00")
        business.inform("trades")
        trade = business.trade(trader, account, "50.00")
        business.close(trade, trade["potential_payout"])
        business.rule(affiliate, "6", "1")
        business.void(trade)
        if request.param == "decided":
            business.inform("commission")
            for type_ in ("deposit_completed", "trade_settled", "trade_cancelled"):
                business.hear("commission", type_)
    events, before = business.events(), snapshot()
    assert {event["type"] for event in events} >= set(AWARDS if request.param == "decided" else ())
    Delivery(world, InOrder(business.heard)).run(events)
    assert world.violations() == []
    return Life(world, events, before, end_of(world))


@pytest.mark.parametrize("life", ["decided", "undecided"], indirect=True)
@given(chance=CHANCE, times=st.integers(1, 3))
@GIVEN
def test_any_order_and_repetition_ends_the_same(life: Life, chance: random.Random, times: int) -> None:
    life.comes(chance, times)
