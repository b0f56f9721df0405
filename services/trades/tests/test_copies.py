"""Copies: the newest version wins, in any order and however often it is told."""

from __future__ import annotations

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.commission.events import CommissionRuleChanged
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id
from trades import copies

CODE = "01920000-0000-7000-8000-000000000077"
REFERRER = "01910000-0000-7000-8000-000000000002"


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


def code_events(received, code_id, count):
    code = replace(ReferralCodeChanged.example(), code_id=code_id, owner_id=REFERRER)
    rates = [None, *[f"{n}.00" for n in range(1, count)]]
    return [received(replace(code, markup_percent=rate), n) for n, rate in enumerate(rates, 1)]


def rule_events(received, owner_id, count):
    rule = replace(CommissionRuleChanged.example(), owner_id=owner_id)
    return [received(replace(rule, rule_version=n, markup_percent=f"{n}.50"), n) for n in range(1, count + 1)]


def test_any_order_repetition_and_batches_of_codes_and_rules_end_with_the_newest(desk, received):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(count=st.integers(1, 5), data=st.data())
    def check(count, data):
        owner, other = desk.user(), desk.user()
        codes = [new_id(), new_id()]
        traders = [desk.trader(referrer_id=who, code_id=code) for who, code in ((owner, codes[0]), (other, codes[1]))]
        for put, events in (
            (copies.put_codes, [event for code_id in codes for event in code_events(received, code_id, count)]),
            (copies.put_rules, [event for who in (owner, other) for event in rule_events(received, who, count)]),
        ):
            repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
            left = data.draw(st.permutations([*events, *repeated]))
            while left:
                size = data.draw(st.integers(1, len(left)))
                with desk.db.transaction() as tx:
                    put(tx, left[:size])
                left = left[size:]
        for trader, code_id in zip(traders, codes, strict=True):
            with desk.db.read() as tx:
                found = copies.parties(tx, user_id=trader.user_id, account_id=trader.account_id)
            rate = None if count == 1 else Decimal(count - 1)
            assert found.code == copies.Code(code_id=code_id, owner_id=REFERRER, markup_percent=rate, version=count)
            assert found.rule == copies.Rule(
                owner_id=found.user.referrer_id,
                rule_id=CommissionRuleChanged.example().rule_id,
                rule_version=count,
                markup_percent=Decimal(count) + Decimal("0.50"),
                version=count,
            )

    check()


def test_the_affiliate_comes_with_his_trader(desk):
    affiliate = desk.user(markup_percentage="1.50")
    code_id = desk.code(affiliate, "1.25")
    desk.rule(affiliate, "1.75")
    trader = desk.trader(referrer_id=affiliate, code_id=code_id)
    with desk.db.read() as tx:
        found = copies.parties(tx, user_id=trader.user_id, account_id=trader.account_id)
        nobody = copies.parties(tx, user_id=new_id(), account_id=new_id())
    assert (found.affiliate.user_id, found.affiliate.markup_percentage) == (affiliate, Decimal("1.50"))
    assert (found.code.code_id, found.code.markup_percent) == (code_id, Decimal("1.25"))
    assert (found.rule.owner_id, found.rule.markup_percent) == (affiliate, Decimal("1.75"))
    assert nobody == copies.Parties(user=None, account=None, affiliate=None, code=None, rule=None, seen=None)


def test_everything_that_a_trade_needs_is_one_question_by_keys(desk, statements):
    trader = desk.trader(referrer_id=desk.user())
    with statements(desk.db) as seen, desk.db.read() as tx:
        copies.parties(tx, user_id=trader.user_id, account_id=trader.account_id)
    assert len(seen) == 1
    desk.rows("SET enable_seqscan = off; SET enable_bitmapscan = off")
    values = {"user_id": trader.user_id, "account_id": trader.account_id, "route": "POST /trades", "key": "k"}
    question = seen[0] % {name: f"'{value}'" for name, value in values.items()}
    plan = "\n".join(line for (line,) in desk.rows(f"EXPLAIN {question}"))
    assert plan.count("Index Scan using") == 6
