"""Opening: asked, held, bought; and every way in which that may break off."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.chassis.context import Context, Idempotency, use
from shared.chassis.errors import CommitUnknown
from shared.contracts import schema
from shared.contracts.billing.errors import AccountNotFound, HoldRefused, InsufficientFunds
from shared.contracts.envelope import parse
from shared.contracts.errors import (
    DeadlineExceeded,
    IdempotencyMismatch,
    InProgress,
    MalformedRequest,
    NotReady,
    ServiceUnavailable,
    Unauthorized,
    ValidationFailed,
)
from shared.contracts.trades.errors import PriceMoved, TradeNotOpened, UserFrozen
from shared.contracts.trades.rpc import OpenTradeRequest, TradeView
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339
from trades.commands.open_trade import open_trade


def raising(error):
    def act(hold_id):
        raise error

    return act


def refused_fields(error):
    return {(item["field"], item["code"]) for item in error.value.errors}


def test_a_trade_is_held_bought_and_told(desk, clock):
    trader = desk.trader(account_markup="2.00")
    trade = desk.open(trader, proposal_id="prop_1")
    assert {name: trade[name] for name in ("status", "stake", "potential_payout", "markup_applied")} == {
        "status": "OPEN",
        "stake": "10.00",
        "potential_payout": "19.54",
        "markup_applied": "0.39",
    }
    assert desk.billing.held == {trade["id"]: 1039}
    (told,) = desk.told("trade_opened")
    event = parse(told.to_json()).data
    assert (event.trade_id, event.held, event.markup, event.potential_payout) == (trade["id"], 1039, 39, 1954)
    assert told.subject == trade["id"]
    assert told.subject_version == desk.row(trade["id"])["version"]
    assert told.actor.user_id == trader.user_id
    assert event.opened_at == trade["opened_at"] == to_rfc3339(clock.now)


def test_the_answer_has_exactly_the_fields_of_the_contract_and_is_what_is_asked_for_later(desk):
    trader = desk.trader()
    trade = desk.open(trader)
    assert set(trade) == set(TradeView.__annotations__)
    assert trade["payout"] is trade["profit"] is trade["entry_spot"] is trade["closed_at"] is None
    assert trade["commission_applied"] == "0.00"
    assert trade["transaction_id"].startswith("tx_")
    assert desk.answer(trader, "k" * 16)["trade"] == desk.answer(trader, "k" * 16)["trade"]


def test_a_contract_runs_from_the_first_tick_after_the_purchase(desk, clock):
    trader = desk.trader()
    on_r = desk.open(trader, symbol="R_100", duration=5, duration_unit="t")
    on_1hz = desk.open(trader, symbol="1HZ100V", duration=5, duration_unit="t")
    minute = desk.open(trader, symbol="R_50", duration=1, duration_unit="m")
    assert on_r["opened_at"] == "2026-03-02T10:20:30.250000Z"
    assert on_r["expires_at"] == "2026-03-02T10:20:42Z"
    assert on_1hz["expires_at"] == "2026-03-02T10:20:36Z"
    assert minute["expires_at"] == "2026-03-02T10:21:32Z"
    assert [trade["duration_seconds"] for trade in (on_r, on_1hz, minute)] == [10, 5, 60]


def test_either_form_of_direction_and_duration_opens_the_same(desk):
    trader = desk.trader()
    trade = desk.open(
        trader, contract_type=None, direction="FALL", duration=None, duration_unit=None, duration_seconds=15
    )
    assert (trade["contract_type"], trade["direction"]) == ("PUT", "FALL")
    assert (trade["duration_seconds"], trade["duration"], trade["duration_unit"]) == (15, 15, "s")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"direction": "FALL"}, {("direction", "contradiction")}),
        ({"contract_type": None}, {("contract_type", "required")}),
        ({"symbol": "R_1000"}, {("symbol", "unknown")}),
        ({"duration_seconds": 60}, {("duration_seconds", "contradiction")}),
        ({"duration": None, "duration_unit": None}, {("duration_seconds", "required")}),
        ({"duration": 11}, {("duration", "not_offered")}),
        ({"duration": 1, "duration_unit": "s"}, {("duration", "too_short")}),
        ({"duration": 366, "duration_unit": "d"}, {("duration", "too_long")}),
        ({"stake": "10.001"}, {("stake", "invalid")}),
        ({"stake": "0.34"}, {("stake", "too_low")}),
        ({"stake": "25700.00"}, {("stake", "payout_too_high")}),
        ({"min_payout": "1.001"}, {("min_payout", "invalid")}),
        (
            {"symbol": "R_1000", "stake": "0.10", "contract_type": None, "duration": 11},
            {
                ("symbol", "unknown"),
                ("stake", "too_low"),
                ("contract_type", "required"),
                ("duration", "not_offered"),
            },
        ),
    ],
)
def test_fields_that_break_a_rule_are_named_all_at_once_and_keep_nothing(desk, changes, refused):
    trader = desk.trader()
    with pytest.raises(ValidationFailed) as error:
        desk.open(trader, "the-same-key-0001", **changes)
    assert refused_fields(error) == refused
    assert desk.billing.calls == []
    assert desk.open(trader, "the-same-key-0001")["status"] == "OPEN"


def test_the_limits_are_met_exactly(desk):
    trader = desk.trader()
    assert desk.open(trader, stake="0.35")["stake"] == "0.35"
    desk.conditions = replace(desk.conditions, payout_max=Decimal("19.54"))
    assert desk.open(trader, stake="10.00")["potential_payout"] == "19.54"
    with pytest.raises(ValidationFailed):
        desk.open(trader, stake="10.01")


def test_an_account_of_another_precision_is_priced_in_its_own_units(desk):
    trader = desk.trader(currency="BTC")
    trade = desk.open(trader, stake="0.50000001")
    assert (trade["stake"], trade["currency"]) == ("0.50000001", "BTC")
    assert desk.billing.held[trade["id"]] == 50_000_001


def test_below_min_payout_nothing_is_kept(desk):
    trader = desk.trader()
    with pytest.raises(PriceMoved):
        desk.open(trader, "the-same-key-0001", min_payout="19.55", body="x")
    assert (desk.billing.calls, desk.rows("SELECT 1 FROM trades")) == ([], [])
    assert desk.open(trader, "the-same-key-0001", min_payout="19.54", body="x")["status"] == "OPEN"


def test_only_a_known_caller_with_a_key_opens(desk):
    trader = desk.trader()
    request = OpenTradeRequest(
        account_id=trader.account_id, symbol="R_100", stake="1", contract_type="CALL", duration_seconds=15
    )
    ports = {"db": desk.db, "billing": desk.billing, "market": desk.market, "conditions": desk.conditions}
    with use(trader.context), pytest.raises(MalformedRequest):
        open_trade(request, **ports)
    with use(Context(idempotency=Idempotency("k", "r", "h"))), pytest.raises(Unauthorized):
        open_trade(request, **ports)


def test_somebody_elses_account_does_not_exist(desk):
    owner, other = desk.trader(), desk.trader()
    with pytest.raises(AccountNotFound):
        desk.open(other, account_id=owner.account_id)
    with pytest.raises(AccountNotFound):
        desk.open(other, account_id=new_id())


def test_an_account_not_heard_of_is_asked_of_billing_once(desk):
    trader = replace(desk.trader(), account_id=new_id())
    desk.billing.terms[trader.account_id] = {
        "account_id": trader.account_id,
        "user_id": trader.user_id,
        "account_type": "REAL",
        "currency": "EUR",
        "markup_percentage": "1.00",
        "version": 1,
    }
    trade = desk.open(trader)
    assert (trade["account_type"], trade["currency"], trade["markup_percent"]) == ("REAL", "EUR", "1.00")
    desk.open(trader)
    assert desk.billing.asked("account_terms") == [trader.account_id]


def test_a_user_not_heard_of_is_waited_for_and_then_not_ready(desk):
    trader = replace(desk.trader(), user_id=new_id())
    desk.rows("UPDATE account_copies SET user_id = %s", trader.user_id)
    with pytest.raises(NotReady):
        desk.open(trader, "the-same-key-0001")
    desk.user(trader.user_id)
    assert desk.open(trader, "the-same-key-0001")["status"] == "OPEN"


def test_an_affiliate_not_heard_of_is_waited_for_too(desk):
    trader = desk.trader(referrer_id="01910000-0000-7000-8000-000000000002")
    with pytest.raises(NotReady):
        desk.open(trader)
    desk.user("01910000-0000-7000-8000-000000000002", markup_percentage="1.50")
    trade = desk.open(trader)
    assert (trade["markup_percent"], trade["markup_source"]) == ("1.50", "affiliate")
    assert desk.row(trade["id"])["affiliate_id"] == "01910000-0000-7000-8000-000000000002"


@pytest.mark.parametrize("state", [{"is_frozen": True}, {"is_active": False}])
def test_a_frozen_or_inactive_user_opens_nothing(desk, state):
    trader = desk.trader(**state)
    with pytest.raises(UserFrozen):
        desk.open(trader)
    assert desk.billing.calls == []


def test_the_same_key_gives_the_same_trade_as_it_is_now(desk, clock):
    trader = desk.trader()
    first = desk.answer(trader, "the-same-key-0001")
    assert first["replayed"] is False
    clock.go(30)
    desk.settle()
    again = desk.answer(trader, "the-same-key-0001")
    assert again["replayed"] is True
    assert again["trade"]["id"] == first["trade"]["id"]
    assert again["trade"]["status"] in ("WON", "LOST")
    assert len(desk.billing.asked("hold")) == 1


def test_a_key_is_one_users_and_for_one_body(desk):
    trader, other = desk.trader(), desk.trader()
    desk.open(trader, "the-same-key-0001")
    with pytest.raises(IdempotencyMismatch):
        desk.open(trader, "the-same-key-0001", stake="11.00")
    assert desk.open(other, "the-same-key-0001")["user_id"] == other.user_id


def test_a_replay_is_answered_even_when_the_rules_have_changed(desk):
    trader = desk.trader()
    trade = desk.open(trader, "the-same-key-0001")
    desk.conditions = replace(desk.conditions, stake_min=Decimal(100))
    desk.user(trader.user_id, version=2, is_frozen=True)
    assert desk.open(trader, "the-same-key-0001")["id"] == trade["id"]


@pytest.mark.parametrize("refusal", [InsufficientFunds("99.00 available"), HoldRefused(), AccountNotFound()])
def test_a_refused_hold_is_kept_and_told_again(desk, refusal):
    trader = desk.trader()
    desk.billing.on_hold = raising(refusal)
    for _ in range(2):
        with pytest.raises(type(refusal)) as error:
            desk.open(trader, "the-same-key-0001")
        assert error.value.detail == refusal.detail
    assert len(desk.billing.asked("hold")) == 1
    ((status, rejection),) = desk.rows("SELECT status, rejection FROM trades")
    assert (status, rejection["code"]) == ("REJECTED", refusal.code)
    assert desk.told("trade_opened") == []


@pytest.mark.parametrize("unknown", [DeadlineExceeded(), ServiceUnavailable()])
def test_an_unknown_hold_leaves_the_trade_pending(desk, unknown):
    trader = desk.trader()
    desk.billing.on_hold = raising(unknown)
    with pytest.raises(type(unknown)):
        desk.open(trader, "the-same-key-0001")
    assert desk.rows("SELECT status FROM trades") == [("PENDING",)]
    with pytest.raises(InProgress):
        desk.open(trader, "the-same-key-0001")
    assert len(desk.billing.asked("hold")) == 1


def test_fifty_times_the_same_key_is_one_trade_and_one_hold(desk, at_once):
    trader = desk.trader()
    answers = at_once(*[lambda: desk.answer(trader, "the-same-key-0001")] * 50)
    trades = [answer for answer in answers if isinstance(answer, dict)]
    assert {answer for answer in answers if isinstance(answer, str)} <= {"in_progress"}
    assert Counter(answer["replayed"] for answer in trades)[False] == 1
    assert len({answer["trade"]["id"] for answer in trades}) == 1
    assert desk.rows("SELECT count(*) FROM trades") == [(1,)]
    assert len(desk.billing.asked("hold")) == 1
    assert len(desk.told("trade_opened")) == 1


def test_a_slow_hold_is_overtaken_by_the_sweeper_and_never_opens(desk, clock):
    trader = desk.trader()

    def slow(hold_id):
        clock.go(6)
        desk.sweep()
        desk.billing.released.discard(hold_id)  # the hold got through just before its release

    desk.billing.on_hold = slow
    with pytest.raises(TradeNotOpened):
        desk.open(trader, "the-same-key-0001")
    with pytest.raises(TradeNotOpened):
        desk.open(trader, "the-same-key-0001")
    assert desk.rows("SELECT status, rejection->>'code' FROM trades") == [("REJECTED", "not_opened")]
    assert desk.told("trade_opened") == []


def test_what_the_sweeper_has_only_claimed_does_not_open_either(desk, clock):
    trader = desk.trader()

    def slow(hold_id):
        clock.go(6)
        desk.billing.on_release = raising(ServiceUnavailable())
        desk.sweep()

    desk.billing.on_hold = slow
    with pytest.raises(TradeNotOpened):
        desk.open(trader)
    assert desk.rows("SELECT status FROM trades") == [("PENDING",)]
    desk.billing.on_release = lambda hold_id: None
    desk.sweep()
    assert desk.rows("SELECT status FROM trades") == [("REJECTED",)]
    assert desk.billing.held == {}


def test_a_refusal_that_comes_after_the_claim_is_the_sweepers(desk, clock):
    trader = desk.trader()

    def slow(hold_id):
        clock.go(6)
        desk.sweep()
        raise InsufficientFunds()

    desk.billing.on_hold = slow
    with pytest.raises(TradeNotOpened):
        desk.open(trader, "the-same-key-0001")
    with pytest.raises(TradeNotOpened):
        desk.open(trader, "the-same-key-0001")


@pytest.mark.parametrize("which", [1, 2], ids=["the PENDING trade", "the OPEN trade"])
def test_a_lost_answer_to_a_commit_heals(desk, lost_commit, which):
    trader = desk.trader()
    with lost_commit(desk.db, which) as lost:
        answer = desk.answer(trader, "the-same-key-0001")
    assert lost == [CommitUnknown]
    assert (answer["replayed"], answer["trade"]["status"]) == (False, "OPEN")
    assert answer["trade"] == desk.open(trader, "the-same-key-0001")
    assert desk.rows("SELECT count(*) FROM trades") == [(1,)]
    assert len(desk.billing.asked("hold")) == 1
    assert len(desk.told("trade_opened")) == 1


def test_a_lost_answer_to_the_commit_of_a_refusal_heals(desk, lost_commit):
    trader = desk.trader()
    desk.billing.on_hold = raising(InsufficientFunds("none"))
    with lost_commit(desk.db, 2) as lost, pytest.raises(InsufficientFunds):
        desk.open(trader)
    assert lost == [CommitUnknown]
    assert desk.rows("SELECT status FROM trades") == [("REJECTED",)]


def test_the_purchase_is_at_the_time_of_the_buy_not_of_the_question(desk, clock):
    trader = desk.trader()
    desk.billing.on_hold = lambda hold_id: clock.go(1.9)
    trade = desk.open(trader)
    assert trade["opened_at"] == to_rfc3339(clock.now)
    assert trade["expires_at"] == "2026-03-02T10:20:44Z"
    assert desk.row(trade["id"])["opening_deadline"].startswith("2026-03-02T10:20:35.25")


def test_the_event_is_as_the_contract_has_it(desk):
    affiliate = desk.user(markup_percentage="1.00")
    desk.open(desk.trader(referrer_id=affiliate))
    (told,) = desk.told("trade_opened")
    assert schema.dump(parse(told.to_json()).data).keys() == told.data.keys()
    assert told.data["affiliate_id"] == affiliate
    assert told.data["entry_spot"] is None


def test_days_and_hours_run_their_length(desk, clock):
    trade = desk.open(desk.trader(), duration=365, duration_unit="d")
    assert trade["duration_seconds"] == timedelta(days=365).total_seconds()
    assert trade["expires_at"] == "2027-03-02T10:20:32Z"
