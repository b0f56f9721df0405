"""What users told billing."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from billing import copies
from shared.contracts import schema
from shared.contracts.envelope import Envelope, Received
from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id

USER = UserRegistered.example().user_id


def told(cls, version, username, **changes):
    data = dataclasses.replace(cls.example(), **changes)
    envelope = Envelope(
        id=new_id(),
        type=data.type,
        version=1,
        source="users",
        subject=USER,
        subject_version=version,
        occurred_at="2026-01-01T00:00:00Z",
        correlation_id=new_id(),
        data=schema.dump(data),
        personal={"username": username},
    )
    return Received(envelope, data)


EVENTS = [
    told(UserRegistered, 1, "alice"),
    told(UserUpdated, 2, "alice2", is_frozen=True),
    told(UserUpdated, 3, "alice3", is_active=False, is_frozen=True),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_version_wins_whatever_the_order_and_however_often(books, order, together):
    events = [EVENTS[number] for number in order] * 2
    for batch in [events] if together else [[event] for event in events]:
        copies.keep_users(books.db, batch)
    copy = books.one("SELECT is_active, is_frozen, version FROM user_copies WHERE user_id = %s", USER)
    assert copy == (False, True, 3)
    assert books.one("SELECT username FROM user_names WHERE user_id = %s", USER) == ("alice3",)


def test_names_stand_in_a_table_that_can_be_emptied_alone(books):
    copies.keep_users(books.db, EVENTS)
    assert "alice3" not in str(books.rows("SELECT * FROM user_copies"))
