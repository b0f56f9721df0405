"""Voiding: what was open or settled is CANCELLED, once, and what it was stays known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.chassis.context import Context, use
from shared.chassis.errors import CommitUnknown
from shared.contracts import schema
from shared.contracts.envelope import parse
from shared.contracts.errors import Forbidden, IdempotencyMismatch, MalformedRequest, ServiceUnavailable, Unauthorized
from shared.contracts.trades.errors import TradeNotFound, TradeNotOpen
from shared.contracts.trades.rpc import TradeView, VoidTradeRequest
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.commands.settle_due import settle_due
from trades.commands.void_trade import void_trade
from trades.market.builtin import BuiltinMarket

STAFF = "01920000-0000-7000-8000-000000000009"


def told_one(desk):
    (told,) = desk.told("trade_cancelled")
    return told, parse(told.to_json()).data


def test_an_open_trade_ends_now_and_nothing_came_of_it(desk, clock):
    trade = desk.open(desk.trader(account_markup="2.00"))
    clock.go(1)
    answer = desk.void(trade["id"], "wrong price")
    assert answer["replayed"] is False
    found = answer["trade"]
    assert set(found) == set(TradeView.__annotations__)
    assert (found["status"], found["payout"], found["profit"]) == ("CANCELLED", None, "0.00")
    assert found["closed_at"] == found["updated_at"] == to_rfc3339(clock.now)
    row = desk.row(trade["id"])
    assert (row["settled_status"], row["settled_payout"], row["reason"]) == (None, None, None)
    assert (row["void_reason"], row["voided_by"], from_rfc3339(row["voided_at"])) == ("wrong price", STAFF, clock.now)
    told, event = told_one(desk)
    assert (event.settled, event.payout, event.status, event.reason) == (False, 0, "CANCELLED", "wrong price")
    assert (event.stake, event.held, event.markup, event.closed_at) == (1000, 1039, 39, found["closed_at"])
    assert (told.subject, told.subject_version) == (trade["id"], row["version"])
    assert told.subject_version == desk.told("trade_opened")[0].subject_version + 1


@pytest.mark.parametrize(("payout", "status"), [("19.54", "WON"), ("0", "LOST"), ("7.50", "CLOSED")])
def test_a_settled_trade_keeps_what_its_result_was_and_tells_it(desk, clock, payout, status):
    trade = desk.open(desk.trader(account_markup="2.00"))
    settled = desk.close(trade["id"], payout)["trade"]
    clock.go(3600)
    found = desk.void(trade["id"])["trade"]
    assert (found["status"], found["payout"], found["profit"]) == ("CANCELLED", None, "0.00")
    assert found["closed_at"] == settled["closed_at"] != found["updated_at"]
    row = desk.row(trade["id"])
    minor = int(Decimal(payout) * 100)
    assert (row["settled_status"], row["settled_payout"], row["reason"]) == (status, minor, "staff")
    told, event = told_one(desk)
    assert (event.settled, event.payout, event.closed_at) == (True, minor, settled["closed_at"])
    assert told.subject_version == desk.told("trade_settled")[0].subject_version + 1


def test_an_expired_trade_keeps_its_spots(desk, clock):
    trade = desk.open(desk.trader())
    clock.go(30)
    desk.settle()
    was = desk.row(trade["id"])
    found = desk.void(trade["id"])["trade"]
    assert (found["entry_spot"], found["exit_spot"]) == (str(was["entry_spot"]), str(was["exit_spot"]))
    _, event = told_one(desk)
    assert (event.entry_spot, event.exit_spot) == (found["entry_spot"], found["exit_spot"])
    assert (event.settled, event.payout) == (True, was["payout"])


def test_the_event_has_everything_and_names_the_member_of_staff(desk):
    affiliate = desk.user(markup_percentage="1.00")
    desk.rule(affiliate, "1.25", version=4)
    trade = desk.open(desk.trader(referrer_id=affiliate))
    desk.void(trade["id"])
    told, event = told_one(desk)
    assert schema.dump(event).keys() == told.data.keys()
    assert (told.actor.kind, told.actor.role, told.actor.user_id) == ("staff", "staff", STAFF)
    opened = parse(desk.told("trade_opened")[0].to_json()).data
    same = ("user_id", "account_id", "stake", "held", "markup", "markup_percent", "markup_source", "rule_id")
    same += ("rule_version", "affiliate_id", "code_id", "contract_id", "opened_at", "expires_at")
    assert {name: getattr(event, name) for name in same} == {name: getattr(opened, name) for name in same}
    assert (event.markup_source, event.rule_version) == ("rule", 4)


def test_the_entry_that_was_shown_stays(desk, clock):
    trade = desk.open(desk.trader(), duration=1, duration_unit="h")
    clock.go(5)
    entry = desk.market.spot("R_100", at=from_rfc3339(trade["expires_at"]) - timedelta(hours=1), now=clock.now)
    assert desk.void(trade["id"])["trade"]["entry_spot"] == str(entry)
    early = desk.open(desk.trader(), duration=1, duration_unit="h")
    assert desk.void(early["id"])["trade"]["entry_spot"] is None


def test_a_market_that_is_away_keeps_nobody_from_voiding(desk, clock):
    class Away(BuiltinMarket):
        def spot(self, symbol, *, at, now):
            raise ServiceUnavailable()

    trade = desk.open(desk.trader())
    clock.go(5)
    desk.through(Away)
    assert desk.void(trade["id"])["trade"]["status"] == "CANCELLED"


def test_the_same_key_gives_the_same_trade(desk):
    trade = desk.open(desk.trader())
    first = desk.void(trade["id"], "wrong price", "the-same-key-0001")
    again = desk.void(trade["id"], "wrong price", "the-same-key-0001")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["trade"] == again["trade"]
    with pytest.raises(IdempotencyMismatch):
        desk.void(trade["id"], "another reason", "the-same-key-0001")
    assert len(desk.told("trade_cancelled")) == 1


@pytest.mark.parametrize("settled", [False, True])
def test_under_another_key_and_reason_it_stays_as_it_is(desk, clock, settled):
    trade = desk.open(desk.trader())
    if settled:
        desk.close(trade["id"], "7.50")
    first = desk.void(trade["id"])["trade"]
    was = desk.row(trade["id"])
    clock.go(10)
    again = desk.void(trade["id"], "another reason")
    assert (again["trade"], again["replayed"]) == (first, False)
    assert desk.row(trade["id"]) == was
    assert len(desk.told("trade_cancelled")) == 1


def test_a_lost_answer_to_the_commit_voids_once(desk, lost_commit):
    trade = desk.open(desk.trader())
    with lost_commit(desk.db, 1), pytest.raises(CommitUnknown):
        desk.void(trade["id"], key="the-same-key-0001")
    assert desk.void(trade["id"], key="the-same-key-0001")["trade"]["status"] == "CANCELLED"
    assert len(desk.told("trade_cancelled")) == 1


def test_what_was_never_bought_is_not_voided(desk, clock):
    trade_id = desk.pending(desk.trader())
    for status in ("PENDING", "REJECTED"):
        with pytest.raises(TradeNotOpen) as error:
            desk.void(trade_id, key="the-same-key-0001")
        assert error.value.extra == {"trade_status": status}
        clock.go(6)
        desk.sweep()
    with pytest.raises(TradeNotFound):
        desk.void(new_id())
    assert desk.told("trade_cancelled") == []
    assert desk.rows("SELECT 1 FROM idempotency WHERE key = 'the-same-key-0001'") == []


def test_only_staff_with_a_key_void(desk):
    trade = desk.open(desk.trader())
    with pytest.raises(Forbidden):
        desk.void(trade["id"], kind="user")
    request = VoidTradeRequest(trade_id=trade["id"], reason="wrong price")
    for context, error in (
        (Context(), Unauthorized),
        (Context(kind="staff", user_id=STAFF), MalformedRequest),
    ):
        with use(context), pytest.raises(error):
            void_trade(request, db=desk.db, market=desk.market)
    assert desk.row(trade["id"])["status"] == "OPEN"


@pytest.mark.parametrize("settled", [False, True])
def test_a_voided_trade_neither_closes_nor_expires(desk, clock, settled):
    trade = desk.open(desk.trader())
    if settled:
        desk.close(trade["id"], "7.50", "the-same-key-0001")
    desk.void(trade["id"])
    was = desk.row(trade["id"])
    with pytest.raises(TradeNotOpen) as error:
        desk.close(trade["id"], "7.50")
    assert error.value.extra == {"trade_status": "CANCELLED"}
    clock.go(60)
    desk.settle()
    assert desk.row(trade["id"]) == was
    assert len(desk.told("trade_settled")) == settled
    if settled:
        again = desk.close(trade["id"], "7.50", "the-same-key-0001")
        assert (again["replayed"], again["trade"]["status"]) == (True, "CANCELLED")


def test_a_void_between_the_sweeps_look_and_its_write_wins(desk, clock):
    class Meanwhile(BuiltinMarket):
        def result(self, contract, *, now):
            desk.void(trade["id"])
            return super().result(contract, now=now)

    trade = desk.open(desk.trader())
    clock.go(60)
    settle_due(db=desk.db, market=Meanwhile(desk.db, desk.hours, commission=Decimal("0.012")))
    assert desk.told("trade_settled") == []
    assert told_one(desk)[1].settled is False


def test_a_settlement_between_the_voids_look_and_its_write_is_voided_as_settled(desk, clock):
    class Meanwhile(BuiltinMarket):
        def spot(self, symbol, *, at, now):
            desk.settle()
            return Decimal("1.23")

    trade = desk.open(desk.trader())
    clock.go(60)
    desk.through(Meanwhile)
    desk.void(trade["id"])
    (settled,), (_, event) = desk.told("trade_settled"), told_one(desk)
    assert (event.settled, event.payout) == (True, settled.data["payout"])
    assert event.entry_spot == settled.data["entry_spot"] != "1.23"
    assert desk.row(trade["id"])["settled_status"] == settled.data["status"]


def test_of_voids_settlements_and_closings_at_once_the_events_agree_with_the_rows(desk, clock, at_once):
    trader = desk.trader()
    trades = [desk.open(trader)["id"] for _ in range(20)]
    clock.go(60)
    voids = [lambda trade_id=trade_id: desk.void(trade_id) for trade_id in trades]
    closes = [lambda trade_id=trade_id: desk.close(trade_id, "7.50") for trade_id in trades[::2]]
    answers = at_once(desk.settle, *voids, desk.settle, *closes, *voids, desk.settle)
    assert {answer for answer in answers if isinstance(answer, str)} <= {"trade_not_open", "settlement_conflict"}
    settled = {event.subject: event.data for event in desk.told("trade_settled")}
    cancelled = {event.subject: event.data for event in desk.told("trade_cancelled")}
    assert len(desk.told("trade_settled")) == len(settled)
    assert len(desk.told("trade_cancelled")) == len(cancelled) == len(trades)
    for trade_id in trades:
        row, before = desk.row(trade_id), settled.get(trade_id)
        assert row["status"] == "CANCELLED"
        assert cancelled[trade_id]["settled"] is (before is not None)
        assert row["settled_status"] == (before["status"] if before else None)
        assert cancelled[trade_id]["payout"] == (before["payout"] if before else 0)


def test_a_frozen_traders_trade_is_voided_too(desk):
    trader = desk.trader()
    trade = desk.open(trader)
    desk.user(trader.user_id, version=2, is_frozen=True)
    assert desk.void(trade["id"])["trade"]["status"] == "CANCELLED"
