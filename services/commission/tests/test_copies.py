"""What users told commission: the newest version wins, and a referrer stays."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from commission import copies
from shared.contracts.users.events import UserUpdated
from shared.utils.ids import new_id

REFERRER = "01910000-0000-7000-8000-000000000002"


def history(office, user_id, referrer_id=REFERRER):
    updated = dataclasses.replace(UserUpdated.example(), user_id=user_id, referrer_id=referrer_id)
    return [
        office.registered(user_id, referrer_id),
        office.received(updated, user_id, 2, personal={"username": "second"}),
        office.received(updated, user_id, 3, personal={"username": "third"}),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_version_wins_whatever_the_order_and_however_often(office, order, together):
    user_id = new_id()
    events = history(office, user_id)
    told = [events[number] for number in order] * 2
    for batch in [told] if together else [[event] for event in told]:
        copies.keep_users(office.db, batch)
    assert office.rows("SELECT user_id::text, referrer_id::text, version FROM user_copies") == [(user_id, REFERRER, 3)]
    assert office.rows("SELECT user_id::text, username FROM user_names") == [(user_id, "third")]


def test_a_referrer_who_is_known_stays(office):
    user_id = new_id()
    office.hear(office.registered(user_id, REFERRER))
    for version, other in ((2, new_id()), (3, None)):
        office.hear(office.registered(user_id, other, version))
    assert office.rows("SELECT referrer_id::text, version FROM user_copies") == [(REFERRER, 3)]


def test_present_state_that_is_sent_again_fills_the_copy(office):
    user_id = new_id()
    event = history(office, user_id)[2]
    again = dataclasses.replace(event, envelope=dataclasses.replace(event.envelope, republished=True))
    office.hear(again)
    assert office.rows("SELECT referrer_id::text, version FROM user_copies") == [(REFERRER, 3)]
    assert office.rows("SELECT * FROM outbox") == []


def test_names_stand_in_a_table_that_can_be_emptied_alone(office):
    office.hear(*history(office, new_id()))
    assert "third" not in str(office.rows("SELECT * FROM user_copies"))
