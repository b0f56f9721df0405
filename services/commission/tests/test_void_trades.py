"""What a voided trade has earned is taken back, whichever of its two events comes first."""

from __future__ import annotations

import pytest

from shared.contracts import schema
from shared.contracts.commission.events import CommissionReversed
from shared.contracts.errors import Conflict
from shared.utils.ids import new_id


def pair(office, **changes):
    trade_id = new_id()
    return office.settled(trade_id=trade_id, **changes), office.cancelled(trade_id=trade_id, **changes)


def test_the_reversal_mirrors_the_award_and_is_told_once(office):
    settled, cancelled = pair(office)
    office.hear(settled)
    office.hear(cancelled)
    office.hear(cancelled)
    trade = settled.data
    award, reversal = office.rows(
        "SELECT id::text, commission_rule_id::text, rule_version, owner_id::text, user_id::text, amount, currency,"
        " kind, level, sign, reference::text, reverses::text, metadata FROM awards ORDER BY id"
    )
    assert reversal[1:12] == (
        trade.rule_id,
        3,
        trade.affiliate_id,
        trade.user_id,
        -39,
        "USD",
        "MARKUP",
        1,
        -1,
        trade.trade_id,
        award[0],
    )
    assert reversal[12] == {**award[12], "reason": "trade_cancelled"}
    (told,) = office.told("commission_reversed")
    assert (told.subject, told.subject_version) == (award[0], 2)
    assert (told.causation_id, told.correlation_id) == (cancelled.id, cancelled.envelope.correlation_id)
    assert schema.load(CommissionReversed, told.data) == CommissionReversed(
        reversal_id=reversal[0],
        award_id=award[0],
        kind="MARKUP",
        trade_id=trade.trade_id,
        owner_id=trade.affiliate_id,
        user_id=trade.user_id,
        currency="USD",
        amount=39,
        reason="trade_cancelled",
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_void_that_comes_first_says_it_all_and_the_late_result_is_a_duplicate(office, together):
    settled, cancelled = pair(office)
    for batch in [[cancelled, settled]] if together else [[cancelled], [settled]]:
        office.hear(*batch)
    office.hear(settled)
    assert office.amounts(settled.data.trade_id) == [39, -39]
    assert office.decision(settled.data.trade_id) == ("trade", 39, 39, None)
    (accrued,), (reversed_,) = office.told("commission_accrued"), office.told("commission_reversed")
    assert accrued.subject == reversed_.subject
    assert accrued.data["amount"] == reversed_.data["amount"] == 39


def test_a_trade_that_was_voided_while_open_is_not_decided(office):
    _, cancelled = pair(office)
    open_ = office.cancelled(settled=False, payout=0)
    office.hear(open_)
    assert office.rows("SELECT * FROM decisions") == []
    assert office.rows("SELECT * FROM awards") == []
    office.hear(open_, cancelled)
    assert office.rows("SELECT subject_id::text FROM decisions") == [(cancelled.data.trade_id,)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"account_type": "DEMO"}, "demo"), ({"affiliate_id": None}, "no_affiliate"), ({"markup": 0}, "no_markup")],
)
def test_where_none_was_due_nothing_is_taken_back(office, changes, reason):
    settled, cancelled = pair(office, **changes)
    office.hear(cancelled)
    office.hear(settled)
    assert office.decision(settled.data.trade_id)[2:] == (0, reason)
    assert office.rows("SELECT * FROM awards") == []
    assert office.rows("SELECT * FROM outbox") == []


def test_a_void_with_other_facts_than_the_result_is_refused(office):
    settled, _ = pair(office)
    office.hear(settled)
    with pytest.raises(Conflict):
        office.hear(office.cancelled(trade_id=settled.data.trade_id, markup=38))
    assert office.amounts(settled.data.trade_id) == [39]
    assert office.told("commission_reversed") == []


def test_a_batch_takes_back_each_trade_once_in_few_statements(office, statements):
    pairs = [pair(office, markup=number) for number in range(1, 51)]
    office.hear(*[settled for settled, _ in pairs[:25]])
    with statements() as seen:
        office.hear(*[cancelled for _, cancelled in pairs])
    assert len(seen) <= 7
    office.hear(*[cancelled for _, cancelled in pairs], *[cancelled for _, cancelled in pairs])
    assert office.rows("SELECT count(*), sum(amount) FROM awards") == [(100, 0)]
    assert len(office.told("commission_accrued")) == len(office.told("commission_reversed")) == 50


def test_results_and_voids_at_the_same_time_end_the_same(office, at_once):
    pairs = [pair(office) for _ in range(15)]
    work = []
    for settled, cancelled in pairs:
        work += [[settled], [cancelled], [cancelled, settled]]
    assert set(at_once(*[lambda batch=batch: office.hear(*batch) for batch in work])) == {None}
    for settled, _ in pairs:
        assert office.amounts(settled.data.trade_id) == [39, -39]
    assert len(office.told("commission_accrued")) == len(office.told("commission_reversed")) == 15


def test_processes_that_hear_the_same_voids_in_other_orders_never_lock_up(office, at_once):
    for _ in range(5):
        pairs = [pair(office) for _ in range(200)]
        office.hear(*[settled for settled, _ in pairs])
        voids = [cancelled for _, cancelled in pairs]
        calls = [lambda batch=batch: office.hear(*batch) for batch in (voids, voids[::-1])]
        assert set(at_once(*calls)) == {None}
    assert office.rolled_back == []
    assert office.rows("SELECT count(*), sum(amount) FROM awards") == [(2000, 0)]
