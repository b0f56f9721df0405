"""What can be asked, by whom, and that long lists are read through an index."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import event

from billing import queries
from billing.commands.set_account_markup import set_account_markup
from shared.chassis.context import Context
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now

STAFF = Context(kind="staff", user_id=new_id())
SYSTEM = Context(kind="system")
ANYBODY = Context(kind="anonymous")


def lines(books, caller, **asked):
    nothing = {"account_id": None, "user_id": None, "tx_type": None, "status": None, "limit": 20, "after": None}
    return queries.list_transactions(books.db, caller, **{**nothing, **asked})


def accounts(books, caller, user_id=None, limit=20, after=None):
    return queries.list_accounts(books.db, caller, user_id=user_id, limit=limit, after=after)


def pages(ask):
    """All results of a list, page by page."""
    found, after = [], None
    while True:
        page = ask(after)
        found += page["results"]
        after = page["next"]
        assert page["has_more"] == (after is not None)
        if after is None:
            return found


@pytest.fixture
def trader(books):
    return books.trader()


@pytest.mark.parametrize("question", [queries.get_account, queries.account_terms])
def test_owner_staff_and_the_system_see_an_account_and_nobody_else(books, trader, question):
    for caller in (trader.context, STAFF, SYSTEM):
        assert question(books.db, caller, trader.account_id)["user_id"] == trader.user_id
    with pytest.raises(AccountNotFound):
        question(books.db, books.trader().context, trader.account_id)
    with pytest.raises(Unauthorized):
        question(books.db, ANYBODY, trader.account_id)
    (house,) = books.one("SELECT id::text FROM accounts WHERE kind = 'house'")
    for missing in (new_id(), house):
        with pytest.raises(AccountNotFound):
            question(books.db, STAFF, missing)


def test_available_is_the_balance_less_holds_and_floor(books, trader):
    books.hold(trader, 1039)
    books.rows("UPDATE accounts SET floor = 100 WHERE id = %s", trader.account_id)
    account = queries.get_account(books.db, trader.context, trader.account_id)
    assert (account["balance"], account["available"]) == ("10000.00", "9988.61")


def test_terms_are_what_trades_copies(books, trader):
    terms = {"account_id": trader.account_id, "user_id": trader.user_id, "account_type": "DEMO", "currency": "USD"}
    assert queries.account_terms(books.db, SYSTEM, trader.account_id) == {
        **terms,
        "markup_percentage": None,
        "version": 1,
    }
    set_account_markup(books.db, STAFF, account_id=trader.account_id, markup_percentage="1.5", now=get_utc_now())
    changed = queries.account_terms(books.db, SYSTEM, trader.account_id)
    assert (changed["markup_percentage"], changed["version"]) == ("1.50", 2)


def test_accounts_come_default_first_then_newest_page_by_page(books, trader):
    others = [books.trader(code, trader.user_id).account_id for code in ("EUR", "GBP", "AUD", "USDT", "USDC")]
    books.trader()
    expected = [trader.account_id, *reversed(others)]
    assert [account["id"] for account in accounts(books, trader.context)["results"]] == expected
    for limit in (1, 2, 3):
        found = pages(lambda after, size=limit: accounts(books, trader.context, limit=size, after=after))
        assert [account["id"] for account in found] == expected


def test_lists_are_ones_own_and_staff_may_see_anybodys(books, trader):
    stranger = books.trader()
    own = [account["id"] for account in accounts(books, trader.context)["results"]]
    assert own == [trader.account_id]
    assert accounts(books, STAFF)["results"] == []
    assert [account["id"] for account in accounts(books, STAFF, trader.user_id)["results"]] == own
    assert len(lines(books, trader.context)["results"]) == 1
    assert len(lines(books, STAFF)["results"]) == 2
    assert len(lines(books, STAFF, user_id=trader.user_id)["results"]) == 1
    assert len(lines(books, STAFF, account_id=trader.account_id)["results"]) == 1
    with pytest.raises(Forbidden):
        accounts(books, stranger.context, trader.user_id)
    with pytest.raises(Forbidden):
        lines(books, stranger.context, user_id=trader.user_id)
    with pytest.raises(AccountNotFound):
        lines(books, stranger.context, account_id=trader.account_id)
    with pytest.raises(AccountNotFound):
        lines(books, STAFF, account_id=trader.account_id, user_id=stranger.user_id)
    for caller in (ANYBODY, SYSTEM):
        with pytest.raises(Unauthorized):
            lines(books, caller)
        with pytest.raises(Unauthorized):
            accounts(books, caller)


def test_the_default_account_is_ones_own_and_staff_may_ask_for_anybodys(books, trader):
    stranger = books.trader()
    books.real_trader(user_id=trader.user_id)
    for caller, user_id in ((trader.context, None), (trader.context, trader.user_id), (STAFF, trader.user_id)):
        assert queries.get_default_account(books.db, caller, user_id)["id"] == trader.account_id
    assert queries.get_default_account(books.db, SYSTEM, trader.user_id)["id"] == trader.account_id
    for caller, user_id in ((stranger.context, trader.user_id), (STAFF, None), (STAFF, new_id())):
        with pytest.raises(AccountNotFound):
            queries.get_default_account(books.db, caller, user_id)
    for caller, user_id in ((ANYBODY, trader.user_id), (SYSTEM, None)):
        with pytest.raises(Unauthorized):
            queries.get_default_account(books.db, caller, user_id)


@pytest.fixture
def history(books, trader):
    """A dozen trades beside the opening; returns the trader."""
    for number in range(12):
        trade_id = new_id()
        books.hold(trader, 1039, trade_id)
        books.settle(books.settled(trader, trade_id, payout=1954 * (number % 2)))
    return trader


def test_lines_come_newest_first_page_by_page_whatever_the_filter(books, history):
    everything = lines(books, history.context, limit=100)["results"]
    assert [line["id"] for line in everything] == sorted((line["id"] for line in everything), reverse=True)
    counts = {None: 31, "TRADE_STAKE": 12, "MARKUP": 12, "TRADE_PAYOUT": 6, "DEPOSIT": 1, "REFUND": 0}
    for (tx_type, count), account_id in itertools.product(counts.items(), (None, history.account_id)):
        asked = {"tx_type": tx_type, "account_id": account_id, "limit": 5}
        found = pages(lambda after, asked=asked: lines(books, history.context, after=after, **asked))
        assert found == [line for line in everything if tx_type in (None, line["tx_type"])]
        assert len(found) == count
    assert lines(books, history.context, status="COMPLETED", limit=100)["results"] == everything
    assert lines(books, history.context, status="PENDING")["results"] == []


def test_a_cursor_is_good_for_its_list_filter_and_caller_only(books, history):
    cursor = lines(books, history.context, limit=1)["next"]
    for ask in (
        lambda: lines(books, books.trader().context, after=cursor),
        lambda: lines(books, history.context, tx_type="MARKUP", after=cursor),
        lambda: accounts(books, history.context, after=cursor),
        lambda: lines(books, history.context, after=cursor[:-4] + "AAAA"),
        lambda: lines(books, history.context, after="nonsense"),
    ):
        with pytest.raises(ValidationFailed) as refused:
            ask()
        assert refused.value.errors[0]["field"] == "after"


@pytest.fixture
def big(books, trader):
    """Statistics as of a large table, so that plans are those of a large table."""
    other = books.trader()
    books.tamper(
        "INSERT INTO transactions (id, user_id, account_id, tx_type, amount, currency, status, created_at,"
        " ledger_tx_id, line, balance_after) SELECT gen_random_uuid(), a.user_id, a.id,"
        " CASE WHEN n %% 50 = 0 THEN 'DEPOSIT' ELSE 'TRADE_STAKE' END, 1, 'USD', CASE WHEN n %% 100 = 0 THEN 'FAILED'"
        " ELSE 'COMPLETED' END, now(), CASE WHEN n %% 100 > 0 THEN gen_random_uuid() END,"
        " CASE WHEN n %% 100 > 0 THEN 1 END, CASE WHEN n %% 100 > 0 THEN 1 END"
        " FROM generate_series(1, 4000) AS n, accounts AS a WHERE a.id IN (%s, %s)",
        *(trader.account_id, other.account_id),
    )
    books.tamper(
        "INSERT INTO accounts (id, kind, environment, currency, user_id, account_type, created_at, updated_at)"
        " SELECT gen_random_uuid(), 'client', 'demo', 'USD', gen_random_uuid(), 'DEMO', now(), now()"
        " FROM generate_series(1, 3000)"
    )
    # Rows that earlier tests have left dead would count as read.
    books.rows("VACUUM ANALYZE transactions")
    books.rows("VACUUM ANALYZE accounts")
    return trader


def rows_read(plan):
    """Rows that the scans of a plan went over."""
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Scan" in plan["Node Type"] else 0
    return own * plan["Actual Loops"] + sum(rows_read(inner) for inner in plan.get("Plans", []))


def test_no_list_reads_more_than_a_fraction_of_a_large_table(books, big):
    statements = []

    def note(connection, cursor, statement, parameters, *_):
        statements.append(cursor.mogrify(statement, parameters).decode())

    event.listen(books.db.engine, "before_cursor_execute", note)
    types, states = (None, "DEPOSIT", "TRADE_STAKE", "REFUND"), (None, "COMPLETED", "FAILED", "PENDING")
    owners = (big.context, {}), (big.context, {"account_id": big.account_id}), (STAFF, {})
    for (caller, owner), tx_type, status in itertools.product(owners, types, states):
        page = lines(books, caller, tx_type=tx_type, status=status, limit=5, **owner)
        if page["next"]:
            lines(books, caller, tx_type=tx_type, status=status, limit=5, after=page["next"], **owner)
    accounts(books, big.context)
    assert len(statements) > 60
    for statement in statements:
        explain = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement.replace("%", "%%")
        plan = books.one(explain)[0][0]["Plan"]
        assert "Seq Scan" not in str(plan), statement
        assert rows_read(plan) < 400, (statement, plan)
