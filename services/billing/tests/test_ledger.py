"""What the database itself keeps: entries balance, stay, and appear once."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from functools import partial

import pytest
from psycopg2 import errors
from sqlalchemy.exc import DBAPIError, ProgrammingError

from billing import ledger
from billing.rules import Account, Leg
from shared.contracts.billing.errors import AccountNotFound, HoldMismatch, InsufficientFunds
from shared.contracts.errors import NotReady
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

NEVER = {
    "update": "UPDATE {table} SET xact = xact",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table}",
}

ENTRIES = ["ledger_tx", "postings"]
WRITTEN_BY_FUNCTIONS = [*ENTRIES, "holds", "transactions", "accounts", "checkpoints", "first_deposits"]


@pytest.mark.parametrize("table", ENTRIES)
@pytest.mark.parametrize("how", NEVER)
def test_not_even_a_superuser_changes_entries(books, table, how):
    books.trader()
    with pytest.raises(errors.InsufficientPrivilege, match="never changed"):
        books.rows(NEVER[how].format(table=table))


@pytest.mark.parametrize("table", WRITTEN_BY_FUNCTIONS)
@pytest.mark.parametrize("how", ["update", "delete", "truncate", "insert"])
def test_the_service_may_only_read_what_the_ledger_writes(books, table, how):
    column = {"ledger_tx": "kind", "accounts": "kind", "first_deposits": "user_id"}.get(table, "account_id")
    update = f"UPDATE {table} SET {column} = {column}"
    insert = f"INSERT INTO {table} DEFAULT VALUES"
    statement = {**NEVER, "update": update, "insert": insert}[how].format(table=table)
    with pytest.raises(ProgrammingError, match="permission denied"), books.db.transaction() as tx:
        tx.exec_driver_sql(statement)


def test_accounts_holds_and_lines_stay_and_keep_their_identity(books):
    trader = books.trader()
    for statement in (
        "DELETE FROM accounts",
        "DELETE FROM holds",
        "TRUNCATE transactions",
        "DELETE FROM transactions",
        "UPDATE transactions SET amount = 1",
        "UPDATE accounts SET currency = 'EUR'",
        "UPDATE accounts SET user_id = id",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            books.rows(statement)
    assert books.money(trader) == (1_000_000, 0)


@pytest.fixture
def entry(books):
    """Writes a ledger transaction by hand, as the owner could: legs are (account, amount, version, balance after)."""

    def write(*legs, environment="demo", currency="USD", extra=""):
        tx_id = new_id()
        values = [f"('{tx_id}', {line}, '{leg[0]}', {leg[1]}, {leg[2]}, {leg[3]})" for line, leg in enumerate(legs, 1)]
        lines = (
            f"INSERT INTO postings (tx_id, line, account_id, amount, version, balance_after) VALUES {','.join(values)};"
        )
        books.rows(
            "BEGIN; INSERT INTO ledger_tx (id, kind, ref, request_hash, environment, currency, created_at)"
            f" VALUES ('{tx_id}', 'hand', '{tx_id}', '', '{environment}', '{currency}', now());"
            f"{lines if legs else ''} {extra.format(tx=tx_id)} COMMIT"
        )
        return tx_id

    yield write
    books.rows("ROLLBACK")


@pytest.fixture
def houses(books):
    """Two house accounts that postings can go between."""
    books.trader()
    books.trader("EUR")
    trading = ledger.house("demo", "USD", "trading")
    legs = [Leg(account=trading, amount=5), Leg(account=ledger.house("demo", "USD", "funding"), amount=-5)]
    books.post(books.transfer(books.trader(), 5, legs=legs))
    return ledger.house("demo", "USD", "funding").id, trading.id


def test_balanced_postings_are_taken_at_commit(entry, houses):
    entry((houses[0], 5, "NULL", "NULL"), (houses[1], -5, "NULL", "NULL"))


@pytest.mark.parametrize(
    "legs",
    [
        pytest.param([], id="none"),
        pytest.param([("first", 5)], id="one-sided"),
        pytest.param([("first", 5), ("second", -4)], id="unbalanced"),
        pytest.param([("first", 5), ("euro", -5)], id="two-currencies"),
        pytest.param([("first", 5), ("nowhere", -5)], id="no-such-account"),
    ],
)
def test_what_does_not_balance_is_refused_at_commit(entry, houses, legs):
    euro = ledger.house("demo", "EUR", "funding").id
    ids = {"first": houses[0], "second": houses[1], "euro": euro, "nowhere": new_id()}
    with pytest.raises(errors.IntegrityConstraintViolation, match="does not balance"):
        entry(*[(ids[name], amount, "NULL", "NULL") for name, amount in legs])


def test_another_environment_is_refused_at_commit(entry, houses):
    with pytest.raises(errors.IntegrityConstraintViolation, match="does not balance"):
        entry((houses[0], 5, "NULL", "NULL"), (houses[1], -5, "NULL", "NULL"), environment="real")


def test_checking_early_does_not_let_a_late_posting_through(entry, houses):
    late = (
        "SET CONSTRAINTS ALL IMMEDIATE;"
        f"INSERT INTO postings (tx_id, line, account_id, amount) VALUES ('{{tx}}', 3, '{houses[0]}', 7);"
    )
    with pytest.raises(errors.IntegrityConstraintViolation, match="does not balance"):
        entry((houses[0], 5, "NULL", "NULL"), (houses[1], -5, "NULL", "NULL"), extra=late)


def test_a_finished_ledger_transaction_takes_no_postings_even_balanced_ones(books, entry, houses):
    tx_id = entry((houses[0], 5, "NULL", "NULL"), (houses[1], -5, "NULL", "NULL"))
    with pytest.raises(errors.IntegrityConstraintViolation, match="not of this database transaction"):
        books.rows(
            "INSERT INTO postings (tx_id, line, account_id, amount) VALUES (%s, 3, %s, 7), (%s, 4, %s, -7)",
            *(tx_id, houses[0], tx_id, houses[1]),
        )


def test_a_posting_on_a_client_needs_the_next_version(books, entry, houses):
    trader = books.trader()
    with pytest.raises(errors.UniqueViolation, match="postings_account_version"):
        entry((houses[0], 5, "NULL", "NULL"), (trader.account_id, -5, 1, 999_995))


@pytest.mark.parametrize("foreign", [("demo", "EUR"), ("real", "USD")])
@pytest.mark.parametrize("is_known", [True, False])
def test_the_ledger_refuses_two_currencies_and_two_environments(books, foreign, is_known):
    trader = books.trader()
    if is_known:
        books.rows(
            "INSERT INTO accounts (id, kind, purpose, environment, currency, created_at, updated_at)"
            " VALUES (%s, 'house', 'funding', %s, %s, now(), now())",
            *(ledger.house(*foreign, "funding").id, *foreign),
        )
    legs = [
        Leg(account=Account(trader.account_id), amount=5, tx_type="DEPOSIT"),
        Leg(account=ledger.house(*foreign, "funding"), amount=-5),
    ]
    for environment, currency in (("demo", "USD"), foreign):
        with pytest.raises(DBAPIError, match="does not balance"):
            books.post(books.transfer(trader, 5, legs=legs, environment=environment, currency=currency))
    assert books.money(trader) == (1_000_000, 0)


def test_unbalanced_legs_do_not_even_make_a_request(books):
    trader = books.trader()
    with pytest.raises(ValueError, match="does not balance"):
        books.transfer(trader, 5, legs=[Leg(account=Account(trader.account_id), amount=5, tx_type="DEPOSIT")])


def test_fifty_equal_posts_at_once_are_one_and_all_get_its_lines(books, at_once):
    trader = books.trader()
    request = books.transfer(trader, 500)
    answers = at_once(*[partial(books.post, request) for _ in range(50)])
    posted = [answer[0] for answer in answers]
    assert len({one.id for one in posted}) == 1
    assert len({one.lines for one in posted}) == 1
    assert [one.replayed for one in posted].count(False) == 1
    assert books.money(trader) == (1_000_500, 0)


def test_the_first_postings_of_many_at_once_make_each_house_account_once(books, at_once):
    traders = [books.trader(currency) for currency in ("USD", "EUR", "GBP", "AUD", "USDT", "USDC")]
    purposes = ("funding", "external", "trading", "markup", "commission_expense")
    requests = [
        books.transfer(
            trader,
            1,
            legs=[
                Leg(account=Account(trader.account_id), amount=1, tx_type="ADJUSTMENT"),
                Leg(account=ledger.house("demo", trader.currency, purpose), amount=-1),
            ],
        )
        for purpose in purposes
        for trader in traders
        for _ in range(10)
    ]
    answers = at_once(*[partial(books.post, request) for request in requests], threads=10)
    assert not [answer for answer in answers if isinstance(answer, str)]
    assert {books.house(purpose, trader.currency) for trader in traders for purpose in purposes[1:]} == {-10}


def test_the_same_reference_with_other_contents_is_refused(books):
    trader = books.trader()
    request = books.transfer(trader, 500)
    books.post(request)
    with pytest.raises(HoldMismatch):
        books.post(books.transfer(trader, 501, ref=request.ref))
    assert books.money(trader) == (1_000_500, 0)


def test_the_same_reference_of_another_kind_is_another_transaction(books):
    trader = books.trader()
    request = books.transfer(trader, 500)
    books.post(request, dataclasses.replace(request, kind="test_bonus"))
    assert books.money(trader) == (1_001_000, 0)


def test_money_that_is_held_or_not_there_cannot_leave(books):
    trader = books.trader()
    books.hold(trader, 600_000)
    with pytest.raises(InsufficientFunds):
        books.post(books.transfer(trader, -400_001))
    books.post(books.transfer(trader, -400_000))
    assert books.money(trader) == (600_000, 600_000)


def test_parallel_withdrawals_and_holds_never_go_below_the_floor(books, at_once):
    trader = books.trader()
    calls = [partial(books.post, books.transfer(trader, -70_000)) for _ in range(20)]
    calls += [partial(books.hold, trader, 70_000) for _ in range(20)]
    answers = at_once(*calls)
    assert answers.count("insufficient_funds") == 40 - 14
    balance, held = books.money(trader)
    assert balance - held == 1_000_000 - 14 * 70_000


def test_crossing_transfers_between_clients_do_not_block_each_other_for_good(books, at_once):
    one, two = books.trader(), books.trader()

    def move(source, target):
        legs = [
            Leg(account=Account(source.account_id), amount=-10, tx_type="ADJUSTMENT"),
            Leg(account=Account(target.account_id), amount=10, tx_type="ADJUSTMENT"),
        ]
        return partial(books.post, books.transfer(source, 10, legs=legs))

    answers = at_once(*[move(one, two) for _ in range(20)], *[move(two, one) for _ in range(20)])
    assert not [answer for answer in answers if isinstance(answer, str)]
    assert (books.money(one), books.money(two)) == ((1_000_000, 0), (1_000_000, 0))


def test_an_account_that_is_not_there_takes_nothing(books):
    trader = books.trader()
    legs = [
        Leg(account=Account(new_id()), amount=5, tx_type="DEPOSIT"),
        Leg(account=ledger.house("demo", "USD", "funding"), amount=-5),
    ]
    with pytest.raises(AccountNotFound):
        books.post(books.transfer(trader, 5, legs=legs))


def test_affiliates_are_paid_through_their_payable_account_in_one_transaction(books):
    trader = books.trader()
    owed = ledger.payable("demo", "USD", trader.user_id)
    legs = [
        Leg(account=ledger.house("demo", "USD", "markup"), amount=-30),
        Leg(account=owed, amount=30),
        Leg(account=owed, amount=-30),
        Leg(account=Account(trader.account_id), amount=30, tx_type="COMMISSION"),
    ]
    books.post(books.transfer(trader, 30, kind="commission", legs=legs))
    assert books.money(trader) == (1_000_030, 0)
    assert books.one("SELECT balance FROM account_balances WHERE account_id = %s", owed.id) == (0,)


def test_a_reversal_is_linked_once_and_what_is_missing_becomes_a_debt(books):
    trader = books.trader()
    deposit = books.transfer(trader, 500)
    debt = ledger.receivable("demo", "USD", trader.user_id)
    legs = [
        Leg(account=Account(trader.account_id), amount=-300, tx_type="DEPOSIT"),
        Leg(account=debt, amount=-200),
        Leg(account=ledger.house("demo", "USD", "funding"), amount=500),
    ]
    mirror = books.transfer(trader, 0, kind="reversal", legs=legs, reverses=(deposit.kind, deposit.ref))
    with pytest.raises(NotReady):
        books.post(mirror)
    original, reversal = books.post(deposit, mirror)
    assert books.post(mirror)[0].id == reversal.id
    assert books.one("SELECT reverses::text FROM ledger_tx WHERE id = %s", reversal.id) == (original.id,)
    assert books.one("SELECT balance, version FROM accounts WHERE id = %s", debt.id) == (-200, 1)
    with pytest.raises(HoldMismatch):
        books.post(dataclasses.replace(mirror, ref=new_id()))
    assert books.money(trader) == (1_000_200, 0)


def test_a_debt_cannot_be_repaid_beyond_zero(books):
    trader = books.trader()
    legs = [
        Leg(account=ledger.receivable("demo", "USD", trader.user_id), amount=1),
        Leg(account=ledger.house("demo", "USD", "funding"), amount=-1),
    ]
    with pytest.raises(DBAPIError, match="accounts_debt"):
        books.post(books.transfer(trader, 1, legs=legs))


def test_house_balances_are_right_before_during_and_after_checkpoints(books):
    trader = books.trader()
    sums = []
    for amount in (100, 200, 300):
        books.post(books.transfer(trader, amount))
        sums.append(books.house("funding"))
        books.checkpoint()
        sums.append(books.house("funding"))
    assert sums == [-1_000_100, -1_000_100, -1_000_300, -1_000_300, -1_000_600, -1_000_600]
    assert books.one("SELECT balance FROM checkpoints")[0] == -1_000_600


def test_a_checkpoint_waits_for_a_transaction_that_is_still_running(books, sql):
    trader, other = books.trader(), books.trader()
    with books.db.transaction() as tx:
        ledger.post(tx, [books.transfer(trader, 100)], now=get_utc_now())
        books.rows("SELECT ledger_post('[]', '[]', now())")
        checkpoint = partial(books.rows, "SELECT checkpoint_accounts(now())")
        checkpoint()
    books.post(books.transfer(other, 50))
    checkpoint()
    assert books.house("funding") == -2_000_150
    assert books.violations() == {}


def test_a_checkpoint_from_another_clusters_future_is_not_believed(books):
    books.trader()
    books.checkpoint()
    books.tamper("UPDATE checkpoints SET upto = 9000000000000000000, balance = 7")
    assert books.house("funding") == -1_000_000
    books.checkpoint()
    assert books.one("SELECT balance FROM checkpoints") == (-1_000_000,)
    assert books.violations() == {}


def test_postings_do_not_touch_the_row_of_a_house_account(books):
    trader = books.trader()
    house = ledger.house("demo", "USD", "funding").id
    before = books.one("SELECT xmin::text, xmax::text, ctid::text FROM accounts WHERE id = %s", house)
    for _ in range(3):
        books.post(books.transfer(trader, 10))
    assert books.one("SELECT xmin::text, xmax::text, ctid::text FROM accounts WHERE id = %s", house) == before


def test_what_fails_before_commit_leaves_nothing(books):
    trader = books.trader()
    with suppress(RuntimeError), books.db.transaction() as tx:
        ledger.post(tx, [books.transfer(trader, 500)], now=get_utc_now())
        raise RuntimeError("whatever comes after")
    assert books.money(trader) == (1_000_000, 0)
