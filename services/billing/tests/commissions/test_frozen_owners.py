"""A frozen affiliate earns and is not paid; once he is free he gets all that was kept."""

from __future__ import annotations

from functools import partial

import pytest

from billing.commands.update_users import update_users
from shared.contracts import schema
from shared.contracts.billing.events import TransactionRecorded
from shared.utils.time import get_utc_now


@pytest.fixture
def frozen(awards, owner):
    """The owner, of whom our copy says so."""
    awards.say(owner, 2, is_frozen=True)
    return owner


def test_what_he_earns_is_kept_and_no_account_is_opened(books, awards, frozen):
    award = awards.accrued(frozen)
    awards.credit(award, awards.referral(frozen), award)
    assert awards.accounts(frozen) == []
    assert (awards.kept(frozen), awards.house("markup"), awards.house("commission_expense")) == (2539, -39, -2500)
    assert books.told("account_opened") == []
    assert awards.told() == ["commission", "commission"]
    assert [event.data["lines"] for event in books.told("transaction_recorded")] == [[], []]


def test_once_he_is_free_it_is_paid_out_in_one_ledger_transaction_per_currency(books, awards, frozen):
    awards.credit(awards.accrued(frozen), awards.accrued(frozen), awards.accrued(frozen, 7, "BTC"))
    event = awards.say(frozen, 3, is_frozen=False)
    assert sorted(awards.accounts(frozen)) == [("REAL", "BTC", 7), ("REAL", "USD", 78)]
    assert (awards.kept(frozen), awards.kept(frozen, "BTC")) == (0, 0)
    assert sorted(awards.lines(frozen)) == [
        ("COMMISSION", 7, None, {"payout": True}),
        ("COMMISSION", 78, None, {"payout": True}),
    ]
    paid = [schema.load(TransactionRecorded, told.data) for told in books.told("transaction_recorded")[3:]]
    assert {one.ref for one in paid} == {f"{frozen}:USD:3", f"{frozen}:BTC:3"}
    assert {one.kind for one in paid} == {"payout"}
    assert {told.causation_id for told in books.told("transaction_recorded")[3:]} == {event.id}
    assert len(books.told("account_opened")) == 2


def test_hearing_it_again_pays_nothing_more(awards, frozen):
    awards.credit(awards.accrued(frozen))
    for version, is_frozen in ((3, False), (3, False), (2, True), (4, False)):
        awards.say(frozen, version, is_frozen=is_frozen)
    assert awards.accounts(frozen) == [("REAL", "USD", 39)]
    assert awards.told() == ["commission", "payout"]


def test_an_award_heard_again_after_that_is_the_same_one(awards, frozen):
    award = awards.accrued(frozen)
    awards.credit(award)
    awards.say(frozen, 3, is_frozen=False)
    awards.credit(award)
    assert awards.accounts(frozen) == [("REAL", "USD", 39)]


def test_frozen_again_and_free_again_he_is_paid_again(awards, frozen):
    for version in (3, 5, 7):
        awards.credit(awards.accrued(frozen))
        awards.say(frozen, version, is_frozen=False)
        awards.say(frozen, version + 1, is_frozen=True)
    assert awards.accounts(frozen) == [("REAL", "USD", 3 * 39)]
    assert awards.told().count("payout") == 3


def test_a_batch_that_freezes_and_frees_pays(books, awards, frozen):
    awards.credit(awards.accrued(frozen))
    with books.db.transaction():
        awards.say(frozen, 3, is_frozen=False)
        awards.say(frozen, 2, is_frozen=True)
    assert awards.accounts(frozen) == [("REAL", "USD", 39)]


def test_a_present_state_sent_again_that_frees_him_pays(books, awards, frozen):
    awards.credit(awards.accrued(frozen))
    awards.say(frozen, 3, is_frozen=False, republished=True)
    awards.say(frozen, 3, is_frozen=False)
    assert awards.accounts(frozen) == [("REAL", "USD", 39)]


def test_being_freed_while_awards_come_in_leaves_nothing_behind(books, awards, frozen, at_once):
    batches = [[awards.accrued(frozen) for _ in range(3)] for _ in range(20)]
    calls = [partial(awards.credit, *batch) for batch in batches]
    calls.insert(10, partial(awards.say, frozen, 3, is_frozen=False))
    answers = at_once(*calls, threads=10)
    assert not [answer for answer in answers if isinstance(answer, str)]
    assert awards.accounts(frozen) == [("REAL", "USD", 60 * 39)]
    assert awards.kept(frozen) == 0


def test_a_payout_repays_a_debt_first(awards, books, owner):
    first = awards.accrued(owner, 100)
    awards.credit(first)
    trader = next(iter(books.rows("SELECT id::text FROM accounts WHERE kind = 'client'")))[0]
    books.rows("UPDATE accounts SET floor = 60 WHERE id = %s", trader)
    awards.take_back(awards.reversed(first))
    assert awards.debt(owner) == 60
    awards.say(owner, 2, is_frozen=True)
    awards.credit(awards.accrued(owner, 500))
    assert awards.debt(owner) == 60
    awards.say(owner, 3, is_frozen=False)
    assert awards.debt(owner) == 0
    assert awards.accounts(owner) == [("REAL", "USD", 500)]


def test_those_who_were_never_frozen_are_not_paid_twice(books, awards, owner):
    awards.credit(awards.accrued(owner))
    event = awards.say(owner, 1, is_frozen=False)
    update_users(books.db, [event, event], now=get_utc_now())
    assert awards.told() == ["commission"]
    assert awards.accounts(owner) == [("REAL", "USD", 39)]
