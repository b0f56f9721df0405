"""An account's own markup: staff only, 0 to 3 percent, told with a growing version."""

from __future__ import annotations

import pytest

from billing.commands.set_account_markup import set_account_markup
from shared.chassis.context import Context
from shared.contracts import schema
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.events import AccountUpdated
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

STAFF = Context(kind="staff", user_id=new_id())


@pytest.fixture
def trader(books):
    return books.trader()


@pytest.fixture
def ask(books, trader):
    def call(percent, caller=STAFF, account_id=None):
        account_id = account_id or trader.account_id
        return set_account_markup(books.db, caller, account_id=account_id, markup_percentage=percent, now=get_utc_now())

    return call


@pytest.mark.parametrize(("percent", "shown"), [("0", "0.00"), ("2.5", "2.50"), ("3", "3.00"), ("3.00", "3.00")])
def test_it_is_shown_with_two_decimals(ask, percent, shown):
    assert ask(percent)["markup_percentage"] == shown


def test_each_change_is_told_with_the_next_version(books, ask, trader):
    for percent in ("1.50", "1.5", "2.00", None, None):
        ask(percent)
    told = [(e.subject, e.subject_version, e.data["before"], e.data["after"]) for e in books.told("account_updated")]
    changes = [(None, "1.50"), ("1.50", "2.00"), ("2.00", None)]
    assert told == [
        (trader.account_id, version, {"markup_percentage": before}, {"markup_percentage": after})
        for version, (before, after) in enumerate(changes, 2)
    ]
    event = schema.load(AccountUpdated, books.told("account_updated")[0].data)
    assert (event.changed, event.markup_percentage, event.user_id) == (["markup_percentage"], "1.50", trader.user_id)


@pytest.mark.parametrize("percent", ["3.01", "100", "999.99"])
def test_more_than_the_maximum_is_a_field_error(books, ask, percent):
    with pytest.raises(ValidationFailed) as refused:
        ask(percent)
    assert [(error["field"], error["code"]) for error in refused.value.errors] == [("markup_percentage", "too_large")]
    assert books.told("account_updated") == []


def test_only_staff_may(ask, trader):
    with pytest.raises(Forbidden):
        ask("1", caller=trader.context)
    for kind in ("anonymous", "system"):
        with pytest.raises(Unauthorized):
            ask("1", caller=Context(kind=kind))


def test_accounts_that_no_client_has_are_not_found(books, ask):
    (house,) = books.one("SELECT id::text FROM accounts WHERE kind = 'house'")
    for account_id in (new_id(), house):
        with pytest.raises(AccountNotFound):
            ask("1", account_id=account_id)
