"""The service as a process: what it hears of others ends up on its trades."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.chassis.context import Context, Idempotency
from shared.chassis.testing import eventually
from shared.contracts.billing.events import AccountOpened
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, CommissionRuleChanged
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())
OWNER, CODE, ACCOUNT = new_id(), new_id(), new_id()
TRADER = Context(kind="user", user_id=new_id())


def asked(context: Context, body: str) -> Context:
    return replace(context, idempotency=Idempotency(new_id(), "POST /trades", body))


@pytest.fixture
def trades(run_service: Any, fake_service: Any, publish: Any, rpc: Any) -> Any:
    """Calls trades, which has heard of a trader, his account, his affiliate, the code and the rule."""
    fake_service("billing", hold=lambda hold_id, amount, **_: {"hold_id": hold_id, "amount": amount, "available": 0})
    run_service("trades")
    user = replace(UserRegistered.example(), user_id=TRADER.user_id, referrer_id=OWNER, code_id=CODE)
    affiliate = replace(UserRegistered.example(), user_id=OWNER, referrer_id=None, referral_code=None, code_id=None)
    account = replace(AccountOpened.example(), account_id=ACCOUNT, user_id=TRADER.user_id, account_type="REAL")
    rule = replace(CommissionRuleChanged.example(), owner_id=OWNER, markup_percent="2.00", rule_version=3)
    code = replace(ReferralCodeChanged.example(), code_id=CODE, owner_id=OWNER, markup_percent=None)
    publish(user, subject=TRADER.user_id)
    publish(affiliate, subject=OWNER)
    publish(account, subject=ACCOUNT)
    publish(rule, subject=rule.rule_id, subject_version=3)
    publish(code, subject=CODE)

    def call(method: str, context: Context, **arguments: Any) -> Any:
        return rpc.call("trades", method, ctx=context, **arguments)

    return call


def opened(trades: Any, sql: Any) -> dict[str, Any]:
    def heard() -> bool:
        with sql("trades").cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM rule_copies, code_copies, account_copies WHERE (SELECT count(*) FROM user_copies) = 2"
            )
            return cursor.fetchone() is not None

    eventually(heard)
    terms = {"account_id": ACCOUNT, "symbol": "R_100", "stake": "10.00", "contract_type": "CALL"}
    trade: dict[str, Any] = trades("open_trade", asked(TRADER, "terms"), **terms, duration=1, duration_unit="h")[
        "trade"
    ]
    return trade


def test_a_trade_shows_what_commission_says_of_it_until_it_is_voided(
    trades: Any, publish: Any, sql: Any, broker: Any
) -> None:
    trade = opened(trades, sql)
    assert (trade["markup_percent"], trade["markup_source"]) == ("2.00", "rule")
    trades("close_trade", asked(STAFF, "close"), trade_id=trade["id"], payout="0")

    def earned() -> str:
        return str(trades("get_trade", TRADER, trade_id=trade["id"])["commission_applied"])

    award = replace(CommissionAccrued.example(), award_id=new_id(), trade_id=trade["id"], owner_id=OWNER, amount=39)
    envelope = publish(award, subject=award.award_id)
    publish(award, subject=award.award_id, event_id=envelope.id)
    eventually(lambda: earned() == "0.39")
    voided = trades("void_trade", asked(STAFF, "void"), trade_id=trade["id"], reason="wrong price")["trade"]
    assert (voided["status"], voided["commission_applied"]) == ("CANCELLED", "0.39")
    back = replace(CommissionReversed.example(), award_id=award.award_id, trade_id=trade["id"], amount=39)
    publish(back, subject=award.award_id, subject_version=2)
    eventually(lambda: earned() == "0.00")
    publish(award, subject=award.award_id)
    last = replace(award, award_id=new_id(), amount=1)
    publish(last, subject=last.award_id)
    eventually(lambda: earned() != "0.00")
    assert earned() == "0.01"
    assert broker.parked("trades") == 0


def test_an_award_waits_for_its_trade_and_holds_up_no_other(trades: Any, publish: Any, sql: Any) -> None:
    trade, later = opened(trades, sql), new_id()
    for trade_id in (later, trade["id"]):
        award = replace(CommissionAccrued.example(), award_id=new_id(), trade_id=trade_id, amount=39)
        publish(award, subject=award.award_id)
    eventually(lambda: trades("get_trade", TRADER, trade_id=trade["id"])["commission_applied"] == "0.39")
    with sql("trades").cursor() as cursor:
        cursor.execute(
            "INSERT INTO trades SELECT (t).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object("
            " 'id', %s, 'contract_id', %s, 'commission_applied', 0)) AS t FROM trades t) AS t",
            (later, new_id()),
        )
    eventually(lambda: trades("get_trade", TRADER, trade_id=later)["commission_applied"] == "0.39", timeout=30)
