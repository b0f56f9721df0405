"""What each fact is told as, and to whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from notifications.rules import RULES
from shared.chassis.context import Context
from shared.contracts.billing.events import DepositCompleted, DepositFailed
from shared.contracts.commission.events import (
    CommissionAccrued,
    CommissionReversed,
    CommissionRuleChanged,
    ReferralCommissionAccrued,
)
from shared.contracts.envelope import EVENTS
from shared.contracts.referrals.events import ReferralRegistered
from shared.contracts.trades.events import TradeCancelled, TradeSettled
from shared.contracts.users.events import UserLoggedIn, UserLoginFailed, UserRegistered, UserUpdated
from shared.devstack.registry import plan

TRADER, AFFILIATE = (
    Context(kind="user", user_id="01920000-0000-7000-8000-000000000001"),
    Context(kind="user", user_id="01910000-0000-7000-8000-000000000002"),
)
TRADE, DEPOSIT, ACCOUNT, AWARD = (
    "01920000-0000-7000-8000-000000000031",
    "01920000-0000-7000-8000-000000000023",
    "01920000-0000-7000-8000-000000000011",
    "01920000-0000-7000-8000-000000000061",
)
STRANGER = "Somebody has logged in to your account from a device that was not used before."
TRADE_LINKS = {"trade_id": TRADE, "account_id": ACCOUNT, "currency": "USD"}
DEPOSIT_LINKS = {"transaction_id": DEPOSIT, "account_id": ACCOUNT, "amount": "500.00", "currency": "USD"}

TOLD = [
    (
        TradeSettled.example(),
        TRADER,
        ("Trade won", "R_100 CALL: stake 10.00 USD, payout 19.54 USD, profit +9.15 USD.", "info"),
        {**TRADE_LINKS, "status": "WON", "payout": "19.54", "profit": "9.15"},
    ),
    (
        replace(TradeSettled.example(), status="LOST", payout=0),
        TRADER,
        ("Trade lost", "R_100 CALL: stake 10.00 USD, payout 0.00 USD, profit -10.39 USD.", "info"),
        {**TRADE_LINKS, "status": "LOST", "payout": "0.00", "profit": "-10.39"},
    ),
    (
        replace(TradeSettled.example(), status="CLOSED", payout=700),
        TRADER,
        ("Trade closed", "R_100 CALL: stake 10.00 USD, payout 7.00 USD, profit -3.39 USD.", "info"),
        {**TRADE_LINKS, "status": "CLOSED", "payout": "7.00", "profit": "-3.39"},
    ),
    (
        replace(TradeCancelled.example(), reason="feed was wrong", payout=1954, settled=True),
        TRADER,
        (
            "Trade cancelled",
            "R_100 CALL: stake 10.00 USD and markup 0.39 USD are returned in full. Reason: feed was wrong",
            "warning",
        ),
        {**TRADE_LINKS, "status": "CANCELLED", "payout": "0.00", "profit": "0.00"},
    ),
    (
        DepositCompleted.example(),
        TRADER,
        ("Deposit completed", "500.00 USD is on your account.", "info"),
        DEPOSIT_LINKS,
    ),
    (
        DepositFailed.example(),
        TRADER,
        ("Deposit refused", "Your deposit of 500.00 USD was refused. Reason: no such payment arrived", "warning"),
        DEPOSIT_LINKS,
    ),
    (
        CommissionAccrued.example(),
        AFFILIATE,
        ("Commission earned", "0.39 USD from the markup of a trade, at 2.00 %.", "info"),
        {"trade_id": TRADE, "award_id": AWARD, "amount": "0.39", "currency": "USD"},
    ),
    (
        ReferralCommissionAccrued.example(),
        AFFILIATE,
        (
            "Referral commission earned",
            "25.00 USD from the first deposit of somebody you referred, at 5.00 %.",
            "info",
        ),
        {"deposit_id": DEPOSIT, "award_id": AWARD, "amount": "25.00", "currency": "USD"},
    ),
    (
        CommissionReversed.example(),
        AFFILIATE,
        ("Commission taken back", "0.39 USD was taken back, because its trade was cancelled.", "warning"),
        {"trade_id": TRADE, "award_id": AWARD, "amount": "0.39", "currency": "USD"},
    ),
    (
        CommissionRuleChanged.example(),
        AFFILIATE,
        (
            "Commission rates changed",
            "From 2026-01-01T00:00:00Z on: 5.00 % of first deposits, 2.00 % markup on trades.",
            "info",
        ),
        {
            "rule_id": "01920000-0000-7000-8000-000000000063",
            "rule_version": 3,
            "referral_percent": "5.00",
            "markup_percent": "2.00",
        },
    ),
    (
        ReferralRegistered.example(),
        AFFILIATE,
        ("New referral", "Somebody has registered with your code BOB4T8W2N6ZP.", "info"),
        {
            "referral_id": "01920000-0000-7000-8000-000000000052",
            "code_id": "01920000-0000-7000-8000-000000000051",
        },
    ),
    (
        UserUpdated.example(),
        TRADER,
        ("Markup changed", "Your markup is 1.50 %.", "info"),
        {"user_id": TRADER.user_id, "markup_percentage": "1.50"},
    ),
    (
        replace(UserLoggedIn.example(), new_device=True),
        TRADER,
        (
            "Login from a new device",
            f"{STRANGER} If it was not you, change your password.",
            "warning",
        ),
        {"session_id": "01920000-0000-7000-8000-000000000003"},
    ),
    (
        replace(UserLoginFailed.example(), locked_until="2026-01-01T00:00:10Z"),
        TRADER,
        (
            "Login locked",
            "After too many wrong passwords nobody can log in to your account until 2026-01-01T00:00:10Z.",
            "warning",
        ),
        {"locked_until": "2026-01-01T00:00:10Z"},
    ),
]
SILENT = [
    UserRegistered.example(),
    replace(UserUpdated.example(), changed=["is_staff"]),
    UserLoggedIn.example(),
    UserLoginFailed.example(),
    replace(UserLoginFailed.example(), user_id=None, reason="unknown_user", locked_until="2026-01-01T00:00:10Z"),
]


def everybody(board):
    return board.rows("SELECT user_id::text, kind FROM notifications")


@pytest.mark.parametrize(
    ("fact", "person", "words", "links"), TOLD, ids=[f"{fact.type} {words[0]}" for fact, _, words, _ in TOLD]
)
def test_a_fact_is_told_to_whom_it_concerns_in_its_words(board, fact, person, words, links):
    event = board.received(fact)
    board.notify(event)
    (told,) = board.list(person)["results"]
    assert (told["title"], told["body"], told["level"]) == words
    assert told["data"] == {"type": fact.type, **links}
    assert (told["user_id"], told["is_read"], told["created_at"]) == (person.user_id, False, "2026-03-02T10:00:00Z")
    assert everybody(board) == [(person.user_id, fact.type)]
    assert board.one("SELECT number, event_id::text FROM notifications") == (1, event.id)
    assert board.unread(person) == 1


@pytest.mark.parametrize("fact", SILENT, ids=lambda fact: f"{fact.type} {getattr(fact, 'reason', '')}")
def test_of_some_facts_nobody_is_told(board, fact):
    board.notify(board.received(fact))
    assert everybody(board) == board.rows("SELECT 1 FROM counters") == []


def test_every_event_that_is_heard_has_its_rule():
    plan()
    heard = {event.type for event in EVENTS.values() if "notifications" in event.readers}
    assert heard - {"user_registered"} == set(RULES) == {fact.type for fact, _, _, _ in TOLD}


def test_of_what_is_republished_nobody_is_told(board):
    board.notify(*(board.received(fact, republished=True) for fact, _, _, _ in TOLD))
    assert everybody(board) == []
    board.notify(*(board.received(fact) for fact in {type(fact): fact for fact, _, _, _ in TOLD}.values()))
    assert len(everybody(board)) == len(RULES)


def test_of_a_batch_that_nobody_is_told_of_the_database_hears_nothing(board):
    with board.statements() as sent:
        board.notify(*(board.received(fact) for fact in SILENT))
    assert sent == []
