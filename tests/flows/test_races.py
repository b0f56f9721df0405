"""Many at once: money is taken once, and never more than there is."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from tests.flows.driver import Stack, Trader


def test_fifty_opens_that_exceed_the_balance_leave_exactly_the_affordable_ones(stack: Stack, trader: Trader) -> None:
    terms = trader.terms(stake="900.00", seconds=3600)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: trader.open(terms), range(50)))
    assert Counter(answer.status for answer in answers) == {201: 11, 409: 39}
    assert {answer.body["code"] for answer in answers if answer.status == 409} == {"insufficient_funds"}
    account = trader.account()
    assert (account["balance"], account["available"]) == ("10000.00", "100.00")
    assert len({answer.body["id"] for answer in answers if answer.status == 201}) == 11
    assert stack.verify()["violations"] == []


def test_one_key_fifty_times_is_one_trade(trader: Trader) -> None:
    key, terms = uuid.uuid4().hex, trader.terms(stake="10.00", seconds=3600)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: trader.open(terms, key), range(50)))
    assert {answer.status for answer in answers} <= {201, 409}
    made = [answer for answer in answers if answer.status == 201]
    assert len({answer.body["id"] for answer in made}) == 1
    assert sum(answer.headers.get("idempotent-replayed") != "true" for answer in made) == 1
    assert {answer.body["code"] for answer in answers if answer.status == 409} <= {"in_progress"}
    account = trader.account()
    assert Decimal(account["balance"]) - Decimal(account["available"]) == Decimal("10.00")
    again = trader.open(terms, key)
    assert (again.status, again.body["id"]) == (201, made[0].body["id"])
    assert trader.open({**terms, "stake": "11.00"}, key).body["code"] == "idempotency_mismatch"


def test_a_refusal_for_want_of_money_is_repeated_for_its_key(trader: Trader) -> None:
    key, terms = uuid.uuid4().hex, trader.terms(stake="20000.00", seconds=3600)
    first, second = trader.open(terms, key), trader.open(terms, key)
    assert (first.status, first.body["code"]) == (409, "insufficient_funds")
    assert (second.status, second.body["code"]) == (409, "insufficient_funds")
    rejected = trader.http.get("/trades?status=REJECTED", trader.headers).body["results"]
    assert len(rejected) == 1
    assert trader.http.get("/trades", trader.headers).body["results"] == []
