"""Accounts and newest lines at a glance: the same as the lists say, and one's own alone."""

from __future__ import annotations

import json
from typing import Any

from billing import queries
from shared.chassis.context import Context
from shared.utils.ids import new_id

ALL: dict[str, Any] = {"account_id": None, "tx_type": None, "status": None, "after": None}


def test_it_has_the_first_pages_of_the_callers_lists(books) -> None:
    trader, other = books.trader(), books.trader()
    for amount in (100, -50, 25):
        books.post(books.transfer(trader, amount))
    for limit in (2, 10):
        found = queries.summary(books.db, trader.context, limit=limit)
        accounts = queries.list_accounts(books.db, trader.context, user_id=None, limit=limit, after=None)
        lines = queries.list_transactions(books.db, trader.context, user_id=None, limit=limit, **ALL)
        assert found == {"accounts": accounts["results"], "recent_transactions": lines["results"]}
        assert json.loads(found.json) == found
    assert other.account_id not in json.dumps(found)


def test_staff_see_their_own_and_a_newcomer_nothing(books) -> None:
    books.trader()
    for kind in ("staff", "user"):
        context = Context(kind=kind, user_id=new_id())
        assert queries.summary(books.db, context, limit=10) == {"accounts": [], "recent_transactions": []}


def test_a_deposit_is_shown_as_it_is_now(books) -> None:
    trader = books.trader()
    before = queries.list_transactions(books.db, trader.context, user_id=None, limit=10, **ALL)["results"]
    books.post(books.transfer(trader, 5))
    after = queries.list_transactions(books.db, trader.context, user_id=None, limit=10, **ALL)["results"]
    assert after[1:] == before
    assert after[0]["amount"] == "0.05"
