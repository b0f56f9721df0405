"""A referrer's share of a first deposit, by the rule that was in force when it was completed."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.chassis.testing import eventually
from shared.contracts import schema
from shared.contracts.commission.events import ReferralCommissionAccrued
from shared.contracts.errors import Conflict, NotReady
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339


@pytest.fixture
def referrer(office):
    return office.user()


@pytest.fixture
def payer(office, referrer):
    return office.user(referrer)


def test_the_share_of_the_first_deposit_is_awarded_once_and_told(office, referrer, payer):
    rule = office.set_rule(referrer, "5.5", "2")
    office.go(seconds=1)
    event = office.deposit(payer, amount=50_001)
    office.hear(event)
    office.hear(event, event)
    deposit_id = event.data.transaction_id
    assert office.decision(deposit_id) == ("deposit", 50_001, 2750, None)
    (view,) = office.listed()["results"]
    assert (view["owner_id"], view["user_id"], view["amount"]) == (referrer, payer, "27.50")
    assert (view["kind"], view["reference"], view["commission_rule_id"]) == ("REFERRAL", deposit_id, rule["id"])
    assert view["metadata"] == {
        "deposit_id": deposit_id,
        "percent": "5.50",
        "source": "rule",
        "deposit_amount": "500.01",
    }
    (told,) = office.told("referral_commission_accrued")
    assert (told.subject, told.subject_version, told.causation_id) == (view["id"], 1, event.id)
    assert schema.load(ReferralCommissionAccrued, told.data) == ReferralCommissionAccrued(
        award_id=view["id"],
        kind="REFERRAL",
        deposit_id=deposit_id,
        owner_id=referrer,
        user_id=payer,
        currency="USD",
        amount=2750,
        percent="5.50",
        rule_id=rule["id"],
        rule_version=1,
        level=1,
    )


@pytest.mark.parametrize(("amount", "percent", "share"), [(1, "50", 1), (1, "49.99", 0), (3, "50", 2), (7, "100", 7)])
def test_a_share_is_rounded_half_up_to_the_minor_unit(office, referrer, payer, amount, percent, share):
    office.set_rule(referrer, percent)
    event = office.deposit(payer, amount=amount)
    office.hear(event)
    assert office.decision(event.data.transaction_id)[2:] == (share, None if share else "zero")
    assert office.amounts(event.data.transaction_id) == ([share] if share else [])


def test_a_deposit_that_is_not_the_first_is_not_decided(office, referrer):
    office.set_rule(referrer)
    event = office.deposit("01920000-0000-7000-8000-0000000000ab", first_real=False)
    office.hear(event)
    assert office.rows("SELECT * FROM decisions") == []


def test_where_none_is_due_that_is_written_with_its_reason_and_not_told(office, referrer, payer):
    nobodys, without_rule = office.deposit(office.user()), office.deposit(payer)
    idle = office.user()
    office.set_rule(idle, "0", "3")
    nothing = office.deposit(office.user(idle))
    office.hear(nobodys, without_rule, nothing)
    reasons = [office.decision(event.data.transaction_id)[2:] for event in (nobodys, without_rule, nothing)]
    assert reasons == [(0, "no_referrer"), (0, "no_rule"), (0, "zero")]
    assert office.rows("SELECT * FROM awards") == []
    assert office.told("referral_commission_accrued") == []


def test_an_unknown_depositor_is_waited_for_and_never_decided_about(office, referrer):
    office.set_rule(referrer)
    payer = "01920000-0000-7000-8000-0000000000ac"
    known = office.deposit(office.user(referrer))
    early = office.deposit(payer)
    with pytest.raises(NotReady):
        office.hear(known, early)
    assert office.rows("SELECT * FROM decisions") == []
    office.hear(office.registered(payer, referrer), early)
    assert office.decision(early.data.transaction_id) == ("deposit", 50_000, 2500, None)


def test_a_referrer_whose_copy_is_missing_has_no_rule(office):
    event = office.deposit(office.user("01920000-0000-7000-8000-0000000000ad"))
    office.hear(event)
    assert office.decision(event.data.transaction_id)[2:] == (0, "no_rule")


def test_a_rule_changed_after_the_deposit_and_before_it_is_heard_does_not_touch_it(office, referrer, payer):
    office.set_rule(referrer, "5")
    office.go(seconds=1)
    event = office.deposit(payer)
    office.go(seconds=1)
    office.set_rule(referrer, "50")
    office.go(seconds=1)
    office.set_rule(referrer, "0")
    office.hear(event)
    assert office.decision(event.data.transaction_id) == ("deposit", 50_000, 2500, None)
    assert office.told("referral_commission_accrued")[0].data["rule_version"] == 1


def test_a_first_rule_after_the_deposit_gives_nothing_for_it(office, referrer, payer):
    event = office.deposit(payer)
    office.go(seconds=1)
    office.set_rule(referrer, "50")
    office.hear(event)
    assert office.decision(event.data.transaction_id)[2:] == (0, "no_rule")


def test_each_deposit_of_a_batch_finds_the_version_of_its_own_time(office, referrer):
    events = []
    for percent in ("1", "2", "3"):
        office.set_rule(referrer, percent)
        events.append(office.deposit(office.user(referrer), amount=10_000))  # in force from the same instant on
        office.go(seconds=5)
    office.hear(*reversed(events))
    assert [office.decision(event.data.transaction_id)[2] for event in events] == [100, 200, 300]


def test_a_second_first_deposit_is_refused(office, referrer, payer):
    office.set_rule(referrer)
    office.hear(office.deposit(payer))
    with pytest.raises(Conflict):
        office.hear(office.deposit(payer))
    assert office.rows("SELECT count(*) FROM awards") == [(1,)]


def test_another_amount_for_a_decided_deposit_is_refused(office, payer):
    event = office.deposit(payer)
    office.hear(event)
    with pytest.raises(Conflict):
        office.hear(office.deposit(payer, transaction_id=event.data.transaction_id, amount=1))


def test_the_same_deposits_heard_by_many_at_once_are_decided_once_without_locking_up(office, referrer, at_once):
    office.set_rule(referrer)
    for _ in range(5):
        payers = [new_id() for _ in range(100)]
        office.hear(*[office.registered(payer, referrer) for payer in payers])
        events = [office.deposit(payer) for payer in payers]
        calls = [lambda batch=batch: office.hear(*batch) for batch in (events, events[::-1])]
        assert set(at_once(*calls)) == {None}
    assert office.rolled_back == []
    told = Counter(told.data["deposit_id"] for told in office.told("referral_commission_accrued"))
    assert (len(told), set(told.values())) == (500, {1})


def someone_waits(office):
    return office.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )


def test_a_deposit_waits_for_the_rule_that_is_being_set_and_goes_by_it(office, referrer, payer):
    office.set_rule(referrer, "5")
    office.go(seconds=1)
    with ThreadPoolExecutor(1) as pool:
        with office.db.transaction():
            office.set_rule(referrer, "50")
            office.go(microseconds=1)
            event = office.deposit(payer)
            heard = pool.submit(office.hear, event)
            eventually(lambda: someone_waits(office))
        heard.result()
    assert office.decision(event.data.transaction_id)[2] == 25_000


def test_a_rule_waits_for_the_deposit_that_is_being_decided_and_is_in_force_after_it(office, referrer, payer):
    office.set_rule(referrer, "5")
    with ThreadPoolExecutor(1) as pool:
        with office.db.transaction():
            event = office.deposit(payer)
            office.hear(event)
            changed = pool.submit(office.set_rule, referrer, "50")
            eventually(lambda: someone_waits(office))
            office.go(seconds=1)
        rule = changed.result()
    assert office.decision(event.data.transaction_id)[2] == 2500
    assert from_rfc3339(rule["updated_at"]) == office.now


def test_a_rule_that_is_being_set_while_a_deposit_is_heard_counts_from_its_time_on(office, referrer, at_once):
    ticks = itertools.count()
    office.clock = lambda: office.now + timedelta(microseconds=next(ticks))
    payers = [office.user(referrer) for _ in range(12)]
    office.set_rule(referrer, "1")
    changes = [lambda percent=percent: office.set_rule(referrer, str(percent)) for percent in range(2, 8)]
    deposits = [lambda payer=payer: office.hear(office.deposit(payer, amount=10_000)) for payer in payers]
    calls = [call for some in zip(deposits[::2], changes, deposits[1::2], strict=True) for call in some]
    at_once(*calls)
    decided = office.rows(
        "SELECT d.due, (SELECT v.referral_percent * 100 FROM rule_versions AS v WHERE v.valid_from <= d.occurred_at"
        " ORDER BY v.valid_from DESC LIMIT 1) FROM decisions AS d"
    )
    assert len(decided) == len(payers)
    assert [(due, right) for due, right in decided if due != right] == []
