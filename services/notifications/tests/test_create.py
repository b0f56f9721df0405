"""What staff and the system tell somebody, or all of staff."""

from __future__ import annotations

from functools import partial

import pytest

from shared.chassis.context import Context, Idempotency
from shared.contracts.errors import Forbidden, IdempotencyMismatch, NotReady, Unauthorized
from shared.contracts.notifications.rpc import NotificationView
from shared.utils.ids import new_id

STAFF_ID = new_id()
STAFF, COLLEAGUE = Context(kind="staff", user_id=STAFF_ID), Context(kind="staff", user_id=new_id())
SYSTEM = Context(kind="system")
KEY = Idempotency("0123456789abcdef", "POST /notifications", "hash of it")


def with_key(key=KEY, **changes):
    return Context(**{"kind": "staff", "user_id": STAFF_ID, "idempotency": key, **changes})


@pytest.mark.parametrize("caller", [STAFF, SYSTEM], ids=["staff", "system"])
def test_staff_and_the_system_tell_somebody_something(board, caller):
    person = board.person()
    made = board.create(caller, user_id=person.user_id, level="error", data={"ticket": 7, "more": ["x"]})
    assert set(made) == set(NotificationView.__annotations__)
    assert board.list(person)["results"] == [made]
    assert made == {
        "id": made["id"],
        "user_id": person.user_id,
        "title": "Maintenance",
        "body": "Tonight.",
        "level": "error",
        "is_read": False,
        "data": {"ticket": 7, "more": ["x"]},
        "created_at": "2026-03-02T10:00:00Z",
    }
    assert board.unread(person) == 1


def test_without_a_user_all_of_staff_are_told_and_nobody_else(board):
    made = board.create()
    assert (made["user_id"], made["data"]) == (None, {})
    assert board.list(STAFF)["results"] == board.list(COLLEAGUE)["results"] == [made]
    assert board.list(board.person())["results"] == []
    assert board.numbers(None) == [1]


def test_nobody_else_may(board):
    person = board.person()
    with pytest.raises(Forbidden):
        board.create(person, user_id=person.user_id)
    with pytest.raises(Unauthorized):
        board.create(Context())
    assert board.rows("SELECT 1 FROM notifications") == []


def test_a_user_who_has_not_been_heard_of_has_to_be_waited_for_and_the_key_stays_free(board):
    for unknown in (new_id(), "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotReady):
            board.create(with_key(), user_id=unknown)
    assert board.create(with_key(), user_id=board.person().user_id)["title"] == "Maintenance"


def test_the_same_text_twice_is_two_notifications(board):
    person = board.person()
    assert len({board.create(user_id=person.user_id)["id"] for _ in range(3)}) == 3
    assert board.numbers(person.user_id) == [1, 2, 3]


def test_a_key_makes_one_and_gives_it_as_it_is_now(board):
    person = board.person()
    made = board.create(with_key(), user_id=person.user_id)
    assert board.create(with_key(), user_id=person.user_id) == made
    board.read(person, made["id"])
    assert board.create(with_key(), user_id=person.user_id) == {**made, "is_read": True}
    board.delete(person, made["id"])
    emptied = board.create(with_key(), user_id=person.user_id)
    assert (emptied["id"], emptied["title"], emptied["body"], emptied["data"]) == (made["id"], "", "", {})
    assert board.ids(person) == []
    assert board.numbers(person.user_id) == [1]


def test_a_key_is_good_for_one_request_of_one_caller(board):
    made = board.create(with_key())
    with pytest.raises(IdempotencyMismatch):
        board.create(with_key(Idempotency(KEY.key, KEY.route, "another hash")))
    assert board.create(with_key(user_id=COLLEAGUE.user_id))["id"] != made["id"]
    assert board.create(Context(kind="system", idempotency=KEY))["id"] != made["id"]


def test_a_key_used_at_once_makes_one(board, at_once):
    person = board.person()
    answers = at_once(*[partial(board.create, with_key(), user_id=person.user_id)] * 12, threads=6)
    assert len({answer["id"] for answer in answers}) == 1
    assert board.numbers(person.user_id) == [1]
