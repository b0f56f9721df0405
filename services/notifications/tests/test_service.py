"""The service as a process: what is published becomes notifications, what is asked is answered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.billing.events import DepositCompleted, DepositFailed
from shared.contracts.commission.events import (
    CommissionAccrued,
    CommissionReversed,
    CommissionRuleChanged,
    ReferralCommissionAccrued,
)
from shared.contracts.errors import Forbidden, ValidationFailed
from shared.contracts.notifications.errors import NotificationNotFound
from shared.contracts.referrals.events import ReferralRegistered
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserLoggedIn, UserLoginFailed, UserRegistered, UserUpdated
from shared.utils.ids import new_id

TRADER = Context(kind="user", user_id=UserRegistered.example().user_id)
AFFILIATE = Context(kind="user", user_id=CommissionAccrued.example().owner_id)
STAFF = Context(kind="staff", user_id=new_id())

FACTS = [
    UserRegistered.example(),
    UserUpdated.example(),
    replace(UserLoggedIn.example(), new_device=True),
    replace(UserLoginFailed.example(), locked_until="2026-01-01T00:00:10Z"),
    DepositCompleted.example(),
    replace(DepositFailed.example(), transaction_id=new_id()),
    TradeSettled.example(),
    TradeCancelled.example(),
    CommissionAccrued.example(),
    replace(ReferralCommissionAccrued.example(), award_id=new_id()),
    CommissionReversed.example(),
    CommissionRuleChanged.example(),
    ReferralRegistered.example(),
]


@pytest.fixture
def service(run_service: Any, rpc: Any) -> Any:
    run_service("notifications")
    return rpc


def kinds(rpc: Any, caller: Context) -> list[str]:
    page = rpc.call("notifications", "list_notifications", ctx=caller, limit=100)
    return sorted(one["data"].get("type") for one in page["results"])


def test_every_event_that_it_hears_is_told_once_however_often_it_comes(
    service: Any, publish: Any, broker: Any, sql: Any
) -> None:
    for version, fact in [*enumerate(FACTS, 1)] * 2:
        personal = {"username": f"alice{version}", "email": "alice@example.org"}
        publish(fact, subject=new_id(), subject_version=version, personal=personal)
    after = replace(TradeSettled.example(), trade_id=new_id())
    publish(after, subject=after.trade_id)
    trader = ["deposit_completed", "deposit_failed", "trade_cancelled", "trade_settled", "trade_settled"]
    trader += ["user_logged_in", "user_login_failed", "user_updated"]
    affiliate = ["commission_accrued", "commission_reversed", "commission_rule_changed", "referral_commission_accrued"]
    affiliate += ["referral_registered"]
    eventually(lambda: kinds(service, TRADER) == trader and kinds(service, AFFILIATE) == affiliate)
    assert eventually(lambda: broker.depth("notifications.events") == 0)
    assert broker.parked("notifications") == 0
    assert service.call("notifications", "count_unread", ctx=TRADER) == 8
    assert service.call("notifications", "count_unread", ctx=AFFILIATE) == 5
    with sql("notifications").cursor() as cursor:
        cursor.execute(
            "SELECT c.user_id::text, version, username, email FROM user_copies c JOIN user_contacts USING (user_id)"
        )
        assert cursor.fetchall() == [(TRADER.user_id, 2, "alice2", "alice@example.org")]


def test_a_bad_event_is_parked_alone_and_those_beside_it_are_told(service: Any, publish: Any, broker: Any) -> None:
    trades = [replace(TradeSettled.example(), trade_id=new_id()) for _ in range(3)]
    publish(trades[0], subject=trades[0].trade_id)
    publish(replace(trades[1], currency="ZZZ"), subject=trades[1].trade_id)
    publish(trades[2], subject=trades[2].trade_id)
    eventually(lambda: len(kinds(service, TRADER)) == 2)
    assert eventually(lambda: broker.parked("notifications") == 1)


def test_it_answers_all_that_it_promises(service: Any, publish: Any) -> None:
    def ask(method: str, caller: Context = TRADER, **arguments: Any) -> Any:
        return service.call("notifications", method, ctx=caller, **arguments)

    publish(UserRegistered.example(), subject=new_id())
    trades = [replace(TradeSettled.example(), trade_id=new_id()) for _ in range(3)]
    for trade in trades:
        publish(trade, subject=trade.trade_id)
    eventually(lambda: ask("count_unread") == 3)
    made = ask("create", STAFF, user_id=TRADER.user_id, title="Hello", level="warning", data={"a": 1})
    assert ask("get_notification", notification_id=made["id"]) == made
    assert ask("mark_read", notification_id=made["id"]) == {**made, "is_read": True}
    page = ask("list_notifications", unread=True, limit=2)
    assert [one["data"]["trade_id"] for one in page["results"]] == [trade.trade_id for trade in trades[:0:-1]]
    (last,) = ask("list_notifications", unread=True, limit=2, after=page["next"])["results"]
    assert last["data"]["trade_id"] == trades[0].trade_id
    assert ask("mark_all_read") == {"count": 3}
    assert ask("delete", notification_id=made["id"]) == {}
    with pytest.raises(NotificationNotFound):
        ask("delete", notification_id=made["id"])
    assert ask("delete_all") == {"count": 3}
    assert ask("list_notifications") == {"results": [], "has_more": False, "next": None}
    with pytest.raises(Forbidden):
        ask("create", title="Hello")
    with pytest.raises(ValidationFailed) as refused:
        ask("create", STAFF, title="", level="loud")
    assert {error["field"] for error in refused.value.errors} == {"title", "level"}
