"""What users told audit, and what audit states of it."""

from __future__ import annotations

import itertools

import pytest

from audit.invariants import CLAIMS
from shared.contracts.billing.events import TransactionRecorded
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, ReferralCommissionAccrued
from shared.contracts.users.events import UserRegistered, UserUpdated

USER = UserRegistered.example().user_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_version_wins_whatever_the_order_and_however_often(trail, order, together):
    events = [
        trail.told(UserRegistered, subject_version=1, personal={"username": "alice"}),
        trail.told(UserUpdated, subject_version=2, personal={"username": "alice2"}),
        trail.told(UserUpdated, subject_version=3, personal={"username": "alice3"}),
    ]
    events = [events[number] for number in order] * 2
    for batch in [events] if together else [[event] for event in events]:
        trail.keep(*batch)
    assert trail.one("SELECT version FROM user_copies WHERE user_id = %s", USER) == (3,)
    assert trail.one("SELECT username FROM user_names WHERE user_id = %s", USER) == ("alice3",)
    assert trail.rows(CLAIMS["user_copy_audit"]) == [(USER, "3")]


def test_a_name_that_is_erased_stays_so_when_an_old_event_comes_again(trail):
    event = trail.told(UserRegistered, personal=trail.personal)
    trail.keep(event)
    with trail.db.transaction() as tx:
        tx.exec_driver_sql("DELETE FROM user_names")
    trail.keep(event)
    assert trail.count("user_names") == 0


def test_ledger_transactions_and_awards_are_stated_by_their_ids(trail):
    trail.hear(trail.told(TransactionRecorded, subject="ledger"), trail.told(CommissionAccrued, subject="markup"))
    trail.hear(
        trail.told(ReferralCommissionAccrued, subject="referral"), trail.told(CommissionReversed, subject="gone")
    )
    assert trail.facts("audited_ledger") == {"ledger": "1"}
    assert trail.facts("audited_award") == {"markup": "1", "referral": "1"}
