"""Read once, by whom it concerns, and the counter is exact whatever happens at the same time."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from notifications.models import states
from shared.chassis.context import Context
from shared.chassis.testing import eventually
from shared.contracts.errors import Unauthorized
from shared.contracts.notifications.errors import NotificationNotFound
from shared.utils.ids import new_id

WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
STAFF, COLLEAGUE = Context(kind="staff", user_id=new_id()), Context(kind="staff", user_id=new_id())


def test_reading_counts_once_and_keeps_its_first_time(board):
    person = board.person()
    first, second = board.told(person, 2)
    read = board.read(person, first)
    assert (read["id"], read["is_read"]) == (first, True)
    board.now += timedelta(minutes=1)
    assert board.read(person, first) == read == board.get(person, first)
    assert board.unread(person) == 1
    assert board.rows("SELECT read_at::text FROM notifications WHERE is_read") == [("2026-03-02 10:00:00+00",)]
    assert board.ids(person, unread=True) == [second]


def test_read_all_takes_what_is_unread(board):
    person, other = board.person(), board.person()
    ids = board.told(person, 5)
    board.told(other)
    board.read(person, ids[0])
    board.delete(person, ids[1])
    assert [board.read_all(person), board.read_all(person)] == [3, 0]
    assert (board.unread(person), board.unread(other)) == (0, 1)
    board.told(person)
    assert board.unread(person) == 1


def test_more_than_one_commit_takes_are_all_taken(board, monkeypatch):
    monkeypatch.setattr(states, "MANY", 10)
    person = board.person()
    board.told(person, 30)
    assert board.read_all(person) == 30
    assert board.unread(person) == 0
    assert board.delete_all(person) == 30


def test_deleting_an_unread_one_counts_and_a_read_one_does_not(board):
    person = board.person()
    first, second = board.told(person, 2)
    board.read(person, first)
    board.delete(person, first)
    assert board.unread(person) == 1
    board.delete(person, second)
    assert board.unread(person) == 0
    assert board.rows("SELECT DISTINCT title, body, data FROM notifications") == [("", "", {})]


def test_what_is_deleted_is_none_any_more(board):
    person = board.person()
    (deleted,) = board.told(person)
    board.delete(person, deleted)
    for ask in (board.get, board.read, board.delete):
        with pytest.raises(NotificationNotFound):
            ask(person, deleted)
    assert board.ids(person) == []


def test_somebody_elses_looks_like_none_also_to_staff(board):
    owner, other = board.person(), board.person()
    (theirs,) = board.told(owner)
    for ask in (board.get, board.read, board.delete):
        for caller in (other, STAFF):
            with pytest.raises(NotificationNotFound):
                ask(caller, theirs)
            with pytest.raises(NotificationNotFound):
                ask(caller, new_id())
        with pytest.raises(Unauthorized):
            ask(Context(), theirs)
    assert board.get(owner, theirs)["is_read"] is False
    assert board.unread(owner) == 1


def test_what_is_told_to_all_of_staff_is_read_and_deleted_for_all(board):
    first, second = board.create()["id"], board.create()["id"]
    assert board.read(STAFF, first)["is_read"] is True
    assert board.get(COLLEAGUE, first)["is_read"] is True
    board.delete(COLLEAGUE, second)
    with pytest.raises(NotificationNotFound):
        board.get(STAFF, second)
    person = board.person()
    for ask in (board.get, board.read, board.delete):
        with pytest.raises(NotificationNotFound):
            ask(person, first)


def test_all_of_ones_own_leaves_what_is_told_to_all_of_staff(board):
    shared = board.create()["id"]
    board.create(user_id=board.person().user_id)
    board.told(STAFF, 2)
    assert (board.unread(STAFF), board.read_all(STAFF), board.delete_all(STAFF)) == (2, 2, 2)
    assert board.ids(STAFF) == [shared]
    assert board.get(STAFF, shared)["is_read"] is False


def test_at_once_reading_deleting_and_telling_leave_the_counter_exact(board, at_once):
    people = [board.person() for _ in range(2)] + [STAFF]
    ids = {person: board.told(person, 12) for person in people}
    shared = [board.create()["id"] for _ in range(6)]
    calls = []
    for person in people:
        mine = ids[person] + (shared if person is STAFF else [])
        calls += [partial(act, person, one) for one in mine for act in (board.read, board.read, board.delete)]
        calls += [partial(board.notify, board.settled(person.user_id), board.settled(people[0].user_id))] * 6
        calls += [partial(board.read_all, person), partial(board.delete_all, person)]
    random.Random(11).shuffle(calls)
    answers = at_once(*calls, threads=8)
    assert {answer for answer in answers if isinstance(answer, str)} <= {"notification_not_found"}
    assert board.violations() == {}
    for person in people:
        assert board.unread(person) == len(set(board.ids(person, unread=True, limit=100)) - set(shared))


@pytest.mark.parametrize(
    ("act", "answer"),
    [("read", "notification_not_found"), ("delete", "notification_not_found"), ("read_all", 0), ("delete_all", 0)],
)
def test_who_comes_second_waits_before_he_touches_anything(board, at_once, act, answer):
    person = board.person()
    (only,) = board.told(person)

    def first():
        with board.db.transaction() as tx:
            states.lock(tx, [person.user_id])
            locked.set()
            eventually(lambda: board.rows(WAITING), timeout=4, every=0.01)
            assert states.delete(tx, [person.user_id], only, now=board.now) == 1
        return "done"

    def second():
        assert locked.wait(5)
        attempts.append(act)
        return getattr(board, act)(person, *([] if act.endswith("all") else [only]))

    locked, attempts = Event(), []
    assert at_once(first, second, threads=2) == ["done", answer]
    # Had he touched the notification first, each would have waited for the other until one was rolled back.
    assert attempts == [act]
    assert board.unread(person) == 0


class BoardMachine(RuleBasedStateMachine):
    """One person, told, reading and deleting in any order, beside a list that does the same."""

    board = None

    @initialize()
    def begin(self):
        self.person = self.board.person()
        self.events, self.mine = [], {}

    def known(self):
        return {one["data"]["trade_id"]: one["id"] for one in self.board.list(self.person, limit=1000)["results"]}

    @rule(again=st.lists(st.integers(0, 5), max_size=4), new=st.integers(0, 2))
    def tell(self, again, new):
        self.events += [self.board.settled(self.person.user_id) for _ in range(new)]
        some = self.events[len(self.events) - new :] + [self.events[n] for n in again if n < len(self.events)]
        self.board.notify(*some)
        for event in some:
            self.mine.setdefault(event.data.trade_id, "unread")

    @rule(which=st.integers(0, 5), deleting=st.booleans())
    def read_or_delete(self, which, deleting):
        shown = self.known()
        if which < len(self.events) and (trade := self.events[which].data.trade_id) in shown:
            (self.board.delete if deleting else self.board.read)(self.person, shown[trade])
            self.mine[trade] = "deleted" if deleting else "read"

    @rule(deleting=st.booleans())
    def all_of_them(self, deleting):
        takes = ("unread", "read") if deleting else ("unread",)
        taken = [trade for trade, state in self.mine.items() if state in takes]
        count = (self.board.delete_all if deleting else self.board.read_all)(self.person)
        assert count == len(taken)
        self.mine.update(dict.fromkeys(taken, "deleted" if deleting else "read"))

    @invariant()
    def the_same_is_shown_and_counted(self):
        assert self.known().keys() == {trade for trade, state in self.mine.items() if state != "deleted"}
        assert self.board.unread(self.person) == list(self.mine.values()).count("unread")
        assert self.board.numbers(self.person.user_id) == list(range(1, len(self.mine) + 1))


def test_any_sequence_ends_like_a_list_of_them(board):
    class OnThisBoard(BoardMachine):
        pass

    OnThisBoard.board = board
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    run_state_machine_as_test(
        OnThisBoard, settings=settings(max_examples=12, deadline=None, suppress_health_check=checks)
    )
