"""Awards end on the affiliate's real account, once, in one ledger transaction each."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from billing.commands.sync_real_account import sync_real_account
from shared.chassis.context import Context
from shared.contracts import schema
from shared.contracts.billing.errors import HoldMismatch
from shared.contracts.billing.events import AccountOpened, TransactionRecorded
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


def test_markup_passes_through_payable_to_an_account_opened_for_it(books, awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    assert awards.accounts(owner) == [("REAL", "USD", 39)]
    assert (awards.kept(owner), awards.house("markup")) == (0, -39)
    data = award.data
    metadata = {"trade_id": data.trade_id, "award_id": data.award_id, "kind": "MARKUP", "payer_id": data.user_id}
    assert awards.lines(owner) == [("COMMISSION", 39, data.trade_id, metadata)]
    entries = books.rows(
        "SELECT a.kind, p.amount FROM postings AS p JOIN accounts AS a ON a.id = p.account_id ORDER BY p.line"
    )
    assert entries == [("house", -39), ("payable", 39), ("payable", -39), ("client", 39)]
    assert books.one("SELECT kind, ref, environment FROM ledger_tx") == ("commission", data.award_id, "real")


def test_a_referral_is_paid_by_the_house(books, awards, owner):
    award = awards.referral(owner)
    awards.credit(award)
    assert (awards.house("commission_expense"), awards.kept(owner)) == (-2500, 0)
    data = award.data
    metadata = {"deposit_id": data.deposit_id, "award_id": data.award_id, "kind": "REFERRAL", "payer_id": data.user_id}
    assert awards.lines(owner) == [("COMMISSION", 2500, data.deposit_id, metadata)]


def test_it_is_told_once_with_the_account_that_was_opened_for_it(books, awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    awards.credit(award, award)
    (opened,), (recorded,) = books.told("account_opened"), books.told("transaction_recorded")
    account = schema.load(AccountOpened, opened.data)
    assert (account.user_id, account.account_type, account.currency) == (owner, "REAL", "USD")
    assert (account.deriv_account_id, account.is_default) == (None, True)
    assert opened.causation_id == recorded.causation_id == award.id
    data = schema.load(TransactionRecorded, recorded.data)
    assert (data.kind, data.ref) == ("commission", award.data.award_id)
    assert [(line.account_id, line.amount, line.balance_after) for line in data.lines] == [(account.account_id, 39, 39)]
    assert awards.accounts(owner) == [("REAL", "USD", 39)]


def test_other_contents_under_the_same_award_are_refused(awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    for change in ({"amount": 40}, {"owner_id": new_id()}, {"currency": "EUR"}):
        with pytest.raises(HoldMismatch):
            awards.credit(dataclasses.replace(award, data=dataclasses.replace(award.data, **change)))
    assert awards.accounts(owner) == [("REAL", "USD", 39)]


def test_a_batch_of_a_hundred_is_numbered_in_its_order_on_one_account(books, awards, owner):
    batch = [awards.accrued(owner, amount) for amount in range(1, 101)]
    awards.credit(*batch, *batch[:5])
    assert awards.accounts(owner) == [("REAL", "USD", 5050)]
    lines = books.rows("SELECT amount, balance_after FROM transactions ORDER BY id")
    assert lines == [(amount, amount * (amount + 1) // 2) for amount in range(1, 101)]
    assert len(awards.told()) == 100


def test_many_batches_for_one_new_owner_at_once_open_one_account(books, awards, owner, at_once):
    batches = [[awards.accrued(owner) for _ in range(5)] for _ in range(50)]
    assert set(at_once(*[partial(awards.credit, *batch) for batch in batches])) == {None}
    assert awards.accounts(owner) == [("REAL", "USD", 250 * 39)]
    assert len(books.told("account_opened")) == 1
    assert len(awards.told()) == 250


def test_the_same_awards_in_many_batches_at_once_are_credited_once(awards, owner, at_once):
    batch = [awards.accrued(owner) for _ in range(10)]
    assert set(at_once(*[partial(awards.credit, *batch)] * 20, threads=10)) == {None}
    assert awards.accounts(owner) == [("REAL", "USD", 390)]


def real_account(books, owner, deriv_account_id, currency="USD", is_default=None):
    sync_real_account(
        books.db,
        Context(kind="user", user_id=owner),
        deriv_account_id=deriv_account_id,
        currency=currency,
        metadata=None,
        is_default=is_default,
        user_id=None,
        allow_unlinked=True,
        now=get_utc_now(),
    )


def balances(books, owner):
    query = "SELECT deriv_account_id, balance FROM accounts WHERE user_id = %s AND account_type = 'REAL' ORDER BY id"
    return books.rows(query, owner)


def test_it_goes_to_the_default_account_if_that_fits_else_to_the_oldest(books, awards, owner):
    for id_ in ("CR1", "CR2"):
        real_account(books, owner, id_)
    real_account(books, owner, "CR3", is_default=True)
    awards.credit(awards.accrued(owner))
    assert balances(books, owner) == [("CR1", 0), ("CR2", 0), ("CR3", 39)]
    real_account(books, owner, "CR4", currency="EUR", is_default=True)
    awards.credit(awards.accrued(owner))
    assert balances(books, owner) == [("CR1", 39), ("CR2", 0), ("CR3", 39), ("CR4", 0)]


def test_an_award_stays_the_same_when_the_default_has_moved_since(books, awards, owner):
    real_account(books, owner, "CR1")
    award = awards.accrued(owner)
    awards.credit(award)
    real_account(books, owner, "CR2", is_default=True)
    awards.credit(award)
    assert balances(books, owner) == [("CR1", 39), ("CR2", 0)]


def test_a_demo_account_or_one_of_another_currency_does_not_do(books, awards, owner):
    books.trader(user_id=owner)
    real_account(books, owner, "CR1", currency="EUR")
    awards.credit(awards.accrued(owner))
    assert awards.accounts(owner) == [("DEMO", "USD", 1_000_000), ("REAL", "EUR", 0), ("REAL", "USD", 39)]
    assert books.one("SELECT count(*) FROM accounts WHERE is_default") == (1,)


def test_each_currency_has_an_account_of_its_own(awards, owner):
    awards.credit(awards.accrued(owner), awards.accrued(owner, 7, "BTC"), awards.accrued(owner))
    assert sorted(awards.accounts(owner)) == [("REAL", "BTC", 7), ("REAL", "USD", 78)]
