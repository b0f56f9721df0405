"""The service as a process: what it hears ends in the books, and its answers are those of the contract."""

from __future__ import annotations

import dataclasses

import pytest

from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, ReferralCommissionAccrued
from shared.contracts.errors import Forbidden, ValidationFailed
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id

STAFF = Context(kind="staff", user_id=new_id())


@pytest.fixture
def ask(rpc):
    def call(method, caller, **arguments):
        return rpc.call("billing", method, ctx=caller, **arguments)

    return call


@pytest.fixture
def user():
    return Context(kind="user", user_id=new_id())


def test_from_an_account_over_a_deposit_to_a_voided_trade_and_its_commission(run_service, publish, books, ask, user):
    run_service("billing")
    account = ask("sync_real_account", user, deriv_account_id="CR1", metadata={"a": 1})["account"]
    assert ask("get_default_account", user) == account
    line = ask("request_deposit", user, account_id=account["id"], amount="50.00")["transaction"]
    assert ask("complete_deposit", STAFF, transaction_id=line["id"])["transaction"]["status"] == "COMPLETED"
    failed = ask("request_deposit", user, account_id=account["id"], amount="5.00")["transaction"]
    assert ask("fail_deposit", STAFF, transaction_id=failed["id"])["transaction"]["status"] == "FAILED"

    trade_id, owner = new_id(), new_id()
    held = {"hold_id": trade_id, "account_id": account["id"], "user_id": user.user_id, "amount": 1039}
    ask("hold", user, **held, currency="USD")
    trade = {"trade_id": trade_id, "user_id": user.user_id, "account_id": account["id"], "account_type": "REAL"}
    award = {"award_id": new_id(), "trade_id": trade_id, "owner_id": owner, "user_id": user.user_id}
    referral = dataclasses.replace(ReferralCommissionAccrued.example(), owner_id=owner, deposit_id=line["id"])
    # The results come before what they are results of.
    for event, subject in (
        (dataclasses.replace(TradeCancelled.example(), **trade), trade_id),
        (dataclasses.replace(TradeSettled.example(), **trade), trade_id),
        (dataclasses.replace(CommissionReversed.example(), **award), award["award_id"]),
        (dataclasses.replace(CommissionAccrued.example(), **award), award["award_id"]),
        (referral, referral.award_id),
    ):
        publish(event, subject=subject)
    kinds = ["commission", "commission", "commission_reversal", "deposit", "settle", "void"]
    eventually(lambda: [row[0] for row in books.rows("SELECT kind FROM ledger_tx ORDER BY kind")] == kinds)
    eventually(lambda: books.one("SELECT count(*) FROM outbox WHERE routing_key = 'transaction_recorded'") == (6,))
    assert ask("get_account", user, account_id=account["id"])["available"] == "50.00"
    assert ask("get_default_account", STAFF, user_id=owner)["balance"] == "25.00"


def test_users_who_are_freed_are_paid_what_was_kept(run_service, publish, books):
    run_service("billing")
    owner = new_id()
    publish(dataclasses.replace(UserRegistered.example(), user_id=owner), subject=owner, subject_version=1)
    frozen = dataclasses.replace(UserUpdated.example(), user_id=owner, is_frozen=True)
    publish(frozen, subject=owner, subject_version=2)
    eventually(lambda: books.rows("SELECT version FROM user_copies") == [(2,)])
    award = dataclasses.replace(CommissionAccrued.example(), owner_id=owner)
    publish(award, subject=award.award_id)
    eventually(lambda: books.rows("SELECT ref FROM ledger_tx") == [(award.award_id,)])
    publish(dataclasses.replace(frozen, is_frozen=False), subject=owner, subject_version=3)
    balance = "SELECT balance FROM accounts WHERE user_id = %s AND kind = 'client'"
    eventually(lambda: books.rows(balance, owner) == [(39,)])


def test_traders_sync_their_own_accounts_only_where_the_settings_say_so(run_service, ask, user):
    run_service("billing", ALLOW_UNLINKED_REAL="false")
    with pytest.raises(Forbidden):
        ask("sync_real_account", user, deriv_account_id="CR1")
    assert ask("sync_real_account", STAFF, deriv_account_id="CR1")["created"] is True
    with pytest.raises(AccountNotFound):
        ask("get_default_account", user)
    with pytest.raises(ValidationFailed):
        ask("sync_real_account", STAFF, deriv_account_id="not an id")
