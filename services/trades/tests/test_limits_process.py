"""The service as a process: limits, halts and statistics over RPC, and the trade that they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.chassis.context import Context, Idempotency
from shared.chassis.testing import eventually
from shared.contracts.billing.events import AccountOpened
from shared.contracts.trades.errors import LimitReached, TradingHalted
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())
TRADER = Context(kind="user", user_id=new_id())
ACCOUNT = new_id()
TERMS = {"account_id": ACCOUNT, "symbol": "R_100", "stake": "10.00", "contract_type": "CALL", "duration_seconds": 3600}


@pytest.fixture
def trades(run_service: Any, fake_service: Any, publish: Any, rpc: Any) -> Any:
    """Calls trades, which has heard of a trader and his account."""
    fake_service(
        "billing",
        hold=lambda hold_id, amount, **_: {"hold_id": hold_id, "amount": amount, "available": 0},
        get_account=lambda account_id: {"id": account_id, "available": "15.00"},
    )
    run_service("trades")
    user = replace(UserRegistered.example(), user_id=TRADER.user_id, referrer_id=None, code_id=None)
    publish(replace(user, referral_code=None), subject=TRADER.user_id)
    account = replace(AccountOpened.example(), account_id=ACCOUNT, user_id=TRADER.user_id, markup_percentage=None)
    publish(account, subject=ACCOUNT)

    def call(method: str, context: Context, **arguments: Any) -> Any:
        return rpc.call("trades", method, ctx=context, **arguments)

    return call


def heard(sql: Any) -> bool:
    with sql("trades").cursor() as cursor:
        cursor.execute("SELECT 1 FROM user_copies, account_copies")
        return cursor.fetchone() is not None


def opened(trades: Any) -> Any:
    return trades("open_trade", replace(TRADER, idempotency=Idempotency(new_id(), "POST /trades", "x")), **TERMS)


def test_limits_halts_preview_and_statistics_are_about_the_trades_there_are(trades: Any, sql: Any) -> None:
    eventually(lambda: heard(sql))
    assert trades("preview", TRADER, **TERMS)["refusals"] == []
    trades("set_account_limits", STAFF, account_id=ACCOUNT, open_trades_max=1)
    trades("set_self_limits", TRADER, account_id=ACCOUNT, stake_per_day="30.00")
    trade = opened(trades)["trade"]
    with pytest.raises(LimitReached) as refused:
        opened(trades)
    assert refused.value.extra == {"limit": "open_trades_max", "set_by": "staff", "left": 0}
    (foreseen,) = trades("preview", TRADER, **TERMS)["refusals"]
    assert (foreseen["code"], foreseen["limit"]) == ("limit_reached", "open_trades_max")

    close = replace(STAFF, idempotency=Idempotency(new_id(), "close", "x"))
    trades("close_trade", close, trade_id=trade["id"], payout="0")
    assert trades("get_limits", TRADER, account_id=ACCOUNT)["left"]["stake_per_day"] == "20.00"
    (line,) = trades("get_statistics", STAFF, user_id=TRADER.user_id)["results"]
    assert (line["trades"], line["lost"], line["profit"]) == (1, 1, "-10.00")

    trades("halt_trading", STAFF, reason="late prices", symbol="R_100")
    with pytest.raises(TradingHalted):
        opened(trades)
    assert [halt["symbol"] for halt in trades("list_halts", TRADER)["results"]] == ["R_100"]
    assert trades("resume_trading", STAFF, symbol="R_100") == {"resumed": True}
    assert opened(trades)["trade"]["status"] == "OPEN"
    with sql("trades").cursor() as cursor:
        cursor.execute("SELECT routing_key FROM outbox WHERE routing_key !~ '^trade_' ORDER BY seq")
        told = [row[0] for row in cursor.fetchall()]
    assert told == ["limits_changed", "limits_changed", "trading_halted", "trading_resumed"]
