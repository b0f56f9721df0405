"""Every equation notices the damage it is there for, and none of them complains about sound books."""

from __future__ import annotations

import pytest

from billing.invariants import CLAIMS, FACTS, INVARIANTS
from shared.utils.ids import new_id

BALANCES, CHAIN = "balances are the sum of the entries", "versions have no gap and balances follow from one to the next"
LINES = "every entry of a client is one statement line, and every finished line an entry"
SUMS = "entries sum to zero per environment and currency"
BALANCED = "every ledger transaction balances in its own environment and currency"
HELD, CHECKPOINTS = "held is the sum of the holds", "checkpoints are the sum of what they stand for"
ORPHAN = "every posting belongs to a ledger transaction"
DEFAULT = "every user with accounts has one default account"
USED, SETTLED = "a settlement has used its hold", "a settled hold has its ledger transaction"

DAMAGE = [
    ("UPDATE postings SET amount = amount + 1 WHERE version = 1", {SUMS, BALANCED, BALANCES, CHAIN, LINES}),
    ("DELETE FROM postings WHERE version IS NULL AND amount > 0", {SUMS, BALANCED, CHECKPOINTS}),
    ("DELETE FROM ledger_tx WHERE kind = 'settle'", {ORPHAN, SETTLED}),
    ("UPDATE accounts SET balance = balance + 1 WHERE kind = 'client'", {BALANCES}),
    ("UPDATE accounts SET version = version + 1 WHERE kind = 'client'", {BALANCES}),
    ("UPDATE postings SET version = 9 WHERE version = 4", {CHAIN}),
    ("UPDATE postings SET balance_after = 7 WHERE version = 2", {CHAIN, LINES}),
    ("UPDATE accounts SET held = held + 1 WHERE kind = 'client'", {HELD}),
    ("UPDATE holds SET amount = amount - 1 WHERE state = 'HELD'", {HELD}),
    ("DELETE FROM holds WHERE state = 'SETTLED'", {USED}),
    ("UPDATE ledger_tx SET currency = 'EUR' WHERE kind = 'settle'", {BALANCED}),
    ("DELETE FROM transactions WHERE tx_type = 'MARKUP'", {LINES}),
    ("UPDATE transactions SET amount = amount + 1 WHERE tx_type = 'MARKUP'", {LINES}),
    ("UPDATE transactions SET user_id = account_id WHERE tx_type = 'MARKUP'", {LINES}),
    ("UPDATE transactions SET ledger_tx_id = id WHERE tx_type = 'MARKUP'", {LINES}),
    ("UPDATE checkpoints SET balance = balance + 1", {CHECKPOINTS}),
    ("UPDATE accounts SET is_default = false", {DEFAULT}),
]


@pytest.fixture
def sound(books):
    """Books with a settled trade, a standing hold, a tombstone and checkpoints; returns the settled trade's trader."""
    trader = books.trader()
    trade_id = new_id()
    books.hold(trader, 1039, trade_id)
    books.settle(books.settled(trader, trade_id))
    books.hold(trader, 500)
    books.release(new_id())
    books.checkpoint()
    return trader


def test_sound_books_have_no_violation(books, sound):
    assert books.violations() == {}


@pytest.mark.parametrize(("damage", "noticed"), DAMAGE, ids=[damage for damage, _ in DAMAGE])
def test_damage_is_noticed(books, sound, damage, noticed):
    books.tamper(damage)
    assert books.violations().keys() == noticed


def test_money_below_the_floor_is_noticed_where_the_constraint_is_gone(books, sound):
    books.tamper("ALTER TABLE accounts DROP CONSTRAINT accounts_floor")
    try:
        books.tamper("UPDATE accounts SET floor = 2000000 WHERE kind = 'client'")
        assert books.violations().keys() == {"available is not below the floor"}
    finally:
        books.tamper("UPDATE accounts SET floor = 0")
        books.tamper(
            "ALTER TABLE accounts ADD CONSTRAINT accounts_floor CHECK (kind <> 'client' OR balance - held >= floor)"
        )


def test_each_violation_names_what_it_is_about(books, sound):
    books.tamper("UPDATE accounts SET balance = balance + 1 WHERE kind = 'client'")
    assert books.violations()[BALANCES] == [(sound.account_id, "1000916 in version 4, entries say 1000915 in 4")]


def test_the_verifying_role_may_run_all_of_it(books, sound):
    books.rows("SET ROLE nexus_verify")
    try:
        for query in (*(one.sql for one in INVARIANTS), *CLAIMS.values(), *FACTS.values()):
            books.rows(query.replace("%", "%%"))
    finally:
        books.rows("RESET ROLE")


def test_claims_and_facts_say_what_the_books_say(books):
    trader = books.trader()
    settled, held, voided = new_id(), new_id(), new_id()
    for trade_id, amount in ((settled, 1039), (held, 500), (voided, 1039)):
        books.hold(trader, amount, trade_id)
    books.settle(books.settled(trader, settled, payout=0))
    books.void(books.cancelled(trader, voided))
    booked = [(settled, f"{trader.account_id}:USD:1000:39:0"), (voided, f"{trader.account_id}:USD:1000:39:1954")]
    undone = [(voided, f"{trader.account_id}:USD")]
    claims = {name: sorted(books.rows(query)) for name, query in CLAIMS.items()}
    assert {name: rows for name, rows in claims.items() if rows} == {
        "settled_trade": sorted(booked),
        "voided_trade": undone,
        "live_trade": [(held, "500")],
        "audited_ledger": sorted((id_, "1") for (id_,) in books.rows("SELECT id::text FROM ledger_tx")),
    }
    facts = {name: sorted(books.rows(query)) for name, query in FACTS.items()}
    assert {name: rows for name, rows in facts.items() if rows} == {
        "ledger_settlement": sorted(booked),
        "ledger_void": undone,
        "hold_of_open_trade": [(held, f"{trader.account_id}:500")],
        "account_copy_trades": [(trader.account_id, "1")],
    }
