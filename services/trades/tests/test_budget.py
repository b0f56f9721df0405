"""What a trade may cost: statements, commits and events. More is a decision, and changes the numbers here."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from shared.contracts.billing.events import AccountOpened
from shared.contracts.commission.events import CommissionRuleChanged
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.users.events import UserRegistered
from shared.utils.ids import new_id
from trades import copies

OPENING: Final = {"statements": 3, "commits": 2, "calls": 1, "events": 1}
"""With billing's hold that makes three commits; and two RPC hops with the gateway's call."""
SETTLING_100: Final = {"statements": 4, "commits": 1, "calls": 0, "events": 100}
"""A batch of up to 100 due trades, and the look that finds no more of them."""
VOIDING: Final = {"statements": 7, "commits": 1, "calls": 0, "events": 1}
AWARDS_100: Final = {"statements": 4, "commits": 1, "calls": 0, "events": 0}
"""BEGIN and COMMIT are shared with the rest of the batch of events."""
COPIES_100: Final = {"statements": 3, "commits": 1, "calls": 0, "events": 0}


@pytest.fixture
def cost(desk, statements):
    """What a call sends to the database, asks of others and tells."""

    def measure(call):
        calls, (before,) = len(desk.billing.calls), desk.rows("SELECT count(*) FROM outbox")
        with statements(desk.db) as seen:
            call()
        ((events,),) = desk.rows("SELECT count(*) FROM outbox")
        transactions = sum(statement.startswith("COMMIT") for statement in seen)
        assert sum(statement.startswith("BEGIN") for statement in seen) == transactions
        # A statement that writes, outside of any transaction, is one by itself.
        commits = transactions or sum(statement.startswith("WITH") for statement in seen)
        return {
            "statements": len(seen),
            "commits": commits,
            "calls": len(desk.billing.calls) - calls,
            "events": events - before[0],
        }

    return measure


@pytest.fixture
def trader(desk):
    """With an affiliate, a code and a rule: everything that a rate is looked for in."""
    owner = desk.user(markup_percentage="0.40")
    desk.rule(owner, "1.00")
    return desk.trader(referrer_id=owner)


def test_an_opening(desk, trader, cost):
    desk.open(trader)
    assert cost(lambda: desk.open(trader)) == OPENING


def test_settling_what_is_due(desk, trader, clock, cost):
    for _ in range(100):
        desk.open(trader, symbol="1HZ100V")
    clock.go(60)
    assert cost(desk.settle) == SETTLING_100


@pytest.mark.parametrize("settled", [False, True])
def test_voiding(desk, trader, cost, settled):
    trade = desk.open(trader)
    if settled:
        desk.close(trade["id"], "7.50")
    assert cost(lambda: desk.void(trade["id"])) == VOIDING


def test_awards_that_come_together(desk, trader, cost):
    trades = [desk.open(trader)["id"] for _ in range(10)]
    awards = [(trade_id, new_id()) for trade_id in trades for _ in range(10)]
    assert cost(lambda: desk.apply(*[desk.awarded(*award) for award in awards])) == AWARDS_100
    assert cost(lambda: desk.apply(*[desk.taken_back(*award) for award in awards])) == AWARDS_100


@pytest.mark.parametrize(
    ("example", "key", "put"),
    [
        (UserRegistered.example(), "user_id", copies.put_users),
        (AccountOpened.example(), "account_id", copies.put_accounts),
        (ReferralCodeChanged.example(), "code_id", copies.put_codes),
        (CommissionRuleChanged.example(), "owner_id", copies.put_rules),
    ],
)
def test_copies_that_come_together(desk, cost, example, key, put):
    ids = [new_id() for _ in range(40)]
    events = [desk.received(replace(example, **{key: ids[n % 40]}), n) for n in range(100)]

    def keep():
        with desk.db.transaction() as tx:
            put(tx, events)

    assert cost(keep) == COPIES_100
