"""Copies: the newest version wins, in any order and however often it is told."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id
from trades import copies

CODE = "01920000-0000-7000-8000-000000000077"
REFERRER = "01920000-0000-7000-8000-000000000002"


@pytest.fixture
def received(desk):
    return desk.received


def user_events(received, user_id):
    registered = replace(UserRegistered.example(), user_id=user_id, referrer_id=REFERRER, code_id=CODE)
    updated = replace(UserUpdated.example(), user_id=user_id, referrer_id=REFERRER)
    return [
        received(registered, 1),
        received(replace(updated, is_frozen=True, markup_percentage="1.00"), 2),
        received(replace(updated, is_frozen=False, markup_percentage="2.00"), 3),
    ]


def account_events(received, account_id, user_id):
    opened = replace(AccountOpened.example(), account_id=account_id, user_id=user_id)
    updated = replace(AccountUpdated.example(), account_id=account_id, user_id=user_id)
    return [
        received(opened, 1),
        received(replace(updated, markup_percentage="1.00"), 2),
        received(replace(updated, markup_percentage=None), 3),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_any_order_ends_with_the_newest_state_and_the_code(desk, received, order, together):
    user_id, account_id = new_id(), new_id()
    users, accounts = user_events(received, user_id), account_events(received, account_id, user_id)
    rounds = [[users[i] for i in order] * 2] if together else [[users[i]] for i in (*order, *order)]
    for events in rounds:
        with desk.db.transaction() as tx:
            copies.put_users(tx, events)
    rounds = [[accounts[i] for i in order] * 2] if together else [[accounts[i]] for i in (*order, *order)]
    for events in rounds:
        with desk.db.transaction() as tx:
            copies.put_accounts(tx, events)
    with desk.db.read() as tx:
        found = copies.parties(tx, user_id=user_id, account_id=account_id)
    assert found.user == copies.User(
        user_id=user_id,
        is_active=True,
        is_frozen=False,
        referrer_id=REFERRER,
        code_id=CODE,
        markup_percentage=Decimal("2.00"),
        version=3,
    )
    assert (found.account.markup_percentage, found.account.version) == (None, 3)


def test_what_billing_answered_does_not_undo_a_newer_event(desk, received):
    account_id, user_id = new_id(), new_id()
    events = account_events(received, account_id, user_id)
    terms = {
        "account_id": account_id,
        "user_id": user_id,
        "account_type": "DEMO",
        "currency": "USD",
        "markup_percentage": "3.00",
        "version": 1,
    }
    for version, percent in ((1, None), (4, Decimal("3.00"))):
        with desk.db.transaction() as tx:
            copies.put_accounts(tx, events)
            copies.put_answer(tx, {**terms, "version": version})
        with desk.db.read() as tx:
            assert copies.parties(tx, user_id=user_id, account_id=account_id).account.markup_percentage == percent


def test_the_affiliate_comes_with_his_trader(desk):
    affiliate = desk.user(markup_percentage="1.50")
    trader = desk.trader(referrer_id=affiliate)
    with desk.db.read() as tx:
        found = copies.parties(tx, user_id=trader.user_id, account_id=trader.account_id)
        nobody = copies.parties(tx, user_id=new_id(), account_id=new_id())
    assert (found.affiliate.user_id, found.affiliate.markup_percentage) == (affiliate, Decimal("1.50"))
    assert (nobody.user, nobody.account, nobody.affiliate) == (None, None, None)
