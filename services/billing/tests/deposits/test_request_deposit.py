"""Deposits are asked for by the owner of a real account, and wait."""

from __future__ import annotations

import dataclasses
from collections import Counter
from functools import partial

import pytest
from psycopg2 import errors

from shared.chassis.context import Context
from shared.contracts import schema
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.events import DepositRequested
from shared.contracts.errors import IdempotencyMismatch, Unauthorized, ValidationFailed


def refusals(call):
    with pytest.raises(ValidationFailed) as refused:
        call()
    return [(error["field"], error["code"]) for error in refused.value.errors]


def test_a_request_is_a_pending_line_and_moves_nothing(books, trader, ask):
    answer = ask()
    line = answer["transaction"]
    assert answer["replayed"] is False
    assert (line["tx_type"], line["amount"], line["status"], line["balance_after"]) == (
        *("DEPOSIT", "500.00", "PENDING"),
        None,
    )
    assert (line["account_id"], line["user_id"], line["reference"]) == (trader.account_id, trader.user_id, "wire 7")
    assert books.money(trader) == (0, 0)
    assert books.rows("SELECT id FROM ledger_tx") == []
    (told,) = books.told("deposit_requested")
    assert schema.load(DepositRequested, told.data) == dataclasses.replace(
        DepositRequested.example(),
        transaction_id=line["id"],
        user_id=trader.user_id,
        account_id=trader.account_id,
        amount=50_000,
        reference="wire 7",
    )
    assert (told.subject, told.subject_version, told.actor.user_id) == (line["id"], 1, trader.user_id)
    assert books.lines(trader, status="PENDING") == [("DEPOSIT", "500.00", None)]


def test_only_an_own_real_account_takes_an_amount_above_nothing(books, trader, ask, staff):
    demo, bitcoin = books.trader(user_id=trader.user_id), books.real_trader("BTC")
    assert refusals(partial(ask, account_id=demo.account_id)) == [("account_id", "not_real")]
    assert refusals(partial(ask, "0.00", account_id=demo.account_id)) == [
        ("account_id", "not_real"),
        ("amount", "too_low"),
    ]
    for amount, code in (("0", "too_low"), ("0.001", "invalid"), ("9" * 15, "invalid"), ("1e3", "invalid")):
        assert refusals(partial(ask, amount)) == [("amount", code)]
    line = ask("0.00000001", caller=bitcoin.context, account_id=bitcoin.account_id)["transaction"]
    assert (line["amount"], line["currency"]) == ("0.00000001", "BTC")
    for caller in (bitcoin.context, staff):
        with pytest.raises(AccountNotFound):
            ask(caller=caller)
    with pytest.raises(Unauthorized):
        ask(caller=Context(kind="anonymous"))
    assert len(books.told("deposit_requested")) == 1


def test_a_key_makes_one_request_however_many_come_at_once(books, trader, ask, at_once, keyed):
    answers = at_once(*[partial(ask, caller=keyed(trader.context, "same"))] * 50)
    assert Counter(answer["replayed"] for answer in answers) == {False: 1, True: 49}
    assert len({answer["transaction"]["id"] for answer in answers}) == 1
    assert len(books.told("deposit_requested")) == 1
    with pytest.raises(IdempotencyMismatch):
        ask("1.00", caller=keyed(trader.context, "other"))
    assert ask()["transaction"]["id"] != ask()["transaction"]["id"]


def test_a_replayed_request_shows_what_became_of_it(trader, ask, complete, keyed):
    caller = keyed(trader.context, "same")
    line = ask(caller=caller)["transaction"]
    completed = complete(line["id"])["transaction"]
    assert ask(caller=caller) == {"transaction": completed, "replayed": True}


def test_a_line_that_waits_keeps_what_it_is_about(books, ask):
    ask()
    for statement in (
        "DELETE FROM transactions",
        "UPDATE transactions SET amount = 1",
        "UPDATE transactions SET account_id = id",
        "UPDATE transactions SET reference = 'x'",
        "UPDATE first_deposits SET user_id = transaction_id",
        "DELETE FROM first_deposits",
        "TRUNCATE first_deposits",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            books.rows(statement)
