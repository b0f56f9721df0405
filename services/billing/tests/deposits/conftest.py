"""A trader with a real account, and the three things that are done with deposits."""

from __future__ import annotations

import dataclasses

import pytest

from billing.commands.complete_deposit import complete_deposit
from billing.commands.fail_deposit import fail_deposit
from billing.commands.request_deposit import request_deposit
from shared.chassis.context import Context, Idempotency, use
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


@pytest.fixture
def staff():
    return Context(kind="staff", user_id=new_id())


@pytest.fixture
def keyed():
    """A caller with an idempotency key, always the same one."""

    def make(caller, request_hash):
        return dataclasses.replace(caller, idempotency=Idempotency("a-key-of-16-chars", "/a/route", request_hash))

    return make


@pytest.fixture
def trader(books):
    return books.real_trader()


@pytest.fixture
def ask(books, trader):
    def call(amount="500.00", caller=None, account_id=None, reference="wire 7"):
        caller, account_id = caller or trader.context, account_id or trader.account_id
        with use(caller):
            return request_deposit(
                books.db, caller, account_id=account_id, amount=amount, reference=reference, now=get_utc_now()
            )

    return call


@pytest.fixture
def complete(books, staff):
    def call(transaction_id, caller=None):
        caller = caller or staff
        with use(caller):
            return complete_deposit(books.db, caller, transaction_id=transaction_id, now=get_utc_now())

    return call


@pytest.fixture
def fail(books, staff):
    def call(transaction_id, reason="no such wire", caller=None):
        with use(caller or staff):
            return fail_deposit(
                books.db, caller or staff, transaction_id=transaction_id, reason=reason, now=get_utc_now()
            )

    return call
