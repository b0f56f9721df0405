"""A deposit is completed once, and the first one of a user is known as such."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import partial

from shared.contracts import schema
from shared.contracts.billing.events import DepositCompleted
from shared.utils.ids import new_id


def test_completing_turns_the_very_line_into_an_entry(books, trader, ask, complete, staff):
    line = ask()["transaction"]
    answer = complete(line["id"])
    assert answer == {
        "transaction": {**line, "status": "COMPLETED", "balance_after": "500.00"},
        "replayed": False,
    }
    assert books.money(trader) == (50_000, 0)
    assert books.house("external", environment="real") == -50_000
    (ledger_tx_id,) = books.one("SELECT id::text FROM ledger_tx WHERE kind = 'deposit' AND ref = %s", line["id"])
    assert books.lines(trader) == [("DEPOSIT", "500.00", "500.00")]
    (told,), (recorded,) = books.told("deposit_completed"), books.told("transaction_recorded")
    assert schema.load(DepositCompleted, told.data) == dataclasses.replace(
        DepositCompleted.example(),
        transaction_id=line["id"],
        user_id=trader.user_id,
        account_id=trader.account_id,
        reference="wire 7",
        ledger_tx_id=ledger_tx_id,
    )
    assert (told.subject, told.subject_version, told.actor.user_id) == (line["id"], 2, staff.user_id)
    assert (recorded.subject, recorded.data["kind"]) == (ledger_tx_id, "deposit")
    assert [(one["transaction_id"], one["balance_after"]) for one in recorded.data["lines"]] == [(line["id"], 50_000)]


def test_completing_again_gives_the_same_answer_and_tells_nothing_more(books, trader, ask, complete):
    line = ask()["transaction"]
    first = complete(line["id"])
    assert [complete(line["id"]) for _ in range(3)] == [first] * 3
    assert books.money(trader) == (50_000, 0)
    assert len(books.told("deposit_completed")) == len(books.told("transaction_recorded")) == 1


def test_fifty_completions_at_once_are_one(books, trader, ask, complete, at_once):
    line = ask()["transaction"]
    answers = at_once(*[partial(complete, line["id"])] * 50)
    assert answers == [answers[0]] * 50
    assert answers[0]["transaction"]["status"] == "COMPLETED"
    assert books.money(trader) == (50_000, 0)
    assert len(books.told("deposit_completed")) == len(books.told("transaction_recorded")) == 1


def test_of_fifty_deposits_completed_at_once_exactly_one_is_the_first(books, trader, ask, complete, at_once):
    other = books.real_trader("EUR", user_id=trader.user_id)
    accounts = [trader.account_id, other.account_id] * 25
    lines = [ask("1.00", account_id=account)["transaction"]["id"] for account in accounts]
    assert all(isinstance(answer, dict) for answer in at_once(*[partial(complete, line) for line in lines]))
    told = books.told("deposit_completed")
    assert Counter(event.data["first_real"] for event in told) == {True: 1, False: 49}
    (first,) = [event.subject for event in told if event.data["first_real"]]
    assert books.rows("SELECT user_id::text, transaction_id::text FROM first_deposits") == [(trader.user_id, first)]
    assert (books.money(trader), books.money(other)) == ((2500, 0), (2500, 0))


def test_everybody_has_a_first_deposit_of_his_own_and_a_failed_one_is_none(books, ask, complete, fail):
    other = books.real_trader()
    fail(ask()["transaction"]["id"])
    for account in ({}, {"caller": other.context, "account_id": other.account_id}, {}):
        complete(ask(**account)["transaction"]["id"])
    assert [event.data["first_real"] for event in books.told("deposit_completed")] == [True, True, False]


def test_a_deposit_repays_a_debt_in_the_same_ledger_transaction(books, trader, ask, complete):
    trade_id = new_id()
    complete(ask("10.39")["transaction"]["id"])
    books.hold(trader, 1039, trade_id)
    books.settle(books.settled(trader, trade_id))
    books.post(books.transfer(trader, -1954, environment="real"))
    books.void(books.cancelled(trader, trade_id))
    line = ask("50.00")["transaction"]["id"]
    assert complete(line)["transaction"]["balance_after"] == "50.00"
    assert books.money(trader) == (4085, 0)
    recorded, told = books.told("transaction_recorded")[-1].data, books.told("deposit_completed")[-1].data
    lines = [(one["transaction_id"] == line, one["tx_type"], one["amount"]) for one in recorded["lines"]]
    assert lines == [(True, "DEPOSIT", 5000), (False, "ADJUSTMENT", -915)]
    assert (told["amount"], told["balance_after"]) == (5000, 5000)
    assert books.lines(trader)[-2:] == [("DEPOSIT", "50.00", "50.00"), ("ADJUSTMENT", "-9.15", "40.85")]
