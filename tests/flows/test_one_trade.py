"""The path of a newcomer: register, log in, account, quote, trade, result, money."""

from __future__ import annotations

from decimal import Decimal

from client.http import Http
from shared.chassis.testing import eventually
from tests.flows.driver import Stack, Trader, total


def test_a_trade_settles_and_the_money_is_where_it_belongs(stack: Stack, trader: Trader) -> None:
    assert trader.account()["balance"] == "10000.00"
    quote = trader.http.post("/trades/quotes", trader.terms(), trader.headers)
    assert quote.status == 200, quote
    opened = trader.open(trader.terms())
    assert opened.status == 201, opened
    trade = opened.body
    assert (trade["status"], trade["stake"], trade["payout"]) == ("OPEN", "10.00", None)
    assert trade["potential_payout"] == quote.body["payout"]
    held = trader.account()
    assert Decimal(held["balance"]) - Decimal(held["available"]) in {Decimal("10.00"), Decimal(0)}

    eventually(lambda: trader.settled(trade["id"]), timeout=15)

    done = trader.trade(trade["id"])
    won = Decimal(done["exit_spot"]) > Decimal(done["entry_spot"])
    assert done["status"] == ("WON" if won else "LOST")
    assert done["payout"] == (trade["potential_payout"] if won else "0.00")
    assert Decimal(done["profit"]) == Decimal(done["payout"]) - Decimal("10.00")
    lines = trader.lines()
    assert {line["tx_type"] for line in lines} == {"DEPOSIT", "TRADE_STAKE"} | ({"TRADE_PAYOUT"} if won else set())
    assert all(line["reference"] == trade["id"] for line in lines if line["tx_type"] != "DEPOSIT")
    assert total(lines) == Decimal(trader.account()["balance"])
    assert stack.verify()["violations"] == []


def test_the_markup_of_the_account_is_its_own_line(trader: Trader, staff: dict[str, str], http: Http) -> None:
    changed = http.send(
        "PATCH",
        f"/accounts/{trader.account_id}",
        b'{"markup_percentage": "2.00"}',
        {**staff, "Content-Type": "application/json"},
    )
    assert (changed.status, changed.body["markup_percentage"]) == (200, "2.00")

    def quoted_percent() -> str:
        return str(trader.http.post("/trades/quotes", trader.terms(), trader.headers).body["markup_percent"])

    eventually(lambda: quoted_percent() == "2.00")
    trade = trader.open(trader.terms(stake="25.50")).body
    assert trade["markup_source"] == "account"
    expected = (Decimal(trade["potential_payout"]) * 2 / 100).quantize(Decimal("0.01"))
    assert abs(Decimal(trade["markup_applied"]) - expected) <= Decimal("0.01")
    eventually(lambda: trader.settled(trade["id"]), timeout=15)
    markup = [line for line in trader.lines() if line["tx_type"] == "MARKUP"]
    assert [line["amount"] for line in markup] == [f"-{trade['markup_applied']}"]


def test_staff_close_decides_the_result_once(trader: Trader, staff: dict[str, str], http: Http) -> None:
    trade = trader.open(trader.terms(seconds=3600)).body
    path = f"/trades/{trade['id']}/close"
    key = {"Idempotency-Key": f"close-{trade['id'][:20]}"}
    assert http.post(path, {"payout": "3.21"}, {**trader.headers, **key}).status == 403
    closed = http.post(path, {"payout": "3.21"}, {**staff, **key})
    assert (closed.status, closed.body["status"], closed.body["payout"]) == (200, "CLOSED", "3.21")
    again = http.post(path, {"payout": "3.21"}, {**staff, **key})
    assert (again.status, again.headers.get("idempotent-replayed")) == (200, "true")
    other = http.post(path, {"payout": "4.00"}, {**staff, "Idempotency-Key": f"other-{trade['id'][:20]}"})
    assert (other.status, other.body["code"]) == (409, "settlement_conflict")
    eventually(lambda: trader.account()["balance"] == "9993.21")
    assert trader.account()["available"] == "9993.21"


def test_a_person_sees_only_what_is_his(trader: Trader, http: Http) -> None:
    other = Trader.register(http)
    trade = trader.open(trader.terms(seconds=3600)).body
    for path in (f"/trades/{trade['id']}", f"/accounts/{trader.account_id}"):
        assert http.get(path, other.headers).status == 404
    foreign = other.http.post("/trades", trader.terms(), {**other.headers, "Idempotency-Key": "k" * 20})
    assert foreign.status == 404
    assert [t["id"] for t in http.get("/trades", trader.headers).body["results"]] == [trade["id"]]
    assert http.get("/trades", other.headers).body["results"] == []
