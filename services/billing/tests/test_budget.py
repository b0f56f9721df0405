"""What money's movements may cost: statements, commits and events. More is a decision, and changes the numbers here."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import event

from billing.commands.complete_deposit import complete_deposit
from billing.commands.credit_commissions import credit_commissions
from billing.commands.request_deposit import request_deposit
from billing.commands.reverse_commissions import reverse_commissions
from shared.chassis.context import Context, Idempotency, use
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

HOLD: Final = {"statements": 1, "events": 0}
"""One statement that is a transaction of its own."""
SETTLING_100: Final = {"statements": 4, "events": 100}
VOIDING_100: Final = {"statements": 4, "events": 100}
CREDITING_95: Final = {"statements": 5, "events": 95}
REVERSING_100: Final = {"statements": 7, "events": 100}
ASKING_FOR_A_DEPOSIT: Final = {"statements": 7, "events": 1}
COMPLETING_A_DEPOSIT: Final = {"statements": 8, "events": 2}


@pytest.fixture
def cost(books):
    """What a call sends to the database and tells, and that it commits once."""

    def measure(call):
        seen = []
        (before,) = books.one("SELECT count(*) FROM outbox")
        on = (books.db.engine, "before_cursor_execute", lambda _, cursor, statement, *rest: seen.append(statement))
        event.listen(*on)
        try:
            call()
        finally:
            event.remove(*on)
        (after,) = books.one("SELECT count(*) FROM outbox")
        commits = sum(statement.startswith("COMMIT") for statement in seen)
        assert commits == sum(statement.startswith("BEGIN") for statement in seen)
        assert commits == 1 or len(seen) == 1, seen
        return {"statements": len(seen), "events": after - before}

    return measure


def test_a_hold(books, cost):
    trader = books.trader()
    assert cost(lambda: books.hold(trader, 100)) == HOLD


def test_a_hundred_results_and_their_voids(books, cost):
    traders = [books.trader() for _ in range(5)]
    trades = [(traders[n % 5], new_id()) for n in range(100)]
    for trader, trade_id in trades:
        books.hold(trader, 1039, trade_id)
    settled = [books.settled(*trade) for trade in trades]
    assert cost(lambda: books.settle(*settled)) == SETTLING_100
    cancelled = [books.cancelled(*trade) for trade in trades]
    assert cost(lambda: books.void(*cancelled)) == VOIDING_100


def test_a_hundred_awards_and_their_reversals(books, cost):
    owners = [new_id() for _ in range(5)]
    example, gone = CommissionAccrued.example(), CommissionReversed.example()
    awards = [replace(example, award_id=new_id(), trade_id=new_id(), owner_id=owners[n % 5]) for n in range(100)]
    same = ("award_id", "trade_id", "owner_id", "currency", "amount")
    reversals = [
        replace(gone, reversal_id=new_id(), **{name: getattr(award, name) for name in same}) for award in awards
    ]
    accrued = [books.received(award, award.award_id) for award in awards]
    reversed_ = [books.received(reversal, reversal.award_id, 2) for reversal in reversals]
    # Accounts are opened for owners who have none, which costs once.
    credit_commissions(books.db, accrued[:5], now=get_utc_now())
    assert cost(lambda: credit_commissions(books.db, accrued[5:], now=get_utc_now())) == CREDITING_95
    assert cost(lambda: reverse_commissions(books.db, reversed_, now=get_utc_now())) == REVERSING_100


def test_a_deposit(books, cost):
    trader = books.real_trader()
    asked = []

    def ask():
        caller = Context(kind="user", user_id=trader.user_id, idempotency=Idempotency("k" * 16, "/a/route", b"h"))
        with use(caller):
            found = request_deposit(
                books.db, caller, account_id=trader.account_id, amount="5.00", reference=None, now=get_utc_now()
            )
        asked.append(found["transaction"]["id"])

    def complete():
        staff = Context(kind="staff", user_id=new_id())
        with use(staff):
            complete_deposit(books.db, staff, transaction_id=asked[0], now=get_utc_now())

    assert cost(ask) == ASKING_FOR_A_DEPOSIT
    assert cost(complete) == COMPLETING_A_DEPOSIT
