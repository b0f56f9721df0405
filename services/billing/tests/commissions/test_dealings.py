"""The equations of deposits, awards, mirrors and debts notice damage; claims and facts say what the books say."""

from __future__ import annotations

import pytest

from billing.commands.complete_deposit import complete_deposit
from billing.commands.request_deposit import request_deposit
from billing.invariants import CLAIMS, FACTS, INVARIANTS
from shared.chassis.context import Context
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

STAFF = Context(kind="staff", user_id=new_id())
DEPOSITS = "every completed deposit is one ledger transaction under its own id"
FIRST = "every user with a completed deposit has one first deposit, and it is his"
ORIGINAL, BACK = "a mirror has its own original", "a mirror moves back what the house had moved"
AWARD, KEPT = "an award is paid whole or kept whole", "what is kept is kept for the frozen"
VOIDED, DEBT = "the hold of a voided trade is free", "a debt is what its lines say"
REPAID = "nobody has repaid more than he owed"
LINES = "every entry of a client is one statement line, and every finished line an entry"
SUMS = "entries sum to zero per environment and currency"
BALANCED = "every ledger transaction balances in its own environment and currency"
BALANCES, CHAIN = "balances are the sum of the entries", "versions have no gap and balances follow from one to the next"
USED, HELD = "a settlement has used its hold", "held is the sum of the holds"

_TX = "(SELECT id FROM ledger_tx WHERE kind = '{}')"
_DEBT = "(SELECT id FROM accounts WHERE kind = 'receivable')"
_UNPOSTED = """
    UPDATE transactions SET status = 'FAILED', ledger_tx_id = NULL, line = NULL, balance_after = NULL
    WHERE tx_type = 'DEPOSIT'
"""
DAMAGE = [
    ("UPDATE ledger_tx SET kind = 'gift' WHERE kind = 'deposit'", {DEPOSITS}),
    ("UPDATE ledger_tx SET ref = id::text WHERE kind = 'deposit'", {DEPOSITS}),
    (_UNPOSTED, {DEPOSITS, FIRST, LINES}),
    ("DELETE FROM first_deposits", {FIRST}),
    ("UPDATE first_deposits SET user_id = transaction_id", {FIRST}),
    ("UPDATE first_deposits SET transaction_id = user_id", {FIRST}),
    ("UPDATE ledger_tx SET reverses = NULL WHERE kind = 'void'", {ORIGINAL}),
    ("UPDATE ledger_tx SET ref = id::text WHERE kind = 'commission_reversal'", {ORIGINAL}),
    (
        f"UPDATE postings SET amount = -amount WHERE version IS NULL AND tx_id IN {_TX.format('void')}",
        {BALANCED, BACK, SUMS},
    ),
    ("UPDATE holds SET state = 'HELD', resolved_at = NULL WHERE state = 'SETTLED'", {VOIDED, USED, HELD}),
    (
        f"DELETE FROM postings WHERE version IS NULL AND amount < 0 AND tx_id IN {_TX.format('commission')}",
        {BALANCED, SUMS, BACK, AWARD, KEPT},
    ),
    ("UPDATE user_copies SET is_frozen = false", {KEPT}),
    ("DELETE FROM user_copies", {KEPT}),
    ("UPDATE transactions SET tx_type = 'REFUND' WHERE tx_type = 'COMMISSION' AND amount > 0", {AWARD}),
    ("UPDATE transactions SET metadata = '{\"debt\": true}' WHERE tx_type = 'ADJUSTMENT' AND metadata = '{}'", {DEBT}),
    (f"UPDATE postings SET amount = amount + 1 WHERE account_id IN {_DEBT}", {BALANCED, BALANCES, CHAIN, DEBT, SUMS}),
]


@pytest.fixture
def dealt(books, awards):
    """A deposit, a void that left a debt, which was repaid, and awards paid, taken back and kept."""
    trader, shop, frozen = books.real_trader(), books.real_trader(), new_id()
    asked = {"account_id": trader.account_id, "amount": "10.39", "reference": None, "now": get_utc_now()}
    deposit = request_deposit(books.db, trader.context, **asked)["transaction"]["id"]
    complete_deposit(books.db, STAFF, transaction_id=deposit, now=get_utc_now())
    trade_id = new_id()
    books.hold(trader, 1039, trade_id)
    books.settle(books.settled(trader, trade_id))
    books.post(books.transfer(trader, -1500, environment="real"))
    books.void(books.cancelled(trader, trade_id))
    books.post(books.transfer(trader, 100, environment="real"))
    paid, taken = awards.accrued(shop.user_id), awards.accrued(shop.user_id)
    awards.credit(paid, taken)
    awards.take_back(awards.reversed(taken))
    awards.say(frozen, 2, is_frozen=True)
    kept = awards.referral(frozen)
    awards.credit(kept)
    return {"trader": trader, "shop": shop, "frozen": frozen, "deposit": deposit, "trade": trade_id} | {
        "paid": paid.data,
        "taken": taken.data,
        "kept": kept.data,
    }


def test_sound_dealings_have_no_violation(books, awards, dealt):
    assert (books.money(dealt["trader"]), awards.debt(dealt["trader"].user_id)) == ((0, 0), 361)
    assert books.violations() == {}


@pytest.mark.parametrize(("damage", "noticed"), DAMAGE, ids=[damage for damage, _ in DAMAGE])
def test_damage_is_noticed(books, dealt, damage, noticed):
    books.tamper(damage)
    assert books.violations().keys() == noticed


def test_a_debt_above_zero_is_noticed_where_the_constraint_is_gone(books, dealt):
    books.tamper("ALTER TABLE accounts DROP CONSTRAINT accounts_debt")
    try:
        books.tamper("UPDATE accounts SET balance = 1 WHERE kind = 'receivable'")
        assert books.violations().keys() == {REPAID, BALANCES}
    finally:
        books.tamper("UPDATE accounts SET balance = 0 WHERE kind = 'receivable'")
        books.tamper(
            "ALTER TABLE accounts ADD CONSTRAINT accounts_debt"
            " CHECK (kind <> 'receivable' OR (balance <= 0 AND held = 0))"
        )


def test_the_verifying_role_may_run_all_of_it(books, dealt):
    books.rows("SET ROLE nexus_verify")
    try:
        for query in (*(one.sql for one in INVARIANTS), *CLAIMS.values(), *FACTS.values()):
            books.rows(query.replace("%", "%%"))
    finally:
        books.rows("RESET ROLE")


def test_claims_and_facts_say_what_the_books_say(books, dealt):
    def pairs(queries, *names):
        return [sorted(books.rows(queries[name])) for name in names]

    trader, shop, frozen = dealt["trader"], dealt["shop"], dealt["frozen"]
    awards = sorted(
        [
            (dealt["paid"].award_id, f"{shop.user_id}:USD:39"),
            (dealt["taken"].award_id, f"{shop.user_id}:USD:39"),
            (dealt["kept"].award_id, f"{frozen}:USD:2500"),
        ]
    )
    taken = [(dealt["taken"].award_id, "39")]
    assert pairs(CLAIMS, "paid_award", "reversed_award") == [awards, taken]
    assert pairs(FACTS, "award_credited", "award_taken_back") == [awards, taken]
    assert pairs(CLAIMS, "deposit_decision", "user_copy_billing") == [
        [(dealt["deposit"], trader.user_id)],
        [(frozen, "2")],
    ]
    told = [(dealt["deposit"], trader.user_id)]
    assert pairs(CLAIMS, "deposit_notification") == pairs(FACTS, "notified_deposit") == [told]
    assert pairs(FACTS, "first_deposit") == [[(dealt["deposit"], f"{trader.user_id}:USD:1039")]]
    void = [(dealt["trade"], f"{trader.account_id}:USD")]
    settled = [(dealt["trade"], f"{trader.account_id}:USD:1000:39:1954")]
    assert pairs(CLAIMS, "settled_trade", "voided_trade") == [settled, void]
    assert pairs(FACTS, "ledger_settlement", "ledger_void") == [settled, void]
    assert pairs(FACTS, "account_copy_trades") == [sorted([(trader.account_id, "1"), (shop.account_id, "1")])]
