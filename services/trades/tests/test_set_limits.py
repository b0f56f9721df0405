"""Setting limits: who may, what is shown of them, and what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.chassis.context import Context, use
from shared.contracts import schema
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.envelope import parse
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.contracts.trades.limits import GetLimitsRequest, LimitsView, SetAccountLimitsRequest
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339
from trades.commands.get_limits import get_limits
from trades.commands.set_account_limits import set_account_limits

NONE = dict.fromkeys(
    (
        *("stake_min", "stake_max", "payout_max", "open_trades_max", "stake_per_day", "loss_per_day"),
        *("stop_loss", "take_profit", "consecutive_losses", "cool_down_seconds"),
    )
)


def refused_fields(error):
    return {(item["field"], item["code"]) for item in error.value.errors}


def test_an_account_without_limits_has_the_houses(desk, counter):
    trader = desk.trader()
    found = counter.limits(trader)
    assert set(found) == set(LimitsView.__annotations__)
    assert found["staff"] == found["own"] == NONE
    assert found["effective"] == {**NONE, "stake_min": "0.35", "payout_max": "50000.00"}
    assert set(found["left"].values()) == {None}
    assert (found["pending"], found["paused_until"], found["self_exclusion_until"]) == ([], None, None)
    assert found["today"] == {
        "day": "2026-03-02",
        "open_trades": 0,
        "at_risk": "0.00",
        "staked": "0.00",
        "profit": "0.00",
    }


def test_limits_say_whose_they_are_what_counts_and_what_is_left(desk, counter, clock):
    trader = desk.trader(account_markup="1.02")
    counter.staff(trader, stake_min="1.00", stake_max="100.00", open_trades_max=3, loss_per_day="50.00")
    counter.own(
        trader, stake_max="20.00", open_trades_max=5, stake_per_day="45.00", stop_loss="30.00", take_profit="8.00"
    )
    desk.close(desk.open(trader)["id"], "15.00")
    desk.open(trader)
    found = counter.limits(trader)
    assert found["effective"] == {
        **NONE,
        "stake_min": "1.00",
        "stake_max": "20.00",
        "payout_max": "50000.00",
        "open_trades_max": 3,
        "stake_per_day": "45.00",
        "loss_per_day": "50.00",
        "stop_loss": "30.00",
        "take_profit": "8.00",
    }
    assert found["today"] == {
        "day": "2026-03-02",
        "open_trades": 1,
        "at_risk": "10.20",
        "staked": "20.00",
        "profit": "4.80",
    }
    assert found["left"] == {
        "open_trades_max": 2,
        "stake_per_day": "25.00",
        "loss_per_day": "44.60",
        "stop_loss": "24.60",
        "take_profit": "3.20",
        "consecutive_losses": None,
    }


def test_a_pause_is_shown_until_it_is_over(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, consecutive_losses=1)
    desk.close(desk.open(trader)["id"], "0")
    found = counter.limits(trader)
    assert found["own"]["cool_down_seconds"] == 86_400
    assert found["paused_until"] == to_rfc3339(clock.now + timedelta(days=1))
    assert found["left"]["consecutive_losses"] == 0
    clock.go(86_400)
    assert counter.limits(trader)["paused_until"] is None


def test_limits_are_their_owners_and_staffs_to_see(desk, counter):
    owner, other = desk.trader(), desk.trader()
    request = GetLimitsRequest(account_id=owner.account_id)
    ports = {"db": desk.db, "billing": desk.billing, "conditions": desk.conditions}
    with use(Context(kind="staff", user_id=new_id())):
        assert get_limits(request, **ports) == counter.limits(owner)
    with pytest.raises(AccountNotFound):
        counter.limits(owner, by=other)
    with use(Context()), pytest.raises(Unauthorized):
        get_limits(request, **ports)


def test_only_staff_limit_an_account_and_only_its_owner_himself(desk, counter):
    owner, other = desk.trader(), desk.trader()
    request = SetAccountLimitsRequest(account_id=owner.account_id, open_trades_max=0)
    with use(owner.context), pytest.raises(Forbidden):
        set_account_limits(request, db=desk.db, billing=desk.billing, conditions=desk.conditions)
    with pytest.raises(AccountNotFound):
        counter.own(replace(other, account_id=owner.account_id), open_trades_max=0)
    assert counter.limits(owner)["effective"]["open_trades_max"] is None


def test_an_account_not_heard_of_is_asked_of_billing(desk, counter):
    known = desk.trader()
    trader = replace(known, account_id=new_id())
    desk.billing.terms[trader.account_id] = {
        "account_id": trader.account_id,
        "user_id": trader.user_id,
        "account_type": "REAL",
        "currency": "BTC",
        "markup_percentage": None,
        "version": 1,
    }
    assert counter.staff(trader, stake_max="0.00000001")["staff"]["stake_max"] == "0.00000001"
    with pytest.raises(AccountNotFound):
        counter.staff(replace(known, account_id=new_id()), stake_max="1")


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        ({"stake_max": "1.001", "stop_loss": "0.0001"}, {("stake_max", "invalid"), ("stop_loss", "invalid")}),
        ({"cool_down_seconds": 60}, {("consecutive_losses", "required")}),
        ({"self_exclusion_until": "2026-13-01T00:00:00Z"}, {("self_exclusion_until", "invalid")}),
        ({"self_exclusion_until": "2026-03-02T10:20:30Z"}, {("self_exclusion_until", "out_of_range")}),
        ({"self_exclusion_until": "2031-03-08T00:00:00Z"}, {("self_exclusion_until", "out_of_range")}),
    ],
)
def test_what_cannot_be_a_limit_is_a_field_error_and_changes_nothing(desk, counter, wanted, refused):
    trader = desk.trader()
    with pytest.raises(ValidationFailed) as error:
        counter.own(trader, **wanted)
    assert refused_fields(error) == refused
    assert (counter.limits(trader)["own"], desk.told("limits_changed")) == (NONE, [])


def test_a_change_is_told_and_no_change_is_not(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, stop_loss="50.00", self_exclusion_until="2026-04-01T00:00:00Z")
    counter.own(trader, stop_loss="50.00", self_exclusion_until="2026-04-01T00:00:00Z")
    counter.own(trader)
    counter.own(trader)
    counter.staff(trader, stake_max="5.00")
    counter.staff(trader, stake_max="5.00")
    first, loosened, by_staff = desk.told("limits_changed")
    for told in (first, loosened, by_staff):
        assert schema.dump(parse(told.to_json()).data) == told.data
        assert told.subject == told.data["account_id"] == trader.account_id
        assert told.data["user_id"] == trader.user_id
    assert [told.subject_version for told in (first, loosened, by_staff)] == [1, 2, 3]
    assert (first.data["set_by"], first.data["changed"]) == ("self", ["stop_loss", "self_exclusion_until"])
    assert (first.data["before"], first.data["after"]) == ({"stop_loss": None}, {"stop_loss": 5000})
    assert first.data["self_exclusion_until"] == "2026-04-01T00:00:00Z"
    in_a_day = to_rfc3339(clock.now + timedelta(days=1))
    assert loosened.data["changed"] == ["stop_loss"]
    assert loosened.data["before"] == loosened.data["after"] == {"stop_loss": 5000}
    assert loosened.data["pending"] == {"stop_loss": {"value": None, "at": in_a_day}}
    assert (by_staff.data["set_by"], by_staff.data["after"]) == ("staff", {"stake_max": 500})
    assert (by_staff.actor.kind, first.actor.user_id) == ("staff", trader.user_id)


def test_changes_at_the_same_time_are_numbered_one_after_the_other_and_none_is_lost(desk, counter, at_once):
    trader = desk.trader()
    answers = at_once(
        *[lambda n=n: counter.own(trader, stake_max=f"{50 - n}.00") for n in range(10)],
        *[lambda n=n: counter.staff(trader, open_trades_max=n) for n in range(10)],
    )
    assert [answer for answer in answers if isinstance(answer, str)] == []
    versions = sorted(told.subject_version for told in desk.told("limits_changed"))
    assert versions == list(range(1, len(versions) + 1))
    # Of all that he wanted the strictest holds, whichever came first.
    assert counter.limits(trader)["own"]["stake_max"] == "41.00"
