"""The rate of a trade: the first that says anything of account, code, rule, affiliate and platform."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.contracts.billing.events import AccountUpdated
from shared.contracts.envelope import parse
from shared.contracts.errors import NotReady
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id
from trades import copies

RULE = "01920000-0000-7000-8000-000000000063"


@pytest.mark.parametrize(
    ("account", "code", "rule", "affiliate", "rate"),
    [
        ("0.10", "0.20", "0.30", "0.40", "0.10 account"),
        ("0.00", "0.20", "0.30", "0.40", "0.00 account"),
        (None, "0.20", "0.30", "0.40", "0.20 code"),
        (None, "0.00", "0.30", "0.40", "0.00 code"),
        (None, None, "0.30", "0.40", "0.30 rule"),
        (None, None, "0.00", "0.40", "0.00 rule"),
        (None, None, None, "0.40", "0.40 affiliate"),
        (None, None, None, "0.00", "0.00 affiliate"),
        (None, None, None, None, "0.50 platform"),
        ("0.10", None, None, None, "0.10 account"),
        (None, "0.20", None, None, "0.20 code"),
        (None, "4.00", None, None, "3.00 code"),
        (None, None, "100.00", None, "3.00 rule"),
    ],
)
def test_the_first_that_is_set_counts(desk, account, code, rule, affiliate, rate):
    desk.conditions = replace(desk.conditions, platform_percent=Decimal("0.50"))
    owner = desk.user(markup_percentage=affiliate)
    code_id = desk.code(owner, code)
    if rule is not None:
        desk.rule(owner, rule, version=7)
    # Somebody else's never count.
    other = desk.user(markup_percentage="2.90")
    desk.code(other, "2.80")
    desk.rule(other, "2.70")
    trader = desk.trader(account_markup=account, referrer_id=owner, code_id=code_id)
    trade = desk.open(trader)
    assert f"{trade['markup_percent']} {trade['markup_source']}" == rate
    assert desk.quote(trader)["markup_percent"] == trade["markup_percent"]
    for told in (desk.row(trade["id"]), desk.told("trade_opened")[0].data):
        by_rule = (RULE, 7) if trade["markup_source"] == "rule" else (None, None)
        assert (told["rule_id"], told["rule_version"]) == by_rule
        assert (told["affiliate_id"], told["code_id"]) == (owner, code_id)


def test_without_a_referrer_only_account_and_platform_count(desk):
    desk.conditions = replace(desk.conditions, platform_percent=Decimal("0.50"))
    trader = desk.trader(markup_percentage="2.00")
    desk.rule(trader.user_id, "1.00")
    desk.code(trader.user_id, "1.50")
    trade = desk.open(trader)
    assert (trade["markup_percent"], trade["markup_source"]) == ("0.50", "platform")
    row = desk.row(trade["id"])
    assert (row["affiliate_id"], row["code_id"], row["rule_id"]) == (None, None, None)


def test_a_trade_keeps_the_rate_it_was_opened_at(desk, clock):
    owner = desk.user()
    desk.rule(owner, "1.00", version=1)
    trader = desk.trader(referrer_id=owner)
    first = desk.open(trader)
    desk.rule(owner, "2.00", version=2)
    second = desk.open(trader)
    clock.go(60)
    desk.settle()
    settled = {event.subject: parse(event.to_json()).data for event in desk.told("trade_settled")}
    assert [(settled[t["id"]].markup_percent, settled[t["id"]].rule_version) for t in (first, second)] == [
        ("1.00", 1),
        ("2.00", 2),
    ]


def test_a_rate_that_is_taken_away_counts_no_more(desk):
    owner = desk.user(markup_percentage="0.40")
    code_id = desk.code(owner, "1.00")
    trader = desk.trader(account_markup="2.00", referrer_id=owner, code_id=code_id)
    account = replace(AccountUpdated.example(), account_id=trader.account_id, user_id=trader.user_id)
    with desk.db.transaction() as tx:
        copies.put_accounts(tx, [desk.received(replace(account, markup_percentage=None), 2)])
    assert desk.open(trader)["markup_source"] == "code"
    desk.code(owner, None, code_id, version=2)
    assert desk.open(trader)["markup_source"] == "affiliate"


def test_a_code_not_heard_of_is_waited_for_and_never_guessed(desk):
    owner, code_id = desk.user(markup_percentage="0.40"), new_id()
    trader = desk.trader(referrer_id=owner, code_id=code_id)
    with pytest.raises(NotReady):
        desk.open(trader, "the-same-key-0001")
    assert (desk.rows("SELECT 1 FROM trades"), desk.billing.calls) == ([], [])
    desk.code(owner, "1.00", code_id)
    assert desk.open(trader, "the-same-key-0001")["markup_source"] == "code"


def test_a_code_that_comes_while_it_is_waited_for_is_enough(desk):
    owner, code_id = desk.user(), new_id()
    trader = desk.trader(referrer_id=owner, code_id=code_id)
    late = threading.Timer(0.2, lambda: desk.code(owner, "1.00", code_id))
    late.start()
    begun = time.monotonic()
    assert desk.open(trader)["markup_percent"] == "1.00"
    assert time.monotonic() - begun > 0.1
    late.join()


def test_an_update_that_overtakes_the_registration_does_not_hide_its_code(desk):
    owner = desk.user()
    code_id, trader = desk.code(owner, "1.00"), desk.trader()
    user_id = new_id()
    updated = replace(UserUpdated.example(), user_id=user_id, referrer_id=owner, markup_percentage=None)
    with desk.db.transaction() as tx:
        copies.put_users(tx, [desk.received(updated, 2)])
    desk.rows("UPDATE account_copies SET user_id = %s", user_id)
    trader = replace(trader, user_id=user_id)
    with pytest.raises(NotReady):
        desk.open(trader)
    registered = replace(UserRegistered.example(), user_id=user_id, referrer_id=owner, code_id=code_id)
    with desk.db.transaction() as tx:
        copies.put_users(tx, [desk.received(registered, 1)])
    assert desk.open(trader)["markup_source"] == "code"
