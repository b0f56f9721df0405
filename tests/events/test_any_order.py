"""However often and in whatever order all events of a day arrive: it ends as if each had come once and in order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from shared.chassis.batches import Outcome
from shared.chassis.verification import Suspicion
from tests.events.business import Business
from tests.events.delivery import Delivery, InOrder, Shuffled
from tests.events.ends import COPIES, End, differences, end_of
from tests.events.history import TRADES, History
from tests.events.snapshot import Snapshot
from tests.events.world import World

# All of them begin with the same day, which takes longer to make than to deliver.
pytestmark = pytest.mark.xdist_group("any order")


@dataclass(frozen=True)
class Day:
    """What was told of a day that nobody has heard of, the way back to its evening, and how it ended in order."""

    world: World
    business: Business
    events: list[dict[str, Any]]
    evening: Snapshot
    end: End
    faults: list[Suspicion]


@pytest.fixture(scope="module")
def day(world: World, snapshot: Callable[[], Snapshot]) -> Day:
    business = Business(world)
    History(business).make()
    events, evening = business.events(), snapshot()
    Delivery(world, InOrder(business.heard)).run(events)
    return Day(world, business, events, evening, end_of(world), world.violations())


def test_in_order_and_once_it_ends_without_a_fault(day: Day) -> None:
    assert day.faults == []


def test_the_day_is_full_enough_to_prove_something(day: Day) -> None:
    told = Counter(event["type"] for event in day.events)
    assert told["trade_opened"] >= TRADES >= 500
    assert told["trade_settled"] > 450
    assert told["deposit_completed"] > 20
    assert min(told[type_] for type_ in ("deposit_failed", "user_updated", "account_updated", "user_login_failed")) > 0
    voids = Counter(event["data"]["settled"] for event in day.events if event["type"] == "trade_cancelled")
    assert voids[True] > 50
    assert voids[False] > 10
    reasons = dict(day.world.rows("commission", "SELECT reason, count(*) FROM decisions GROUP BY 1"))
    assert reasons.keys() == {None, "demo", "no_affiliate", "no_markup", "no_referrer", "no_rule", "zero"}
    assert reasons[None] > 150


# Once as well: what comes again makes good what was lost because it came too early.
@pytest.mark.parametrize(("times", "seed", "copies"), [(1, 1, True), (3, 2, False), (3, 3, True)])
def test_shuffled_it_ends_the_same(day: Day, times: int, seed: int, copies: bool) -> None:
    day.evening.restore()
    delivery = Delivery(day.world, Shuffled(random.Random(seed), times=times))
    delivery.run(day.events + (day.business.present() if copies else []))
    assert differences(day.end, end_of(day.world)) == {}
    assert day.world.violations() == []
    # Some came too early and waited, and somebody owed what he had spent.
    assert delivery.outcomes[Outcome.TRANSIENT] > 0
    assert day.world.rows("billing", "SELECT count(*) FROM transactions WHERE metadata ? 'debt'")[0][0] > 0


def test_lost_copies_come_back_from_the_present_state_and_nobody_is_told(day: Day) -> None:
    for service, tables in COPIES.items():
        day.world.past_guards(service, *(f"DELETE FROM {table}" for table in tables))
    Delivery(day.world, InOrder()).run(day.business.present())
    assert differences(day.end, end_of(day.world)) == {}
    assert day.world.violations() == []
