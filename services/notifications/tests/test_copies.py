"""What users told notifications."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from shared.contracts.users.events import UserRegistered, UserUpdated
from shared.utils.ids import new_id


@pytest.fixture
def history(board):
    """A user's life in three events, and his id."""
    user_id = new_id()
    registered = replace(UserRegistered.example(), user_id=user_id)
    updated = replace(UserUpdated.example(), user_id=user_id, changed=["email"])
    return user_id, [
        board.received(registered, version=1, username="alice", email="alice@example.org"),
        board.received(updated, version=2, username="alice", email="other@example.org"),
        board.received(updated, version=3, username="alice3", email="third@example.org"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_version_wins_whatever_the_order_and_however_often(board, history, order, together):
    user_id, events = history
    told = [events[number] for number in order] * 2
    for batch in [told] if together else [[event] for event in told]:
        board.hear_of(*batch)
    assert board.rows("SELECT user_id::text, version FROM user_copies") == [(user_id, 3)]
    contacts = board.rows("SELECT user_id::text, username, email FROM user_contacts")
    assert contacts == [(user_id, "alice3", "third@example.org")]


def test_what_is_republished_fills_the_copy(board, history):
    user_id, (registered, *_) = history
    board.hear_of(board.received(registered.data, version=7, republished=True, username="alice"))
    assert board.rows("SELECT user_id::text, version FROM user_copies") == [(user_id, 7)]
    assert board.rows("SELECT username FROM user_contacts") == [("alice",)]


def test_contacts_stand_in_a_table_that_can_be_emptied_alone(board, history):
    user_id, events = history
    board.hear_of(*events)
    assert "alice3" not in str(board.rows("SELECT * FROM user_copies"))
    board.rows("DELETE FROM user_contacts WHERE user_id = %s", user_id)
    board.hear_of(*events)
    assert board.rows("SELECT 1 FROM user_contacts") == []
