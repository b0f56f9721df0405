"""Demo accounts: one per user and currency, opened by an entry."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from billing.commands.open_demo_account import open_demo_account
from shared.chassis.context import Context, Idempotency, use
from shared.contracts import schema
from shared.contracts.billing.events import AccountOpened
from shared.contracts.errors import IdempotencyMismatch, Unauthorized, ValidationFailed
from shared.contracts.money import CURRENCIES
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


@pytest.fixture
def user():
    return Context(kind="user", user_id=new_id())


@pytest.fixture
def ask(books, user):
    def call(currency="USD", caller=user):
        with use(caller):
            return open_demo_account(books.db, caller, currency=currency, now=get_utc_now())

    return call


def test_it_opens_with_ten_thousand_by_an_entry_from_demo_funding(books, ask, user):
    answer = ask()
    account = answer["account"]
    assert answer["created"] is True
    assert (account["balance"], account["available"], account["is_default"]) == ("10000.00", "10000.00", True)
    assert (account["account_type"], account["currency"], account["user_id"]) == ("DEMO", "USD", user.user_id)
    assert (account["markup_percentage"], account["deriv_account_id"], account["metadata"]) == (None, None, {})
    assert books.house("funding") == -1_000_000
    assert books.rows("SELECT tx_type, amount, status FROM transactions") == [("DEPOSIT", 1_000_000, "COMPLETED")]


def test_asking_again_gives_the_same_account_and_no_more_money(books, ask):
    first, second = ask(), ask()
    assert second == {"account": first["account"], "created": False}
    assert books.house("funding") == -1_000_000
    assert len(books.told("account_opened")) == 1


def test_asking_fifty_times_at_once_opens_one(books, ask, at_once):
    answers = at_once(*[ask] * 50)
    assert [answer["created"] for answer in answers].count(True) == 1
    assert len({answer["account"]["id"] for answer in answers}) == 1
    assert books.house("funding") == -1_000_000


def test_only_one_of_two_first_accounts_opened_at_once_is_the_default(books, ask, at_once):
    codes = [code for code, decimals in CURRENCIES.items() if decimals == 2]
    answers = at_once(*[partial(ask, code) for code in codes])
    assert all(answer["created"] for answer in answers)
    assert [answer["account"]["is_default"] for answer in answers].count(True) == 1


@pytest.mark.parametrize("currency", [code for code, decimals in CURRENCIES.items() if decimals != 2])
def test_currencies_of_other_decimals_are_a_field_error(books, ask, currency):
    with pytest.raises(ValidationFailed) as refused:
        ask(currency)
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [("currency", "unsupported")]
    assert books.rows("SELECT id FROM accounts") == []


def test_it_is_told_with_the_terms_that_trades_needs_and_with_the_entry(books, ask, user):
    account = ask()["account"]
    (opened,), (recorded,) = books.told("account_opened"), books.told("transaction_recorded")
    assert schema.load(AccountOpened, opened.data) == dataclasses.replace(
        AccountOpened.example(), account_id=account["id"], user_id=user.user_id
    )
    assert opened.data.keys() == schema.dump(AccountOpened.example()).keys()
    assert (opened.subject, opened.subject_version) == (account["id"], 1)
    assert (opened.actor.user_id, opened.correlation_id) == (user.user_id, user.correlation_id)
    assert recorded.data["kind"] == "demo_opening"
    assert [line["balance_after"] for line in recorded.data["lines"]] == [1_000_000]


def test_an_idempotency_key_belongs_to_one_request(ask, user):
    def keyed(request_hash):
        return dataclasses.replace(user, idempotency=Idempotency("a-key-of-16-chars", "/accounts/demo", request_hash))

    first = ask(caller=keyed("one"))
    assert ask(caller=keyed("one"))["account"] == first["account"]
    with pytest.raises(IdempotencyMismatch):
        ask("EUR", caller=keyed("two"))


def test_one_key_for_two_currencies_at_once_opens_only_one(books, ask, user, at_once):
    callers = [
        (currency, dataclasses.replace(user, idempotency=Idempotency("a-key-of-16-chars", "/accounts/demo", currency)))
        for currency in ("USD", "EUR", "GBP", "AUD")
    ]
    answers = at_once(*[partial(ask, currency, caller) for currency, caller in callers])
    assert answers.count("idempotency_mismatch") == 3
    assert len(books.rows("SELECT id FROM accounts WHERE kind = 'client'")) == 1


def test_nobody_and_the_system_have_no_demo_account(ask):
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            ask(caller=Context(kind=kind))
