"""The present state of accounts, as it is sent again to fill copies."""

from __future__ import annotations

import dataclasses

import pytest

from billing import events
from billing.commands.set_account_markup import set_account_markup
from shared.chassis.context import Context
from shared.contracts.billing.events import AccountOpened
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

STAFF = Context(kind="staff", user_id=new_id())


def test_every_clients_account_is_there_once_page_by_page_in_the_order_of_ids(books):
    traders = [books.trader(), books.real_trader(), books.trader("EUR")]
    found, after = [], None
    with books.db.read() as tx:
        while page := events.present(tx, "account_opened", after=after, limit=2):
            found += page
            after = page[-1].subject
    assert [one.subject for one in found] == sorted(trader.account_id for trader in traders)


def test_it_carries_the_terms_as_they_are_now_with_their_version(books):
    trader = books.trader()
    for percent in ("1.00", "2.00"):
        set_account_markup(books.db, STAFF, account_id=trader.account_id, markup_percentage=percent, now=get_utc_now())
    with books.db.read() as tx:
        (one,) = events.present(tx, "account_opened", after=None, limit=100)
    assert one.data == dataclasses.replace(
        AccountOpened.example(), account_id=trader.account_id, user_id=trader.user_id, markup_percentage="2.00"
    )
    assert (one.subject, one.subject_version) == (trader.account_id, 3)


@pytest.mark.parametrize("type_", ["account_updated", "transaction_recorded", "nothing"])
def test_what_is_no_state_is_a_key_error(books, type_):
    with books.db.read() as tx, pytest.raises(KeyError):
        events.present(tx, type_, after=None, limit=1)
