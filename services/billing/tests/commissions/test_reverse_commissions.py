"""Awards that are taken back: from where they are, and as a debt where they are gone."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from billing.rules import Account, Leg
from shared.contracts.billing.errors import HoldMismatch
from shared.utils.ids import new_id


def spend(books, owner):
    """Leaves nothing on the owner's only account."""
    account_id, balance = books.one(
        "SELECT id::text, balance FROM accounts WHERE user_id = %s AND kind = 'client'", owner
    )
    trader = books.real_trader()
    legs = [
        Leg(account=Account(account_id), amount=-balance, tx_type="ADJUSTMENT"),
        Leg(account=Account(trader.account_id), amount=balance, tx_type="ADJUSTMENT"),
    ]
    books.post(books.transfer(trader, 0, environment="real", legs=legs))


def test_the_mirror_goes_the_whole_way_back(books, awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    awards.take_back(awards.reversed(award))
    assert awards.accounts(owner) == [("REAL", "USD", 0)]
    assert (awards.kept(owner), awards.house(), awards.debt(owner)) == (0, 0, 0)
    tx_type, amount, reference, metadata = awards.lines(owner)[-1]
    assert (tx_type, amount, reference) == ("COMMISSION", -39, award.data.trade_id)
    assert metadata == {
        "trade_id": award.data.trade_id,
        "award_id": award.data.award_id,
        "kind": "MARKUP",
        "payer_id": award.data.user_id,
        "reversed": True,
    }
    linked = "SELECT t.ref, o.kind, o.ref FROM ledger_tx AS t JOIN ledger_tx AS o ON o.id = t.reverses"
    assert books.one(linked) == (award.data.award_id, "commission", award.data.award_id)


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("steps", sorted(set(itertools.permutations(["credit", "credit", "back", "back"]))), ids=str)
def test_any_order_and_repetition_ends_the_same(awards, owner, steps, is_frozen):
    if is_frozen:
        awards.say(owner, 2, is_frozen=True)
    award = awards.accrued(owner)
    calls = {"credit": partial(awards.credit, award), "back": partial(awards.take_back, awards.reversed(award))}
    for step in steps:
        calls[step]()
    assert awards.accounts(owner) == ([] if is_frozen else [("REAL", "USD", 0)])
    assert (awards.kept(owner), awards.house(), awards.debt(owner)) == (0, 0, 0)
    assert awards.told() == ["commission", "commission_reversal"]


def test_what_is_gone_is_a_debt_that_the_next_award_repays(books, awards, owner):
    award = awards.accrued(owner, 100)
    awards.credit(award)
    spend(books, owner)
    awards.take_back(awards.reversed(award))
    assert (awards.accounts(owner), awards.debt(owner)) == ([("REAL", "USD", 0)], 100)
    awards.credit(awards.accrued(owner, 70), awards.accrued(owner, 70))
    assert (awards.accounts(owner), awards.debt(owner)) == ([("REAL", "USD", 40)], 0)
    assert [(tx_type, amount) for tx_type, amount, *_ in awards.lines(owner)[-4:]] == [
        ("COMMISSION", 70),
        ("ADJUSTMENT", -70),
        ("COMMISSION", 70),
        ("ADJUSTMENT", -30),
    ]


def test_what_is_kept_for_a_frozen_owner_is_taken_from_there(awards, owner):
    paid = awards.accrued(owner, 10)
    awards.credit(paid)
    awards.say(owner, 2, is_frozen=True)
    kept, other = awards.accrued(owner, 20), awards.accrued(owner, 40)
    awards.credit(kept, other)
    awards.take_back(awards.reversed(kept))
    assert (awards.accounts(owner), awards.kept(owner)) == ([("REAL", "USD", 10)], 40)
    awards.take_back(awards.reversed(paid))
    assert (awards.accounts(owner), awards.kept(owner)) == ([("REAL", "USD", 0)], 40)
    awards.say(owner, 3, is_frozen=False)
    assert (awards.accounts(owner), awards.kept(owner)) == ([("REAL", "USD", 40)], 0)


def test_what_was_kept_and_has_been_paid_out_since_comes_from_the_account(awards, owner):
    awards.say(owner, 2, is_frozen=True)
    award = awards.accrued(owner)
    awards.credit(award, awards.accrued(owner, 5))
    awards.say(owner, 3, is_frozen=False)
    awards.take_back(awards.reversed(award))
    assert (awards.accounts(owner), awards.kept(owner)) == ([("REAL", "USD", 5)], 0)


def test_what_is_kept_since_does_not_pay_for_what_was_paid_out_before(awards, owner):
    awards.say(owner, 2, is_frozen=True)
    one, two = awards.accrued(owner, 30), awards.accrued(owner, 10)
    awards.credit(one)
    awards.say(owner, 3, is_frozen=False)
    awards.say(owner, 4, is_frozen=True)
    awards.credit(two)
    awards.take_back(awards.reversed(one), awards.reversed(two))
    assert awards.accounts(owner)[0][2] - awards.debt(owner) + awards.kept(owner) == 0


def test_it_comes_from_the_account_that_it_went_to(books, awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    books.rows("UPDATE accounts SET is_default = false WHERE user_id = %s", owner)
    other = books.real_trader(user_id=owner)
    awards.credit(awards.accrued(owner, 5))
    assert books.money(other) == (5, 0)
    awards.take_back(awards.reversed(award))
    assert (awards.accounts(owner), awards.debt(owner)) == ([("REAL", "USD", 0), ("REAL", "USD", 5)], 0)


def test_a_batch_of_many_with_duplicates_for_frozen_and_free_owners(awards, owner):
    frozen = new_id()
    awards.say(frozen, 2, is_frozen=True)
    batch = [awards.accrued(who, amount) for who in (owner, frozen) for amount in (1, 2, 3)]
    awards.credit(*batch[::2])
    back = [awards.reversed(award) for award in batch]
    awards.take_back(*back, *back)
    awards.take_back(*back)
    awards.credit(*batch)
    assert (awards.accounts(owner), awards.accounts(frozen)) == ([("REAL", "USD", 0)], [])
    assert (awards.kept(owner), awards.kept(frozen), awards.house()) == (0, 0, 0)
    assert (awards.told().count("commission"), awards.told().count("commission_reversal")) == (6, 6)


def test_other_contents_than_the_award_in_the_books_are_refused(awards, owner):
    award = awards.accrued(owner)
    awards.credit(award)
    for change in ({"amount": 40}, {"owner_id": new_id()}, {"currency": "EUR"}):
        with pytest.raises(HoldMismatch):
            awards.take_back(awards.reversed(award, **change))
    assert awards.accounts(owner) == [("REAL", "USD", 39)]


def test_many_at_once_for_one_frozen_owner_never_take_more_than_is_kept(awards, owner, at_once):
    awards.say(owner, 2, is_frozen=True)
    batch = [awards.accrued(owner) for _ in range(20)]
    awards.credit(*batch)
    calls = [partial(awards.take_back, awards.reversed(award)) for award in batch[:15]]
    assert set(at_once(*calls, *calls, threads=10)) == {None}
    assert (awards.kept(owner), awards.accounts(owner)) == (5 * 39, [])
