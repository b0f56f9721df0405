"""Halting trading: on a symbol or altogether, from the commit on, told and taken back once."""

from __future__ import annotations

from collections import Counter

import psycopg2
import pytest

from shared.chassis.context import Context, use
from shared.contracts import schema
from shared.contracts.envelope import parse
from shared.contracts.errors import Forbidden, Unauthorized, ValidationFailed
from shared.contracts.trades.errors import TradingHalted
from trades.commands.list_halts import list_halts


@pytest.fixture
def listed(desk):
    def ask(context):
        with use(context):
            page = list_halts(db=desk.db)
        assert (page["has_more"], page["next"]) == (False, None)
        return [(halt["symbol"], halt["reason"]) for halt in page["results"]]

    return ask


def halted(act):
    with pytest.raises(TradingHalted) as error:
        act()
    return error.value


def test_a_halted_symbol_is_not_opened_and_others_are(desk, counter):
    trader = desk.trader()
    counter.halt("R_100")
    refusal = halted(lambda: desk.open(trader, symbol="R_100"))
    assert refusal.extra == {"symbol": "R_100", "since": "2026-03-02T10:20:30.250000Z"}
    assert desk.open(trader, symbol="R_50")["status"] == "OPEN"
    counter.halt()
    refusal = halted(lambda: desk.open(trader, symbol="R_50"))
    assert (refusal.extra["symbol"], refusal.detail) == (None, "Trading is halted.")
    counter.resume("R_100")
    halted(lambda: desk.open(trader, symbol="R_100"))
    counter.resume()
    assert desk.open(trader, symbol="R_100")["status"] == desk.open(trader, symbol="R_50")["status"] == "OPEN"


def test_the_end_of_the_halt_of_everything_leaves_that_of_a_symbol(desk, counter):
    trader = desk.trader()
    counter.halt("R_100")
    counter.halt()
    counter.resume()
    halted(lambda: desk.open(trader, symbol="R_100"))
    assert desk.open(trader, symbol="R_50")["status"] == "OPEN"


def test_a_halt_keeps_nothing_so_that_the_same_key_opens_later(desk, counter):
    trader = desk.trader()
    counter.halt()
    halted(lambda: desk.open(trader, "the-same-key-0001"))
    assert desk.rows("SELECT 1 FROM trades UNION ALL SELECT 1 FROM idempotency") == []
    assert desk.billing.calls == []
    counter.resume()
    assert desk.open(trader, "the-same-key-0001")["status"] == "OPEN"


def test_a_limited_account_is_halted_like_any_other(desk, counter):
    trader = desk.trader()
    counter.staff(trader, open_trades_max=0)
    counter.halt("R_100")
    halted(lambda: desk.open(trader))


def test_what_is_open_settles_sells_and_is_voided_all_the_same(desk, counter, clock):
    trader = desk.trader()
    expiring, closed, voided = (desk.open(trader)["id"] for _ in range(3))
    counter.halt()
    desk.close(closed, "7.50")
    desk.void(voided)
    clock.go(60)
    desk.settle()
    assert desk.row(expiring)["status"] in ("WON", "LOST")


def test_an_opening_that_is_written_down_goes_on_through_a_halt(desk, counter):
    trader = desk.trader()
    desk.billing.on_hold = lambda hold_id: counter.halt()
    assert desk.open(trader)["status"] == "OPEN"


def test_once_a_halt_is_answered_nothing_is_opened_that_is_asked_for_after_it(desk, counter, at_once):
    traders = [desk.trader() for _ in range(20)]

    def halt_and_open(trader):
        counter.halt("R_100")
        return desk.open(trader)["status"]

    assert at_once(*[lambda trader=trader: halt_and_open(trader) for trader in traders]) == ["trading_halted"] * 20
    assert len(desk.told("trading_halted")) == 1


def test_a_halt_is_one_and_told_once_however_many_ask_for_it(desk, counter, at_once, listed):
    answers = at_once(*[lambda n=n: counter.halt("R_100", reason=f"reason {n}") for n in range(20)])
    assert Counter(answer["created"] for answer in answers) == Counter({True: 1, False: 19})
    assert len({answer["halt"]["id"] for answer in answers}) == 1
    assert len(desk.told("trading_halted")) == 1
    ended = at_once(*[lambda: counter.resume("R_100")] * 20)
    assert Counter(answer["resumed"] for answer in ended) == Counter({True: 1, False: 19})
    assert len(desk.told("trading_resumed")) == 1
    assert counter.halt("R_100")["created"] is True


def test_what_is_told_names_the_halt_who_and_why(desk, counter, clock):
    halt = counter.halt("R_100", reason="late prices")["halt"]
    counter.halt()
    clock.go(600)
    counter.resume("R_100")
    first, second = desk.told("trading_halted")
    (ended,) = desk.told("trading_resumed")
    for told in (first, second, ended):
        assert schema.dump(parse(told.to_json()).data) == told.data
    assert first.data == {
        "halt_id": halt["id"],
        "symbol": "R_100",
        "reason": "late prices",
        "halted_by": "01920000-0000-7000-8000-000000000009",
        "halted_at": halt["since"],
    }
    assert second.data["symbol"] is None
    assert (ended.subject, ended.subject_version) == (first.subject, first.subject_version + 1) == (halt["id"], 2)
    assert ended.data["resumed_at"] == "2026-03-02T10:30:30.250000Z"


def test_everybody_who_is_logged_in_sees_what_is_halted_and_only_staff_halt(desk, counter, listed):
    trader = desk.trader()
    counter.halt("R_50", reason="b")
    counter.halt(reason="a")
    counter.halt("1HZ100V", reason="c")
    counter.resume("1HZ100V")
    assert listed(trader.context) == [(None, "a"), ("R_50", "b")]
    with pytest.raises(Unauthorized):
        listed(Context())
    for act in (counter.halt, counter.resume):
        with pytest.raises(Forbidden):
            act("R_100", kind="user")
    with pytest.raises(ValidationFailed) as error:
        counter.halt("EURUSD")
    assert [(item["field"], item["code"]) for item in error.value.errors] == [("symbol", "unknown")]


def test_a_second_standing_halt_of_a_symbol_is_refused_by_the_database(desk, counter):
    counter.halt("R_100")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        desk.rows("INSERT INTO halts SELECT gen_random_uuid(), symbol, reason, halted_by, halted_at FROM halts")


def test_a_preview_says_what_is_halted(desk, counter):
    trader = desk.trader()
    counter.halt("R_100")
    assert [refusal["code"] for refusal in counter.preview(trader)["refusals"]] == ["trading_halted"]
    assert counter.preview(trader, symbol="R_50")["refusals"] == []
