"""Settling: at the market's prices, once, whatever happens to processes and clocks."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from shared.chassis.errors import CommitUnknown
from shared.contracts.envelope import parse
from shared.contracts.errors import ServiceUnavailable
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.commands import settle_due as command
from trades.market.builtin import BuiltinMarket
from trades.market.hours import Hours, seed_of
from trades.market.port import Outcome


def expire(clock, trade, seconds=0.0):
    clock.now = from_rfc3339(trade["expires_at"]) + timedelta(seconds=seconds)


def test_a_trade_settles_by_the_ticks_at_its_start_and_its_end(desk, clock):
    trader = desk.trader(account_markup="1.00")
    trades = [desk.open(trader, contract_type=side) for side in ("CALL", "PUT")]
    expire(clock, trades[0])
    desk.settle()
    entry = desk.market.spot("R_100", at=from_rfc3339("2026-03-02T10:20:32Z"), now=clock.now)
    exit_ = desk.market.spot("R_100", at=from_rfc3339("2026-03-02T10:20:42Z"), now=clock.now)
    assert entry != exit_
    for trade, won in zip(trades, (exit_ > entry, exit_ < entry), strict=True):
        row = desk.row(trade["id"])
        payout = 1954 if won else 0
        assert (row["status"], row["payout"], row["reason"]) == ("WON" if won else "LOST", payout, "expired")
        assert row["profit"] == payout - 1000 - 20
        assert (Decimal(str(row["entry_spot"])), Decimal(str(row["exit_spot"]))) == (entry, exit_)
        assert from_rfc3339(row["closed_at"]) == clock.now


def test_both_sides_of_a_tie_lose(desk, clock):
    class Flat(BuiltinMarket):
        def _price(self, code, at, *, now):
            return Decimal("1500.00")

    trader = desk.trader()
    trades = [desk.open(trader, contract_type=side) for side in ("CALL", "PUT")]
    expire(clock, trades[0])
    command.settle_due(db=desk.db, market=Flat(desk.db, desk.hours, commission=Decimal("0.012")))
    assert [desk.row(trade["id"])["status"] for trade in trades] == ["LOST", "LOST"]


def test_the_event_tells_everything_and_is_linked_to_the_opening(desk, clock):
    affiliate = desk.user(markup_percentage="1.00")
    trader = desk.trader(referrer_id=affiliate)
    trade = desk.open(trader)
    expire(clock, trade, 0.1)
    desk.settle()
    (opened,), (told,) = desk.told("trade_opened"), desk.told("trade_settled")
    event, row = parse(told.to_json()).data, desk.row(trade["id"])
    assert (told.correlation_id, told.causation_id) == (opened.correlation_id, opened.id)
    assert (told.subject, told.subject_version) == (trade["id"], row["version"])
    assert told.subject_version == opened.subject_version + 1
    assert (told.actor.kind, told.actor.user_id) == ("system", None)
    assert (event.status, event.payout, event.reason) == (row["status"], row["payout"], "expired")
    assert (event.stake, event.held, event.markup) == (1000, 1020, 20)
    assert (event.markup_percent, event.markup_source, event.affiliate_id) == ("1.00", "affiliate", affiliate)
    assert (event.opened_at, event.expires_at) == (trade["opened_at"], trade["expires_at"])
    assert event.closed_at == to_rfc3339(clock.now)
    assert None not in (event.entry_spot, event.exit_spot)


def test_nothing_settles_before_its_time_and_everything_exactly_at_it(desk, clock):
    trade = desk.open(desk.trader())
    expire(clock, trade, -0.000001)
    assert desk.settle() == from_rfc3339(trade["expires_at"])
    assert desk.row(trade["id"])["status"] == "OPEN"
    expire(clock, trade)
    assert desk.settle() is None
    assert desk.row(trade["id"])["status"] in ("WON", "LOST")


def test_the_next_due_time_is_told(desk, clock):
    trader = desk.trader()
    assert desk.settle() is None
    short, long = desk.open(trader), desk.open(trader, duration=1, duration_unit="m")
    expire(clock, short)
    assert desk.settle() == from_rfc3339(long["expires_at"])


def test_settling_again_changes_and_tells_nothing(desk, clock):
    trade = desk.open(desk.trader())
    expire(clock, trade)
    desk.settle()
    before = desk.row(trade["id"])
    clock.go(10)
    desk.settle()
    assert desk.row(trade["id"]) == before
    assert len(desk.told("trade_settled")) == 1


def test_a_clock_that_goes_back_settles_nothing_twice_and_nothing_never(desk, clock):
    trader = desk.trader()
    first = desk.open(trader)
    expire(clock, first)
    desk.settle()
    clock.go(-8)
    second = desk.open(trader)
    desk.settle()
    assert desk.row(second["id"])["status"] == "OPEN"
    assert len(desk.told("trade_settled")) == 1
    expire(clock, second, 5)
    desk.settle()
    assert [event.subject for event in desk.told("trade_settled")] == [first["id"], second["id"]]


def test_after_a_pause_of_days_all_that_fell_due_is_settled(desk, clock):
    trader = desk.trader()
    trades = [desk.open(trader, duration=length, duration_unit="h") for length in (1, 5, 30)]
    clock.go(3 * 86_400)
    desk.hours = Hours(make_seed=seed_of("tests"))
    desk.settle()
    assert {desk.row(trade["id"])["status"] for trade in trades} <= {"WON", "LOST"}


def test_batches_are_of_a_hundred_with_one_commit_each(desk, clock, statements):
    trader = desk.trader()
    for _ in range(203):
        trade = desk.open(trader, symbol="1HZ100V")
    expire(clock, trade, 1)
    with statements(desk.db) as seen:
        desk.settle()
    assert sum(statement.startswith("WITH") for statement in seen) == 3
    assert len(seen) == 3 * 2 + 1
    assert desk.rows("SELECT count(*) FROM trades WHERE status IN ('WON', 'LOST')") == [(203,)]
    assert len({event.subject for event in desk.told("trade_settled")}) == 203


def test_two_settling_processes_at_once_settle_each_trade_once(desk, clock, at_once):
    trader = desk.trader()
    for _ in range(250):
        trade = desk.open(trader, symbol="1HZ100V")
    expire(clock, trade)
    at_once(*[desk.settle] * 8)
    desk.settle()
    subjects = [event.subject for event in desk.told("trade_settled")]
    assert len(subjects) == len(set(subjects)) == 250
    assert desk.rows("SELECT count(*) FROM trades WHERE status = 'OPEN'") == [(0,)]


def test_a_lost_answer_to_the_commit_settles_once(desk, clock, lost_commit):
    trade = desk.open(desk.trader())
    expire(clock, trade)
    with lost_commit(desk.db, 1), pytest.raises(CommitUnknown):
        desk.settle()
    desk.settle()
    assert len(desk.told("trade_settled")) == 1


def test_a_contract_without_a_result_yet_keeps_nobody_else_waiting(desk, clock):
    class Slow(BuiltinMarket):
        def result(self, contract, *, now):
            if contract.symbol == "R_50":
                return None
            if contract.symbol == "R_100":
                raise ServiceUnavailable()
            return Outcome(won=True, entry_spot=Decimal(1), exit_spot=Decimal(2))

    trader = desk.trader()
    trades = {symbol: desk.open(trader, symbol=symbol)["id"] for symbol in ("R_50", "R_100", "1HZ100V")}
    clock.go(20)
    slow = Slow(desk.db, desk.hours, commission=Decimal("0.012"))
    assert command.settle_due(db=desk.db, market=slow) is None
    assert {symbol: desk.row(id_)["status"] for symbol, id_ in trades.items()} == {
        "R_50": "OPEN",
        "R_100": "OPEN",
        "1HZ100V": "WON",
    }
    desk.settle()
    assert desk.rows("SELECT count(*) FROM trades WHERE status = 'OPEN'") == [(0,)]


@pytest.mark.parametrize("plan", ["hashjoin", "mergejoin", "nestloop"])
def test_results_are_told_in_the_order_of_their_ends_however_the_server_finds_them(desk, clock, plan):
    trader = desk.trader()
    ids = [desk.open(trader, duration=seconds, duration_unit="s")["id"] for seconds in (90, 60, 60, 30, 30, 15)]
    clock.go(120)

    def only(connection, *_):
        with connection.cursor() as cursor:
            for other in {"hashjoin", "mergejoin", "nestloop"} - {plan}:
                cursor.execute(f"SET enable_{other} = off")

    event.listen(desk.db.engine, "checkout", only)
    try:
        desk.settle()
    finally:
        event.remove(desk.db.engine, "checkout", only)
        desk.db.engine.dispose()
    assert [told.subject for told in desk.told("trade_settled")] == [ids[n] for n in (5, 3, 4, 1, 2, 0)]


def test_however_many_have_no_result_yet_those_behind_them_are_settled(desk, clock):
    class Away(BuiltinMarket):
        def result(self, contract, *, now):
            if contract.symbol == "R_50":
                raise ServiceUnavailable()
            return super().result(contract, now=now)

    trader = desk.trader()
    stuck = [desk.open(trader, symbol="R_50", duration=1, duration_unit="t")["id"] for _ in range(command.BATCH * 2)]
    behind = [desk.open(trader, symbol="R_100", duration=3, duration_unit="t")["id"] for _ in range(command.BATCH + 5)]
    clock.go(20)
    desk.through(Away)
    assert desk.settle() is None
    rows = dict(desk.rows("SELECT id::text, status FROM trades"))
    assert {rows[id_] for id_ in stuck} == {"OPEN"}
    assert {rows[id_] for id_ in behind} <= {"WON", "LOST"}
    desk.through(BuiltinMarket)
    desk.settle()
    assert desk.rows("SELECT count(*) FROM trades WHERE status = 'OPEN'") == [(0,)]
    assert len({event.subject for event in desk.told("trade_settled")}) == len(stuck) + len(behind)
