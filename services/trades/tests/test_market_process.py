"""The service as a process: what is asked of the market inside, and a trade from its quote to its sale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.chassis.context import Context, Idempotency
from shared.chassis.testing import eventually
from shared.contracts.billing.events import AccountOpened
from shared.contracts.trades.errors import ProofNotReady, SaleRefused, SymbolNotFound, TradeNotOpen
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339, get_utc_now

ACCOUNT, ANYBODY = new_id(), Context()
TRADER = Context(kind="user", user_id=new_id())


def keyed() -> Context:
    return replace(TRADER, idempotency=Idempotency(new_id(), "POST /trades", "body"))


@pytest.fixture
def trades(run_service: Any, fake_service: Any, publish: Any, rpc: Any, sql: Any) -> Any:
    """Calls trades, which has heard of a trader and his account."""
    fake_service(
        "billing",
        hold=lambda hold_id, amount, **_: {"hold_id": hold_id, "amount": amount, "available": 0},
        release=lambda hold_id, **_: {"hold_id": hold_id, "state": "RELEASED"},
    )
    run_service("trades", MARKET_SYMBOLS="1HZ100V,R_100", MARKET_RESALE_SECONDS="5")
    user = replace(UserRegistered.example(), user_id=TRADER.user_id, referrer_id=None, referral_code=None, code_id=None)
    publish(user, subject=TRADER.user_id)
    publish(replace(AccountOpened.example(), account_id=ACCOUNT, user_id=TRADER.user_id), subject=ACCOUNT)

    def heard() -> bool:
        with sql("trades").cursor() as cursor:
            cursor.execute("SELECT 1 FROM user_copies, account_copies")
            return cursor.fetchone() is not None

    eventually(heard)

    def call(method: str, context: Context = TRADER, **arguments: Any) -> Any:
        return rpc.call("trades", method, ctx=context, **arguments)

    return call


def test_prices_and_seeds_are_for_anybody_and_none_lies_ahead(trades: Any) -> None:
    symbols = trades("list_symbols", ANYBODY)["results"]
    assert [symbol["symbol"] for symbol in symbols] == ["1HZ100V", "R_100"]
    ticks = trades("list_ticks", ANYBODY, symbol="1HZ100V", count=1000, end="2100-01-01T00:00:00Z")["ticks"]
    assert from_rfc3339(ticks[-1]["at"]) <= get_utc_now()
    candles = trades("list_candles", ANYBODY, symbol="1HZ100V", granularity=3600)["candles"]
    assert from_rfc3339(candles[-1]["at"]).minute == 0
    seeds = trades("list_seeds", ANYBODY)["results"]
    assert [hour["seed"] for hour in seeds] == [None, None]
    with pytest.raises(SymbolNotFound):
        trades("list_ticks", ANYBODY, symbol="R_50")


def test_a_trade_is_quoted_opened_valued_and_sold(trades: Any) -> None:
    terms = {"account_id": ACCOUNT, "symbol": "1HZ100V", "contract_type": "CALL", "barrier": "+0.50"}
    terms |= {"payout": "20.00", "duration": 2, "duration_unit": "m"}
    quoted = trades("quote", **terms)
    trade = trades("open_trade", keyed(), **terms, proposal_id=quoted["proposal_id"])["trade"]
    assert (trade["stake"], trade["potential_payout"], trade["barrier"]) == (quoted["stake"], "20.00", "+0.50")
    with pytest.raises(SaleRefused):
        trades("sell_trade", keyed(), trade_id=trade["id"])
    eventually(lambda: trades("get_value", trade_id=trade["id"])["refusal"] is None, timeout=10)
    with pytest.raises(ProofNotReady):
        trades("get_proof", trade_id=trade["id"])
    key = keyed()
    sold = trades("sell_trade", key, trade_id=trade["id"])
    assert (sold["trade"]["status"], sold["replayed"]) == ("CLOSED", False)
    assert trades("sell_trade", key, trade_id=trade["id"]) == {"trade": sold["trade"], "replayed": True}
    with pytest.raises(TradeNotOpen):
        trades("get_value", trade_id=trade["id"])
