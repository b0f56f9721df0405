"""The service as a process: events from the broker, the ladder, calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.billing.events import DepositCompleted
from shared.contracts.commission.errors import RuleNotFound
from shared.contracts.errors import Forbidden, ValidationFailed
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())


@pytest.fixture
def register(publish: Any) -> Any:
    def make(user_id: str, referrer_id: str | None = None) -> None:
        code = None if referrer_id is None else new_id()
        data = dataclasses.replace(
            UserRegistered.example(), user_id=user_id, referrer_id=referrer_id, referral_code=code, code_id=code
        )
        publish(data, subject=user_id, personal={"username": "somebody"})

    return make


def test_a_deposit_of_somebody_unknown_waits_on_the_ladder_until_he_is_known(
    run_service: Any, publish: Any, register: Any, rpc: Any, broker: Any, office: Any
) -> None:
    process = run_service("commission")
    owner, payer = new_id(), new_id()
    register(owner)
    rule = rpc.call("commission", "set_rule", ctx=STAFF, owner_id=owner, referral_percent="5", markup_percent="2")
    early = dataclasses.replace(DepositCompleted.example(), transaction_id=new_id(), user_id=payer)
    publish(early, subject=early.transaction_id)
    other = dataclasses.replace(TradeSettled.example(), trade_id=new_id())
    publish(other, subject=other.trade_id)
    # The others are not held up by it, and nothing is guessed about it.
    eventually(lambda: office.rows("SELECT subject_id::text FROM decisions") == [(other.trade_id,)])
    eventually(lambda: "event deposit_completed failed (transient)" in process.log())
    eventually(lambda: broker.depth("retry.1s") + broker.depth("retry.5s") > 0)
    register(payer, owner)
    eventually(lambda: office.amounts(early.transaction_id) == [2500], timeout=20)
    page = rpc.call(
        "commission", "list_transactions", ctx=Context(kind="user", user_id=owner), reference=early.transaction_id
    )
    assert [view["commission_rule_id"] for view in page["results"]] == [rule["id"]]
    assert broker.parked("commission") == 0


def test_contradictions_and_nonsense_are_parked_and_the_rest_of_the_batch_is_decided(
    run_service: Any, publish: Any, broker: Any, office: Any
) -> None:
    owner = new_id()
    real = dataclasses.replace(TradeSettled.example(), account_type="REAL", affiliate_id=owner)
    good = [dataclasses.replace(real, trade_id=new_id()) for _ in range(5)]
    bad = [dataclasses.replace(real, trade_id=new_id(), markup=-1), dataclasses.replace(good[0], markup=40)]
    cancelled = dataclasses.replace(
        TradeCancelled.example(), trade_id=good[1].trade_id, account_type="REAL", affiliate_id=owner
    )
    # Waiting together before the service starts, so that they are one batch.
    for event in [*good[:3], *bad, cancelled, *good[3:]]:
        publish(event, subject=event.trade_id, subject_version=3)
    run_service("commission")
    eventually(lambda: broker.parked("commission") == 2)
    eventually(lambda: broker.depth("commission.events") == 0)
    # Of two that contradict each other the first one counts: which it is, a delay on the ladder may change.
    assert office.amounts(good[0].trade_id) in ([39], [40])
    assert [office.amounts(trade.trade_id) for trade in good[1:]] == [[39, -39], [39], [39], [39]]
    assert len(office.told("commission_accrued")) == 5


def test_calls_are_checked_and_refusals_are_typed(run_service: Any, register: Any, rpc: Any) -> None:
    run_service("commission", MARKUP_MAX="2.5")
    owner = new_id()
    register(owner)
    percents = {"owner_id": owner, "referral_percent": "5", "markup_percent": "2.5"}
    assert rpc.call("commission", "set_rule", ctx=STAFF, **percents)["version"] == 1
    himself = Context(kind="user", user_id=owner)
    assert rpc.call("commission", "get_rule", ctx=himself, owner_id=owner)["markup_percent"] == "2.50"
    with pytest.raises(RuleNotFound):
        rpc.call("commission", "get_rule", ctx=Context(kind="user", user_id=new_id()), owner_id=owner)
    with pytest.raises(Forbidden):
        rpc.call("commission", "set_rule", ctx=himself, **percents)
    with pytest.raises(ValidationFailed) as refused:
        rpc.call("commission", "set_rule", ctx=STAFF, **{**percents, "markup_percent": "2.51"})
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [("markup_percent", "too_large")]
    for wrong in ("-1", "5.001", "NaN", 5):
        with pytest.raises(ValidationFailed):
            rpc.call("commission", "set_rule", ctx=STAFF, **{**percents, "referral_percent": wrong})
