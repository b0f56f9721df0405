"""What affiliates earned from a trade: each award once, whatever arrives in which order and how often."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.errors import NotReady
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339


@pytest.fixture
def settled(desk, clock):
    def make():
        trade = desk.open(desk.trader(account_markup="2.00"))
        desk.close(trade["id"], "19.54")
        return trade["id"]

    return make


def applied(desk, *trades):
    return [desk.row(trade_id)["commission_applied"] for trade_id in trades]


def test_an_award_is_added_once(desk, settled):
    trade_id, award_id = settled(), new_id()
    desk.apply(desk.awarded(trade_id, award_id, 30))
    desk.apply(desk.awarded(trade_id, award_id, 30), desk.awarded(trade_id, award_id, 30))
    assert applied(desk, trade_id) == [30]
    desk.apply(desk.awarded(trade_id, new_id(), 9))
    assert applied(desk, trade_id) == [39]


def test_an_award_that_is_taken_back_leaves_nothing(desk, settled):
    trade_id, award_id = settled(), new_id()
    desk.apply(desk.awarded(trade_id, award_id))
    desk.apply(desk.taken_back(trade_id, award_id), desk.taken_back(trade_id, award_id))
    assert applied(desk, trade_id) == [0]
    desk.apply(desk.taken_back(trade_id, award_id))
    assert applied(desk, trade_id) == [0]


def test_an_award_that_comes_after_its_reversal_changes_nothing(desk, settled):
    trade_id, award_id = settled(), new_id()
    before = desk.row(trade_id)
    desk.apply(desk.taken_back(trade_id, award_id))
    assert desk.row(trade_id) == before
    desk.apply(desk.awarded(trade_id, award_id))
    assert desk.row(trade_id) == before
    assert desk.rows("SELECT sign, amount FROM applied_awards ORDER BY sign") == [(-1, 39), (1, 39)]


def test_the_public_amount_follows_and_the_version_stays(desk, settled, clock):
    trade_id = settled()
    was, events = desk.row(trade_id), desk.rows("SELECT count(*) FROM outbox")
    clock.go(5)
    desk.apply(desk.awarded(trade_id, new_id()))
    found = desk.close(trade_id, "19.54")["trade"]
    assert found["commission_applied"] == "0.39"
    assert from_rfc3339(found["updated_at"]) == clock.now
    assert desk.row(trade_id)["version"] == was["version"]
    assert desk.rows("SELECT count(*) FROM outbox") == events
    desk.void(trade_id)
    (told,) = desk.told("trade_cancelled")
    assert told.subject_version == was["version"] + 1


def test_a_voided_trade_shows_its_commission_until_it_is_taken_back(desk, settled):
    trade_id, award_id = settled(), new_id()
    desk.apply(desk.awarded(trade_id, award_id))
    assert desk.void(trade_id)["trade"]["commission_applied"] == "0.39"
    desk.apply(desk.taken_back(trade_id, award_id))
    assert desk.void(trade_id)["trade"]["commission_applied"] == "0.00"


def test_a_trade_that_is_not_here_is_waited_for(desk, settled):
    trade_id, award_id = settled(), new_id()
    for event in (desk.awarded(new_id(), new_id()), desk.taken_back(new_id(), new_id())):
        with pytest.raises(NotReady):
            desk.apply(desk.awarded(trade_id, award_id), event)
    assert applied(desk, trade_id) == [0]
    assert desk.rows("SELECT 1 FROM applied_awards") == []


def test_an_award_in_another_currency_is_refused(desk, settled):
    trade_id = settled()
    with pytest.raises(ValueError, match="is in EUR, its trade in USD"):
        desk.apply(desk.awarded(trade_id, new_id(), currency="EUR"))
    assert applied(desk, trade_id) == [0]


def test_batches_of_the_same_awards_at_once_count_each_once(desk, settled, at_once):
    trades = [settled() for _ in range(10)]
    events = [desk.awarded(trade_id, new_id(), 2) for trade_id in trades for _ in range(5)]
    backwards = events[::-1]
    answers = at_once(*[lambda: desk.apply(*events), lambda: desk.apply(*backwards)] * 5)
    assert answers == [None] * 10
    assert applied(desk, *trades) == [10] * 10


def test_any_order_ends_the_same(desk, settled):
    """Awards on two trades, some of them taken back: every order, every repetition, cut into any batches."""
    trades = [settled(), settled()]
    award = st.fixed_dictionaries(
        {"trade": st.integers(0, 1), "amount": st.integers(1, 10**6), "reversed": st.booleans()}
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(given_awards=st.lists(award, min_size=1, max_size=5), data=st.data())
    def check(given_awards, data):
        before, expected, events = applied(desk, *trades), [0, 0], []
        for one in given_awards:
            trade_id, award_id = trades[one["trade"]], new_id()
            events.append(desk.awarded(trade_id, award_id, one["amount"]))
            if one["reversed"]:
                events.append(desk.taken_back(trade_id, award_id, one["amount"]))
            else:
                expected[one["trade"]] += one["amount"]
        repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
        left = data.draw(st.permutations([*events, *repeated]))
        while left:
            size = data.draw(st.integers(1, len(left)))
            # As the door does with a batch: by type, each in its order of arrival.
            for type_ in ("commission_accrued", "commission_reversed"):
                some = [event for event in left[:size] if event.envelope.type == type_]
                if some:
                    desk.apply(*some)
            left = left[size:]
        after = applied(desk, *trades)
        assert [now - was for now, was in zip(after, before, strict=True)] == expected

    check()
