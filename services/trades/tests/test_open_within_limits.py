"""Openings on an account that is limited: exactly what is left is opened, whoever asks for it at the same time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.chassis.errors import CommitUnknown
from shared.contracts.billing.errors import InsufficientFunds
from shared.contracts.errors import ValidationFailed
from shared.contracts.trades.errors import LimitReached, SelfExcluded
from shared.utils.time import to_rfc3339

LIMITED = 9
"""Statements of an opening on a limited account: the three of any opening, the second of which finds it limited, and
then BEGIN, the key, the limits (locked), what is counted, the trade, COMMIT. The newest results are one more, where
losses in a row are limited."""


def refusal(act):
    with pytest.raises(LimitReached) as error:
        act()
    return error.value.extra


def statuses(desk):
    return Counter(status for (status,) in desk.rows("SELECT status FROM trades"))


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        ({"open_trades_max": 7}, 7),
        ({"stake_per_day": "70.00"}, 7),
        ({"stake_per_day": "79.99"}, 7),
        # Each costs 10.20.
        ({"loss_per_day": "71.40"}, 7),
        ({"loss_per_day": "71.39"}, 6),
        ({"open_trades_max": 9, "stake_per_day": "80.00", "loss_per_day": "75.00"}, 7),
        ({"open_trades_max": 0}, 0),
    ],
)
@pytest.mark.parametrize("set_by", ["staff", "own"])
def test_of_fifty_at_once_exactly_those_are_opened_that_the_limits_allow(
    desk, counter, at_once, limits, allowed, set_by
):
    trader = desk.trader(account_markup="1.02")
    getattr(counter, set_by)(trader, **limits)
    answers = at_once(*[lambda: desk.open(trader)["status"]] * 50)
    assert Counter(answers) == Counter({"OPEN": allowed, "limit_reached": 50 - allowed})
    assert statuses(desk) == Counter({"OPEN": allowed, "REJECTED": 50 - allowed})
    assert len(desk.billing.held) == allowed


def test_accounts_of_one_trader_count_apart(desk, counter, at_once):
    one = desk.trader()
    other = replace(one, account_id=desk.trader().account_id)
    desk.rows("UPDATE account_copies SET user_id = %s WHERE account_id = %s", one.user_id, other.account_id)
    counter.own(one, stop_loss="25.00")
    calls = [lambda: desk.open(one)["status"]] * 25 + [lambda: desk.open(other)["status"]] * 25
    answers = at_once(*calls)
    # 10, 20, 30: the third one reaches it.
    assert Counter(answers[:25]) == Counter({"OPEN": 3, "limit_reached": 22})
    assert answers[25:] == ["OPEN"] * 25


def test_a_refusal_is_kept_and_told_again_with_what_is_left(desk, counter):
    trader = desk.trader()
    counter.staff(trader, stake_per_day="25.00")
    desk.open(trader, stake="20.00")
    key = "the-same-key-0001"
    extra = refusal(lambda: desk.open(trader, key))
    assert extra == {"limit": "stake_per_day", "set_by": "staff", "left": "5.00", "until": "2026-03-03T00:00:00Z"}
    counter.staff(trader)
    assert refusal(lambda: desk.open(trader, key)) == extra
    assert desk.open(trader)["status"] == "OPEN"
    ((rejection,),) = desk.rows("SELECT rejection FROM trades WHERE status = 'REJECTED'")
    assert (rejection["code"], rejection["extra"]) == ("limit_reached", extra)
    assert len(desk.billing.asked("hold")) == 2


def test_the_stricter_of_both_sets_refuses_and_says_whose_it_is(desk, counter):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=2)
    counter.own(trader, open_trades_max=1)
    desk.open(trader)
    assert refusal(lambda: desk.open(trader)) == {"limit": "open_trades_max", "set_by": "self", "left": 0}


@pytest.mark.parametrize(
    ("limits", "terms", "code"),
    [
        ({"stake_min": "10.01"}, {}, "too_low"),
        ({"stake_max": "9.99"}, {}, "too_high"),
        ({"payout_max": "19.53"}, {}, "payout_too_high"),
    ],
)
def test_a_stake_out_of_range_is_a_field_error_and_keeps_nothing(desk, counter, limits, terms, code):
    trader = desk.trader()
    counter.staff(trader, **limits)
    with pytest.raises(ValidationFailed) as error:
        desk.open(trader, "the-same-key-0001", **terms)
    assert [(item["field"], item["code"]) for item in error.value.errors] == [("stake", code)]
    assert desk.rows("SELECT 1 FROM trades") == []
    counter.staff(trader)
    assert desk.open(trader, "the-same-key-0001", **terms)["status"] == "OPEN"


def test_what_is_closed_voided_refused_or_withdrawn_makes_room(desk, counter, clock):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=1, stake_per_day="20.00")
    desk.close(desk.open(trader)["id"], "0")
    voided = desk.open(trader)["id"]
    assert refusal(lambda: desk.open(trader))["limit"] == "open_trades_max"
    desk.void(voided)

    def none(hold_id):
        raise InsufficientFunds

    desk.billing.on_hold = none
    with pytest.raises(InsufficientFunds):
        desk.open(trader)
    desk.billing.on_hold = lambda hold_id: None
    desk.pending(trader)
    assert refusal(lambda: desk.open(trader))["limit"] == "open_trades_max"
    clock.go(10)
    desk.sweep()
    desk.open(trader)
    assert refusal(lambda: desk.open(trader)) == {"limit": "open_trades_max", "set_by": "staff", "left": 0}


def test_a_loss_counts_from_the_opening_until_the_day_ends_and_a_win_makes_room(desk, counter):
    trader = desk.trader()
    counter.staff(trader, loss_per_day="20.00")
    lost, won = desk.open(trader), desk.open(trader)
    assert refusal(lambda: desk.open(trader, stake="0.35"))["left"] == "0.00"
    desk.close(lost["id"], "0")
    assert refusal(lambda: desk.open(trader, stake="0.35"))["left"] == "0.00"
    desk.close(won["id"], "15.00")
    assert refusal(lambda: desk.open(trader, stake="15.01"))["left"] == "15.00"
    assert desk.open(trader, stake="15.00")["status"] == "OPEN"


def test_at_midnight_stakes_and_results_begin_anew_and_open_trades_stay_at_risk(desk, counter, clock):
    trader = desk.trader()
    counter.staff(trader, stake_per_day="30.00", loss_per_day="40.00", open_trades_max=3)
    lost = desk.open(trader, duration=1, duration_unit="d")
    desk.close(lost["id"], "0")
    old = desk.open(trader, duration=1, duration_unit="d")
    desk.open(trader, duration=1, duration_unit="d")
    assert refusal(lambda: desk.open(trader))["limit"] == "stake_per_day"
    clock.now = clock.now.replace(hour=23, minute=59, second=59, microsecond=999_999)
    assert refusal(lambda: desk.open(trader))["limit"] == "stake_per_day"
    clock.go(0.000001)
    today = desk.open(trader, stake="19.00")
    assert desk.row(today["id"])["created_at"].startswith("2026-03-03T00:00:00")
    # Yesterday's two are still at risk, and what was lost yesterday is over: 40 - 20 - 19.
    assert refusal(lambda: desk.open(trader, stake="1.00"))["limit"] == "open_trades_max"
    desk.close(old["id"], "0")
    assert refusal(lambda: desk.open(trader, stake="1.01")) == {
        "limit": "loss_per_day",
        "set_by": "staff",
        "left": "1.00",
    }
    assert desk.open(trader, stake="1.00")["status"] == "OPEN"


def test_a_stop_loss_ends_the_day_and_so_does_a_take_profit(desk, counter, clock):
    loser, winner = desk.trader(), desk.trader()
    counter.own(loser, stop_loss="10.00")
    counter.own(winner, take_profit="5.00")
    desk.close(desk.open(loser)["id"], "0.01")
    desk.close(desk.open(loser)["id"], "9.99")
    assert refusal(lambda: desk.open(loser, stake="1.00"))["limit"] == "stop_loss"
    desk.close(desk.open(winner)["id"], "14.99")
    desk.close(desk.open(winner)["id"], "10.01")
    assert refusal(lambda: desk.open(winner)) == {
        "limit": "take_profit",
        "set_by": "self",
        "left": "0.00",
        "until": "2026-03-03T00:00:00Z",
    }
    clock.go(86_400)
    assert {desk.open(loser)["status"], desk.open(winner)["status"]} == {"OPEN"}


def test_losses_in_a_row_make_a_pause_that_a_profit_ends(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, consecutive_losses=2, cool_down_seconds=600)
    for payout in ("0", "15.00", "0", "9.99"):
        trade = desk.open(trader)
        clock.go(1)
        desk.close(trade["id"], payout)
    until = to_rfc3339(clock.now + timedelta(seconds=600))
    assert refusal(lambda: desk.open(trader)) == {
        "limit": "consecutive_losses",
        "set_by": "self",
        "left": 0,
        "until": until,
    }
    clock.go(599.9)
    refusal(lambda: desk.open(trader))
    clock.go(0.1)
    trade = desk.open(trader)
    desk.void(trade["id"])
    desk.close(desk.open(trader)["id"], "10.00")
    desk.close(desk.open(trader)["id"], "0")
    assert desk.open(trader)["status"] == "OPEN"


def test_who_has_shut_himself_out_opens_nothing_on_any_account_and_what_is_open_settles(desk, counter, clock):
    trader = desk.trader()
    second = replace(trader, account_id=desk.trader().account_id)
    desk.rows("UPDATE account_copies SET user_id = %s WHERE account_id = %s", trader.user_id, second.account_id)
    trade = desk.open(trader)
    counter.own(trader, self_exclusion_until="2026-03-03T00:00:00Z")
    for account in (trader, second):
        with pytest.raises(SelfExcluded) as error:
            desk.open(account)
        assert error.value.extra == {"until": "2026-03-03T00:00:00Z"}
    assert statuses(desk) == Counter({"OPEN": 1, "REJECTED": 2})
    clock.go(60)
    desk.settle()
    assert desk.row(trade["id"])["status"] in ("WON", "LOST")
    clock.go(86_400)
    assert desk.open(trader)["status"] == desk.open(second)["status"] == "OPEN"


def test_a_lost_answer_to_the_commit_of_a_refusal_by_a_limit_heals(desk, counter, lost_commit):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=0)
    with lost_commit(desk.db, 1) as lost:
        refusal(lambda: desk.open(trader))
    assert lost == [CommitUnknown]
    assert statuses(desk) == Counter({"REJECTED": 1})
    assert desk.billing.calls == []


def test_what_an_opening_on_a_limited_account_costs(desk, counter, statements):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=5)
    desk.open(trader)
    with statements(desk.db) as seen:
        desk.open(trader)
    assert len(seen) == LIMITED
