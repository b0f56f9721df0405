"""Every settled trade gets one decision, and the affiliate of a REAL one its whole markup."""

from __future__ import annotations

import pytest

from shared.contracts import schema
from shared.contracts.commission.events import CommissionAccrued
from shared.contracts.errors import Conflict
from shared.utils.ids import new_id

OTHER = "01920000-0000-7000-8000-0000000000aa"


def test_the_whole_markup_is_awarded_as_the_event_says_and_told_once(office):
    event = office.settled()
    trade = event.data
    office.hear(event)
    office.hear(event)
    assert office.decision(trade.trade_id) == ("trade", 39, 39, None)
    award = office.one(
        "SELECT id::text, commission_rule_id::text, rule_version, owner_id::text, user_id::text, amount, currency,"
        " kind, level, sign, reference::text, metadata, reverses FROM awards"
    )
    explained = {"trade_id": trade.trade_id, "percent": "2.00", "source": "rule", "markup": "0.39"}
    parties = (trade.affiliate_id, trade.user_id)
    assert award[1:] == (
        trade.rule_id,
        3,
        *parties,
        39,
        "USD",
        "MARKUP",
        1,
        1,
        trade.trade_id,
        explained,
        None,
    )
    (told,) = office.told("commission_accrued")
    assert (told.subject, told.subject_version) == (award[0], 1)
    assert (told.causation_id, told.correlation_id) == (event.id, event.envelope.correlation_id)
    assert schema.load(CommissionAccrued, told.data) == CommissionAccrued(
        award_id=award[0],
        kind="MARKUP",
        trade_id=trade.trade_id,
        owner_id=trade.affiliate_id,
        user_id=trade.user_id,
        currency="USD",
        amount=39,
        percent="2.00",
        rule_id=trade.rule_id,
        rule_version=3,
        level=1,
    )


def test_a_rate_from_elsewhere_names_no_rule_and_no_rule_is_looked_up(office):
    owner = office.user()
    office.set_rule(owner, "10", "1")
    event = office.settled(affiliate_id=owner, rule_id=None, rule_version=None, markup_source="account", markup=55)
    office.hear(event)
    (view,) = office.listed()["results"]
    assert (view["amount"], view["commission_rule_id"], view["metadata"]["source"]) == ("0.55", None, "account")
    assert office.told("commission_accrued")[0].data["rule_version"] is None


@pytest.mark.parametrize(
    ("changes", "amount", "reason"),
    [
        ({"account_type": "DEMO"}, 39, "demo"),
        ({"affiliate_id": None}, 39, "no_affiliate"),
        ({"markup": 0}, 0, "no_markup"),
    ],
)
def test_where_none_is_due_that_is_written_with_its_reason_and_not_told(office, changes, amount, reason):
    event = office.settled(**changes)
    office.hear(event)
    office.hear(event)
    assert office.decision(event.data.trade_id) == ("trade", amount, 0, reason)
    assert office.rows("SELECT * FROM awards") == []
    assert office.rows("SELECT * FROM outbox") == []


def test_a_batch_with_duplicates_inside_decides_each_trade_once(office):
    one, two, demo = office.settled(), office.settled(markup=7), office.settled(account_type="DEMO")
    office.hear(one, two, one, demo, demo, one)
    office.hear(two, demo)
    assert office.amounts(one.data.trade_id) == [39]
    assert office.amounts(two.data.trade_id) == [7]
    assert office.rows("SELECT count(*) FROM decisions") == [(3,)]
    assert {told.data["trade_id"] for told in office.told("commission_accrued")} == {
        one.data.trade_id,
        two.data.trade_id,
    }
    assert len(office.told("commission_accrued")) == 2


def test_all_that_real_trades_were_charged_is_earned_by_somebody_or_the_house(office):
    events = [office.settled(markup=number, currency=("USD", "BTC")[number % 2]) for number in range(1, 101)]
    events += [office.settled(markup=5, affiliate_id=None), office.settled(markup=5, account_type="DEMO")]
    office.hear(*events)
    charged = {
        currency: sum(e.data.markup for e in events[:100] if e.data.currency == currency) for currency in ("USD", "BTC")
    }
    assert dict(office.rows("SELECT currency, sum(amount) FROM awards GROUP BY currency")) == charged
    told = office.told("commission_accrued")
    assert sum(one.data["amount"] for one in told) == sum(range(1, 101))


def test_a_hundred_trades_are_two_statements_in_one_commit(office, statements):
    events = [office.settled() for _ in range(100)]
    with statements() as seen:
        office.hear(*events)
    assert [statement.split()[0] for statement in seen] == ["BEGIN;", "WITH", "INSERT", "COMMIT"]
    with statements() as seen:
        office.hear(*events)
    assert [statement.split()[0] for statement in seen] == ["BEGIN;", "WITH", "SELECT", "COMMIT"]


@pytest.mark.parametrize("change", [{"markup": 40}, {"affiliate_id": OTHER}, {"user_id": OTHER}, {"currency": "EUR"}])
def test_other_facts_about_a_decided_trade_are_refused_and_change_nothing(office, change):
    event = office.settled()
    office.hear(event)
    contradiction = office.settled(trade_id=event.data.trade_id, **change)
    for batch in ([contradiction], [office.settled(), contradiction]):
        with pytest.raises(Conflict):
            office.hear(*batch)
    assert office.amounts(event.data.trade_id) == [39]
    assert office.rows("SELECT count(*) FROM decisions") == [(1,)]
    assert len(office.told("commission_accrued")) == 1


def test_two_facts_about_one_trade_in_a_batch_are_refused_together(office):
    event = office.settled()
    with pytest.raises(Conflict):
        office.hear(event, office.settled(trade_id=event.data.trade_id, markup=1))
    assert office.rows("SELECT * FROM decisions") == []


def test_an_event_that_makes_no_sense_is_refused(office):
    with pytest.raises(ValueError, match="markup of a trade"):
        office.hear(office.settled(markup=-1))
    with pytest.raises(ValueError, match="himself"):
        office.hear(office.settled(affiliate_id=OTHER, user_id=OTHER))


def test_what_is_sent_again_to_fill_copies_decides_nothing(office):
    event = office.settled()
    again = office.received(event.data, event.data.trade_id, 3, republished=True)
    office.hear(again)
    assert office.rows("SELECT * FROM decisions") == []


def test_parallel_batches_that_share_trades_decide_each_once(office, at_once):
    events = [office.settled() for _ in range(40)]
    batches = [events[start:] + events[:start] for start in range(0, 40, 4)]
    assert set(at_once(*[lambda batch=batch: office.hear(*batch) for batch in batches])) == {None}
    assert office.rows("SELECT count(*), sum(amount) FROM awards") == [(40, 40 * 39)]
    assert office.rows("SELECT count(*) FROM decisions") == [(40,)]
    assert len(office.told("commission_accrued")) == 40


def test_processes_that_hear_the_same_trades_in_other_orders_wait_for_each_other_and_never_lock_up(office, at_once):
    for _ in range(10):
        events = [office.settled() for _ in range(200)]
        calls = [lambda batch=batch: office.hear(*batch) for batch in (events, events[::-1])]
        assert set(at_once(*calls)) == {None}
    assert office.rolled_back == []


def test_an_award_of_a_currency_with_eight_decimals_is_shown_with_them(office):
    event = office.settled(currency="BTC", markup=123, trade_id=new_id())
    office.hear(event)
    (view,) = office.listed()["results"]
    assert (view["amount"], view["metadata"]["markup"]) == ("0.00000123", "0.00000123")
